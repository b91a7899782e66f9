"""GaussianNLL, for nets that also predict how sure they are."""

import math
from typing import Any, final

import torch
from torch import Tensor

from minigrad import Loss, Reduction, ShapeError
from minigrad_zoo.checks import check_not_negative, check_same_shape, numbers, unpacked
from minigrad_zoo.reductions import reduced, shares

_Pair = tuple[Tensor, Tensor]


@final
class GaussianNLL(Loss):
    r"""Negative log-likelihood of targets $t$ under normal distributions of mean $\mu$ and variance $v$.

    $$\ell = \frac12 \Bigl( \log v + \frac{(\mu - t)^2}{v} \Bigr), \qquad
    \frac{\partial \ell}{\partial \mu} = \frac{\mu - t}{v}, \qquad
    \frac{\partial \ell}{\partial v} = \frac12 \Bigl( \frac1v - \frac{(\mu - t)^2}{v^2} \Bigr)$$

    and $\tfrac12 \log 2\pi$ more with `full`. The prediction is a tuple $(\mu, v)$. A variance below $\epsilon$ counts
    as $\epsilon$, in the gradient as well, which is that at $\epsilon$ and not 0: so a variance that has collapsed can
    grow again. (torch decides the same.)

    There is a variance for each entry of the mean; or one for all entries along a dimension, which then is 1 or, if it
    is the last, left out.

    Args:
        full: Whether the constant is added.
        eps: $\epsilon$, the least variance.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Raises:
        ValueError: If `eps` is not positive.
        ShapeError: If the mean and the target differ in shape, or the variances do not fit them.
        DtypeError: If mean and variance are no tuple of floating-point tensors, or the target is not of numbers.
        TargetError: If a variance is negative; looked at on the CPU only.

    Examples:
        >>> gaussian_nll = GaussianNLL()
        >>> mean, var = torch.tensor([0.0, 3.0]), torch.tensor([1.0, 2.0])
        >>> cost, cache = gaussian_nll.forward((mean, var), torch.tensor([0.0, 1.0]))
        >>> cost, gaussian_nll.backward(cache)
        (tensor(0.6733), (tensor([0.0000, 0.5000]), tensor([ 0.2500, -0.1250])))

    References:
        Nix and Weigend, "Estimating the Mean and Variance of the Target Probability Distribution", ICNN 1994.
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        if not eps > 0:
            raise ValueError(f"eps must be positive. Received: eps={eps}")
        self.full = full
        self.eps = eps

    def forward(self, prediction: _Pair, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, torch.Size]]:
        """Map `(mean: (*shape), var)` and `t: (*shape)` to the cost: `()`, or `(*shape)` unreduced."""
        mean, given = unpacked(self, prediction, "mean", "var")
        target = numbers(self, target, mean)
        check_same_shape(self, mean=mean, target=target)
        check_not_negative(self, "variances", given)
        var = self._fitted(given, mean).clamp(min=self.eps)
        error = mean - target
        costs = 0.5 * (var.log() + error * error / var)
        if self.full:
            costs = costs + 0.5 * math.log(2 * math.pi)
        return reduced(self, costs), (error, var, given.shape)

    def backward(self, cache: tuple[Tensor, Tensor, torch.Size], grad_cost: Tensor | None = None) -> _Pair:
        """Map the cache to `(dL/dmean, dL/dvar)`, of the shapes of mean and variance."""
        error, var, var_shape = cache
        share = shares(self, grad_cost, error)
        ratio = error / var
        grad_var = 0.5 * (1 / var - ratio * ratio) * share
        return ratio * share, grad_var.sum_to_size(var.shape).reshape(var_shape)

    def _fitted(self, var: Tensor, mean: Tensor) -> Tensor:
        """The variances with as many dimensions as the mean has, ready to be broadcast along one at most."""
        if var.dim() == mean.dim():
            others = [one for one, size in zip(var.shape, mean.shape, strict=True) if one != size]
            if others in ([], [1]):
                return var
        elif var.shape == mean.shape[:-1]:
            return var.unsqueeze(-1)
        raise ShapeError(
            f"GaussianNLL expects var of the shape of mean, or 1 in one of its dimensions, or without the last. "
            f"Received: mean {tuple(mean.shape)}, var {tuple(var.shape)}"
        )

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        mean, target, var = draw(5, 3), draw(5, 3, seed=1), draw(5, 3, seed=2, low=0.0)
        wrong = (
            ((mean, -var), target),
            ((mean, var[:2]), target),
            ((mean, var), target[:, :1]),
            ((mean,), target),
            (mean, target),
        )
        here: Any = {"domain": (0.0, math.inf)}
        return [
            Case(cls, ((mean, var), target), wrong=wrong, **here),
            Case(lambda: cls(full=True, eps=1e-3), ((mean, var), target), "whole", **here),
            Case(cls, ((mean, var[:, :1]), target), "one variance a row", **here),
            Case(cls, ((mean, var[:, 0]), target), "one variance a row, without its dimension", **here),
            Case(cls, ((mean, var[:1]), target), "one variance a column", batch_dim=None, **here),
        ]
