"""What several components of the zoo check alike."""

from typing import Any

import torch
from torch import Tensor

from minigrad import DtypeError, ShapeError, TargetError, check_floating


def unpacked(component: object, given: Any, *names: str) -> tuple[Tensor, ...]:
    """The floating-point tensors that travel together as a tuple, in the order of their names.

    Raises:
        DtypeError: If they are no such tuple, or one of them is no floating-point tensor.

    Examples:
        >>> from minigrad_zoo import Bilinear
        >>> unpacked(Bilinear(2, 2, 1), torch.zeros(2, 2), "x1", "x2")
        Traceback (most recent call last):
        minigrad.errors.DtypeError: Bilinear expects a tuple (x1, x2). Received: Tensor
    """
    if not isinstance(given, tuple | list) or len(given) != len(names):
        size = f" of {len(given)}" if isinstance(given, tuple | list) else ""
        raise DtypeError(
            f"{type(component).__name__} expects a tuple ({', '.join(names)}). Received: {type(given).__name__}{size}"
        )
    for tensor in given:
        check_floating(component, tensor)
    return tuple(given)


def check_same_shape(component: object, **tensors: Tensor) -> None:
    """Refuse tensors whose shapes differ: broadcasting them would be a guess.

    Raises:
        ShapeError: If two shapes differ.
    """
    first, *others = (tensor.shape for tensor in tensors.values())
    if any(shape != first for shape in others):  # no set: a size that torch leaves open has no hash
        received = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
        names = list(tensors)
        listed = f"{', '.join(names[:-1])} and {names[-1]}"
        raise ShapeError(f"{type(component).__name__} expects {listed} of one shape. Received: {received}")


def numbers(component: object, target: Any, prediction: Tensor) -> Tensor:
    """A target of numbers in the prediction's dtype; whole numbers may also come as integers.

    Raises:
        DtypeError: If it is no tensor, or floating-point of another dtype.
    """
    if not isinstance(target, Tensor) or target.is_complex():
        received = target.dtype if isinstance(target, Tensor) else type(target).__name__
        raise DtypeError(f"{type(component).__name__} expects a tensor of numbers as target. Received: {received}")
    if target.dtype == prediction.dtype:
        return target
    if target.is_floating_point():
        raise DtypeError(
            f"{type(component).__name__} expects a target of the prediction's dtype, {prediction.dtype}, "
            f"or of integers. Received: {target.dtype}"
        )
    return target.to(prediction.dtype)


def indices(component: object, target: Any) -> Tensor:
    """A target of class indices.

    Raises:
        DtypeError: If it is no tensor of 64-bit integers.
    """
    if not isinstance(target, Tensor) or target.dtype != torch.int64:
        received = target.dtype if isinstance(target, Tensor) else type(target).__name__
        raise DtypeError(
            f"{type(component).__name__} expects class indices, torch.int64, as target. Received: {received}"
        )
    return target


def check_weight(component: object, weight: Tensor | None, x: Tensor) -> None:
    """Require one weight for each class, which is the last dimension of `x`, or none at all.

    Raises:
        ShapeError: If there are more or fewer.
        DtypeError: If they are not of the dtype of `x`.
    """
    if weight is None:
        return
    name = type(component).__name__
    if weight.shape != x.shape[-1:]:
        raise ShapeError(
            f"{name} expects a weight for each class, ({x.shape[-1]},). Received: weight {tuple(weight.shape)}"
        )
    if weight.dtype != x.dtype:
        raise DtypeError(f"{name} expects a weight of the prediction's dtype, {x.dtype}. Received: {weight.dtype}")


def out_of_range(component: object, target: Tensor, classes: int, least: int = 0) -> TargetError | None:
    """The error about an index that names no class, or `None` if each does; asked once torch has refused the target."""
    if target.numel() == 0 or (target.min() >= least and target.max() < classes):
        return None
    return TargetError(
        f"{type(component).__name__} expects targets from {least} to {classes - 1}, the indices of {classes} classes. "
        f"Received: from {target.min().item()} to {target.max().item()}"
    )


def check_signs(component: object, target: Tensor, zero: bool = False) -> None:
    """Refuse a target that holds anything but 1 and -1 (or 0, where it means neither).

    Raises:
        TargetError: If it does.

    Examples:
        >>> from minigrad_zoo import SoftMargin
        >>> check_signs(SoftMargin(), torch.tensor([1.0, 0.0]))
        Traceback (most recent call last):
        minigrad.errors.TargetError: SoftMargin expects targets of 1 and -1. Received: 0
    """
    if can_look_at(target):
        good = (target.abs() == 1) | (target == 0) if zero else target.abs() == 1
        if not good.all():
            values = "1, 0 and -1" if zero else "1 and -1"
            received = target[~good].flatten()[0].item()
            raise TargetError(f"{type(component).__name__} expects targets of {values}. Received: {received:g}")


def check_fractions(component: object, target: Tensor) -> None:
    """Refuse a target with values outside [0, 1].

    Raises:
        TargetError: If there are any.
    """
    if can_look_at(target) and not ((target >= 0) & (target <= 1)).all():
        raise TargetError(
            f"{type(component).__name__} expects targets in [0, 1]. "
            f"Received: from {target.min().item():g} to {target.max().item():g}"
        )


def check_not_negative(component: object, what: str, values: Tensor) -> None:
    """Refuse values below zero, and those that are no numbers.

    Raises:
        TargetError: If there are any.
    """
    if can_look_at(values) and values.numel() and not values.min() >= 0:
        raise TargetError(f"{type(component).__name__} expects {what} of 0 or more. Received: {values.min().item():g}")


def can_look_at(tensor: Tensor) -> bool:
    """Whether the values may be asked for: on the CPU, and outside of torch.compile and torch's transforms.

    Elsewhere a look would wait for the device, or break the graph.
    """
    return not torch.compiler.is_compiling() and tensor.is_cpu and type(tensor) is Tensor and not in_transform(tensor)


def in_transform(tensor: Tensor) -> bool:
    """Whether `tensor` stands for several, as inside of `torch.func.vmap`."""
    return not torch.compiler.is_compiling() and torch._C._functorch.is_functorch_wrapped_tensor(tensor)
