"""Broken activations: wrong derivatives, and wrong at particular values."""

# ruff: noqa: D102  # what forward, backward and update are, their contracts say

from typing import Any

import torch
from torch import Tensor

from minigrad.core import Activation
from minigrad.testing.broken.gallery import caught_by


class _Sigmoid(Activation):
    """A right $y = 1 / (1 + e^{-x})$ to be broken."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        y = torch.sigmoid(x)
        return y, y

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        return grad_output * cache * (1 - cache)


@caught_by("gradient", "the sign is flipped")
class SignFlipped(_Sigmoid):
    """A derivative of the wrong sign: $-y (1 - y)$."""

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        return grad_output * cache * (cache - 1)


@caught_by("gradient", "the inner derivative (sigma') is missing")
class InnerDerivativeMissing(_Sigmoid):
    """The upstream gradient handed on: $1$ for $y (1 - y)$."""

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        return grad_output.clone()


@caught_by("gradient", "ignores the upstream gradient")
class UpstreamIgnored(_Sigmoid):
    """The derivative alone, $y (1 - y)$, without the chain rule."""

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        return cache * (1 - cache)


@caught_by("gradient", "the upstream gradient is multiplied in twice")
class UpstreamTwice(_Sigmoid):
    """The chain rule applied twice: $g^2 y (1 - y)$."""

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        return grad_output * grad_output * cache * (1 - cache)


@caught_by("gradient", "off by exactly a factor of 5 (the batch size): too small")
class AveragedOverTheBatch(_Sigmoid):
    """Divides by $N$ where the loss does so already."""

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        return grad_output * cache * (1 - cache) / len(cache)


@caught_by("gradient", "zero everywhere")
class NothingPasses(_Sigmoid):
    """A derivative of $0$."""

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        return torch.zeros_like(cache)


@caught_by("gradient", "taken at the output y instead of the input x")
class DerivativeAtTheOutput(_Sigmoid):
    r"""Takes $\sigma'$ at $y$ where it belongs at $x$, as a hand-written `sigmoid_prime(a1)` does."""

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        s = torch.sigmoid(cache)
        return grad_output * s * (1 - s)


@caught_by("gradient")
class WrongFarFromZero(_Sigmoid):
    """A tail that is cut off, though the curve is not flat there: zero beyond $|x| > 6$."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        return torch.sigmoid(x), x

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        y = torch.sigmoid(cache)
        return grad_output * torch.where(cache.abs() > 6, 0, y * (1 - y))


@caught_by("gradient", "off by exactly a factor of 0.5")
class HalfAsMuch(Activation):
    """The square $y = x^2$, with $x$ for its derivative."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x * x, x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        return grad_output * cache


class _Softmax(Activation):
    r"""A right $y_i = e^{x_i} / \sum_k e^{x_k}$ to be broken."""

    def forward(self, x: Tensor) -> tuple[Tensor, Any]:
        y = torch.softmax(x, -1)
        return y, y

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return cache * (grad_output - (grad_output * cache).sum(-1, keepdim=True))


@caught_by("gradient", "only the diagonal of the Jacobian")
class SoftmaxDiagonal(_Softmax):
    """The derivative of a sigmoid for that of a softmax: $y_i (1 - y_i)$ only."""

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return grad_output * cache * (1 - cache)


@caught_by("gradient", "along the wrong axis")
class SoftmaxWrongAxis(_Softmax):
    r"""Sums $\sum_k g_k y_k$ over the samples, not over the classes."""

    def forward(self, x: Tensor) -> tuple[Tensor, Any]:
        return torch.softmax(x, -1), x

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        y = torch.softmax(cache, 0)
        return y * (grad_output - (grad_output * y).sum(0, keepdim=True))


@caught_by("autograd")
class DetachedInForward(Activation):
    """A forward that hides half of $y = x^2$ from autograd: inside a torch model its gradient would be wrong."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x * x.detach(), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        return 2 * grad_output * cache


@caught_by("linear_in_upstream")
class UpstreamClipped(_Sigmoid):
    """A backward that clips its gradient to $[-1, 1]$: not linear, so not a derivative."""

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        return grad_output.clamp(-1, 1) * cache * (1 - cache)


@caught_by("gradient_structure")
class WrongShape(_Sigmoid):
    r"""A gradient that is summed over the batch, $\sum_n$."""

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        return (grad_output * cache * (1 - cache)).sum(0)


@caught_by("gradient_structure")
class NoGradient(_Sigmoid):
    """A backward without a `return` of $g y (1 - y)$."""

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        _ = grad_output * cache * (1 - cache)


@caught_by("shape_kept")
class AxisAdded(_Sigmoid):
    r"""An activation whose output has one axis more than $x$."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        y = torch.sigmoid(x)
        return y.unsqueeze(-1), y

    def backward(self, grad_output: Tensor, cache: Any) -> Any:
        return grad_output.squeeze(-1) * cache * (1 - cache)


@caught_by("extreme_inputs")
class NaiveSoftplus(Activation):
    r"""$y = \log(1 + e^x)$ as it is written, which overflows."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.log(1 + torch.exp(x)), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        return grad_output * torch.sigmoid(cache)


@caught_by("extreme_inputs")
class NaiveSiLU(Activation):
    r"""$y = x e^x / (1 + e^x)$, which is NaN for large $x$."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x * torch.exp(x) / (1 + torch.exp(x)), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        s = torch.sigmoid(cache)
        return grad_output * s * (1 + cache * (1 - s))


@caught_by("kinks_declared")
class KinkNotDeclared(Activation):
    r"""$y = \max(x, 0)$ without `kinks = (0.0,)`."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.clamp(min=0), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        return grad_output * (cache > 0)


@caught_by("kinks_declared")
class WildAtTheKink(Activation):
    r"""$y = \max(x, 0)$ with a derivative of $2$ at zero."""

    kinks = (0.0,)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.clamp(min=0), x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        return grad_output * ((cache > 0) + 2.0 * (cache == 0))


@caught_by("documented")
class Undocumented(_Sigmoid):
    """Says what it is, but not what it computes."""


@caught_by("config")
class ArgumentChanged(Activation):
    r"""$y = \beta x$, whose argument is stored as something else."""

    def __init__(self, beta: float = 1.5) -> None:
        self.beta = 2 * beta

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return self.beta * x, None

    def backward(self, grad_output: Tensor, cache: None) -> Tensor:
        return self.beta * grad_output


@caught_by("config")
class AnyArgument(_Sigmoid):
    """A sigmoid $y$ that swallows a misspelt argument."""

    def __init__(self, **options: Any) -> None:
        self.options = options
