"""Adafactor, a second moment of rows and columns only."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Optimizer, Parameter, check_rates
from minigrad_optimizers.common import next_step, require


@final
class Adafactor(Optimizer):
    r"""Adaptive steps whose memory is the sum of a matrix's rows and columns, not their product.

    With $\beta_t = 1 - t^\gamma$, a matrix's second moment is estimated from averages over its rows and its columns,

    $$r \leftarrow \beta_t r + (1 - \beta_t) \overline{g^2}^{\,\text{columns}}, \qquad
    c \leftarrow \beta_t c + (1 - \beta_t) \overline{g^2}^{\,\text{rows}}, \qquad
    \hat v = \frac{r c}{\max(\bar r, \epsilon_1)}$$

    (a vector's from $g^2$ itself), and the step is scaled by the size of the parameter and clipped:

    $$u = \frac{g}{\sqrt{\max(\hat v, \epsilon_1^2)}}, \qquad \theta \leftarrow \theta
    - \max(\epsilon_2, \operatorname{rms}\theta) \min(\eta, 1/\sqrt t)\, \frac{u}{\max(1, \operatorname{rms}(u) / d)}$$

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate $\eta$.
        beta2_decay: $\gamma$, not positive.
        eps: $\epsilon_1$ (`None`: the dtype's machine epsilon) and $\epsilon_2$.
        d: $d$, at least 1.
        weight_decay: $\lambda$: $\theta \leftarrow (1 - \eta\lambda)\,\theta$ first.
        maximize: Whether to climb instead of descend.

    Raises:
        ValueError: If a rate is negative, `beta2_decay` positive, or `d` below 1.

    Examples:
        >>> weight = Parameter(torch.ones(2, 2))
        >>> adafactor = Adafactor([weight], lr=0.5)
        >>> weight.accumulate(torch.ones(2, 2))
        >>> adafactor.step()
        >>> weight
        Parameter(role='weight', tensor([[0.5000, 0.5000],
                [0.5000, 0.5000]]))

    References:
        Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", ICML 2018.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        check_rates(lr=lr, weight_decay=weight_decay)
        require("beta2_decay must not be positive", beta2_decay <= 0, beta2_decay=beta2_decay)
        require("eps must not be negative", (eps[0] is None or eps[0] >= 0) and eps[1] >= 0, eps=eps)
        require("d must be at least 1", d >= 1, d=d)
        self.lr = lr
        self.beta2_decay = beta2_decay
        self.eps = eps
        self.d = d
        self.weight_decay = weight_decay
        self.maximize = maximize
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds `step`, and `row_var` and `col_var`, or `variance` of a vector."""
        t = next_step(parameter, state)
        eps1, eps2 = self.eps
        eps1 = torch.finfo(parameter.dtype).eps if eps1 is None else eps1
        grad = -grad if self.maximize else grad
        size = (_rms(parameter)).clamp(min=eps2) * (1 / t.sqrt()).clamp(max=self.lr)
        if self.weight_decay != 0:
            parameter.mul_(1 - self.lr * self.weight_decay)
        new = t**self.beta2_decay
        if grad.dim() > 1:
            rows = _average(state, "row_var", grad.square().mean(-1, keepdim=True), new)
            columns = _average(state, "col_var", grad.square().mean(-2, keepdim=True), new)
            variance = rows @ columns / rows.mean(-2, keepdim=True).clamp(min=eps1)
        else:
            variance = _average(state, "variance", grad.square(), new)
        u = grad * variance.clamp(min=eps1 * eps1).rsqrt()
        parameter.sub_(size / (_rms(u) / self.d).clamp(min=1) * u)


def _average(state: dict[str, Any], name: str, newest: Tensor, weight: Tensor) -> Tensor:
    if name not in state:
        state[name] = torch.zeros_like(newest)
    average: Tensor = state[name].add_(weight * (newest - state[name]))
    return average


def _rms(x: Tensor) -> Tensor:
    return x.square().mean().sqrt()
