import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from minigrad_tensorboard import TensorBoard, histogram
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

import minigrad
from minigrad.testing import parametrize_with_checks


@parametrize_with_checks([TensorBoard, lambda: TensorBoard("deep/logs", every=3, histogram_every=0)])
def test_tensorboard_keeps_every_law(check: Callable[[], None]):
    check()


def test_tensorboard_is_found_by_name():
    assert minigrad.callback("tensorboard") is minigrad.callback("tensorboard:tensorboard") is TensorBoard
    assert minigrad.describe(TensorBoard())["name"] == "tensorboard:tensorboard"


def train(folder: Path, callback: TensorBoard, epochs: int = 3, **options: Any) -> tuple[minigrad.Layer, Any]:
    torch.manual_seed(0)
    x, y = torch.randn(12, 2), torch.arange(12) % 2
    net = minigrad.Sequential(minigrad.Linear(2, 3), minigrad.Tanh(), minigrad.Linear(3, 2))
    sgd = minigrad.SGD(net.parameters(), lr=0.5)
    options = {"metrics": ["accuracy", "confusion_matrix"], "validation": (x, y), "batch_size": 4} | options
    options |= {"checkpoint": folder, "callbacks": [callback, "gradient_statistics"], "seed": 0, "progress": False}
    history = minigrad.fit(
        net, "cross_entropy", sgd, (x, y), epochs=epochs, schedule={"name": "exponential", "gamma": 0.9}, **options
    )
    return net, history


def read(folder: Path) -> EventAccumulator:
    """What TensorBoard itself finds in the folder."""
    return EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0}).Reload()


def scalars(events: EventAccumulator, name: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in events.Scalars(name)]


def test_every_number_of_the_history_is_a_scalar(tmp_path: Path):
    _, history = train(tmp_path, TensorBoard())
    events = read(tmp_path / "tensorboard")
    numbers = set(history.columns) - {"step", "epoch", "val_confusion_matrix"}
    assert set(events.Tags()["scalars"]) == numbers | {"lr"}
    for name in numbers:
        expected = [(row["step"], row[name]) for row in history if name in row]
        assert [step for step, _ in scalars(events, name)] == [step for step, _ in expected]
        assert [v for _, v in scalars(events, name)] == pytest.approx([v for _, v in expected], rel=1e-6)
    # The rate that each update was made with, not the one that the schedule set after it.
    assert [rate for _, rate in scalars(events, "lr")] == pytest.approx([0.5 * 0.9**step for step in range(9)])


def test_scalars_of_every_third_update_and_of_all_validations(tmp_path: Path):
    train(tmp_path, TensorBoard("here", every=2, histogram_every=0), batch_size=3)  # 4 updates a pass
    events = read(tmp_path / "here")
    assert [step for step, _ in scalars(events, "cost")] == [0, 2, 3, 4, 6, 7, 8, 10, 11]
    assert [step for step, _ in scalars(events, "val_cost")] == [3, 7, 11]
    assert events.Tags()["histograms"] == []


def test_groups_have_a_rate_each(tmp_path: Path):
    net = minigrad.Linear(2, 1)
    groups = [{"params": [net.weight], "lr": 0.1}, {"params": [net.bias], "lr": 0.2}]
    data = (torch.randn(4, 2), torch.randn(4, 1))
    options: dict[str, Any] = {"callbacks": [TensorBoard(tmp_path)], "steps": 2, "progress": False}
    minigrad.fit(net, "mse", minigrad.SGD(groups, lr=1.0), data, **options)
    events = read(tmp_path)
    assert [rate for _, rate in scalars(events, "lr/0")] == pytest.approx([0.1, 0.1])
    assert [rate for _, rate in scalars(events, "lr/1")] == pytest.approx([0.2, 0.2])


def test_weights_and_gradients_are_histograms(tmp_path: Path):
    net, _ = train(tmp_path, TensorBoard(histogram_every=4))
    events = read(tmp_path / "tensorboard")
    names = [name for name, _ in net.named_parameters()]
    tags = [f"{kind}/{name}" for kind in ("weights", "gradients") for name in names]
    assert sorted(events.Tags()["histograms"]) == sorted(tags)
    assert [event.step for event in events.Histograms("weights/0.weight")] == [0, 4, 8]
    torch.manual_seed(0)
    torch.randn(12, 2)
    first = events.Histograms("weights/0.weight")[0].histogram_value
    weight = minigrad.Linear(2, 3).weight
    assert (first.num, sum(first.bucket)) == (6, 6)
    assert (first.min, first.max) == pytest.approx((weight.min().item(), weight.max().item()))
    assert (first.sum, first.sum_squares) == pytest.approx((weight.sum().item(), weight.square().sum().item()))
    norms = dict(scalars(events, "grad_norm/0.weight"))
    gradient = events.Histograms("gradients/0.weight")[0].histogram_value
    assert gradient.sum_squares == pytest.approx(norms[0] ** 2, rel=1e-5)


