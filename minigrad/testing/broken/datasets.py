"""Broken datasets."""

# ruff: noqa: D102  # what load does, its contract says

import random
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from minigrad.core import Data, Dataset
from minigrad.testing.broken.gallery import caught_by


class _Points(Dataset):
    """Right points with two classes, to be broken."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def points(self) -> Tensor:
        return torch.rand(12, 2, generator=torch.Generator().manual_seed(self.seed))

    def data(self, x: Tensor, **changed: Any) -> Data:
        y = torch.arange(12) % 2
        given: dict[str, Any] = {"columns": ("a", "b"), "target": "side", "classes": ("left", "right")}
        given |= {"train": (x[:8], y[:8]), "validation": (x[8:], y[8:])}
        return Data(**(given | changed))

    def load(self) -> Data:
        return self.data(self.points())


@caught_by("loads_examples")
class LosesATarget(_Points):
    """One row of `y` less than of `x`."""

    def load(self) -> Data:
        x = self.points()
        return self.data(x, test=(x, torch.arange(11) % 2))


@caught_by("loads_examples")
class HoldsWhatIsNoNumber(_Points):
    """A NaN for a value that is missing."""

    def load(self) -> Data:
        x = self.points()
        x[3, 1] = torch.nan
        return self.data(x)


@caught_by("same_examples_each_time")
class DrawsAnew(_Points):
    """A generator of its own without a seed."""

    def load(self) -> Data:
        generator = torch.Generator()
        generator.seed()
        return self.data(torch.rand(12, 2, generator=generator))


@caught_by("same_examples_each_time")
class DrawsFromPythons(_Points):
    """Noise from Python's generator, whose state it puts back."""

    def load(self) -> Data:
        state = random.getstate()
        noise = random.random()
        random.setstate(state)
        return self.data(self.points() + noise)


@caught_by("leaves_the_generators_alone")
class SeedsEverybody(_Points):
    """Seeds the generator that all share."""

    def load(self) -> Data:
        torch.manual_seed(self.seed)
        return self.data(torch.rand(12, 2))


@caught_by("loads_afresh")
class OneTensorForAll(_Points):
    """Hands out the rows that it keeps."""

    rows: ClassVar[Tensor] = torch.ones(12, 2)

    def load(self) -> Data:
        return self.data(self.rows)


@caught_by("parts_are_alike")
class ValidatesInDouble(_Points):
    """A validation part of another dtype."""

    def load(self) -> Data:
        x = self.points()
        return self.data(x, validation=(x[8:].double(), torch.arange(4) % 2))


@caught_by("classes_cover_the_targets")
class KnowsTheTrainingsClasses(_Points):
    """Names only for the classes that the training part has."""

    def load(self) -> Data:
        x = self.points()
        return self.data(x, validation=(x[8:], torch.arange(4)))


@caught_by("classes_cover_the_targets")
class IntegersWithoutClasses(_Points):
    """Integers that nobody knows the meaning of."""

    def load(self) -> Data:
        return self.data(self.points(), classes=())


@caught_by("inputs_are_described")
class ForgetsAColumn(_Points):
    """One name less than there are columns."""

    def load(self) -> Data:
        return self.data(self.points(), columns=("a",))


@caught_by("inputs_are_described")
class DividesByNothing(_Points):
    """A scale of 0 for a column that does not vary."""

    def load(self) -> Data:
        return self.data(self.points(), shift=torch.zeros(2), scale=torch.tensor([1.0, 0.0]))


@caught_by("inputs_are_described")
class LacksACharacter(_Points):
    """Indices beyond the vocabulary."""

    def load(self) -> Data:
        indices = torch.arange(12).reshape(6, 2)
        return Data(train=(indices, indices % 2), classes=("0", "1"), vocabulary="abcdefghijk")


@caught_by("stands_in_a_file", make=lambda cls: cls(Path("rows.csv")))
class KeepsThePath(_Points):
    """Stores a path as the object that it is."""

    def __init__(self, path: Path) -> None:
        self.path = path


@caught_by("reads_on_load", make=lambda cls: cls(Path(__file__)))
class ReadsTooEarly(_Points):
    """Opens its file in the constructor."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        with open(path) as file:
            self.first = file.readline()


@caught_by("reads_on_load", make=lambda cls: cls(Path(__file__)))
class LetsTheSystemTell(_Points):
    """A missing file as the system's error."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.seed = 0

    def load(self) -> Data:
        with open(self.path) as file:
            return self.data(self.points() + len(file.read()))
