"""Examples under a name."""

__all__: list[str] = []
