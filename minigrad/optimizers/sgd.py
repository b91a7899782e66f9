"""SGD, gradient descent with momentum."""

from collections.abc import Sequence
from typing import Any, Literal, final

import torch
from torch import Tensor

from minigrad.core import Optimizer, Parameter
from minigrad.core.checks import check_rates
from minigrad.core.optimizer import Params


@final
class SGD(Optimizer):
    r"""Stochastic gradient descent, with momentum, Nesterov's momentum and weight decay.

    $$g \leftarrow g + \lambda \theta, \qquad v \leftarrow \mu v + (1 - \tau) g, \qquad
    \theta \leftarrow \theta - \eta\, v \quad (\text{Nesterov: } \theta \leftarrow \theta - \eta (g + \mu v))$$

    with $v = g$ at the first step.

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta$.
        momentum: $\mu$.
        dampening: $\tau$.
        weight_decay: $\lambda$, an L2 penalty.
        nesterov: Whether to look ahead along the momentum.
        maximize: Whether to climb instead of descend.
        bias_update: `"sum"` takes a bias's gradient as it is; `"mean"` divides it by the rows that were summed into it,
            as some hand-written scripts do (with a summed cost it makes the bias's rate independent of the batch).

    Raises:
        ValueError: If a rate is negative, `nesterov` lacks a momentum or has a dampening, or `bias_update` is unknown.

    Examples:
        >>> weight = Parameter(torch.tensor([1.0]))
        >>> sgd = SGD([weight], lr=0.5)
        >>> weight.accumulate(torch.tensor([1.0]))
        >>> sgd.step()
        >>> weight
        Parameter(role='weight', tensor([0.5000]))

    References:
        Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        bias_update: Literal["sum", "mean"] = "sum",
    ) -> None:
        check_rates(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"nesterov needs a positive momentum and no dampening. "
                f"Received: momentum={momentum}, dampening={dampening}"
            )
        if bias_update not in ("sum", "mean"):
            raise ValueError(f"bias_update must be 'sum' or 'mean'. Received: bias_update={bias_update!r}")
        self.lr = lr
        self.momentum = momentum
        self.dampening = dampening
        self.weight_decay = weight_decay
        self.nesterov = nesterov
        self.maximize = maximize
        self.bias_update = bias_update
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter down its gradient; `state` holds `momentum_buffer`."""
        if self.bias_update == "mean" and parameter.role == "bias":
            grad = grad / max(parameter.rows, 1)  # no rows, no gradient; one that was set by hand stays as it is
        if self.maximize:
            grad = -grad
        if self.weight_decay != 0:
            grad = grad.add(parameter, alpha=self.weight_decay)
        if self.momentum != 0:
            velocity = state.get("momentum_buffer")
            if velocity is None:
                velocity = state["momentum_buffer"] = grad.clone()
            else:
                velocity.mul_(self.momentum).add_(grad, alpha=1 - self.dampening)
            grad = grad.add(velocity, alpha=self.momentum) if self.nesterov else velocity
        parameter.add_(grad, alpha=-self.lr)

    def update_all(
        self, parameters: Sequence[Parameter], grads: Sequence[Tensor], states: Sequence[dict[str, Any]]
    ) -> None:
        """Update each parameter; the plain rule in one call for all of them."""
        if self.momentum != 0 or self.weight_decay != 0 or self.maximize or self.bias_update == "mean":
            super().update_all(parameters, grads, states)
        else:
            torch._foreach_add_(parameters, grads, alpha=-self.lr)  # type: ignore[call-overload]
