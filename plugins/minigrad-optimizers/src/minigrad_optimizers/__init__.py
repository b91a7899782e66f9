"""The optimizers of torch.optim that minigrad itself leaves out, and Lion, LARS and Lookahead.

Examples:
    >>> import torch
    >>> from minigrad import Parameter
    >>> from minigrad_optimizers import Lion
    >>> Lion([Parameter(torch.zeros(2))], lr=1e-3)
    Lion(lr=0.001)
"""

from minigrad_optimizers.adadelta import Adadelta
from minigrad_optimizers.adafactor import Adafactor
from minigrad_optimizers.adamax import Adamax
from minigrad_optimizers.asgd import ASGD
from minigrad_optimizers.lars import LARS
from minigrad_optimizers.lion import Lion
from minigrad_optimizers.lookahead import Lookahead
from minigrad_optimizers.muon import Muon
from minigrad_optimizers.nadam import NAdam
from minigrad_optimizers.radam import RAdam
from minigrad_optimizers.rprop import Rprop

__all__ = [
    "ASGD",
    "LARS",
    "Adadelta",
    "Adafactor",
    "Adamax",
    "Lion",
    "Lookahead",
    "Muon",
    "NAdam",
    "RAdam",
    "Rprop",
]
