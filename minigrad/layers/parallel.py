"""Parallel, branches side by side."""

from typing import Any, Literal, final

import torch
from torch import Tensor

from minigrad.core import Layer
from minigrad.errors import CacheError, ShapeError


@final
class Parallel(Layer):
    r"""Gives its input to several branches and merges what they return.

    $$y = \sum_i f_i(x) \quad\text{or}\quad y = [f_1(x), \ldots, f_n(x)], \qquad
    \frac{\partial L}{\partial x} = \sum_i g_i\, J_i$$

    with the Jacobian $J_i$ of $f_i$ and the gradient $g_i$ of its output: the whole of $\partial L / \partial y$ where
    the outputs are summed, its own part where they are concatenated. The cache holds the branches' caches, and
    `backward` consumes it. The same layer object may stand in several branches.

    Args:
        branches: The layers $f_i$.
        merge: `"sum"` or `"cat"`.
        dim: The dimension along which the outputs are concatenated.

    Raises:
        TypeError: If a branch is not a layer.
        ValueError: If there is no branch, or `merge` is neither.
        ShapeError: If the outputs cannot be merged.
        CacheError: If `backward` is given a cache that it has consumed already.

    Examples:
        >>> from minigrad.activations import Identity, ReLU
        >>> both = Parallel(Identity(), ReLU(), merge="cat")
        >>> y, cache = both.forward(torch.tensor([[-1.0, 2.0]]))
        >>> y, both.backward(torch.ones(1, 4), cache)
        (tensor([[-1.,  2.,  0.,  2.]]), tensor([[1., 2.]]))

    References:
        Szegedy et al., "Going Deeper with Convolutions", CVPR 2015.
    """

    def __init__(self, *branches: Layer, merge: Literal["sum", "cat"] = "sum", dim: int = -1) -> None:
        if not branches:
            raise ValueError("Parallel expects at least one branch. Received: none")
        for i, branch in enumerate(branches):
            if not isinstance(branch, Layer):
                raise TypeError(f"Parallel expects layers. Received: branch {i} = {branch!r}")
        if merge not in ("sum", "cat"):
            raise ValueError(f"merge must be 'sum' or 'cat'. Received: merge={merge!r}")
        self.branches = list(branches)
        self.merge = merge
        self.dim = dim

    def forward(self, x: Any) -> tuple[Tensor, tuple[list[Any], list[int]]]:
        """Map `x` through every branch and merge the outputs."""
        outputs: list[Tensor] = []
        caches: list[Any] = []
        try:
            for branch in self.branches:
                y, cache = branch.forward(x)
                outputs.append(y)
                caches.append(cache)
        except Exception as error:
            error.add_note(self._where(len(caches)))
            raise
        y = self._merged(outputs)
        return y, (caches, [output.size(self.dim) for output in outputs] if self.merge == "cat" else [])

    def backward(self, grad_output: Tensor, cache: tuple[list[Any], list[int]]) -> Any:
        """Map `dL/dy` to `dL/dx`, the sum over the branches, from the last to the first."""
        caches, grads = cache[0], self._parts(grad_output, cache)
        grad_input = None
        try:
            for branch, grad in zip(reversed(self.branches), reversed(grads), strict=True):
                grad_input = _added(grad_input, branch.backward(grad, caches.pop()))
        except Exception as error:
            error.add_note(self._where(len(caches)))
            raise
        return grad_input

    def backward_parameters(self, grad_output: Tensor, cache: tuple[list[Any], list[int]]) -> None:
        """Accumulate the gradients of the branches' parameters alone."""
        caches, grads = cache[0], self._parts(grad_output, cache)
        try:
            for branch, grad in zip(reversed(self.branches), reversed(grads), strict=True):
                branch.backward_parameters(grad, caches.pop())
        except Exception as error:
            error.add_note(self._where(len(caches)))
            raise

    def predict(self, x: Any) -> Tensor:
        """Merge what the branches predict."""
        outputs: list[Tensor] = []
        try:
            for branch in self.branches:
                outputs.append(branch.predict(x))  # noqa: PERF401  # the except clause reads them
        except Exception as error:
            error.add_note(self._where(len(outputs)))
            raise
        return self._merged(outputs)

    def _merged(self, outputs: list[Tensor]) -> Tensor:
        if self.merge == "cat":
            try:
                return torch.cat(outputs, self.dim)
            except (RuntimeError, IndexError) as error:
                raise self._explain(outputs, f"that agree but for dimension {self.dim}") from error
        total = outputs[0]
        for output in outputs[1:]:
            # Torch would stretch the smaller of the two without a word.
            if output.shape != total.shape:
                raise self._explain(outputs, "of one shape")
            total = total + output
        return total

    def _parts(self, grad_output: Tensor, cache: tuple[list[Any], list[int]]) -> list[Tensor]:
        caches, sizes = cache
        if len(caches) != len(self.branches):
            raise CacheError(
                f"Parallel.backward expects the cache of one forward, with {len(self.branches)} parts, and consumes "
                f"it. Received: {len(caches)} parts{'' if caches else ': it was used already'}"
            )
        if self.merge == "cat":
            return list(torch.split(grad_output, sizes, self.dim))
        return [grad_output] * len(self.branches)

    def _explain(self, outputs: list[Tensor], rule: str) -> ShapeError:
        shapes = ", ".join(str(tuple(output.shape)) for output in outputs)
        return ShapeError(f"Parallel with merge={self.merge!r} expects outputs {rule}. Received: {shapes}")

    def _where(self, i: int) -> str:
        return f"In branch {i} ({type(self.branches[i]).__name__.lower()}) of Parallel."


def _added(total: Any, grad: Any) -> Any:
    # Integer inputs have no gradient: it is None. Several inputs travel as a tuple.
    if total is None or grad is None:
        return grad if total is None else total
    if isinstance(grad, tuple):
        return tuple(_added(a, b) for a, b in zip(total, grad, strict=True))
    return total + grad
