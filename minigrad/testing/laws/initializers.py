"""Laws for initializers: they fill what they are given, and draw from torch's generator."""

import math

import torch

from minigrad.core import Initializer
from minigrad.testing.compare import first_difference
from minigrad.testing.law import demand, law
from minigrad.testing.passes import SEED
from minigrad.testing.trees import describe
from minigrad.testing.trial import Trial


@law(Initializer)
def fills_in_place(trial: Trial) -> None:
    """Every entry of the given tensor is set, in its own memory and dtype, and nothing is returned."""
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        tensor = torch.full((6, 4), math.nan, dtype=dtype)
        place = tensor.data_ptr()
        try:
            result = trial.made()(tensor)
        except NotImplementedError as error:
            if dtype == torch.bfloat16 and "not implemented for" in str(error):
                continue  # torch has no kernel for it
            raise
        demand(result is None, "An initializer fills its argument and returns nothing.", describe(result))
        demand(tensor.data_ptr() == place and tensor.dtype == dtype, "It is filled in place.", describe(tensor))
        missed = int((~tensor.isfinite()).sum())
        demand(not missed, "Every entry is set to a finite number.", f"{missed} of {tensor.numel()} entries were not")


@law(Initializer)
def fills_what_lies_apart(trial: Trial) -> None:
    """A part of a tensor can be filled: what lies around it stays as it is."""
    whole = torch.full((8, 5), math.nan)
    part = whole[1:-1, :-1]
    trial.made()(part)
    demand(bool(part.isfinite().all()), "Every entry of the part is set.", f"{int(part.isnan().sum())} were not")
    outside = whole.isfinite().sum() - part.numel()
    demand(not outside, "What lies around the part stays as it is.", f"{int(outside)} entries were changed")


@law(Initializer)
def seeded(trial: Trial) -> None:
    """The same seed of torch gives the same numbers."""
    filled = []
    for _ in range(2):
        initializer = trial.made()
        torch.manual_seed(SEED)
        tensor = torch.empty(6, 4)
        initializer(tensor)
        filled.append(tensor)
    difference = first_difference(filled[1], filled[0], 0.0, 0.0)
    demand(difference is None, "The same seed must give the same numbers.", f"the second time, {difference}")
