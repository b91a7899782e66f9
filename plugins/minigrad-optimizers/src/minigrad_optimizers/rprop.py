"""Rprop, which looks at the signs of gradients only."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Optimizer, Parameter, check_rates
from minigrad_optimizers.common import require, zeros


@final
class Rprop(Optimizer):
    r"""Resilient propagation: each element has a step of its own, which grows while the gradient keeps its sign.

    $$s \leftarrow \operatorname{clip}(\eta\, s), \quad \eta = \begin{cases}
    \eta^+ & g\, g' > 0 \\ \eta^- & g\, g' < 0 \\ 1 & \text{otherwise}
    \end{cases}, \qquad \theta \leftarrow \theta - s \operatorname{sign}(g)$$

    where $g'$ is the gradient before, and $g$ counts as 0 where the sign has changed. Meant for full batches.

    Args:
        params: Parameters or parameter groups.
        lr: First step.
        etas: $\eta^-$ and $\eta^+$.
        step_sizes: The smallest and the largest step.
        maximize: Whether to climb instead of descend.

    Raises:
        ValueError: If `lr` is negative, or not 0 < eta- < 1 < eta+.

    Examples:
        >>> weight = Parameter(torch.tensor([1.0, 1.0]))
        >>> rprop = Rprop([weight], lr=0.5)
        >>> weight.accumulate(torch.tensor([1e-9, -1e9]))
        >>> rprop.step()
        >>> weight
        Parameter(role='weight', tensor([0.5000, 1.5000]))

    References:
        Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm", 1993.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        maximize: bool = False,
    ) -> None:
        check_rates(lr=lr)
        require("etas must be 0 < eta- < 1 < eta+", 0 < etas[0] < 1 < etas[1], etas=etas)
        self.lr = lr
        self.etas = etas
        self.step_sizes = step_sizes
        self.maximize = maximize
        super().__init__(params)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """What the laws try it on: without a smallest step, so that a rate of zero means no step."""
        from minigrad.testing import Case

        return [Case(lambda params: cls(params, step_sizes=(0.0, 50.0)))]

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `prev` and `step_size`: g' and s."""
        (previous,) = zeros(parameter, state, "prev")
        if "step_size" not in state:
            state["step_size"] = torch.full_like(previous, self.lr)
        grad = -grad if self.maximize else grad
        agreement = grad * previous
        turned = agreement < 0
        factor = torch.where(agreement > 0, self.etas[1], torch.where(turned, self.etas[0], 1.0)).to(grad.dtype)
        step_size = state["step_size"].mul_(factor).clamp_(*self.step_sizes)
        grad = torch.where(turned, torch.zeros_like(grad), grad)
        parameter.sub_(grad.sign() * step_size)
        previous.copy_(grad)
