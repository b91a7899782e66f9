"""Trees of values and tensors as files: what the rest of minigrad writes and reads."""

import os
from typing import Any

from torch import Tensor

from minigrad.errors import CheckpointError
from minigrad.files.container import naming, read_container, write_container
from minigrad.files.trees import decode_tree, encode_tree


def write_tree(path: str | os.PathLike[str], tree: dict[Any, Any], *, kind: str) -> None:
    """Write a tree of values and tensors into one safetensors file, whole and durable or not at all.

    Every value comes back with its type and its bits. Of a tensor these are dtype, shape and elements; it comes back on
    the CPU, contiguous, and two that share memory come back as two.

    Args:
        path: Where to write; the folder must exist.
        tree: Dicts, lists and tuples of str, int, float, bool, None, bytes and tensors. Subclasses of these are
            refused, but for parameters, which count as tensors.
        kind: What sort of tree it is; `read_tree` must ask for the same.

    Raises:
        TypeError: If something else stands in the tree; it names the place.
        ValueError: If the tree is too deep, or all but its tensors is larger than 100 MB.
        OSError: If the file cannot be written; what stood there is still there.

    Examples:
        >>> import tempfile
        >>> path = tempfile.mkdtemp() + "/state.safetensors"
        >>> write_tree(path, {"step": 3, "betas": (0.9, float("inf")), "weight": torch.ones(2)}, kind="state")
        >>> read_tree(path, kind="state")
        {'step': 3, 'betas': (0.9, inf), 'weight': tensor([1., 1.])}
    """
    if type(tree) is not dict:
        raise TypeError(f"The root of a tree is a dict. Received: {type(tree).__name__}")
    tensors: dict[str, Tensor] = {}

    def add(tensor: Tensor, place: str) -> str:
        name = place
        # Different places may be spelt alike: {"a.b": ...} and {"a": {"b": ...}}.
        while name in tensors or name in ("", "__metadata__"):
            name += "'"
        tensors[name] = tensor
        return name

    encoded = encode_tree(tree, add)
    write_container(path, kind, encoded, tensors)


def read_tree(path: str | os.PathLike[str], *, kind: str) -> dict[Any, Any]:
    """Read what `write_tree` wrote, if every byte of it is as it was written.

    Sizes are checked before anything is allocated, and checksums before anything is returned; nothing in the file is
    ever run.

    Raises:
        CheckpointError: If the file is missing, damaged, not minigrad's, of another kind, or of a later format; it
            names the file and what is wrong.
    """
    encoded, tensors = read_container(path, kind)
    left = dict(tensors)

    def take(name: str) -> Tensor:
        if name not in left:
            raise CheckpointError(f"its tree has a tensor that is not in the file, or twice: {name!r:.100}")
        return left.pop(name)

    with naming(path):
        tree = decode_tree(encoded, take)
        if left:
            raise CheckpointError(f"its tree lacks a tensor that is in the file: {next(iter(left))!r:.100}")
        if type(tree) is not dict:
            raise CheckpointError(f"the root of its tree is a {type(tree).__name__}, not a dict")
        return tree
