"""CrossEntropy, the cost of classifying."""

from typing import NamedTuple, final

import torch
from torch import Tensor

from minigrad.core import Loss, Reduction, kernel
from minigrad.errors import ShapeError, TargetError
from minigrad.losses.common import check_pair, check_prediction, check_weights, upstream
from minigrad.losses.nll import check_classes, check_weight, class_counts, class_dim, nll_backward, nll_forward

_log_softmax_backward = kernel("_log_softmax_backward_data")


class _Cache(NamedTuple):
    log_p: Tensor
    target: Tensor
    total: Tensor | None  # the sum of the samples' weights; None if the target holds probabilities


@final
class CrossEntropy(Loss):
    r"""Cross-entropy between scores $x$ and classes, given as indices or as probabilities $t$.

    $$p = \operatorname{softmax}(x), \qquad \ell = -\sum_c w_c\, t_c \log p_c, \qquad
    \frac{\partial \ell}{\partial x_c} = p_c \sum_k w_k t_k - w_c t_c$$

    An index stands for a distribution that is 1 at that class. With label smoothing $\epsilon$, $t$ is replaced by
    $(1 - \epsilon)\, t + \epsilon / C$. The costs are summed, or averaged: `"mean"` divides by the number of samples,
    but with indices by the sum of the weights of those that count. Without weights the gradient is simply $p - t$.

    Args:
        weight: A weight for each class: `(C)`.
        ignore_index: Samples of this class do not count; it need not be a class. Not for probabilities.
        reduction: `"mean"`, `"sum"` or `"none"`.
        label_smoothing: $\epsilon$.

    Raises:
        TypeError: If `weight` is not a tensor.
        ValueError: If `label_smoothing` is not in [0, 1].
        ShapeError: If the target has neither the prediction's shape nor that without its classes, or `weight` is not
            `(C)`.
        DtypeError: If indices are not of int64, or the others not of one floating-point dtype.
        TargetError: If an index is no class (told on the CPU only), or `ignore_index` is meant for probabilities.

    Examples:
        >>> cross_entropy = CrossEntropy()
        >>> cost, cache = cross_entropy.forward(torch.zeros(1, 4), torch.tensor([2]))
        >>> cost, cross_entropy.backward(cache)
        (tensor(1.3863), tensor([[ 0.2500,  0.2500, -0.7500,  0.2500]]))

    References:
        Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016 (label smoothing).
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"label_smoothing must be in [0, 1]. Received: label_smoothing={label_smoothing}")
        check_weights(self, weight=weight)
        self.weight = weight
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, _Cache]:
        """Map `x: (N, C, *)` and a target `(N, *)` or `(N, C, *)` to the cost: `()`, or `(N, *)` unreduced.

        A single sample may come without `N`.
        """
        check_prediction(self, prediction, target)
        if target.shape == prediction.shape:
            if self.ignore_index >= 0:
                raise TargetError(
                    f"CrossEntropy ignores an index of classes, and a target of probabilities has none. "
                    f"Received: ignore_index={self.ignore_index}"
                )
            return self._forward_probabilities(prediction, target)
        check_classes(self, prediction, target, self.weight)
        log_p = torch.log_softmax(prediction, class_dim(prediction))
        cost, total = nll_forward(self, log_p, target, self.weight, self.ignore_index)
        if self.label_smoothing > 0:
            cost = self._smoothed(cost, log_p, target, total)
        return cost, _Cache(log_p, target, total)

    def backward(self, cache: _Cache, grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dx`, of the shape of `x`."""
        log_p, target, total = cache
        if total is None:
            grad = self._backward_probabilities(log_p, target, grad_cost)
        else:
            grad = nll_backward(self, grad_cost, log_p, target, self.weight, self.ignore_index, total)
            if self.label_smoothing > 0:
                grad = self._backward_smoothed(grad, log_p, target, total, grad_cost)
        return _log_softmax_backward(grad, log_p, class_dim(log_p), log_p.dtype)

    def counts(self, target: Tensor) -> Tensor | None:
        """The weight of each sample's class, zero if it is ignored; samples with probabilities count alike."""
        if target.is_floating_point():
            return None
        return class_counts(target, self.weight, self.ignore_index)

    def _smoothed(self, cost: Tensor, log_p: Tensor, target: Tensor, total: Tensor) -> Tensor:
        dim = class_dim(log_p)
        weighted = log_p if self.weight is None else log_p * self._weight_along(log_p)
        even = -weighted.sum(dim).masked_fill(target == self.ignore_index, 0)
        if self.reduction != "none":
            even = even.sum()
        if self.reduction == "mean":
            even = even / total
        return (1 - self.label_smoothing) * cost + even * (self.label_smoothing / log_p.shape[dim])

    def _backward_smoothed(
        self, grad: Tensor, log_p: Tensor, target: Tensor, total: Tensor, grad_cost: Tensor | None
    ) -> Tensor:
        dim = class_dim(log_p)
        scale = upstream(self, grad_cost, log_p, target.shape)
        if self.reduction == "mean":
            scale = scale / total
        # Not by multiplying: where no sample counts, the scale is infinite.
        scale = torch.where(target == self.ignore_index, 0, scale)
        even = (scale * (self.label_smoothing / log_p.shape[dim])).unsqueeze(dim)
        if self.weight is not None:
            even = even * self._weight_along(log_p)
        return (1 - self.label_smoothing) * grad - even

    def _forward_probabilities(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, _Cache]:
        check_pair(self, prediction, target)
        if prediction.dim() == 0:
            raise ShapeError("CrossEntropy expects a prediction of shape (N, C, ...) or (C). Received: prediction ()")
        check_weight(self, prediction, self.weight)
        dim = class_dim(prediction)
        log_p = torch.log_softmax(prediction, dim)
        costs = log_p * self._smooth(target)
        if self.weight is not None:
            costs = costs * self._weight_along(log_p)
        if self.reduction == "none":
            return -costs.sum(dim), _Cache(log_p, target, None)
        cost = -costs.sum()
        return cost / self._samples(log_p) if self.reduction == "mean" else cost, _Cache(log_p, target, None)

    def _backward_probabilities(self, log_p: Tensor, target: Tensor, grad_cost: Tensor | None) -> Tensor:
        dim = class_dim(log_p)
        shape = log_p.shape[:dim] + log_p.shape[dim + 1 :]
        scale = upstream(self, grad_cost, log_p, shape)
        if self.reduction == "mean":
            scale = scale / self._samples(log_p)
        elif self.reduction == "none":
            scale = scale.expand(shape).unsqueeze(dim)
        grad = -scale * self._smooth(target)
        return grad if self.weight is None else grad * self._weight_along(log_p)

    def _smooth(self, target: Tensor) -> Tensor:
        if self.label_smoothing == 0:
            return target
        return target * (1 - self.label_smoothing) + self.label_smoothing / target.shape[class_dim(target)]

    def _weight_along(self, log_p: Tensor) -> Tensor:
        """The weights, shaped so that they lie along the classes."""
        assert self.weight is not None
        return self.weight.view([-1 if d == class_dim(log_p) else 1 for d in range(log_p.dim())])

    def _samples(self, log_p: Tensor) -> float:
        return log_p.numel() / log_p.shape[class_dim(log_p)]
