"""How good predictions are."""

__all__: list[str] = []
