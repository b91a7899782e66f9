"""Muon, momentum made orthogonal."""

import math
from typing import Any, Literal, final

import torch
from torch import Tensor

from minigrad import Optimizer, Parameter, check_rates
from minigrad_optimizers.common import require, zeros


@final
class Muon(Optimizer):
    r"""Moves a matrix by an orthogonal matrix near its momentum.

    $$b \leftarrow \mu b + (1 - \mu)\, g, \qquad \theta \leftarrow (1 - \eta\lambda)\, \theta
    - \eta' \operatorname{NS}(b) \quad (\text{Nesterov: of } (1 - \mu)\, g + \mu\, b)$$

    $\operatorname{NS}$ sends the singular values of its argument towards 1 by a few steps of a polynomial in half
    precision,

    $$X \leftarrow a X + \bigl(b\, X X^\top + c\, (X X^\top)^2\bigr) X, \qquad
    X_0 = g / \max(\lVert g \rVert, \epsilon),$$

    and $\eta' = \eta \sqrt{\max(1, \text{rows} / \text{columns})}$, or $0.2\, \eta \sqrt{\max(\text{rows},
    \text{columns})}$ to match the steps of AdamW. It is for the weights of hidden layers; give biases, embeddings and
    the last layer to another optimizer.

    Args:
        params: Matrices, or parameter groups of them.
        lr: Learning rate $\eta$.
        weight_decay: $\lambda$, decoupled.
        momentum: $\mu$.
        nesterov: Whether to look ahead along the momentum.
        ns_coefficients: $a, b, c$.
        eps: $\epsilon$.
        ns_steps: How many steps of the polynomial.
        adjust_lr_fn: `"original"` (also `None`) or `"match_rms_adamw"`: which $\eta'$.

    Raises:
        ValueError: If a rate is negative, a parameter is no matrix, or another argument is out of range.

    Examples:
        >>> weight = Parameter(torch.zeros(2, 2))
        >>> muon = Muon([weight], lr=1.0)
        >>> weight.accumulate(torch.tensor([[3.0, 0.0], [0.0, 0.1]]))
        >>> muon.step()
        >>> weight.abs().diagonal() > 0.3  # both directions move, however small their gradient
        tensor([True, True])

    References:
        Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
        Liu et al., "Muon is Scalable for LLM Training", 2025 (`"match_rms_adamw"`).
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: Literal["original", "match_rms_adamw"] | None = None,
    ) -> None:
        check_rates(lr=lr, weight_decay=weight_decay, momentum=momentum)
        require("ns_coefficients must be three numbers", len(ns_coefficients) == 3, ns_coefficients=ns_coefficients)
        require("ns_steps must be below 100", ns_steps < 100, ns_steps=ns_steps)
        known = (None, "original", "match_rms_adamw")
        require(f"adjust_lr_fn must be one of {known}", adjust_lr_fn in known, adjust_lr_fn=adjust_lr_fn)
        self.lr = lr
        self.weight_decay = weight_decay
        self.momentum = momentum
        self.nesterov = nesterov
        self.ns_coefficients = ns_coefficients
        self.eps = eps
        self.ns_steps = ns_steps
        self.adjust_lr_fn = adjust_lr_fn
        super().__init__(params)
        for parameter in self.parameters:
            require("Muon moves matrices only", parameter.dim() == 2, shape=tuple(parameter.shape))

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """What the laws try it on: matrices."""
        from minigrad.testing import Case

        return [Case(cls, (torch.randn(3, 4), torch.randn(4, 2)))]

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one matrix; `state` holds `momentum_buffer`."""
        (buffer,) = zeros(parameter, state, "momentum_buffer")
        buffer.lerp_(grad, 1 - self.momentum)
        direction = self._orthogonal(grad.lerp(buffer, self.momentum) if self.nesterov else buffer)
        parameter.mul_(1 - self.lr * self.weight_decay)
        parameter.sub_(direction, alpha=self._adjusted_lr(*parameter.shape))

    def _orthogonal(self, matrix: Tensor) -> Tensor:
        a, b, c = self.ns_coefficients
        # In half precision by design: the polynomial needs no more, and it is where its speed comes from.
        x = matrix.bfloat16()
        wide = x.size(0) <= x.size(1)
        x = x if wide else x.T
        x = x / x.norm().clamp(min=self.eps)
        for _ in range(self.ns_steps):
            gram = x @ x.T
            x = x.addmm(gram.addmm(gram, gram, beta=b, alpha=c), x, beta=a)
        return x if wide else x.T

    def _adjusted_lr(self, rows: int, columns: int) -> float:
        if self.adjust_lr_fn == "match_rms_adamw":
            return float(self.lr * (0.2 * math.sqrt(max(rows, columns))))
        return float(self.lr * math.sqrt(max(1, rows / columns)))
