"""Dataset: examples under a name, ready to be learned from."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor

from minigrad.core.component import Component

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Data:
    """What a dataset gives: examples in up to three parts, and what is needed to read and to show new ones.

    Attributes:
        train: `(x, y)`, one row per example, to learn from.
        validation: `(x, y)` to watch during the training, or `None`.
        test: `(x, y)` to judge by at the end, or `None`.
        columns: What the columns of `x` are called, where a row of `x` is a row of a table; else empty.
        target: What the target's column is called.
        classes: What the target's indices stand for, in their order; empty if targets are numbers.
        shift: Subtracted from each column of a new row of a table, before
        scale: divides it; both `None` if rows are taken as they are.
        vocabulary: The characters that the indices in `x` stand for, where `x` is text; else empty.
    """

    train: Pair
    validation: Pair | None = None
    test: Pair | None = None
    columns: tuple[str, ...] = ()
    target: str = ""
    classes: tuple[str, ...] = ()
    shift: Tensor | None = None
    scale: Tensor | None = None
    vocabulary: str = ""


class Dataset(Component, ABC):
    """Examples under a name.

    An author writes `load`, which makes or reads them; the same configuration gives the same examples each time. The
    constructor stores its arguments and touches no file. An argument that is a file is annotated as `pathlib.Path`, so
    that an experiment knows it for one.

    Examples:
        >>> import torch
        >>> class Squares(Dataset):
        ...     def __init__(self, n=4):
        ...         self.n = n
        ...
        ...     def load(self):
        ...         x = torch.arange(float(self.n)).reshape(-1, 1)
        ...         return Data(train=(x, x * x))
        >>> Squares(3).load().train[1].flatten()
        tensor([0., 1., 4.])
    """

    @abstractmethod
    def load(self) -> Data:
        """Make or read the examples.

        Raises:
            DataError: If a file is missing or is not what it should be.
            MissingExtraError: If a package is needed that is not installed.
        """
