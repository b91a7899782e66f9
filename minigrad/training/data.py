"""Batches: whatever holds examples, as passes of (x, y) whose place can be saved."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset, default_collate

from minigrad.core import Layer, as_tensors
from minigrad.core.checks import check_count
from minigrad.errors import DataError, ShapeError
from minigrad.training.sources import Batch, Rows, Source, Stream


class Batches:
    """Passes over data, batch by batch; `state_dict` says where in which pass it stands.

    Args:
        data: One of

            - a pair `(x, y)` of tensors or arrays with one row per example, or a triple `(x, y, weight)`;
            - a dict of such, whose names `fields` tells (a further entry `"weight"` weighs the rows);
            - a torch `Dataset` of examples (such as `TensorDataset`), put together by torch's `default_collate`;
            - an iterable of batches of the first two forms: a list, a `DataLoader`, a torch `IterableDataset`.
        batch_size: Rows per batch of data that are not in batches yet; `None` gives all at once.
        shuffle: Whether each pass over such data draws a new order.
        seed: Of the order; `None` draws one from torch's global generator.
        fields: The names of x and y in a dict.
        like: A net; arrays become tensors on its device and, if they are floats, of its dtype.
        device: Where every batch is moved; `None` leaves it where it is.
        replay: Whether `state_dict` will be asked for: passes over an iterable then begin by noting the states of the
            random generators, from which the same pass can be begun again.

    Raises:
        DataError: If `data` is none of these, has no examples, a batch has no rows, or a dict lacks a field; or if a
            `DataLoader` with `persistent_workers=True` would have to be replayed.
        ShapeError: If x, y and weight have different numbers of rows.
        ValueError: If `batch_size` is no positive whole number, or is given for data that are in batches already, or
            `fields` are not two names.

    Examples:
        >>> x, y = torch.arange(3.0).reshape(3, 1), torch.arange(3)
        >>> [y.tolist() for (x, y, weight), last in Batches((x, y), batch_size=2, shuffle=False)]
        [[0, 1], [2]]
    """

    def __init__(
        self,
        data: Any,
        batch_size: int | None = None,
        *,
        shuffle: bool = True,
        seed: int | None = None,
        fields: tuple[str, str] = ("x", "y"),
        like: Layer | None = None,
        device: torch.device | str | None = None,
        replay: bool = False,
    ) -> None:
        check_count(batch_size=batch_size)
        if isinstance(fields, str) or len(fields) != 2:
            raise ValueError(f"fields are the two names of x and y. Received: fields={fields!r}")
        self.fields = fields
        self.like = like
        self.device = device
        self.position = 0
        self._source = self._source_of(data, batch_size, shuffle, seed, replay)

    def _source_of(self, data: Any, batch_size: int | None, shuffle: bool, seed: int | None, replay: bool) -> "Source":
        if _is_table(data):
            x, y, weight = self._tensors(data)
            rows = _rows_of(x, y, weight)

            def take(chosen: Any) -> Batch:
                return _take(x, chosen), _take(y, chosen), None if weight is None else weight[chosen]

            return Rows(rows, batch_size, shuffle, seed, take, (x, y, weight))
        if isinstance(data, Dataset) and not isinstance(data, IterableDataset):
            items = cast("Sequence[Any]", data)

            def collate(chosen: Any) -> Batch:
                at = range(len(items))[chosen] if isinstance(chosen, slice) else chosen.tolist()
                return self._tensors(default_collate([items[i] for i in at]))

            return Rows(len(items), batch_size, shuffle, seed, collate, None)
        if batch_size is not None:
            raise ValueError(
                f"batch_size cuts tensors, arrays or a torch Dataset; these data come in batches. "
                f"Received: batch_size={batch_size} for a {type(data).__name__}"
            )
        if isinstance(data, str | bytes | Tensor) or not isinstance(data, Iterable):
            raise DataError(
                f"data must be a pair (x, y), a dict of fields, a torch Dataset or an iterable of batches. "
                f"Received: {type(data).__name__}"
            )
        return Stream(data, self._tensors, replay)

    def _tensors(self, batch: Any) -> Batch:
        if isinstance(batch, Mapping):
            missing = [name for name in self.fields if name not in batch]
            if missing:
                raise DataError(
                    f"A dict of data needs the fields {' and '.join(self.fields)}; fields=(..., ...) names others. "
                    f"Received: {', '.join(map(str, batch)) or 'no field'}"
                )
            batch = (batch[self.fields[0]], batch[self.fields[1]], batch.get("weight"))
        elif not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
            what = f"{len(batch)} of them" if isinstance(batch, tuple | list) else type(batch).__name__
            raise DataError(f"A batch is (x, y), (x, y, weight) or a dict of fields. Received: {what}")
        x, y, weight = (*batch, None)[:3]
        if type(x) is not Tensor or type(y) is not Tensor:
            x, y = as_tensors((x, y), self.like)
        weight = None if weight is None else as_tensors(weight, self.like)
        return (x, y, weight) if self.device is None else _moved((x, y, weight), self.device)

    def __len__(self) -> int:
        """How many batches a pass has.

        Raises:
            TypeError: If nobody knows; `count` is then `None`.
        """
        if self.count is None:
            raise TypeError(f"The number of batches of this iterable is unknown. Received: {self._source}")
        return self.count

    @property
    def count(self) -> int | None:
        """How many batches a pass has, or `None` if nobody knows."""
        return self._source.count

    @property
    def rows(self) -> int | None:
        """How many rows there are, or `None` if the data came in batches."""
        return self._source.rows

    def __iter__(self) -> Iterator[tuple[Batch, bool]]:
        """A pass from where it stands: each batch, and whether it is the pass's last."""
        position = self.position
        for batch, last in self._source.batches(position):
            position += 1
            # Set before the batch is used: who saves after a step has used it.
            self.position = 0 if last else position
            yield batch, last

    def state_dict(self) -> dict[str, Any]:
        """How the pass under way began, and how many of its batches were given."""
        return {"position": self.position, **self._source.state(self.position > 0)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Stand where `state_dict` was taken; the next pass gives the rest."""
        self.position = state_dict["position"]
        self._source.begin_at(state_dict)


def _is_table(data: Any) -> bool:
    if isinstance(data, Mapping):
        return True
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        return False
    # A list of two tuples is two batches; a tuple of two is x and y, each of several tensors.
    return all(_has_rows(part) if isinstance(data, tuple) else hasattr(part, "shape") for part in data[:2])


def _has_rows(part: Any) -> bool:
    if isinstance(part, tuple) and part:
        return all(_has_rows(item) for item in part)
    return hasattr(part, "shape")


def _rows_of(x: Any, y: Any, weight: Tensor | None) -> int:
    found = {name: _lengths(part) for name, part in (("x", x), ("y", y), ("weight", weight)) if part is not None}
    if len({length for lengths in found.values() for length in lengths}) != 1:
        told = ", ".join(f"{' and '.join(map(str, lengths))} in {name}" for name, lengths in found.items())
        raise ShapeError(f"x, y and weight must have one row per example. Received: rows: {told}")
    return next(iter(found.values()))[0]


def _lengths(part: Any) -> list[int]:
    if isinstance(part, tuple):
        return [length for item in part for length in _lengths(item)]
    if not isinstance(part, Tensor) or part.dim() == 0:
        raise ShapeError(f"Data have one row per example. Received: {part!r}")
    return [len(part)]


def _take(part: Any, rows: Any) -> Any:
    if isinstance(part, tuple):
        return tuple(_take(item, rows) for item in part)
    return part[rows if isinstance(rows, slice) else rows.to(part.device)]


def _moved(value: Any, device: torch.device | str) -> Any:
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple | list):
        return type(value)(_moved(item, device) for item in value)
    return value
