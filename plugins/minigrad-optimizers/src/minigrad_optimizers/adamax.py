"""Adamax, Adam by the infinity norm."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Optimizer, Parameter, check_betas, check_rates
from minigrad_optimizers.common import next_step, zeros


@final
class Adamax(Optimizer):
    r"""Adam whose second moment is the largest gradient of late.

    $$m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \qquad u \leftarrow \max(\beta_2 u, |g| + \epsilon), \qquad
    \theta \leftarrow \theta - \frac{\eta}{1 - \beta_1^t} \frac{m}{u}$$

    at the $t$-th step, after $g \leftarrow g + \lambda\theta$.

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta$.
        betas: $\beta_1$ and $\beta_2$.
        eps: $\epsilon$.
        weight_decay: $\lambda$, an L2 penalty.
        maximize: Whether to climb instead of descend.

    Raises:
        ValueError: If a rate is negative, or a beta is not in [0, 1).

    Examples:
        >>> weight = Parameter(torch.tensor([1.0, 1.0]))
        >>> adamax = Adamax([weight], lr=0.5)
        >>> weight.accumulate(torch.tensor([1.0, -3.0]))
        >>> adamax.step()
        >>> weight
        Parameter(role='weight', tensor([0.5000, 1.5000]))

    References:
        Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, section 7.1.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        check_rates(lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas(betas)
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self.maximize = maximize
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `step`, `exp_avg` and `exp_inf`: t, m and u."""
        t = next_step(parameter, state)
        m, u = zeros(parameter, state, "exp_avg", "exp_inf")
        beta1, beta2 = self.betas
        grad = -grad if self.maximize else grad
        if self.weight_decay != 0:
            grad = grad.add(parameter, alpha=self.weight_decay)
        m.lerp_(grad, 1 - beta1)
        torch.maximum(beta2 * u, grad.abs().add_(self.eps), out=u)
        parameter.sub_(self.lr / (1 - beta1**t) * m / u)
