"""TensorBoard, a callback that writes event files."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import minigrad


class TensorBoard(minigrad.Callback):
    r"""Writes what happens in a run into a folder that TensorBoard shows.

    - Scalars: every number in the rows of the history (`cost`, `val_cost`, the metrics, what other callbacks add), and
      the learning rate of each update, `lr`.
    - Histograms: each parameter and its gradient, `weights/<name>` and `gradients/<name>`, as an update begins with
      them.
    - A text: the net, layer by layer, and its parameters.

    A resumed run begins a further file in the same folder, whose first event takes back the steps that are done again
    (TensorBoard's session start): nothing is shown twice, and nothing is missing.

    Args:
        path: The folder; a relative one lies in the run's folder.
        every: Updates from one row's scalars to the next; rows of validations are always written. Reading a cost waits
            for the device, so on an accelerator take more.
        histogram_every: Updates from one set of histograms to the next; 0 writes none.

    Raises:
        ValueError: If `every` is not positive, or `histogram_every` is negative.

    Examples:
        >>> TensorBoard("logs", every=10)
        TensorBoard(path='logs', every=10)
    """

    def __init__(self, path: Path | str = "tensorboard", every: int = 1, histogram_every: int = 100) -> None:
        if not every >= 1:
            raise ValueError(f"every must be positive. Received: every={every}")
        if not histogram_every >= 0:
            raise ValueError(f"histogram_every must not be negative. Received: histogram_every={histogram_every}")
        self.path = path
        self.every = every
        self.histogram_every = histogram_every
        self._file: EventFile | None = None
        self._written = 0  # how many of the run's rows
        self._rates: dict[str, float] = {}  # of the newest row
        self._histograms: dict[str, Tensor] = {}  # of the newest row, see `histogram`

    def on_fit_start(self, run: minigrad.Run) -> None:
        """Begin a file, or a further one."""
        self._close()
        if run.step == 0:
            self._rates, self._histograms = {}, {}
        # Whether the newest row was written before the run was killed is not known, so it is taken back and written.
        self._written = max(len(run.rows) - 1, 0)
        begin = max(run.step - 1, 0)
        self._file = EventFile(run.folder / self.path, begin)
        if begin == 0:
            self._file.text("net", described(run.net), 0)

    def on_before_update(self, run: minigrad.Run) -> None:
        """Write the row before, to which nobody adds any more; take down what this update begins with."""
        self._write(run)
        rate = run.lr()
        self._rates = {f"lr/{i}": r for i, r in enumerate(rate)} if isinstance(rate, list) else {"lr": rate}
        self._histograms = {}
        if self.histogram_every and run.step % self.histogram_every == 0:
            for name, parameter in run.net.named_parameters():
                self._histograms[f"weights/{name}"] = histogram(parameter)
                if parameter.gradient is not None:
                    self._histograms[f"gradients/{name}"] = histogram(parameter.gradient)

    def on_fit_end(self, run: minigrad.Run) -> None:
        """Write the last row and close the file."""
        try:
            if self._file is not None:
                self._write(run)
        finally:
            self._close()

    def _write(self, run: minigrad.Run) -> None:
        assert self._file is not None
        rows, self._written = run.rows[self._written :], len(run.rows)
        for row in rows:
            measured = any(name.startswith("val_") or name in run.metrics for name in row)
            if measured or row["step"] % self.every == 0:
                numbers = {name: v for name, v in row.items() if name not in ("step", "epoch") and _is_number(v)}
                self._file.scalars({n: float(v) for n, v in numbers.items()} | self._rates, row["step"])
            self._file.histograms(self._histograms, row["step"])
        if rows:
            self._file.flush()

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def state_dict(self) -> dict[str, Any]:
        """What belongs to the newest row, which is not written before the next update."""
        return {"rates": dict(self._rates), "histograms": dict(self._histograms)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self._rates, self._histograms = dict(state_dict["rates"]), dict(state_dict["histograms"])


class EventFile:
    """A file of events, in TensorBoard's own records; each event is complete or, after a crash, not counted.

    Args:
        folder: Where it is made; made itself if it is not there.
        begin: Its first step: what other files in the folder hold of this step and later ones is taken back.
    """

    def __init__(self, folder: Path, begin: int) -> None:
        # Imported here, because naming the callback should not wait for it.
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # type: ignore[import-untyped]
        from tensorboard.summary.writer.record_writer import RecordWriter  # type: ignore[import-untyped]

        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads files in the order of their names, and a later one takes back what an earlier one holds.
        seconds = [int(name.split(".")[3]) for name in _event_files(folder)]
        name = f"events.out.tfevents.{max([int(time.time()), *(second + 1 for second in seconds)]):010d}.minigrad"
        self._raw = io.BufferedWriter(io.FileIO(folder / name, "x"))
        self._records = RecordWriter(self._raw)
        self._add(Event(wall_time=time.time(), file_version="brain.Event:2"))
        self._add(Event(wall_time=time.time(), step=begin, session_log=SessionLog(status=SessionLog.START)))
        self.flush()

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Add numbers by name."""
        from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]

        if values:
            self._summary([Summary.Value(tag=name, simple_value=value) for name, value in values.items()], step)

    def histograms(self, values: dict[str, Tensor], step: int) -> None:
        """Add what `histogram` gave, by name."""
        from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary

        parts = []
        for name, value in values.items():
            least, most, num, total, squares, *rest = value.tolist()
            limits, counts = rest[: len(rest) // 2], rest[len(rest) // 2 :]
            proto = HistogramProto(min=least, max=most, num=num, sum=total, sum_squares=squares)
            proto.bucket_limit.extend(limits)
            proto.bucket.extend(counts)
            parts.append(Summary.Value(tag=name, histo=proto))
        if parts:
            self._summary(parts, step)

    def text(self, name: str, markdown: str, step: int) -> None:
        """Add a text."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.compat.proto.tensor_pb2 import TensorProto  # type: ignore[import-untyped]
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto  # type: ignore[import-untyped]
        from tensorboard.compat.proto.types_pb2 import DT_STRING  # type: ignore[import-untyped]
        from tensorboard.plugins.text.metadata import create_summary_metadata  # type: ignore[import-untyped]

        tensor = TensorProto(dtype=DT_STRING, tensor_shape=TensorShapeProto(), string_val=[markdown.encode()])
        metadata = create_summary_metadata(display_name=name, description="")
        self._summary([Summary.Value(tag=name, metadata=metadata, tensor=tensor)], step)
        self.flush()

    def _summary(self, values: list[Any], step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._add(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))

    def _add(self, event: Any) -> None:
        self._records.write(event.SerializeToString())

    def flush(self) -> None:
        """Hand over to the operating system what was added."""
        self._raw.flush()

    def close(self) -> None:
        """Close the file."""
        self._raw.close()


def histogram(tensor: Tensor, bins: int = 30) -> Tensor:
    """Least, largest, number, sum and sum of squares, then the bins' upper limits, then how many numbers lie in each.

    What is not finite does not count.

    Examples:
        >>> histogram(torch.tensor([0.0, 1.0, 4.0]), bins=2).tolist()
        [0.0, 4.0, 3.0, 5.0, 17.0, 2.0, 4.0, 2.0, 1.0]
    """
    numbers = tensor.detach().as_subclass(Tensor).double().flatten()
    numbers = numbers[numbers.isfinite()]
    if numbers.numel() == 0:
        return torch.zeros(5 + 2 * bins, dtype=torch.float64)
    least, most = numbers.min(), numbers.max()
    low, high = (least, most) if least < most else (least - 0.5, most + 0.5)
    # Not torch.histc: on a GPU it adds up in an order that changes from run to run.
    place = ((numbers - low) * (bins / (high - low))).long().clamp(0, bins - 1)
    counts = torch.bincount(place, minlength=bins).double()
    limits = low + (high - low) * torch.arange(1, bins + 1, device=numbers.device) / bins
    head = torch.stack([least, most, torch.full_like(least, numbers.numel()), numbers.sum(), numbers.square().sum()])
    return torch.cat([head, limits, counts]).cpu()


def described(net: minigrad.Layer) -> str:
    """The net and its parameters in Markdown.

    Examples:
        >>> print(described(minigrad.Linear(2, 1)))
            Linear(in_features=2, out_features=1)
        <BLANKLINE>
        | parameter | shape | numbers |
        |---|---|---|
        | weight | 1 × 2 | 2 |
        | bias | 1 | 1 |
        | **all** | | **3** |
    """
    code = "".join(f"    {line}\n" for line in repr(net).splitlines())
    return f"{code}\n| parameter | shape | numbers |\n|---|---|---|\n" + "\n".join(_table(net))


def _table(net: minigrad.Layer) -> Iterator[str]:
    for name, parameter in net.named_parameters():
        yield f"| {name} | {' × '.join(map(str, parameter.shape))} | {parameter.numel():,} |"
    yield f"| **all** | | **{sum(parameter.numel() for parameter in net.parameters()):,}** |"


def _event_files(folder: Path) -> list[str]:
    names = (path.name for path in folder.iterdir())
    return [name for name in names if name.startswith("events.out.tfevents.") and name.split(".")[3].isdigit()]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1)


@minigrad.hookimpl
def minigrad_register_callbacks(register: minigrad.Register) -> None:
    """Register what this plugin adds."""
    register(TensorBoard, name="tensorboard")
