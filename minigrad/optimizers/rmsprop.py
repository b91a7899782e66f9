"""RMSprop, steps divided by the size that gradients had lately."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad.core import Optimizer, Parameter
from minigrad.core.checks import check_rates
from minigrad.core.optimizer import Params


@final
class RMSprop(Optimizer):
    r"""Gradient descent, each step divided by the root of the gradients' mean square.

    $$g \leftarrow g + \lambda \theta, \qquad v \leftarrow \alpha v + (1 - \alpha)\, g^2, \qquad
    d = \frac{g}{\sqrt v + \epsilon}, \qquad b \leftarrow \mu b + d, \qquad \theta \leftarrow \theta - \eta\, b$$

    $v$ and $b$ begin at zero. If centered, $v - a^2$ takes the place of $v$ in the step, with
    $a \leftarrow \alpha a + (1 - \alpha)\, g$: the variance instead of the mean square.

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta$.
        alpha: $\alpha$.
        eps: $\epsilon$.
        weight_decay: $\lambda$, an L2 penalty.
        momentum: $\mu$.
        centered: Whether the mean gradient is taken off.
        maximize: Whether to climb instead of descend.

    Raises:
        ValueError: If a rate is negative.

    Examples:
        >>> weight = Parameter(torch.tensor([1.0, 1.0]))
        >>> rmsprop = RMSprop([weight], lr=0.05)
        >>> weight.accumulate(torch.tensor([1.0, -0.01]))
        >>> rmsprop.step()
        >>> weight
        Parameter(role='weight', tensor([0.5000, 1.5000]))

    References:
        Tieleman and Hinton, "Lecture 6.5: rmsprop", Neural Networks for Machine Learning, 2012.
        Graves, "Generating Sequences With Recurrent Neural Networks", 2013 (centered).
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        check_rates(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum)
        self.lr = lr
        self.alpha = alpha
        self.eps = eps
        self.weight_decay = weight_decay
        self.momentum = momentum
        self.centered = centered
        self.maximize = maximize
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `square_avg` (v), and `momentum_buffer` (b) and `grad_avg` (a) if used."""
        if not state:
            state["square_avg"] = torch.zeros_like(grad)
            if self.momentum != 0:
                state["momentum_buffer"] = torch.zeros_like(grad)
            if self.centered:
                state["grad_avg"] = torch.zeros_like(grad)
        if self.maximize:
            grad = -grad
        if self.weight_decay != 0:
            grad = grad.add(parameter, alpha=self.weight_decay)
        v = state["square_avg"].mul_(self.alpha).addcmul_(grad, grad, value=1 - self.alpha)
        if self.centered:
            a = state["grad_avg"].mul_(self.alpha).add_(grad, alpha=1 - self.alpha)
            v = v.addcmul(a, a, value=-1)
        root = v.sqrt().add_(self.eps)
        if self.momentum == 0:
            parameter.addcdiv_(grad, root, value=-self.lr)
        else:
            b = state["momentum_buffer"].mul_(self.momentum).addcdiv_(grad, root)
            parameter.sub_(b, alpha=self.lr)
