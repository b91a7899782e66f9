"""LARS, a rate for each layer."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Optimizer, Parameter, check_rates
from minigrad_optimizers.common import require, zeros


@final
class LARS(Optimizer):
    r"""Momentum whose rate follows the norms of each parameter and its gradient, for large batches.

    $$\eta' = \eta\, c\, \frac{\lVert\theta\rVert}{\lVert g \rVert + \lambda \lVert\theta\rVert + \epsilon}, \qquad
    v \leftarrow \mu v + \eta' (g + \lambda\theta), \qquad \theta \leftarrow \theta - v$$

    A bias, and a parameter or gradient of norm 0, moves by $\eta' = \eta$; a bias does not decay.

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta$.
        momentum: $\mu$.
        weight_decay: $\lambda$.
        trust_coefficient: $c$.
        eps: $\epsilon$.

    Raises:
        ValueError: If a rate is negative, or `momentum` is not in [0, 1).

    Examples:
        >>> weight = Parameter(torch.tensor([3.0, 4.0]))
        >>> lars = LARS([weight], lr=1.0, trust_coefficient=0.1)
        >>> weight.accumulate(torch.tensor([0.0, 1000.0]))
        >>> lars.step()
        >>> weight
        Parameter(role='weight', tensor([3.0000, 3.5000]))

    References:
        You, Gitman and Ginsburg, "Large Batch Training of Convolutional Networks", 2017.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 1e-3,
        eps: float = 1e-8,
    ) -> None:
        check_rates(lr=lr, weight_decay=weight_decay, trust_coefficient=trust_coefficient, eps=eps)
        require("momentum must be in [0, 1)", 0 <= momentum < 1, momentum=momentum)
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.trust_coefficient = trust_coefficient
        self.eps = eps
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `momentum_buffer`: v."""
        (v,) = zeros(parameter, state, "momentum_buffer")
        rate = torch.ones((), dtype=grad.dtype, device=grad.device)
        if parameter.role != "bias":
            size, slope = parameter.norm(), grad.norm()
            grad = grad.add(parameter, alpha=self.weight_decay)
            trust = self.trust_coefficient * size / (slope + self.weight_decay * size + self.eps)
            rate = torch.where((size > 0) & (slope > 0), trust, rate)
        v.mul_(self.momentum).add_(self.lr * rate * grad)
        parameter.sub_(v)