def test_the_net_is_a_text(tmp_path: Path):
    net, _ = train(tmp_path, TensorBoard())
    events = read(tmp_path / "tensorboard")
    assert events.SummaryMetadata("net").plugin_data.plugin_name == "text"
    text = events.Tensors("net")[0].tensor_proto.string_val[0].decode()
    assert all(f"    {line}" in text for line in repr(net).splitlines())
    assert "| 0.weight | 3 × 2 | 6 |" in text
    assert "**17**" in text


@pytest.mark.parametrize("numbers", [[1.0], [2.0, 2.0, 2.0], [float("nan")], [], [-3.0, float("inf"), 5.0, 5.0]])
def test_a_histogram_counts_each_finite_number_once(numbers: list[float]):
    finite = [number for number in numbers if abs(number) < float("inf")]
    least, most, num, total, squares, *rest = histogram(torch.tensor(numbers), bins=4).tolist()
    assert (num, sum(rest[4:])) == (len(finite), len(finite))
    assert (total, squares) == (sum(finite), sum(number**2 for number in finite))
    if finite:
        assert (least, most) == (min(finite), max(finite))
        assert rest[3] >= most


CHILD = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import minigrad
from test_tensorboard import TensorBoard, train
folder, kill = Path(sys.argv[1]), int(sys.argv[2])

class Killer(TensorBoard):
    def on_before_update(self, run):
        super().on_before_update(run)
        if run.step == kill:
            os.kill(os.getpid(), signal.SIGKILL)

Killer.__name__ = "TensorBoard"
train(folder, Killer(histogram_every=2))
"""


@pytest.mark.parametrize("kill", [3, 4, 5, 7])
def test_a_run_that_is_killed_and_resumed_shows_each_step_once(kill: int, tmp_path: Path):
    code = textwrap.dedent(CHILD).format(tests=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", code, tmp_path, str(kill)], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    train(tmp_path, TensorBoard(histogram_every=2), resume=True)
    train(tmp_path / "whole", TensorBoard(histogram_every=2))
    resumed, whole = read(tmp_path / "tensorboard"), read(tmp_path / "whole" / "tensorboard")
    assert len(list((tmp_path / "tensorboard").iterdir())) == 2
    assert resumed.Tags() == whole.Tags()
    for name in whole.Tags()["scalars"]:
        assert scalars(resumed, name) == scalars(whole, name), name
    for name in whole.Tags()["histograms"]:
        values = [[(e.step, e.histogram_value) for e in events.Histograms(name)] for events in (resumed, whole)]
        assert values[0] == values[1], name
    assert len(resumed.Tensors("net")) == 1


def test_a_second_run_in_the_folder_takes_the_place_of_the_first(tmp_path: Path):
    callback = TensorBoard(tmp_path / "logs")
    train(tmp_path / "one", callback)
    train(tmp_path / "two", callback, epochs=1)
    events = read(tmp_path / "logs")
    assert [step for step, _ in scalars(events, "cost")] == [0, 1, 2]


def test_every_record_is_whole_and_the_file_says_what_it_is(tmp_path: Path):
    train(tmp_path, TensorBoard())
    (path,) = (tmp_path / "tensorboard").iterdir()
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog

    events = [Event.FromString(record) for record in RawEventFileLoader(str(path)).Load()]
    assert events[0].file_version == "brain.Event:2"
    assert (events[1].session_log.status, events[1].step) == (SessionLog.START, 0)
    assert [event.step for event in events[2:]] == sorted(event.step for event in events[2:])


def test_arguments_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"every must be positive\. Received: every=0"):
        TensorBoard(every=0)
    with pytest.raises(ValueError, match=r"histogram_every must not be negative\. Received: histogram_every=-1"):
        TensorBoard(histogram_every=-1)
