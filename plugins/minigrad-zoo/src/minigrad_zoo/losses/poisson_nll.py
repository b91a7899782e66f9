"""PoissonNLL, the surprise of counts."""

import math
from typing import Any, final

import torch
from torch import Tensor

from minigrad import Loss, Reduction, check_floating
from minigrad_zoo.checks import check_not_negative, check_same_shape, numbers
from minigrad_zoo.reductions import reduced, shares


@final
class PoissonNLL(Loss):
    r"""Negative log-likelihood of counts $t$ that are Poisson distributed with rate $\lambda$, up to a constant.

    With `log_input` the prediction is $x = \log \lambda$:

    $$\ell = e^x - t x, \qquad \frac{\partial \ell}{\partial x} = e^x - t$$

    and without it the rate $\lambda = x \ge 0$ itself:

    $$\ell = x - t \log(x + \epsilon), \qquad \frac{\partial \ell}{\partial x} = 1 - \frac{t}{x + \epsilon}$$

    With `full`, Stirling's approximation of $\log t!$ is added where $t > 1$: $t \log t - t + \tfrac12 \log(2 \pi t)$.

    Args:
        log_input: Whether the prediction is the logarithm of the rate.
        full: Whether the approximation of $\log t!$, which has no gradient, is added.
        eps: $\epsilon$, which keeps $\log 0$ away if `log_input` is False.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Raises:
        ValueError: If `eps` is negative.
        ShapeError: If prediction and target differ in shape.
        DtypeError: If the prediction is not floating-point, or the target is not of numbers.
        TargetError: If a count is negative, or a rate is; looked at on the CPU only.

    Examples:
        >>> poisson_nll = PoissonNLL()
        >>> cost, cache = poisson_nll.forward(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))
        >>> cost, poisson_nll.backward(cache)
        (tensor(0.8591), tensor([0.0000, 0.3591]))
    """

    def __init__(
        self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(reduction)
        if not eps >= 0:
            raise ValueError(f"eps must not be negative. Received: eps={eps}")
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map `x: (*shape)` and `t: (*shape)` to the cost: `()`, or `(*shape)` unreduced."""
        check_floating(self, prediction)
        target = numbers(self, target, prediction)
        check_same_shape(self, prediction=prediction, target=target)
        check_not_negative(self, "counts", target)
        if self.log_input:
            rate = prediction.exp()
            costs = rate - target * prediction
        else:
            check_not_negative(self, "rates", prediction)
            rate = prediction + self.eps  # as the logarithm takes it
            costs = prediction - target * rate.log()
        if self.full:
            costs = costs + _log_factorial(target)
        return reduced(self, costs), (rate, target)

    def backward(self, cache: tuple[Tensor, Tensor], grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to `dL/dx: (*shape)`."""
        rate, target = cache
        slope = rate - target if self.log_input else 1 - target / rate
        return slope * shares(self, grad_cost, target)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        counts = torch.arange(15).view(5, 3) % 4
        pair, rates = (draw(5, 3), counts.float()), (draw(5, 3, low=0.0), counts)
        # Beyond it e^x leaves what float32 can hold.
        logs: Any = {"domain": (-math.inf, 85.0)}
        here: Any = {"domain": (0.0, math.inf)}
        wrong = ((draw(5, 3), draw(5, 1).abs()), (draw(5, 3), -counts), (counts, counts), ("text", counts))
        return [
            Case(cls, pair, wrong=wrong, **logs),
            Case(lambda: cls(full=True), pair, "whole", **logs),
            Case(lambda: cls(log_input=False), rates, "rates", wrong=((-rates[0], counts),), **here),
            Case(lambda: cls(log_input=False, full=True, eps=0.1), rates, "whole, rates", **here),
        ]


def _log_factorial(t: Tensor) -> Tensor:
    # Of what is 0 or 1 no logarithm is taken: 0 * log 0 is no number.
    safe = t.clamp(min=1)
    return torch.where(t > 1, safe * safe.log() - safe + 0.5 * torch.log(2 * math.pi * safe), torch.zeros_like(t))
