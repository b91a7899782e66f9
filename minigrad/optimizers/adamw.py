"""AdamW, Adam whose parameters decay by themselves."""

from collections.abc import Sequence
from typing import Any, final

from torch import Tensor

from minigrad.core import Optimizer, Parameter
from minigrad.core.optimizer import Params
from minigrad.optimizers.adam import adam_state, check_adam, fused_adam


@final
class AdamW(Optimizer):
    r"""Adam with decoupled weight decay.

    $$\theta \leftarrow (1 - \eta \lambda)\, \theta, \qquad m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \qquad
    v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2$$

    $$\theta \leftarrow \theta - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}$$

    at the $t$-th step. In `Adam` the penalty goes into the gradient and is divided by $\sqrt v$ with it, so that
    parameters with large gradients hardly decay; here all decay alike.

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta$.
        betas: $\beta_1$ and $\beta_2$.
        eps: $\epsilon$.
        weight_decay: $\lambda$.
        amsgrad: Whether the largest $v$ so far takes the place of $v$ in the update.
        maximize: Whether to climb instead of descend.

    Raises:
        ValueError: If a rate is negative, or a beta is not in [0, 1).

    Examples:
        >>> import torch
        >>> weight = Parameter(torch.tensor([1.0, 1.0]))
        >>> adamw = AdamW([weight], lr=0.5, weight_decay=0.1)
        >>> weight.accumulate(torch.tensor([1.0, -0.01]))
        >>> adamw.step()
        >>> weight
        Parameter(role='weight', tensor([0.4500, 1.4500]))

    References:
        Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
    """

    _shaped_states = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        check_adam(lr, betas, eps, weight_decay)
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self.amsgrad = amsgrad
        self.maximize = maximize
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `step`, `exp_avg` and `exp_avg_sq`, torch's names for t, m and v."""
        t, m, v = adam_state(parameter, state, self.amsgrad)
        beta1, beta2 = self.betas
        if self.maximize:
            grad = -grad
        parameter.mul_(1 - self.lr * self.weight_decay)
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
        if not fused_adam(self, parameters, grads, states, decoupled=True):
            super().update_all(parameters, grads, states)
