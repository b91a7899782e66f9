"""Parameter: a trainable tensor whose gradient enters through one door."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch import Tensor

from minigrad.errors import ShapeError

Receiver = Callable[["Parameter", Tensor, int], None]

_is_compiling = torch.compiler.is_compiling


class _Gradients(threading.local):
    """Where this thread's gradients go: `None` means into `.grad`."""

    def __init__(self) -> None:
        self.receiver: Receiver | None = None


_gradients = _Gradients()
_receiving: list[Receiver] = []  # of all threads: as long as there is none, no thread need be asked
_lock = threading.Lock()


class Parameter(torch.nn.Parameter):
    r"""A trainable tensor with a role, filled by `accumulate`.

    For a cost $L$ and a parameter $\theta$, `.grad` holds $\sum_k \partial L / \partial \theta$ over all
    contributions $k$ since it was last cleared, and `.rows` the number of rows (samples times positions) that were
    summed into it. It is a `torch.nn.Parameter` with `requires_grad=False`, so every torch optimizer, scheduler and
    `clip_grad_norm_` takes it as it is, and autograd never records it.

    Args:
        data: The initial value; detached, its storage is shared.
        role: What it is in its layer: `"weight"`, `"bias"`, ...

    Examples:
        >>> bias = Parameter(torch.zeros(2), role="bias")
        >>> bias.accumulate(torch.tensor([1.0, 2.0]), rows=4)
        >>> bias.accumulate(torch.tensor([1.0, 0.0]), rows=3)
        >>> bias.grad, bias.rows
        (tensor([2., 2.]), 7)
    """

    role: str
    # Contributions (grad, rows, was grad made here?), folded into one. The list is why torch.compile can trace an
    # accumulate (it cannot read the C++ `.grad` of a subclass) and why threads need no lock for the first one: `append`
    # and `pop` are atomic.
    _parts: list[tuple[Tensor, int, bool]]
    # Whether a gradient has been looked at: asking each one for its shape would be 2 % of a small step.
    _fits = False

    def __new__(cls, data: Tensor, role: str = "weight") -> Self:
        """Make a parameter that shares the storage of `data`."""
        parameter = torch.Tensor._make_subclass(cls, data.detach(), False)
        parameter.role = role
        parameter._parts = []
        return parameter

    def __init__(self, data: Tensor, role: str = "weight") -> None:  # the work is done in __new__
        super().__init__()

    @property
    def gradient(self) -> Tensor | None:
        """The gradient accumulated so far, or `None`; the same as `.grad`, and traceable by torch.compile."""
        parts = self._parts
        return parts[0][0] if parts else None

    @property
    def rows(self) -> int:
        """How many rows were summed into the gradient."""
        parts = self._parts
        return parts[0][1] if parts else 0

    @property
    def grad(self) -> Tensor | None:
        """The gradient accumulated so far, or `None`."""
        return self.gradient

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and (value.shape != self.shape or value.dtype != self.dtype):
            raise ShapeError(
                f"A gradient has the shape and dtype of its parameter, {tuple(self.shape)} {self.dtype}. "
                f"Received: {tuple(value.shape)} {value.dtype}"
            )
        self._parts[:] = [] if value is None else [(value, self.rows, False)]

    @grad.deleter
    def grad(self) -> None:
        self.zero_grad()

    def accumulate(self, grad: Tensor, rows: int = 1) -> None:
        """Add `grad` to `.grad` and `rows` to `.rows`: the only way a layer hands over a parameter's gradient.

        The first gradient is kept as it is, not copied, so hand over a fresh tensor; later ones are added.

        Args:
            grad: `dL/dparameter`, of the parameter's shape, summed over `rows` rows.
            rows: How many rows were summed (a bias's mean update divides by their number).

        Raises:
            ShapeError: If `grad` is not of the parameter's shape; looked at the first time, and wherever it is added.
        """
        if _receiving and (receiver := _gradients.receiver) is not None:
            receiver(self, grad, rows)
            return
        parts = self._parts
        if parts or not self._fits:
            self._check(grad)
        parts.append((grad, rows, False))
        if len(parts) > 1:
            self._fold()

    def _check(self, grad: Tensor) -> None:
        # A sum would stretch the smaller of the two without a word, and a fused kernel read past its end.
        if grad.shape != self.shape:
            raise ShapeError(
                f"A gradient has the shape of its parameter, {tuple(self.shape)}. Received: {tuple(grad.shape)}"
            )
        if not _is_compiling():
            self._fits = True

    def _fold(self) -> None:
        if _is_compiling():
            self._fold_parts()
        else:
            with _lock:
                self._fold_parts()

    def _fold_parts(self) -> None:
        parts = self._parts
        while len(parts) > 1:
            grad, rows, _ = parts.pop()
            total, total_rows, ours = parts.pop()
            # What was handed in may be somebody's: only a buffer made here is ever changed.
            total = total.add_(grad) if ours else total + grad
            parts.append((total, total_rows + rows, True))

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self._parts.clear()

    def to(self, *args: Any, **kwargs: Any) -> "Parameter":
        """Move or convert, as `torch.Tensor.to`; the result keeps the role."""
        moved = super().to(*args, **kwargs)
        return self if moved is self else Parameter(moved, role=self.role)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Parameter":
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(memory_format=torch.preserve_format), role=self.role)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.detach().as_subclass(torch.Tensor), self.role)

    def __repr__(self) -> str:  # type: ignore[override]
        return f"Parameter(role={self.role!r}, {self.detach().as_subclass(torch.Tensor)!r})"


def _rebuild(cls: type[Parameter], data: Tensor, role: str) -> Parameter:
    return cls(data, role=role)


@contextmanager
def receive_gradients(receiver: Receiver) -> Iterator[None]:
    """Send this thread's parameter gradients to `receiver(parameter, grad, rows)` instead of `.grad`.

    Per-sample gradients, an update applied during backward and an all-reduce are all receivers; the layers do not
    change.

    Examples:
        >>> weight = Parameter(torch.zeros(2))
        >>> seen = []
        >>> with receive_gradients(lambda parameter, grad, rows: seen.append(rows)):
        ...     weight.accumulate(torch.ones(2), rows=4)
        >>> seen, weight.grad
        ([4], None)
    """
    previous = _gradients.receiver
    _gradients.receiver = receiver
    _receiving.append(receiver)
    try:
        yield
    finally:
        _receiving.remove(receiver)
        _gradients.receiver = previous
