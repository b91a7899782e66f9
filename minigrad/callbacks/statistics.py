"""GradientStatistics and ActivationStatistics, columns about what passes through a net."""

import math
from typing import Any, final

import torch
from torch import Tensor

from minigrad.core import Activation, Callback, Layer, Run, Wrapper
from minigrad.core.checks import check_count
from minigrad.core.finite import tensors


@final
class GradientStatistics(Callback):
    r"""Adds the norms of the gradients to the history: `grad_norm`, and `grad_norm/<parameter>` for each one.

    $$\lVert g \rVert = \sqrt{\textstyle\sum_p \lVert g_p \rVert^2}, \qquad
    \lVert g_p \rVert = \sqrt{\textstyle\sum_i g_{p,i}^2}$$

    They are those of the complete gradients, before they are clipped; so `grad_norm` is what `clip` is compared with. A
    norm that shrinks from layer to layer tells of vanishing gradients, one that jumps of a rate that is too high.

    Args:
        every: Updates from one measurement to the next. Each waits for the device.

    Raises:
        ValueError: If `every` is no positive whole number.

    Examples:
        >>> GradientStatistics(every=100)
        GradientStatistics(every=100)
    """

    def __init__(self, every: int = 10) -> None:
        check_count(every=every)
        self.every = every
        self._norms: dict[str, float] = {}

    def on_before_update(self, run: Run) -> None:
        """Measure."""
        self._norms = {}
        if run.step % self.every == 0:
            grads = {n: p.gradient for n, p in run.net.named_parameters() if p.gradient is not None}
            norms = _numbers([torch.linalg.vector_norm(grad, dtype=_wide(grad)) for grad in grads.values()])
            self._norms["grad_norm"] = math.hypot(*norms)
            self._norms |= {f"grad_norm/{name}": norm for name, norm in zip(grads, norms, strict=True)}

    def on_step_end(self, run: Run) -> None:
        """Put the norms into the row."""
        run.rows[-1].update(self._norms)


@final
class ActivationStatistics(Callback):
    r"""Adds what the layers return to the history, four columns a layer.

    - `activation/<layer>/mean` and `activation/<layer>/std`, over all elements;
    - `activation/<layer>/zeros`, the share of exact zeros: many from a ReLU are units that say nothing;
    - `activation/<layer>/saturated`, for activations: the share of elements through which hardly any gradient passes,
      $\lvert \partial L / \partial x \rvert < 0.01\, \lvert \partial L / \partial y \rvert$, of those that any reached.
      A ReLU below zero counts as well as a sigmoid far out; what stands there has stopped learning.

    The layers are those that compute something themselves, as `map_layers` finds them. One that stands twice, or
    learns from several batches before an update, is described once, over all of its elements. In a layer that no
    gradient passes (the net's first) none is saturated.

    Args:
        every: Updates from one measurement to the next. Each waits for the device.

    Raises:
        ValueError: If `every` is no positive whole number.

    Examples:
        >>> ActivationStatistics(every=100)
        ActivationStatistics(every=100)

    References:
        Glorot and Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural Networks", AISTATS 2010.
    """

    def __init__(self, every: int = 10) -> None:
        check_count(every=every)
        self.every = every
        self._forget(0)

    def _forget(self, step: int) -> None:
        self.measures = step % self.every == 0  # whether the passes from now on are looked at
        self.outputs: dict[str, list[Tensor]] = {}
        self.passages: dict[str, list[Tensor]] = {}

    def wrap(self, layer: Layer, name: str) -> Layer:
        """Look at what the layer returns."""
        return Observed(layer, name, self)

    def on_fit_start(self, run: Run) -> None:
        """Begin, or go on."""
        self._forget(run.step)

    def on_step_end(self, run: Run) -> None:
        """Put the statistics into the row."""
        if self.measures:
            for name, parts in self.outputs.items():
                label = f"activation/{name}/" if name else "activation/"
                run.rows[-1].update({label + what: value for what, value in _described(parts).items()})
                if name in self.passages:
                    blocked, reached = _totals(self.passages[name])
                    run.rows[-1][f"{label}saturated"] = blocked / reached if reached else 0.0
        self._forget(run.step)

    def on_fit_end(self, run: Run) -> None:
        """Let go of what an update that was broken off has left."""
        self._forget(0)


class Observed(Wrapper):
    """A layer whose outputs, and the gradients that pass it, are described to an `ActivationStatistics`."""

    def __init__(self, layer: Layer, name: str, statistics: ActivationStatistics) -> None:
        super().__init__(layer)
        self.name = name
        self.statistics = statistics
        inner = layer
        while isinstance(inner, Wrapper):  # another callback's
            inner = inner.layer
        self.passes = isinstance(inner, Activation)

    def forward(self, x: Any) -> tuple[Any, Any]:
        """The forward of the layer inside, its output described."""
        y, cache = self.layer.forward(x)
        if self.statistics.measures:
            parts = [_moments(part) for _, part in tensors(y, "y") if part.is_floating_point() and part.numel()]
            if parts:  # indices, or nothing at all, have no mean
                self.statistics.outputs.setdefault(self.name, []).extend(parts)
        return y, cache

    def backward(self, grad_output: Any, cache: Any) -> Any:
        """The backward of the layer inside, with how much passes it described."""
        grad_input = self.layer.backward(grad_output, cache)
        if self.statistics.measures and self.passes and isinstance(grad_input, Tensor):
            reached = grad_output != 0
            blocked = reached & (grad_input.abs() < 0.01 * grad_output.abs())
            parts = self.statistics.passages.setdefault(self.name, [])
            parts.append(torch.stack([blocked.sum(), reached.sum()]))
        return grad_input


def _moments(y: Tensor) -> Tensor:
    """Count, mean, squared deviations and zeros, in float64 and on the device still: nobody waits here."""
    y = y.detach().double()
    variance, mean = torch.var_mean(y, correction=0)
    return torch.stack([torch.full_like(mean, y.numel()), mean, variance * y.numel(), (y == 0).sum().double()])


def _described(parts: list[Tensor]) -> dict[str, float]:
    """Several batches as one."""
    counts, means, deviations, zeros = torch.stack(parts).unbind(1)
    total = counts.sum()
    mean = (counts * means).sum() / total
    # A sum of squares less the square of the sum would cancel; the deviations of each part do not.
    variance = (deviations.sum() + (counts * (means - mean) ** 2).sum()) / total
    mean, std, share = torch.stack([mean, variance.sqrt(), zeros.sum() / total]).tolist()
    return {"mean": mean, "std": std, "zeros": share}


def _totals(parts: list[Tensor]) -> list[int]:
    totals: list[int] = torch.stack(parts).sum(0).tolist()
    return totals


def _wide(tensor: Tensor) -> torch.dtype:
    """A dtype in which the squares of many numbers have room."""
    return torch.float64 if tensor.dtype is torch.float64 else torch.float32


def _numbers(values: list[Tensor]) -> list[float]:
    """Several numbers on a device, read at once."""
    if not values:
        return []
    numbers: list[float] = torch.stack([value.to(values[0].device, torch.float64) for value in values]).tolist()
    return numbers
