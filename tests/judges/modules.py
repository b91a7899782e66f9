"""torch as the judge of every module with a twin: torch's own sample inputs, in float64.

torch keeps, for its own tests, a table of sample constructor arguments and inputs for each module
(`torch.testing._internal.common_modules.module_db`). Each sample of a module that minigrad means to have is one case.
The list of modules and their number of samples is fixed here, so that none can drop out unseen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.testing._internal.common_modules import module_db

import minigrad
from minigrad import Loss, receive_gradients
from minigrad.errors import ConversionError
from tests.judges.judgement import Judgement

RTOL = ATOL = 1e-7

# How many of a loss's arguments are its prediction, where it is not one.
PREDICTIONS = {"CosineEmbeddingLoss": 2, "MarginRankingLoss": 2, "TripletMarginLoss": 3}

# Module families, with the number of samples that torch 2.13 has for them.
ACTIVATIONS = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "Hardshrink",
    "Hardswish",
    "Hardtanh",
    "ReLU",
    "LeakyReLU",
    "ReLU6",
    "PReLU",
    "Sigmoid",
    "LogSigmoid",
    "SiLU",
    "Softmax",
    "Softmax2d",
    "LogSoftmax",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "Mish",
    "SELU",
]
LOSSES = [
    "CosineEmbeddingLoss",
    "L1Loss",
    "SmoothL1Loss",
    "KLDivLoss",
    "MSELoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiMarginLoss",
    "SoftMarginLoss",
    "MultiLabelSoftMarginLoss",
    "NLLLoss",
    "GaussianNLLLoss",
    "PoissonNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "CTCLoss",
]
NORMS = ["LayerNorm", "RMSNorm"]
LINEARS = ["Linear", "Bilinear", "Embedding"]
FAMILIES = {"activations": (ACTIVATIONS, 93), "losses": (LOSSES, 276), "norms": (NORMS, 13), "linears": (LINEARS, 8)}


@dataclass(frozen=True)
class ModuleCase:
    """One sample of one torch module."""

    family: str
    name: str
    index: int
    module: Any
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.name}-{self.index}"

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What a gradient is asked for: all of a layer's arguments, a loss's prediction."""
        if self.name == "GaussianNLLLoss":
            return self.arguments[0], self.arguments[2]
        return self.arguments[: PREDICTIONS.get(self.name, 1)] if self.is_loss else self.arguments

    @property
    def target(self) -> Any:
        """What a loss compares its prediction with."""
        if self.name == "GaussianNLLLoss":
            return self.arguments[1]
        rest = self.arguments[PREDICTIONS.get(self.name, 1) :]
        return _one_or_all(rest) if rest else None

    @property
    def is_loss(self) -> bool:
        """Whether the module is a loss."""
        return self.name.endswith("Loss")


def cases() -> Iterator[ModuleCase]:
    """Every sample of every module of the families, in a fixed order and with fixed random numbers."""
    family_of = {name: family for family, (names, _) in FAMILIES.items() for name in names}
    for info in sorted(module_db, key=lambda info: str(info.module_cls.__name__)):
        name = info.module_cls.__name__
        if name not in family_of:
            continue
        torch.manual_seed(0)
        samples = info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=True, training=True)
        for index, sample in enumerate(samples):
            make, inputs = sample.constructor_input, sample.forward_input
            module = info.module_cls(*make.args, **make.kwargs).double()
            # Some targets are computed from the input: cut there, for a loss's gradient is that of its prediction.
            arguments = tuple(_leaf(value) for value in (*inputs.args, *inputs.kwargs.values()))
            yield ModuleCase(family_of[name], name, index, module, arguments)
    yield from extra_cases()


def extra_cases() -> Iterator[ModuleCase]:
    """What torch's table lacks: Dropout, Flatten, Hardsigmoid, TripletMarginLoss, tanh GELU."""
    torch.manual_seed(0)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, requires_grad=True)

    extras: list[tuple[Any, tuple[Any, ...]]] = [
        (torch.nn.Dropout(0.3), (random(4, 5),)),
        (torch.nn.Dropout(0.0), (random(4, 5),)),
        (torch.nn.Dropout(1.0), (random(4, 5),)),
        (torch.nn.Flatten(), (random(2, 3, 4),)),
        (torch.nn.Flatten(0, 1), (random(2, 3, 4),)),
        (torch.nn.Hardsigmoid(), (4 * random(4, 5),)),
        (torch.nn.GELU("tanh"), (random(4, 5),)),
        *(
            (torch.nn.TripletMarginLoss(**options), (random(5, 3), random(5, 3), random(5, 3)))
            for options in ({}, {"p": 1.0}, {"swap": True}, {"margin": 0.3, "reduction": "none"}, {"reduction": "sum"})
        ),
    ]
    for index, (module, arguments) in enumerate(extras):
        yield ModuleCase("extras", type(module).__name__, index, module, tuple(_leaf(a) for a in arguments))


