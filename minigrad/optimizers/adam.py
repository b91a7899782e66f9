"""Adam, steps of adaptive size."""

from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Tensor

from minigrad.core import Optimizer, Parameter
from minigrad.core.checks import check_betas, check_rates
from minigrad.core.optimizer import Params
from minigrad.optimizers.fused import fusible


@final
class Adam(Optimizer):
    r"""Adaptive moment estimation.

    $$g \leftarrow g + \lambda \theta, \qquad m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \qquad
    v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2$$

    $$\theta \leftarrow \theta - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}$$

    at the $t$-th step; $m$ and $v$ begin at zero, and the denominators $1 - \beta^t$ make up for that.

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta$.
        betas: $\beta_1$ and $\beta_2$.
        eps: $\epsilon$.
        weight_decay: $\lambda$, an L2 penalty.
        amsgrad: Whether the largest $v$ so far takes the place of $v$ in the update.
        maximize: Whether to climb instead of descend.
        decoupled_weight_decay: Whether the parameter decays by itself, as in `AdamW`.

    Raises:
        ValueError: If a rate is negative, or a beta is not in [0, 1).

    Examples:
        >>> weight = Parameter(torch.tensor([1.0, 1.0]))
        >>> adam = Adam([weight], lr=0.5)
        >>> weight.accumulate(torch.tensor([1.0, -0.01]))
        >>> adam.step()
        >>> weight
        Parameter(role='weight', tensor([0.5000, 1.5000]))

    References:
        Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
        Reddi et al., "On the Convergence of Adam and Beyond", ICLR 2018 (amsgrad).
    """

    _shaped_states = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_adam(lr, betas, eps, weight_decay)
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self.amsgrad = amsgrad
        self.maximize = maximize
        self.decoupled_weight_decay = decoupled_weight_decay
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `step`, `exp_avg` and `exp_avg_sq`, torch's names for t, m and v."""
        t, m, v = adam_state(parameter, state, self.amsgrad)
        beta1, beta2 = self.betas
        if self.maximize:
            grad = -grad
        if self.decoupled_weight_decay:
            parameter.mul_(1 - self.lr * self.weight_decay)
        elif self.weight_decay != 0:
            grad = grad.add(parameter, alpha=self.weight_decay)
        t.add_(1)
        m.mul_(beta1).add_(grad, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        if self.amsgrad:
            v = state["max_exp_avg_sq"].clamp_(min=v)
        m_hat = m / (1 - beta1 ** t.double())
        v_hat = v / (1 - beta2 ** t.double())
        parameter.sub_(self.lr * m_hat / (v_hat.sqrt() + self.eps))

    def update_all(
        self, parameters: Sequence[Parameter], grads: Sequence[Tensor], states: Sequence[dict[str, Any]]
    ) -> None:
        """Update each parameter, in one kernel for all of them where torch has it."""
        if not fused_adam(self, parameters, grads, states, decoupled=self.decoupled_weight_decay):
            super().update_all(parameters, grads, states)


def check_adam(lr: float, betas: tuple[float, float], eps: float, weight_decay: float) -> None:
    """Check what Adam and AdamW have in common.

    Raises:
        ValueError: If a rate is negative, or a beta is not in [0, 1).
    """
    check_rates(lr=lr, eps=eps, weight_decay=weight_decay)
    check_betas(betas)


def adam_state(parameter: Parameter, state: dict[str, Any], amsgrad: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The step count and the moments of a parameter, made at its first step.

    The count is a tensor, so that torch.compile need not compile each step anew.
    """
    if "step" not in state:
        state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
        # Not zeros_like, which would take over odd strides.
        state["exp_avg"] = torch.zeros(parameter.shape, dtype=parameter.dtype, device=parameter.device)
        state["exp_avg_sq"] = torch.zeros(parameter.shape, dtype=parameter.dtype, device=parameter.device)
    if amsgrad and "max_exp_avg_sq" not in state:
        state["max_exp_avg_sq"] = torch.zeros_like(state["exp_avg_sq"])
    return state["step"], state["exp_avg"], state["exp_avg_sq"]


def fused_adam(
    options: Any,
    parameters: Sequence[Parameter],
    grads: Sequence[Tensor],
    states: Sequence[dict[str, Any]],
    decoupled: bool,
) -> bool:
    """Do what `update` does, for all parameters in one kernel, or nothing; say which. `options` is the optimizer."""
    steps, moments, squares = zip(
        *[adam_state(p, state, options.amsgrad) for p, state in zip(parameters, states, strict=True)], strict=True
    )
    largest = [state["max_exp_avg_sq"] for state in states] if options.amsgrad else []
    if not fusible(parameters, [*grads, *moments, *squares, *largest]):
        return False
    beta1, beta2 = options.betas
    torch._foreach_add_(steps, 1)
    kernel: Any = torch._fused_adamw_ if decoupled else torch._fused_adam_
    kernel(
        parameters,
        grads,
        moments,
        squares,
        largest,
        steps,
        lr=options.lr,
        beta1=beta1,
        beta2=beta2,
        weight_decay=options.weight_decay,
        eps=options.eps,
        amsgrad=options.amsgrad,
        maximize=options.maximize,
    )
    return True
