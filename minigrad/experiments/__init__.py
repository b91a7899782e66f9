"""Experiments as files: a configuration is trained into a folder."""

__all__: list[str] = []
