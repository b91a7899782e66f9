"""float32 against float64: no component loses more digits than its kernel must, or than torch itself does."""

from typing import Any

import pytest
import torch
from torch import Tensor

import minigrad
from tests.judges import modules
from tests.judges.modules import ModuleCase

EPS = torch.finfo(torch.float32).eps
MODULES = [case for case in modules.cases() if not isinstance(case.module, torch.nn.Dropout)]

pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")


def _as_float(value: Any) -> Any:
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.detach().float().requires_grad_(value.requires_grad)
    return value


def _error(single: Any, double: Any) -> float:
    """The error of `single` by norm, as a part of `double`."""
    single, double = (
        torch.cat([t.detach().double().flatten() for t in (value if isinstance(value, list) else [value])])
        for value in (single, double)
    )
    # Where the sample asks for log 0 or the like, neither precision has a number.
    finite = double.isfinite() & single.isfinite()
    single, double = single[finite], double[finite]
    return float((single - double).norm() / double.norm()) if double.norm() > 0 else float((single - double).norm())


@pytest.mark.parametrize("case", MODULES, ids=str)
def test_float32_keeps_its_digits(case: ModuleCase):
    # Both precisions are given the same numbers, those that float32 can hold.
    arguments = tuple(_as_float(value) for value in case.arguments)
    single = ModuleCase(case.family, case.name, case.index, case.module.float(), arguments)
    theirs = modules._torch_run(single)
    ours = modules._our_run(minigrad.from_torch(single.module), single, theirs.upstream)
    doubled = tuple(
        value.detach().double().requires_grad_(value.requires_grad)
        if isinstance(value, Tensor) and value.is_floating_point()
        else value
        for value in arguments
    )
    exact_case = ModuleCase(case.family, case.name, case.index, case.module.double(), doubled)
    exact = modules._our_run(minigrad.from_torch(exact_case.module), exact_case, theirs.upstream.double())
    allowed = max(16 * EPS, 2 * _error(theirs.output, exact[0]))
    assert _error(ours[0], exact[0]) <= allowed
    if theirs.input_gradients:
        allowed = max(16 * EPS, 2 * _error(theirs.input_gradients, exact[1]))
        assert _error(ours[1], exact[1]) <= allowed
    for name, gradient in theirs.parameter_gradients.items():
        allowed = max(16 * EPS, 2 * _error(gradient, exact[2][name]))
        assert _error(ours[2][name], exact[2][name]) <= allowed
