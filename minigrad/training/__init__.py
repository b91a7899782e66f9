"""What is done with nets to make them learn."""

from minigrad.training.checkpoint import Checkpoint
from minigrad.training.data import Batches
from minigrad.training.evaluate import evaluate
from minigrad.training.fit import fit
from minigrad.training.history import History
from minigrad.training.step import train_step

__all__ = ["Batches", "Checkpoint", "History", "evaluate", "fit", "train_step"]
