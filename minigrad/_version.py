"""The version, stated once: the build reads it from here, and `minigrad.__version__` is it."""

__version__ = "0.1.0"
