"""NAdam, Adam with Nesterov's momentum."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Optimizer, Parameter, check_betas, check_rates
from minigrad_optimizers.common import next_step, zeros


@final
class NAdam(Optimizer):
    r"""Adam that looks ahead along its momentum.

    $$\mu_t = \beta_1 \bigl(1 - \tfrac12\, 0.96^{t \psi}\bigr), \qquad m \leftarrow \beta_1 m + (1 - \beta_1)\, g,
    \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2$$

    $$\theta \leftarrow \theta - \frac{\eta}{\sqrt{v / (1 - \beta_2^t)} + \epsilon} \Bigl(
    \frac{(1 - \mu_t)\, g}{1 - \prod_{i \le t} \mu_i} + \frac{\mu_{t+1}\, m}{1 - \prod_{i \le t+1} \mu_i}
    \Bigr)$$

    at the $t$-th step. The product is kept in double precision (torch keeps it in its default dtype).

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta$.
        betas: $\beta_1$ and $\beta_2$.
        eps: $\epsilon$.
        weight_decay: $\lambda$: $g \leftarrow g + \lambda\theta$, or if decoupled
            $\theta \leftarrow (1 - \eta\lambda)\, \theta$.
        momentum_decay: $\psi$.
        decoupled_weight_decay: Whether the parameter decays by itself, as in AdamW.
        maximize: Whether to climb instead of descend.

    Raises:
        ValueError: If a rate is negative, or a beta is not in [0, 1).

    Examples:
        >>> weight = Parameter(torch.tensor([1.0]))
        >>> nadam = NAdam([weight], lr=0.1)
        >>> weight.accumulate(torch.tensor([1.0]))
        >>> nadam.step()
        >>> bool(weight < 1)
        True

    References:
        Dozat, "Incorporating Nesterov Momentum into Adam", ICLR workshop 2016.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        check_rates(lr=lr, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
        check_betas(betas)
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self.momentum_decay = momentum_decay
        self.decoupled_weight_decay = decoupled_weight_decay
        self.maximize = maximize
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `step`, `exp_avg`, `exp_avg_sq` and `mu_product`."""
        t = next_step(parameter, state)
        m, v = zeros(parameter, state, "exp_avg", "exp_avg_sq")
        if "mu_product" not in state:
            state["mu_product"] = torch.ones_like(t)
        beta1, beta2 = self.betas
        grad = -grad if self.maximize else grad
        if self.decoupled_weight_decay:
            parameter.mul_(1 - self.lr * self.weight_decay)
        elif self.weight_decay != 0:
            grad = grad.add(parameter, alpha=self.weight_decay)
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (step * self.momentum_decay)) for step in (t, t + 1))
        product = state["mu_product"].mul_(mu)
        m.lerp_(grad, 1 - beta1)
        v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        ahead = (1 - mu) / (1 - product) * grad + mu_next / (1 - product * mu_next) * m
        parameter.sub_(self.lr * ahead / ((v / (1 - beta2**t)).sqrt() + self.eps))
