"""Adadelta, steps in the units of the parameter."""

from typing import Any, final

from torch import Tensor

from minigrad import Optimizer, Parameter, check_rates
from minigrad_optimizers.common import require, zeros


@final
class Adadelta(Optimizer):
    r"""A step as long as the steps of late, over gradients as large as those of late.

    $$v \leftarrow \rho v + (1 - \rho)\, g^2, \qquad \Delta = \frac{\sqrt{u + \epsilon}}{\sqrt{v + \epsilon}}\, g,
    \qquad u \leftarrow \rho u + (1 - \rho)\, \Delta^2, \qquad \theta \leftarrow \theta - \eta \Delta$$

    after $g \leftarrow g + \lambda\theta$.

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta$.
        rho: $\rho$.
        eps: $\epsilon$.
        weight_decay: $\lambda$, an L2 penalty.
        maximize: Whether to climb instead of descend.

    Raises:
        ValueError: If a rate is negative, or `rho` is not in [0, 1].

    Examples:
        >>> weight = Parameter(torch.tensor([1.0]))
        >>> adadelta = Adadelta([weight], rho=0.0, eps=0.25)
        >>> weight.accumulate(torch.tensor([0.0]))
        >>> adadelta.step()
        >>> weight
        Parameter(role='weight', tensor([1.]))

    References:
        Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        check_rates(lr=lr, eps=eps, weight_decay=weight_decay)
        require("rho must be in [0, 1]", 0 <= rho <= 1, rho=rho)
        self.lr = lr
        self.rho = rho
        self.eps = eps
        self.weight_decay = weight_decay
        self.maximize = maximize
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `square_avg` and `acc_delta`: v and u."""
        v, u = zeros(parameter, state, "square_avg", "acc_delta")
        grad = -grad if self.maximize else grad
        if self.weight_decay != 0:
            grad = grad.add(parameter, alpha=self.weight_decay)
        v.mul_(self.rho).addcmul_(grad, grad, value=1 - self.rho)
        delta = (u + self.eps).sqrt() / (v + self.eps).sqrt() * grad
        u.mul_(self.rho).addcmul_(delta, delta, value=1 - self.rho)
        parameter.sub_(delta, alpha=float(self.lr))
