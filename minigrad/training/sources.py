"""Where batches come from: rows that are asked for by number, or batches that come one after the other."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from minigrad.errors import DataError
from minigrad.training.randomness import packed, random_states, set_random_states, unpacked

Batch = tuple[Any, Any, Tensor | None]
_END: Any = object()


def rows_of(part: Any) -> int:
    """How many rows a part of a batch has: a tensor, or several in a tuple or a dict; a single number is one.

    Examples:
        >>> rows_of((torch.zeros(3, 2), torch.zeros(3)))
        3
    """
    while isinstance(part, tuple | list | Mapping) and part:
        part = next(iter(part.values() if isinstance(part, Mapping) else part))
    return len(part) if getattr(part, "shape", ()) else 1


class Source(ABC):
    """Where batches come from.

    Attributes:
        count: How many batches a pass has, or `None` if nobody knows.
        rows: How many rows there are, or `None` if they are not known one by one.
    """

    count: int | None
    rows: int | None = None

    @abstractmethod
    def batches(self, start: int) -> Iterator[tuple[Batch, bool]]:
        """A pass from its batch number `start` on: each batch, and whether it is the last."""

    @abstractmethod
    def state(self, within: bool) -> dict[str, Any]:
        """What is needed to go on, within a pass or between two."""

    @abstractmethod
    def begin_at(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` returned; the next pass then goes on with it."""


class Rows(Source):
    """Examples that can be asked for by number."""

    def __init__(
        self,
        rows: int,
        batch_size: int | None,
        shuffle: bool,
        seed: int | None,
        take: Callable[[Any], Batch],
        whole: Batch | None,
    ) -> None:
        if rows < 1:
            raise DataError("data must have at least one example. Received: none")
        self.rows: int = rows
        self.size = rows if batch_size is None else min(batch_size, rows)
        self.count = -(-rows // self.size)
        self.take = take
        self.whole = whole if self.count == 1 and batch_size is None else None
        self.generator: torch.Generator | None = None
        if shuffle and batch_size is not None:
            self.generator = torch.Generator()
            self.generator.manual_seed(int(torch.empty((), dtype=torch.int64).random_()) if seed is None else seed)
        self.begun: Tensor | None = None
        self.resumed = False

    def batches(self, start: int) -> Iterator[tuple[Batch, bool]]:
        """A pass over the rows, in its order."""
        if self.whole is not None:
            yield self.whole, True
            return
        order = None
        if self.generator is not None:
            if not self.resumed:
                self.begun = self.generator.get_state()
            order = torch.randperm(self.rows, generator=self.generator)
        self.resumed = False
        for i in range(start, cast("int", self.count)):
            rows = slice(i * self.size, (i + 1) * self.size)
            yield self.take(rows if order is None else order[rows]), i + 1 == self.count

    def state(self, within: bool) -> dict[str, Any]:
        """How the order of this pass, or of the next one, is drawn."""
        if self.generator is None:
            return {}
        return {"generator": self.begun if within else self.generator.get_state()}

    def begin_at(self, state: Mapping[str, Any]) -> None:
        """Draw the order from where it was drawn."""
        if self.generator is not None:
            self.generator.set_state(state["generator"])
            self.begun, self.resumed = state["generator"], True


class Stream(Source):
    """Batches that come one after the other, as an iterable gives them."""

    def __init__(self, batches: Iterable[Any], tensors: Callable[[Any], Batch], replay: bool) -> None:
        if replay and isinstance(batches, DataLoader) and batches.persistent_workers:
            raise DataError(
                "A run with a checkpoint begins its passes anew when it is resumed, which workers that live on cannot: "
                "use persistent_workers=False. Received: a DataLoader with persistent_workers=True"
            )
        self.source = batches
        self.tensors = tensors
        self.replay = replay
        try:
            self.count = len(batches)  # type: ignore[arg-type]
        except TypeError:
            self.count = None
        self.begun: dict[str, Any] = {}
        self.resumed = False

    def batches(self, start: int) -> Iterator[tuple[Batch, bool]]:
        """A pass over the iterable, one batch fetched ahead."""
        kept = random_states() if self.resumed else None
        if self.resumed:
            set_random_states(self.begun["random"])
            for generator, state in zip(self._generators(), self.begun["loader"], strict=True):
                generator.set_state(state)
        elif self.replay:
            self.begun = {"random": random_states(), "loader": self._loader_states()}
        iterator = iter(self.source)
        for _ in range(start):
            next(iterator, None)
        if kept is not None and start:
            set_random_states(self.begun["ahead"])
        self.resumed = False
        # One is fetched ahead, or nobody would know which is the last.
        following = self._next(iterator)
        if kept is not None:
            set_random_states(kept)
        while following is not _END:
            batch, following = following, self._next(iterator)
            tensors = self.tensors(batch)
            if not rows_of(tensors[1]):
                raise DataError("A batch must have at least one row. Received: one without any")
            yield tensors, following is _END

    def _next(self, iterator: Iterator[Any]) -> Any:
        if self.replay:
            # What a batch draws may follow what the layers drew in the updates before it.
            self.begun["ahead"] = random_states()
        return next(iterator, _END)

    def _generators(self) -> list[torch.Generator]:
        if not isinstance(self.source, DataLoader):
            return []
        found = [self.source.generator, getattr(self.source.sampler, "generator", None)]
        return list({id(generator): generator for generator in found if generator is not None}.values())

    def _loader_states(self) -> list[Tensor]:
        return [generator.get_state() for generator in self._generators()]

    def state(self, within: bool) -> dict[str, Any]:
        """The random states in which this pass, or the next one, begins."""
        if not within:
            return {"random": None, "loader": self._loader_states()}
        return {**self.begun, **{name: packed(self.begun[name]) for name in ("random", "ahead")}}

    def begin_at(self, state: Mapping[str, Any]) -> None:
        """Begin the next pass from those states."""
        if state["random"] is not None:
            self.begun = {**state, **{name: unpacked(state[name]) for name in ("random", "ahead")}}
            self.resumed = True
        else:
            for generator, saved in zip(self._generators(), state["loader"], strict=True):
                generator.set_state(saved)
