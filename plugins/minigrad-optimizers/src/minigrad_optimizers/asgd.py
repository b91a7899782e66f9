"""ASGD, gradient descent whose average is the result."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Optimizer, Parameter, check_rates
from minigrad_optimizers.common import next_step, zeros


@final
class ASGD(Optimizer):
    r"""Averaged stochastic gradient descent.

    $$\theta \leftarrow (1 - \lambda \eta_t)\, \theta - \eta_t\, g, \qquad
    \bar\theta \leftarrow \bar\theta + \mu_t (\theta - \bar\theta)$$

    $$\eta_{t+1} = \frac{\eta_0}{(1 + \lambda \eta_0 t)^\alpha}, \qquad \mu_{t+1} = \frac{1}{\max(1, t - t_0)}$$

    after $g \leftarrow g + \lambda' \theta$. The average $\bar\theta$ is in the state, under `ax`.

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta_0$.
        lambd: $\lambda$.
        alpha: $\alpha$.
        t0: $t_0$, the step after which the average is more than the newest parameter.
        weight_decay: $\lambda'$, an L2 penalty.
        maximize: Whether to climb instead of descend.

    Raises:
        ValueError: If a rate is negative.

    Examples:
        >>> weight = Parameter(torch.tensor([1.0]))
        >>> asgd = ASGD([weight], lr=0.5, lambd=0.0)
        >>> weight.accumulate(torch.tensor([1.0]))
        >>> asgd.step()
        >>> weight, asgd.states[0]["ax"]
        (Parameter(role='weight', tensor([0.5000])), tensor([0.5000]))

    References:
        Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        check_rates(lr=lr, weight_decay=weight_decay)
        self.lr = lr
        self.lambd = lambd
        self.alpha = alpha
        self.t0 = t0
        self.weight_decay = weight_decay
        self.maximize = maximize
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `step`, `ax`, `eta` and `mu`."""
        t = next_step(parameter, state)
        (ax,) = zeros(parameter, state, "ax")
        if "eta" not in state:
            state["eta"] = torch.full_like(t, self.lr)
            state["mu"] = torch.ones_like(t)
        eta, mu = state["eta"], state["mu"]
        grad = -grad if self.maximize else grad
        if self.weight_decay != 0:
            grad = grad.add(parameter, alpha=self.weight_decay)
        parameter.mul_(1 - self.lambd * eta).sub_(eta * grad)
        ax.add_(mu * (parameter - ax))
        eta.copy_(self.lr / (1 + self.lambd * self.lr * t) ** self.alpha)
        mu.copy_(1 / (t - self.t0).clamp(min=1))
