"""The built-in losses."""

from minigrad.losses.bce import BCE
from minigrad.losses.bce_with_logits import BCEWithLogits
from minigrad.losses.cross_entropy import CrossEntropy
from minigrad.losses.kl_div import KLDiv
from minigrad.losses.l1 import L1, Huber, SmoothL1
from minigrad.losses.mse import MSE
from minigrad.losses.nll import NLL

__all__ = ["BCE", "L1", "MSE", "NLL", "BCEWithLogits", "CrossEntropy", "Huber", "KLDiv", "SmoothL1"]
