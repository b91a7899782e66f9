"""SGD's one kernel for all parameters gives what its readable rule gives, bit for bit."""

import pytest
import torch

from minigrad.core import Optimizer, Parameter
from minigrad.optimizers import SGD

# From below the width of a vector register to several threads' worth.
SIZES = (1, 3, 8, 16, 63, 1000, 70_000)


@pytest.mark.parametrize("lr", [1.0, 0.3333, 0.1])
@pytest.mark.parametrize(
    "dtypes",
    [
        (torch.float32,),
        (torch.float64,),
        (torch.bfloat16,),
        (torch.float16,),
        (torch.float32, torch.bfloat16, torch.float64),
    ],
    ids=str,
)
def test_all_at_once_is_bit_equal_to_one_by_one(dtypes: tuple[torch.dtype, ...], lr: float):
    drawn = [(torch.randn(size), torch.randn(size)) for size in SIZES]
    cast = [(p.to(dtypes[i % len(dtypes)]), g.to(dtypes[i % len(dtypes)])) for i, (p, g) in enumerate(drawn)]
    at_once, one_by_one = ([Parameter(p.clone()) for p, _ in cast] for _ in range(2))
    grads = [g for _, g in cast]
    states = [{} for _ in cast]
    SGD(at_once, lr=lr).update_all(at_once, grads, states)
    Optimizer.update_all(SGD(one_by_one, lr=lr), one_by_one, grads, states)
    assert all(torch.equal(a, b) for a, b in zip(at_once, one_by_one, strict=True))
    assert not any(torch.equal(a, p) for a, (p, _) in zip(at_once, cast, strict=True))
