"""The built-in optimizers."""

from minigrad.optimizers.adagrad import Adagrad
from minigrad.optimizers.adam import Adam
from minigrad.optimizers.adamw import AdamW
from minigrad.optimizers.rmsprop import RMSprop
from minigrad.optimizers.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "RMSprop"]
