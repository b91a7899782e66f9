"""Every torch.nn module that has a twin here, with options that are not the default, and inputs for it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Pair(NamedTuple):
    """A torch module, and what it is called with; floating-point tensors are made in the default dtype."""

    name: str
    module: Callable[[], nn.Module]
    inputs: Callable[[], tuple[Any, ...]]

    def __str__(self) -> str:
        return self.name


def signed(*shape: int) -> Callable[[], tuple[Tensor]]:
    """Numbers of either sign."""
    return lambda: (2 * torch.randn(shape),)


def indices() -> tuple[Tensor]:
    """Numbers of vectors, some of them repeated."""
    return (torch.randint(5, (4, 3)),)


def regression() -> tuple[Tensor, Tensor]:
    return torch.randn(4, 3), torch.randn(4, 3)


def probabilities() -> tuple[Tensor, Tensor]:
    return torch.rand(4, 3), torch.rand(4, 3)


def classes() -> tuple[Tensor, Tensor]:
    return torch.randn(6, 3), torch.tensor([0, 2, 1, 1, 0, 2])


def log_probabilities() -> tuple[Tensor, Tensor]:
    return torch.randn(6, 3).log_softmax(1), torch.tensor([0, 2, 1, 1, 0, 2])


def distributions() -> tuple[Tensor, Tensor]:
    return torch.randn(6, 3).log_softmax(1), torch.randn(6, 3).softmax(1)


def log_distributions() -> tuple[Tensor, Tensor]:
    return torch.randn(6, 3).log_softmax(1), torch.randn(6, 3).log_softmax(1)


THREE = [0.5, 1.0, 2.0]

LAYERS = [
    Pair("ReLU", nn.ReLU, signed(4, 3)),
    Pair("LeakyReLU", lambda: nn.LeakyReLU(0.3), signed(4, 3)),
    Pair("PReLU", nn.PReLU, signed(4, 3)),
    Pair("PReLU-channels", lambda: nn.PReLU(3, init=0.1), signed(4, 3, 2)),
    Pair("ELU", lambda: nn.ELU(alpha=0.7), signed(4, 3)),
    Pair("SELU", nn.SELU, signed(4, 3)),
    Pair("GELU", nn.GELU, signed(4, 3)),
    Pair("GELU-tanh", lambda: nn.GELU(approximate="tanh"), signed(4, 3)),
    Pair("SiLU", nn.SiLU, signed(4, 3)),
    Pair("Mish", nn.Mish, signed(4, 3)),
    Pair("Sigmoid", nn.Sigmoid, signed(4, 3)),
    Pair("LogSigmoid", nn.LogSigmoid, signed(4, 3)),
    Pair("Tanh", nn.Tanh, signed(4, 3)),
    Pair("Softplus", lambda: nn.Softplus(beta=2.0, threshold=1.0), signed(4, 3)),
    Pair("Softmax", lambda: nn.Softmax(dim=0), signed(4, 3)),
    Pair("LogSoftmax", lambda: nn.LogSoftmax(dim=1), signed(4, 3)),
    Pair("Hardswish", nn.Hardswish, lambda: (4 * torch.randn(4, 3),)),
    Pair("Identity", nn.Identity, signed(4, 3)),
    Pair("Linear", lambda: nn.Linear(3, 5), signed(4, 3)),
    Pair("Linear-no-bias", lambda: nn.Linear(3, 5, bias=False), signed(2, 4, 3)),
    Pair("Embedding", lambda: nn.Embedding(5, 2), indices),
    Pair("Embedding-options", lambda: nn.Embedding(5, 2, padding_idx=-2, scale_grad_by_freq=True), indices),
    Pair("LayerNorm", lambda: nn.LayerNorm(3, eps=1e-3), signed(4, 3)),
    Pair("LayerNorm-no-bias", lambda: nn.LayerNorm([2, 3], bias=False), signed(4, 2, 3)),
    Pair("LayerNorm-plain", lambda: nn.LayerNorm(3, elementwise_affine=False), signed(4, 3)),
    Pair("RMSNorm", lambda: nn.RMSNorm(3), signed(4, 3)),
    Pair("RMSNorm-plain", lambda: nn.RMSNorm((2, 3), eps=1e-4, elementwise_affine=False), signed(4, 2, 3)),
    Pair("Dropout", lambda: nn.Dropout(0.3), signed(40, 30)),
    Pair("Flatten", lambda: nn.Flatten(0, 1), signed(4, 3, 2)),
    Pair("Unflatten", lambda: nn.Unflatten(1, [2, 3]), signed(4, 6)),
]

LOSSES = [
    Pair("BCELoss", lambda: nn.BCELoss(torch.tensor(THREE)), probabilities),
    Pair("BCEWithLogitsLoss", lambda: nn.BCEWithLogitsLoss(pos_weight=torch.tensor(THREE)), probabilities),
    Pair("MSELoss", nn.MSELoss, regression),
    Pair("L1Loss", lambda: nn.L1Loss(reduction="sum"), regression),
    Pair("SmoothL1Loss", lambda: nn.SmoothL1Loss(beta=0.3), regression),
    Pair("HuberLoss", lambda: nn.HuberLoss(delta=0.4, reduction="none"), regression),
    Pair(
        "CrossEntropyLoss",
        lambda: nn.CrossEntropyLoss(torch.tensor(THREE), ignore_index=2, label_smoothing=0.1),
        classes,
    ),
    Pair("NLLLoss", lambda: nn.NLLLoss(torch.tensor(THREE), ignore_index=1, reduction="sum"), log_probabilities),
    Pair("KLDivLoss", lambda: nn.KLDivLoss(reduction="batchmean"), distributions),
    Pair("KLDivLoss-log", lambda: nn.KLDivLoss(reduction="sum", log_target=True), log_distributions),
    Pair("legacy size_average", lambda: legacy(nn.MSELoss, size_average=False), regression),
]


def legacy(cls: type[nn.Module], **arguments: Any) -> nn.Module:
    """A loss made with arguments that torch itself turns into a reduction, and warns of."""
    import warnings

    with warnings.catch_warnings(action="ignore"):
        return cls(**arguments)
