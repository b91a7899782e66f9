"""numpy arrays, and whatever else holds one, as tensors: where data enters."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from minigrad.core.layer import Layer


def as_tensors(value: Any, like: "Layer | Tensor | None") -> Any:
    """Turn arrays into tensors that go with a net or a tensor: on its device and, if they are floats, in its dtype.

    Tensors stay as they are, so nothing of theirs is converted in silence; tuples, lists and dicts are looked into.

    Examples:
        >>> import numpy
        >>> from minigrad.layers import Linear
        >>> as_tensors(numpy.ones((2, 1)), Linear(1, 1)).dtype
        torch.float32
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, tuple | list):
        return type(value)(as_tensors(item, like) for item in value)
    if isinstance(value, dict):
        return {key: as_tensors(item, like) for key, item in value.items()}
    if not hasattr(value, "__array__"):
        return value
    # Of a table torch would ask the columns by number; its array may be a view that nobody must write to.
    tensor = torch.as_tensor(value) if hasattr(value, "__array_interface__") else torch.tensor(value.__array__())
    if like is not None and not isinstance(like, Tensor):
        like = next(iter(like.state_dict().values()), None)
    if like is None:
        return tensor
    floats = tensor.is_floating_point() and like.is_floating_point()
    return tensor.to(like.device, like.dtype if floats else None)
