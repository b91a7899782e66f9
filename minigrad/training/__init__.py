"""What is done with nets to make them learn, and to keep what they learned."""

from minigrad.training.checkpoint import Checkpoint
from minigrad.training.data import Batches
from minigrad.training.evaluating import evaluate
from minigrad.training.fitting import fit
from minigrad.training.history import History
from minigrad.training.saving import load, read_notes, save
from minigrad.training.step import train_step

__all__ = ["Batches", "Checkpoint", "History", "evaluate", "fit", "load", "read_notes", "save", "train_step"]
