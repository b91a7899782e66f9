"""Trees: tensors in nested tuples, lists and dicts, and tensors wherever a cache may hide them."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor


def map_tensors(function: Callable[[Tensor], Any], tree: Any) -> Any:
    """The same structure with each tensor `t` replaced by `function(t)`.

    Examples:
        >>> map_tensors(lambda t: t.item(), (torch.tensor(1), [torch.tensor(2), "kept"]))
        (1, [2, 'kept'])
    """
    if isinstance(tree, Tensor):
        return function(tree)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(map_tensors(function, item) for item in tree))
    if isinstance(tree, tuple | list):
        return type(tree)(map_tensors(function, item) for item in tree)
    if isinstance(tree, dict):
        return {key: map_tensors(function, item) for key, item in tree.items()}
    return tree


def leaves(tree: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every tensor of a structure, with the expression that leads to it: `name[0][1]`."""
    if isinstance(tree, Tensor):
        yield name, tree
    elif isinstance(tree, tuple | list):
        for i, item in enumerate(tree):
            yield from leaves(item, f"{name}[{i}]")
    elif isinstance(tree, dict):
        for key, item in tree.items():
            yield from leaves(item, f"{name}[{key!r}]")


def everywhere(value: Any, name: str) -> dict[str, Tensor]:
    """Every tensor that can be reached from a value, in structures and in the attributes of objects."""
    found: dict[str, Tensor] = {}
    seen: set[int] = set()

    def visit(value: Any, name: str) -> None:
        if isinstance(value, Tensor):
            found[name] = value
        elif id(value) in seen or isinstance(value, type):
            return
        elif isinstance(value, tuple | list):
            seen.add(id(value))
            for i, item in enumerate(value):
                visit(item, f"{name}[{i}]")
        elif isinstance(value, dict):
            seen.add(id(value))
            for key, item in value.items():
                visit(item, f"{name}[{key!r}]")
        elif hasattr(value, "__dict__") or hasattr(value, "__slots__"):
            seen.add(id(value))
            slots = {slot: getattr(value, slot, None) for slot in getattr(value, "__slots__", ())}
            for key, item in (getattr(value, "__dict__", {}) | slots).items():
                visit(item, f"{name}.{key}")

    visit(value, name)
    return found


def gradient_pairs(value: Any, grad: Any, name: str) -> Iterator[tuple[str, Tensor, Any]]:
    """Each tensor of `value` beside what stands at its place in `grad`: `(name, tensor, gradient)`.

    Raises:
        ValueError: If `grad` has another structure than `value`; it says where.
    """
    if isinstance(value, Tensor):
        yield name, value, grad
    elif isinstance(value, tuple | list):
        if not isinstance(grad, tuple | list) or len(grad) != len(value):
            raise ValueError(f"{name} is a {type(value).__name__} of {len(value)}, its gradient is {describe(grad)}")
        for i, (item, grad_item) in enumerate(zip(value, grad, strict=True)):
            yield from gradient_pairs(item, grad_item, f"{name}[{i}]")
    elif isinstance(value, dict):
        if not isinstance(grad, dict) or grad.keys() != value.keys():
            raise ValueError(f"{name} is a dict of {list(value)}, its gradient is {describe(grad)}")
        for key, item in value.items():
            yield from gradient_pairs(item, grad[key], f"{name}[{key!r}]")


def describe(value: Any) -> str:
    """What a value is, in a few words: `a tensor of shape (4, 1), torch.float32`."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}, {value.dtype}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else f"{type(value).__name__} {value!r}"


def cast(tree: Any, dtype: torch.dtype) -> Any:
    """A fresh, dense copy of a structure, its floating-point tensors converted to `dtype`."""
    return map_tensors(
        lambda t: (
            t.detach().to(dtype if t.is_floating_point() else t.dtype).clone(memory_format=torch.contiguous_format)
        ),
        tree,
    )


def flat(tree: Any) -> Tensor:
    """Every floating-point entry of a structure, copied into one vector."""
    parts = [leaf.detach().reshape(-1) for _, leaf in leaves(tree) if leaf.is_floating_point()]
    return torch.cat(parts) if parts else torch.zeros(0)


def unflat(vector: Tensor, tree: Any) -> Any:
    """The inverse of `flat`: the entries of `vector` in the structure and shapes of `tree`."""
    start = 0

    def take(leaf: Tensor) -> Any:
        nonlocal start
        if not leaf.is_floating_point():
            return None
        start += leaf.numel()
        return vector[start - leaf.numel() : start].reshape(leaf.shape).clone()

    return map_tensors(take, tree)
