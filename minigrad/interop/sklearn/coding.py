"""How a classifier's loss speaks of classes: the net's columns, the target, and the probabilities."""

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor

from minigrad.activations import LogSoftmax, Sigmoid
from minigrad.core import Layer, Loss
from minigrad.losses import BCE, NLL, BCEWithLogits


class Coding(ABC):
    """What a loss is given as its target, and what its net's output means."""

    @abstractmethod
    def columns(self, n_classes: int) -> int:
        """How many columns the net's output has."""

    @abstractmethod
    def target(self, indices: Tensor, n_classes: int, dtype: torch.dtype) -> Tensor:
        """The target of `indices: (N)`."""

    @abstractmethod
    def probabilities(self, output: Tensor) -> Tensor:
        """The probability of each class, `(N, C)`, from the net's output."""

    @abstractmethod
    def last(self) -> list[Layer]:
        """What stands behind the last linear layer of a net that is made from widths."""


class Indices(Coding):
    """A column for each class, and indices as the target."""

    def columns(self, n_classes: int) -> int:
        """One for each class."""
        return n_classes

    def target(self, indices: Tensor, n_classes: int, dtype: torch.dtype) -> Tensor:
        """The indices themselves."""
        return indices


@final
class Scores(Indices):
    r"""A score for each class: $p = \operatorname{softmax}(x)$."""

    def probabilities(self, output: Tensor) -> Tensor:
        """Their softmax."""
        return torch.softmax(output, 1)

    def last(self) -> list[Layer]:
        """Any number is a score."""
        return []


@final
class LogProbabilities(Indices):
    r"""A log-probability for each class: $p = e^x$."""

    def probabilities(self, output: Tensor) -> Tensor:
        """Their exponential."""
        return output.exp()

    def last(self) -> list[Layer]:
        """Scores become log-probabilities."""
        return [LogSoftmax(1)]


class Bits(Coding):
    """Whether it is the second of two classes, or for each of several whether it is that one."""

    def columns(self, n_classes: int) -> int:
        """One for two classes, else one for each."""
        return 1 if n_classes == 2 else n_classes

    def target(self, indices: Tensor, n_classes: int, dtype: torch.dtype) -> Tensor:
        """Ones and zeros, of the output's shape."""
        if n_classes == 2:
            return indices.to(dtype).unsqueeze(1)
        return torch.nn.functional.one_hot(indices, n_classes).to(dtype)

    def probabilities(self, output: Tensor) -> Tensor:
        """The probability of each bit; those of several classes are made to sum to one."""
        p = self.bit(output)
        if p.shape[1] == 1:
            return torch.cat([1 - p, p], 1)
        total = p.sum(1, keepdim=True)
        return torch.where(total > 0, p / total, 1 / p.shape[1])

    @abstractmethod
    def bit(self, output: Tensor) -> Tensor:
        """The probability of a one."""


@final
class Logits(Bits):
    r"""A logit for each bit: $p = \sigma(x)$."""

    def bit(self, output: Tensor) -> Tensor:
        """The logistic function of the output."""
        return torch.sigmoid(output)

    def last(self) -> list[Layer]:
        """Any number is a logit."""
        return []


@final
class Probabilities(Bits):
    """A probability for each bit."""

    def bit(self, output: Tensor) -> Tensor:
        """The output itself."""
        return output

    def last(self) -> list[Layer]:
        """Logits become probabilities."""
        return [Sigmoid()]


def coding_of(loss: Loss) -> Coding:
    """The coding that a loss needs. One that is not known here is given scores and indices, as `CrossEntropy` is.

    Examples:
        >>> type(coding_of(BCE())).__name__
        'Probabilities'
    """
    known: dict[type[Loss], type[Coding]] = {NLL: LogProbabilities, BCE: Probabilities, BCEWithLogits: Logits}
    return known.get(type(loss), Scores)()
