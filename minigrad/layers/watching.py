"""What `Checked` looks with: which tensors there are, whether they changed, are finite, are like others."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

from minigrad.core.finite import first_index, first_not_finite, is_finite, tensors
from minigrad.errors import SanitizerError


class Snapshot:
    """What tensors held at one moment: a copy of each, and its version counter, which in-place operations raise."""

    def __init__(self, named: Iterable[tuple[str, Tensor]]) -> None:
        self.tensors = list(named)
        self._copies = [tensor.detach().clone() for _, tensor in self.tensors]
        self.mark()

    def mark(self) -> None:
        """From now on, in-place operations count."""
        self._versions = [_version(tensor) for _, tensor in self.tensors]

    def expect_same_values(self, rule: str) -> None:
        """Raise if a tensor no longer holds what it held.

        Raises:
            SanitizerError: The rule, then the first element that differs.
        """
        for (name, tensor), copy in zip(self.tensors, self._copies, strict=True):
            if tensor.shape != copy.shape or tensor.dtype != copy.dtype:
                raise SanitizerError(f"{rule}. Received: {name}, now {described(tensor)}, before {described(copy)}")
            differs = ~((tensor == copy) | ((tensor != tensor) & (copy != copy)))
            if differs.any():
                at = first_index(differs)
                raise SanitizerError(f"{rule}. Received: {name}, at {at} now {tensor[at]:g}, before {copy[at]:g}")

    def expect_untouched(self, rule: str) -> None:
        """Raise if a tensor holds something else, or was written in place since the mark even so.

        Raises:
            SanitizerError: The rule, then what was written.
        """
        self.expect_same_values(rule)
        for (name, tensor), version in zip(self.tensors, self._versions, strict=True):
            if _version(tensor) != version:
                raise SanitizerError(f"{rule}. Received: {name}, written in place with the values that it had")


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def expect_finite(rule: str, named: Iterable[tuple[str, Tensor]]) -> None:
    """Raise if there is a NaN or an infinity.

    Raises:
        SanitizerError: The rule, then the first that was found.
    """
    if found := first_not_finite(named):
        raise SanitizerError(f"{rule}. Received: {found}")


def finiteness(named: Iterable[tuple[str, Tensor]]) -> str:
    """Say in words whether all is finite."""
    bad = [name for name, tensor in named if not is_finite(tensor)]
    return f"{bad[0]} was not finite already" if bad else "what it received was finite"


def described(tensor: Tensor) -> str:
    """Shape, dtype and device, in one line."""
    return f"{tuple(tensor.shape)} {tensor.dtype} {tensor.device}"


def expect_like(rule: str, grad: Any, like: Mapping[str, str | None]) -> None:
    """Raise if a gradient has not the structure, shapes, dtypes and devices of what it is the gradient of.

    Raises:
        SanitizerError: The rule, then what it should be and what it is.
    """
    received = {path: described(tensor) for path, tensor in tensors(grad, "")}
    for path in [*like, *(received.keys() - like)]:
        # Where no floating-point number is, there is no gradient; None or zeros may stand for it.
        if path not in like or (like[path] is not None and received.get(path) != like[path]):
            where = f"element {path} to be " if path else ""
            raise SanitizerError(
                f"{rule}: {where}{like.get(path, 'nothing')}. Received: {received.get(path, 'no tensor')}"
            )


def likeness(value: Any) -> dict[str, str | None]:
    """What a gradient of `value` must be like, tensor by tensor; None for integers."""
    return {path: described(t) if t.is_floating_point() else None for path, t in tensors(value, "")}


def storage(tensor: Tensor) -> int:
    """Where a tensor's memory begins; 0 if it has none."""
    return tensor.untyped_storage().data_ptr()