def judge(case: ModuleCase) -> Judgement:
    """Hold minigrad's twin against the module: outputs, input gradients, parameter gradients, buffers."""
    try:
        ours = minigrad.from_torch(case.module)
    except ConversionError as error:
        return Judgement("unsupported", str(error).splitlines()[0])
    theirs = _torch_run(case)
    output, gradients, parameters = _our_run(ours, case, theirs.upstream)
    differences = _differences("output", output, theirs.output)
    differences += _differences("input gradient", gradients, theirs.input_gradients)
    for name, gradient in theirs.parameter_gradients.items():
        differences += _differences(f"gradient of {name}", parameters.get(name), gradient)
    if not isinstance(ours, Loss):
        for name, buffer in case.module.named_buffers():
            differences += _differences(f"buffer {name}", ours.state_dict()[name], buffer)
    return Judgement("failed", "; ".join(differences)) if differences else Judgement("passed")


@dataclass(frozen=True)
class _TorchRun:
    output: Any
    upstream: Any
    input_gradients: list[Tensor]
    parameter_gradients: dict[str, Tensor]


def _torch_run(case: ModuleCase) -> _TorchRun:
    torch.manual_seed(1)
    output = case.module(*case.arguments)
    upstream = torch.randn(output.shape, dtype=output.dtype, generator=torch.Generator().manual_seed(2))
    inputs = [tensor for tensor in case.inputs if _learns(tensor)]
    named = dict(case.module.named_parameters())
    gradients = torch.autograd.grad(output, [*inputs, *named.values()], upstream, materialize_grads=True)
    of_parameters = dict(zip(named, gradients[len(inputs) :], strict=True))
    return _TorchRun(output.detach(), upstream, list(gradients[: len(inputs)]), of_parameters)


def _our_run(ours: Any, case: ModuleCase, upstream: Tensor) -> tuple[Any, list[Any], dict[str, Tensor]]:
    found: dict[int, Tensor] = {}
    x, target = (_detached(value) for value in (_one_or_all(case.inputs), case.target))
    torch.manual_seed(1)
    with receive_gradients(lambda p, grad, rows: found.update({id(p): found.get(id(p), 0) + grad})):
        if isinstance(ours, Loss):
            output, cache = ours.forward(x, target)
            gradient = ours.backward(cache, upstream)
        else:
            output, cache = ours.forward(x)
            gradient = ours.backward(upstream, cache)
    gradients = gradient if isinstance(gradient, tuple) else (gradient,)
    learned = [g for g, tensor in zip(gradients, case.inputs, strict=True) if _learns(tensor)]
    named = {} if isinstance(ours, Loss) else dict(ours.named_parameters())
    return output, learned, {name: found[id(p)] for name, p in named.items() if id(p) in found}


def _leaf(value: Any) -> Any:
    return value.detach().clone().requires_grad_(value.requires_grad) if isinstance(value, Tensor) else value


def _learns(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _one_or_all(values: tuple[Any, ...]) -> Any:
    return values[0] if len(values) == 1 else values


def _detached(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_detached(item) for item in value)
    return value.detach() if isinstance(value, Tensor) else value


def _differences(what: str, ours: Any, theirs: Any) -> list[str]:
    if isinstance(theirs, list | tuple):
        if len(ours) != len(theirs):
            return [f"{what}: {len(ours)} tensors, torch has {len(theirs)}"]
        return [line for a, b in zip(ours, theirs, strict=True) for line in _differences(what, a, b)]
    if ours is None:
        return [f"{what}: missing"]
    if ours.shape != theirs.shape:
        return [f"{what}: shape {tuple(ours.shape)}, torch's is {tuple(theirs.shape)}"]
    if not torch.allclose(ours, theirs, rtol=RTOL, atol=ATOL, equal_nan=True):
        return [f"{what}: off by {(ours - theirs).abs().max().item():g}"]
    return []
