"""What is done with nets to make them learn."""

from minigrad.training.data import batches
from minigrad.training.fit import fit
from minigrad.training.history import History
from minigrad.training.step import train_step

__all__ = ["History", "batches", "fit", "train_step"]
