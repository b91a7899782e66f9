"""torch's own error inputs: what its modules and optimizers refuse, ours refuse in a sentence."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db
from torch.testing._internal.common_optimizers import optim_db

import minigrad
from minigrad.errors import ConversionError
from minigrad.registry import snake_case
from tests.judges.modules import FAMILIES, PREDICTIONS
from tests.judges.optimizers import CONFIGURATIONS

REFUSED = (ValueError, TypeError, IndexError, minigrad.MinigradError)
# torch's sample says what its messages must match; these ask for what minigrad has no argument for.
NO_SUCH_ARGUMENT = ("fused", "foreach", "capturable", "differentiable")


def _module_errors() -> Iterator[Any]:
    names = [name for family, _ in FAMILIES.values() for name in family]
    for info in module_db:
        name = info.module_cls.__name__
        if name in names and info.module_error_inputs_func is not None:
            samples = info.module_error_inputs_func(
                info, device="cpu", dtype=torch.float64, requires_grad=False, training=True
            )
            for index, sample in enumerate(samples):
                yield pytest.param(info.module_cls, sample, id=f"{name}-{index}")


def _optimizer_errors() -> Iterator[Any]:
    for info in optim_db:
        name = info.optim_cls.__name__
        if name in CONFIGURATIONS:
            for index, sample in enumerate(info.optim_error_inputs_func("cpu", torch.float64)):
                if not set(sample.optimizer_error_input.kwargs) & set(NO_SUCH_ARGUMENT):
                    yield pytest.param(name, sample.optimizer_error_input, id=f"{name}-{index}")


@pytest.mark.parametrize(("module_cls", "sample"), list(_module_errors()))
def test_what_torchs_modules_refuse_ours_refuse(module_cls: type[torch.nn.Module], sample: Any):
    make, inputs = sample.module_error_input.constructor_input, sample.module_error_input.forward_input
    if sample.error_on == ModuleErrorEnum.CONSTRUCTION_ERROR:
        ours = getattr(minigrad, module_cls.__name__.removesuffix("Loss"), None)
        if ours is None:
            ours = minigrad.loss(snake_case(module_cls.__name__.removesuffix("Loss")))
        with pytest.raises(REFUSED):
            ours(*make.args, **make.kwargs)
        return
    module = module_cls(*make.args, **make.kwargs).double()
    before = [value.clone() if isinstance(value, torch.Tensor) else value for value in inputs.args]
    count = PREDICTIONS.get(module_cls.__name__, 1)
    x = inputs.args[0] if count == 1 else inputs.args[:count]
    with pytest.raises(REFUSED) as raised:
        _convert_and_run(module, x, inputs.args[count:])
    assert "Received" in str(raised.value)
    for value, copy in zip(inputs.args, before, strict=True):
        assert not isinstance(value, torch.Tensor) or torch.equal(value, copy)


def _convert_and_run(module: torch.nn.Module, x: Any, rest: tuple[Any, ...]) -> None:
    component: Any = minigrad.from_torch(module)
    component.forward(x, *rest)


@pytest.mark.parametrize(("name", "sample"), list(_optimizer_errors()))
def test_what_torchs_optimizers_refuse_ours_refuse(name: str, sample: Any):
    cls: Any = minigrad.optimizer(snake_case(name))
    params: Any = sample.params
    if params is None:
        params = [minigrad.Parameter(torch.zeros(2, 2))]
    elif isinstance(params, list) and all(isinstance(p, torch.nn.Parameter) for p in params):
        twins = {id(p): minigrad.Parameter(p.detach()) for p in params}
        params = [twins[id(p)] for p in params]
    with pytest.raises(REFUSED):
        cls(params, **sample.kwargs)


@pytest.mark.parametrize("module", [torch.nn.Conv2d(1, 1, 1), torch.nn.MaxPool1d(2)], ids=["Conv2d", "MaxPool1d"])
def test_what_has_no_twin_is_named(module: torch.nn.Module):
    with pytest.raises(ConversionError, match=type(module).__name__):
        minigrad.from_torch(torch.nn.Sequential(module))
