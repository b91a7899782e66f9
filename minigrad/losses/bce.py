"""BCE, the binary cross-entropy of probabilities."""

from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor

from minigrad.core import Loss, Reduction, kernel, scalar
from minigrad.errors import DtypeError, ShapeError, TargetError
from minigrad.losses.common import check_weights, upstream, weight_fault

_NONE = 0  # as the kernels number the reductions
_EXACT = frozenset(2**k for k in range(11))  # dividing by these rounds nothing, so it may come first and cost no kernel
_binary_cross_entropy: Callable[..., Tensor] = torch._C._nn.binary_cross_entropy
_binary_cross_entropy_backward = kernel("binary_cross_entropy_backward")


@final
class BCE(Loss):
    r"""Binary cross-entropy between probabilities $p$ and targets $t$, both in $[0, 1]$.

    $$\ell = -w \bigl( t \log p + (1 - t) \log(1 - p) \bigr), \qquad
    \frac{\partial \ell}{\partial p} = w \frac{p - t}{\max(p (1 - p), 10^{-12})}$$

    summed, or averaged over the elements. The logarithms are clamped at $-100$, so a certain and wrong prediction costs
    100, not infinity. With `eps > 0` the denominator is $p (1 - p) + \epsilon$ instead, the guard of a hand-written
    backward; the cost stays what it is, and the gradient then is that of

    $$-w\,\frac{(t + a) \log(p + a) + (1 - t + a) \log(1 - p + a)}{1 + 2a}, \qquad a + a^2 = \epsilon,$$

    which differs from the cost by about $\epsilon\,(t / p + (1 - t) / (1 - p))$.

    Args:
        weight: A weight for each element, of a shape that broadcasts to the prediction's.
        reduction: `"mean"`, `"sum"` or `"none"`.
        eps: Added to the gradient's denominator; 0 keeps torch's guard.

    Raises:
        ValueError: If `eps` is negative.
        TypeError: If `weight` is not a tensor.
        ShapeError: If prediction and target differ in shape, or `weight` does not broadcast to it.
        DtypeError: If they are not tensors of one floating-point dtype.
        TargetError: If a prediction or a target lies outside [0, 1].

    Examples:
        >>> bce = BCE()
        >>> cost, cache = bce.forward(torch.tensor([0.5, 0.5]), torch.tensor([0.0, 1.0]))
        >>> cost, bce.backward(cache)
        (tensor(0.6931), tensor([ 1., -1.]))
    """

    def __init__(self, weight: Tensor | None = None, reduction: Reduction = "mean", eps: float = 0.0) -> None:
        super().__init__(reduction)
        if not eps >= 0:
            raise ValueError(f"eps must not be negative. Received: eps={eps}")
        check_weights(self, weight=weight)
        self.weight = weight
        self.eps = eps

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, int]]:
        """Map `p: (*shape)` and `t: (*shape)` to the cost: `()`, or `(*shape)` unreduced."""
        try:
            if prediction.shape != target.shape:
                raise ShapeError(
                    f"BCE expects prediction and target of one shape. "
                    f"Received: prediction {tuple(prediction.shape)}, target {tuple(target.shape)}"
                )
            costs = _binary_cross_entropy(prediction, target, self.weight, _NONE)
        except (AttributeError, RuntimeError) as error:
            raise _explain(prediction, target, self.weight) or error from None
        if self.reduction == "mean":
            count = prediction.numel()
            return costs.sum().div_(scalar(count, prediction.dtype)), (prediction, target, count)
        return costs if self.reduction == "none" else costs.sum(), (prediction, target, 1)

    def backward(self, cache: tuple[Tensor, Tensor, int], grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dp: (*shape)`."""
        prediction, target, count = cache
        if grad_cost is None:
            if count in _EXACT:
                grad_cost, count = scalar(1 / count, prediction.dtype), 1
            else:
                grad_cost = scalar(1, prediction.dtype)
        else:
            grad_cost = upstream(self, grad_cost, prediction, prediction.shape)
        if self.eps == 0:
            grad = _kernel(grad_cost, prediction, target, self.weight)
        else:
            grad = grad_cost * (prediction - target) / (prediction * (1 - prediction) + self.eps)
            grad = grad if self.weight is None else grad * self.weight
        return grad if count == 1 else grad.div_(count)


def _kernel(grad_cost: Tensor, prediction: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    if is_functorch_wrapped_tensor(prediction):
        return _traced_kernel(grad_cost, prediction, target, weight)
    return _binary_cross_entropy_backward(grad_cost, prediction, target, weight, _NONE)


def _traced_kernel(grad_cost: Tensor, prediction: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    # Under vmap the kernel pairs the sizes of its arguments without stretching any.
    return _binary_cross_entropy_backward(grad_cost.expand(prediction.shape), prediction, target, weight, _NONE)


_kernel._torchdynamo_inline = _traced_kernel  # type: ignore[attr-defined]


def _explain(prediction: Any, target: Any, weight: Tensor | None) -> Exception | None:
    if not (isinstance(prediction, Tensor) and isinstance(target, Tensor)):
        return DtypeError(
            f"BCE expects two tensors. Received: prediction {type(prediction).__name__}, target {type(target).__name__}"
        )
    if prediction.numel() and not ((prediction >= 0) & (prediction <= 1)).all():
        return TargetError(
            f"BCE expects predictions in [0, 1]; BCEWithLogits takes any. "
            f"Received: from {prediction.min().item():g} to {prediction.max().item():g}"
        )
    if prediction.dtype != target.dtype:
        return DtypeError(
            f"BCE expects a target of the prediction's dtype, {prediction.dtype}. Received: {target.dtype}"
        )
    if target.numel() and not ((target >= 0) & (target <= 1)).all():
        return TargetError(
            f"BCE expects targets in [0, 1]. Received: from {target.min().item():g} to {target.max().item():g}"
        )
    return weight_fault("BCE", "weight", weight, prediction)
