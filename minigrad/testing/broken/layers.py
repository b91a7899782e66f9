"""Broken layers with parameters: wrong parameter gradients, and wrong ways of handing them over."""

# ruff: noqa: D102  # what forward, backward and update are, their contracts say

from typing import Any

import torch
from torch import Tensor

from minigrad.core import Layer, Parameter
from minigrad.testing.broken.gallery import caught_by
from minigrad.testing.case import draw

X = draw(5, 3)


class _Affine(Layer):
    r"""A right $y = x W^\top + b$ to be broken."""

    def __init__(self, in_features: int = 3, out_features: int = 3) -> None:
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(torch.randn(out_features, in_features))
        self.bias = Parameter(torch.randn(out_features), role="bias")

    def forward(self, x: Any) -> tuple[Tensor, Any]:
        return x @ self.weight.t() + self.bias, x

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        self.weight.accumulate(grad_output.t() @ cache, len(cache))
        self.bias.accumulate(grad_output.sum(0), len(cache))
        return grad_output @ self.weight


@caught_by("parameter_gradients", "parameter weight: it is transposed", inputs=X)
class WeightTransposed(_Affine):
    r"""Gives $x^\top g$ for $g^\top x$, which fits a square weight."""

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        self.weight.accumulate(cache.t() @ grad_output, len(cache))
        self.bias.accumulate(grad_output.sum(0), len(cache))
        return grad_output @ self.weight


@caught_by("parameter_gradients", "parameter weight: it is transposed", inputs=X, make=lambda cls: cls(3, 2))
class WeightOfTheOtherShape(WeightTransposed):
    r"""Gives $x^\top g$ for $g^\top x$, whose shape is not the weight's."""


@caught_by("parameter_gradients", "parameter bias: off by exactly a factor of 5 (the batch size): too small", inputs=X)
class BiasAveraged(_Affine):
    r"""Averages the bias's gradient over the batch: $\frac{1}{N} \sum$ for $\sum$."""

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        self.weight.accumulate(grad_output.t() @ cache, len(cache))
        self.bias.accumulate(grad_output.mean(0), len(cache))
        return grad_output @ self.weight


@caught_by("parameter_gradients", "parameter bias: it is summed over the wrong axis", inputs=draw(3, 3))
class BiasOverTheWrongAxis(_Affine):
    r"""Sums the bias's gradient over the features, $\sum_j g_{nj}$, not over the batch."""

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        self.weight.accumulate(grad_output.t() @ cache, len(cache))
        self.bias.accumulate(grad_output.sum(1), len(cache))
        return grad_output @ self.weight


@caught_by("parameter_gradients", "parameter weight: it is missing", inputs=X)
class WeightForgotten(_Affine):
    r"""Hands no gradient of $W$ over."""

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        self.bias.accumulate(grad_output.sum(0), len(cache))
        return grad_output @ self.weight


@caught_by("gradient", "x: it is transposed", inputs=draw(3, 3))
class InputTransposed(_Affine):
    r"""Gives $(g W)^\top$ for $g W$."""

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return super().backward(grad_output, cache).t()


@caught_by("one_door", inputs=X)
class GradientAssigned(_Affine):
    r"""Writes `.grad` itself, so that a second contribution to $\partial L / \partial W$ replaces the first."""

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        self.weight.grad = grad_output.t() @ cache
        self.bias.grad = grad_output.sum(0)
        return grad_output @ self.weight


@caught_by("rows_counted", inputs=X)
class RowsNotCounted(_Affine):
    r"""Does not tell how many rows went into $\sum g$."""

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        self.weight.accumulate(grad_output.t() @ cache)
        self.bias.accumulate(grad_output.sum(0))
        return grad_output @ self.weight


@caught_by("backward_parameters", inputs=X)
class BiasForgottenInTraining(_Affine):
    r"""A parameters-only backward that leaves $b$ out."""

    def backward_parameters(self, grad_output: Tensor, cache: Any) -> None:
        self.weight.accumulate(grad_output.t() @ cache, len(cache))


@caught_by("fresh_gradients", inputs=X, batch_dim=None)
class UpstreamHandedOver(Layer):
    """$y = x + w$, whose gradient is the upstream gradient itself, not a copy."""

    def __init__(self) -> None:
        self.weight = Parameter(torch.zeros(5, 3))

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return x + self.weight, None

    def backward(self, grad_output: Tensor, cache: None) -> Tensor:
        self.weight.accumulate(grad_output)
        return grad_output


@caught_by("fresh_gradients", inputs=X)
class ExpandedGradient(_Affine):
    r"""$y = x + c \sum_i w_i$, whose gradient is one number expanded: a change in place of one entry changes all."""

    def forward(self, x: Any) -> tuple[Tensor, Any]:
        return x + self.weight.sum() + self.bias, x

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        self.weight.accumulate(grad_output.sum().expand(self.weight.shape), len(cache))
        self.bias.accumulate(grad_output.sum(0), len(cache))
        return grad_output


@caught_by("arguments_untouched", "forward mutated the argument parameter weight", inputs=X)
class WeightNormalisedInPlace(_Affine):
    r"""Scales $W$ in place at each forward."""

    def forward(self, x: Any) -> tuple[Tensor, Any]:
        self.weight.div_(self.weight.norm())
        return super().forward(x)


@caught_by("empty_batch", inputs=X)
class MeanOfNothing(_Affine):
    r"""$N \cdot \frac{1}{N} \sum$, which is $0/0$ for no samples."""

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        self.weight.accumulate(grad_output.t() @ cache, len(cache))
        self.bias.accumulate(grad_output.mean(0) * len(cache), len(cache))
        return grad_output @ self.weight


@caught_by("state_found", inputs=X)
class ParametersInAList(Layer):
    """$y = x w$ with its parameter in a list, where nothing finds it."""

    def __init__(self) -> None:
        self.weights = [Parameter(torch.ones(3))]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x * self.weights[0], x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        self.weights[0].accumulate((grad_output * cache).sum(0), len(cache))
        return grad_output * self.weights[0]


@caught_by("state_dict_round_trip", inputs=X)
class ScaleOutsideTheState(_Affine):
    r"""$y = c (x W^\top + b)$ with a random number $c$ that no state dict holds."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.rand(()).item()

    def forward(self, x: Any) -> tuple[Tensor, Any]:
        y, cache = super().forward(x)
        return self.scale * y, cache

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return super().backward(self.scale * grad_output, cache)


@caught_by("refuses", inputs=X, wrong=(draw(5, 1),))
class StretchesItsInput(Layer):
    """$y = x w$, which stretches an input of another width without a word."""

    def __init__(self) -> None:
        self.weight = Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x * self.weight, x

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        self.weight.accumulate((grad_output * cache).sum(0), len(cache))
        return grad_output * self.weight
