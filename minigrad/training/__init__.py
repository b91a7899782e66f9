"""What is done with nets to make them learn."""

from minigrad.training.step import train_step

__all__ = ["train_step"]
