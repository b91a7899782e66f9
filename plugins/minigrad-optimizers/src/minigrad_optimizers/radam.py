"""RAdam, Adam that waits until its second moment can be trusted."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Optimizer, Parameter, check_betas, check_rates
from minigrad_optimizers.common import next_step, zeros


@final
class RAdam(Optimizer):
    r"""Adam with a rectified adaptive rate.

    With $\hat m = m / (1 - \beta_1^t)$ and $\hat v = v / (1 - \beta_2^t)$ as in Adam,

    $$\rho_\infty = \frac{2}{1 - \beta_2} - 1, \qquad \rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t}, \qquad
    r_t = \sqrt{\frac{(\rho_t - 4)(\rho_t - 2)\rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2)\rho_t}}$$

    $$\theta \leftarrow \theta - \eta\, \hat m \begin{cases}
    r_t \sqrt{1 - \beta_2^t} / (\sqrt{v} + \epsilon) & \rho_t > 5 \\ 1 & \text{otherwise} \end{cases}$$

    so that the first steps, whose $v$ rests on few gradients, are plain momentum.

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta$.
        betas: $\beta_1$ and $\beta_2$.
        eps: $\epsilon$.
        weight_decay: $\lambda$: $g \leftarrow g + \lambda\theta$, or if decoupled
            $\theta \leftarrow (1 - \eta\lambda)\, \theta$.
        decoupled_weight_decay: Whether the parameter decays by itself, as in AdamW.
        maximize: Whether to climb instead of descend.

    Raises:
        ValueError: If a rate is negative, or a beta is not in [0, 1).

    Examples:
        >>> weight = Parameter(torch.tensor([1.0]))
        >>> radam = RAdam([weight], lr=0.5)
        >>> weight.accumulate(torch.tensor([1.0]))
        >>> radam.step()
        >>> weight
        Parameter(role='weight', tensor([0.5000]))

    References:
        Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        check_rates(lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas(betas)
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self.decoupled_weight_decay = decoupled_weight_decay
        self.maximize = maximize
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `step`, `exp_avg` and `exp_avg_sq`: t, m and v."""
        t = next_step(parameter, state)
        m, v = zeros(parameter, state, "exp_avg", "exp_avg_sq")
        beta1, beta2 = self.betas
        grad = -grad if self.maximize else grad
        if self.decoupled_weight_decay:
            parameter.mul_(1 - self.lr * self.weight_decay)
        elif self.weight_decay != 0:
            grad = grad.add(parameter, alpha=self.weight_decay)
        m.lerp_(grad, 1 - beta1)
        v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        correction = 1 - beta2**t
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * t * beta2**t / correction
        # Below 5 the root would be of a negative number; `where` chooses after both are computed.
        safe = rho.clamp(min=5)
        rectified = ((safe - 4) * (safe - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * safe)).sqrt()
        adaptive = rectified * correction.sqrt() / (v.sqrt() + self.eps)
        parameter.sub_(self.lr * (m / (1 - beta1**t)) * torch.where(rho > 5, adaptive, torch.ones_like(adaptive)))
