"""Adagrad, steps divided by the size that gradients had so far."""

from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Tensor

from minigrad.core import Optimizer, Parameter
from minigrad.core.checks import check_rates
from minigrad.core.optimizer import Params
from minigrad.optimizers.fused import fusible


@final
class Adagrad(Optimizer):
    r"""Gradient descent, each step divided by the root of the sum of the gradients' squares.

    $$g \leftarrow g + \lambda \theta, \qquad s \leftarrow s + g^2, \qquad
    \theta \leftarrow \theta - \frac{\eta}{1 + (t - 1)\, \delta}\, \frac{g}{\sqrt s + \epsilon}$$

    at the $t$-th step.

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta$.
        lr_decay: $\delta$.
        weight_decay: $\lambda$, an L2 penalty.
        initial_accumulator_value: What $s$ begins with.
        eps: $\epsilon$.
        maximize: Whether to climb instead of descend.

    Raises:
        ValueError: If a rate is negative.

    Examples:
        >>> weight = Parameter(torch.tensor([1.0, 1.0]))
        >>> adagrad = Adagrad([weight], lr=0.5)
        >>> weight.accumulate(torch.tensor([1.0, -0.01]))
        >>> adagrad.step()
        >>> weight
        Parameter(role='weight', tensor([0.5000, 1.5000]))

    References:
        Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR 2011.
    """

    _shaped_states = ("sum",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        check_rates(
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        self.lr = lr
        self.lr_decay = lr_decay
        self.weight_decay = weight_decay
        self.initial_accumulator_value = initial_accumulator_value
        self.eps = eps
        self.maximize = maximize
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `step` (t) and `sum` (s)."""
        t, s = self._state(parameter, state)
        if self.maximize:
            grad = -grad
        if self.weight_decay != 0:
            grad = grad.add(parameter, alpha=self.weight_decay)
        t.add_(1)
        s.addcmul_(grad, grad)
        lr = self.lr / (1 + (t.double() - 1) * self.lr_decay)
        parameter.sub_(lr * grad / (s.sqrt() + self.eps))

    def update_all(
        self, parameters: Sequence[Parameter], grads: Sequence[Tensor], states: Sequence[dict[str, Any]]
    ) -> None:
        """Update each parameter, in one kernel for all of them where torch has it."""
        steps, sums = zip(*map(self._state, parameters, states), strict=True)
        if not fusible(parameters, [*grads, *sums]):
            super().update_all(parameters, grads, states)
            return
        torch._foreach_add_(steps, 1)
        kernel: Any = torch._fused_adagrad_
        kernel(
            parameters,
            grads,
            sums,
            steps,
            lr=self.lr,
            lr_decay=self.lr_decay,
            weight_decay=self.weight_decay,
            eps=self.eps,
            maximize=self.maximize,
        )

    def _state(self, parameter: Parameter, state: dict[str, Any]) -> tuple[Tensor, Tensor]:
        if not state:
            # The count is a tensor, so that torch.compile need not compile each step anew.
            state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
            state["sum"] = torch.full(
                parameter.shape, self.initial_accumulator_value, dtype=parameter.dtype, device=parameter.device
            )
        return state["step"], state["sum"]
