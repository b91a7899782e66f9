"""Lion, the sign of a momentum."""

from typing import Any, final

from torch import Tensor

from minigrad import Optimizer, Parameter, check_betas, check_rates
from minigrad_optimizers.common import zeros


@final
class Lion(Optimizer):
    r"""Steps of one size for every element, in the direction of an interpolated momentum.

    $$\theta \leftarrow (1 - \eta\lambda)\, \theta - \eta \operatorname{sign}\bigl(\beta_1 m + (1 - \beta_1)\, g\bigr),
    \qquad m \leftarrow \beta_2 m + (1 - \beta_2)\, g$$

    Its rate is usually three to ten times smaller than Adam's, and its weight decay as many times larger.

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta$.
        betas: $\beta_1$ and $\beta_2$.
        weight_decay: $\lambda$, decoupled.
        maximize: Whether to climb instead of descend.

    Raises:
        ValueError: If a rate is negative, or a beta is not in [0, 1).

    Examples:
        >>> weight = Parameter(torch.tensor([1.0, 1.0]))
        >>> lion = Lion([weight], lr=0.5)
        >>> weight.accumulate(torch.tensor([0.001, -1000.0]))
        >>> lion.step()
        >>> weight
        Parameter(role='weight', tensor([0.5000, 1.5000]))

    References:
        Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        check_rates(lr=lr, weight_decay=weight_decay)
        check_betas(betas)
        self.lr = lr
        self.betas = betas
        self.weight_decay = weight_decay
        self.maximize = maximize
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `exp_avg`: m."""
        (m,) = zeros(parameter, state, "exp_avg")
        beta1, beta2 = self.betas
        grad = -grad if self.maximize else grad
        parameter.mul_(1 - self.lr * self.weight_decay)
        parameter.sub_(m.lerp(grad, 1 - beta1).sign(), alpha=float(self.lr))
        m.lerp_(grad, 1 - beta2)
