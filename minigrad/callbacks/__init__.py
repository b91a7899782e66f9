"""What happens beside the training."""

__all__: list[str] = []
