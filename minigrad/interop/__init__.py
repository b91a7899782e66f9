"""Where torch's modules are guests."""
