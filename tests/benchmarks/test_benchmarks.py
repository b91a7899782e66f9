"""The benchmarks run, and measure what they say; how long anything takes is no matter here."""

import os
from functools import partial

import pytest
import torch

from tests.benchmarks import compiled, fitting, measure, peers
from tests.benchmarks.__main__ import main
from tests.benchmarks.measure import compare, of_pairs
from tests.benchmarks.steps import Case, cases, xor


@pytest.mark.parametrize("table", ["steps", "peers"])
def test_a_table_is_printed(table: str, capsys: pytest.CaptureFixture[str]):
    main(["--repeats", "2", "--seconds", "0.0001", "--only", table])
    printed = capsys.readouterr().out
    assert f"torch {torch.__version__}" in printed
    assert "2 repeats" in printed
    if table == "steps":
        assert "XOR 2-2-1, batch 4, BCE" in printed
        assert "≤ 0.25" in printed
    else:
        assert "micrograd" in printed
        assert "mygrad" in printed


def test_the_fit_table_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("tests.benchmarks.__main__.fits", partial(fitting.fits, steps=2))
    main(["--repeats", "1", "--seconds", "0.0001", "--only", "fit"])
    printed = " ".join(capsys.readouterr().out.split())
    for task in ("XOR, batch 4", "64-128-10, batch 64"):
        for rival in ("bare step", "torch loop", "Keras"):
            assert f"{task}: {rival}" in printed
    assert printed.count("≤ 15") == 2


@pytest.mark.parametrize("trainer", [fitting.Fit, fitting.Torch, fitting.Keras])
@pytest.mark.parametrize("task", fitting.tasks(), ids=lambda task: task.name)
def test_whoever_trains_learns_the_same(task: fitting.Task, trainer: type[fitting.Trainer]):
    if trainer is fitting.Keras:
        pytest.importorskip("keras")
    bare, other = fitting.Bare(task), trainer(task)
    first = {name: weight.clone() for name, weight in bare.weights().items()}
    for name, weight in other.weights().items():
        assert torch.equal(weight, first[name])
    for steps in (3, 27):
        bare.run(steps, shuffle=False)
        other.run(steps, shuffle=False)
    for name, weight in other.weights().items():
        torch.testing.assert_close(weight, bare.weights()[name], rtol=1e-4, atol=1e-5)
        assert not torch.equal(weight, first[name])


def test_a_step_of_fit_is_what_a_step_of_the_whole_takes(monkeypatch: pytest.MonkeyPatch):
    taken = []

    def compare(ours, theirs, repeats, seconds):
        taken.append((ours.args, theirs.args))
        return measure.Ratio(0.2, 0.1, 2.0, 1.0, 3.0, repeats)

    monkeypatch.setattr(fitting, "compare", compare)
    found = dict(fitting.fits(7, 0.01, steps=50))
    bare = found["XOR, batch 4: bare step"]
    assert bare == measure.Ratio(0.2 / 50, 0.1 / 50, 2.0, 1.0, 3.0, 7)
    assert all(ours == theirs for ours, theirs in taken)


def test_without_keras_the_rows_say_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("tests.benchmarks.__main__.fits", partial(fitting.fits, steps=1))
    monkeypatch.setattr(fitting.importlib, "import_module", absent)
    environment = dict(os.environ)
    main(["--repeats", "1", "--seconds", "0.0001", "--only", "fit"])
    assert capsys.readouterr().out.count("not installed") == 2
    assert dict(os.environ) == environment


@pytest.mark.slow
def test_the_import_is_timed_in_fresh_interpreters(capsys: pytest.CaptureFixture[str]):
    main(["--repeats", "1", "--only", "import"])
    assert "import minigrad adds" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--repeats", "0"], ["--seconds", "0"], ["--only", "colours"]])
def test_wrong_arguments_exit_with_2(wrong: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main(wrong)
    assert caught.value.code == 2


def test_both_sides_do_the_same_work():
    for case in cases():
        case.check()


def test_sides_that_do_other_work_are_refused():
    case = Case("unequal", xor().ours, lambda: torch.tensor(0.5))
    with pytest.raises(AssertionError):
        case.check()


def test_medians_and_tenths_of_pairs():
    found = of_pairs([(float(i), 10.0) for i in range(1, 12)])
    assert (found.ours, found.theirs, found.ratio) == (6.0, 10.0, 0.6)
    assert (found.low, found.high, found.repeats) == (0.2, 1.0, 11)


def test_the_ratio_is_of_the_first_to_the_second(monkeypatch: pytest.MonkeyPatch):
    """The clock is a made one: the first call takes 1 ms, the second 4 ms."""
    calls = []

    def timed(call, number):
        calls.append((call(), number))
        return {"ours": 0.001, "theirs": 0.004}[call()] * number

    monkeypatch.setattr(measure.timeit, "timeit", timed)
    found = compare(lambda: "ours", lambda: "theirs", repeats=4, seconds=0.1)
    assert (found.ours, found.theirs) == pytest.approx((0.001, 0.004))
    assert found.ratio == pytest.approx(0.25)
    assert found.repeats == 4
    # Each side runs about as long, and who comes first changes.
    assert calls[2:] == [("theirs", 25), ("ours", 100), ("ours", 100), ("theirs", 25)] * 2


def test_a_peer_that_is_missing_is_said_to_be(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(peers.importlib, "import_module", absent)
    main(["--repeats", "1", "--seconds", "0.0001", "--only", "peers"])
    assert capsys.readouterr().out.count("not installed") == 2


def test_what_does_not_compile_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def refuse(step, **options):
        def call():
            raise RuntimeError("no working C++ compiler\nat all")

        return call

    monkeypatch.setattr(compiled.torch, "compile", refuse)
    main(["--repeats", "1", "--only", "compile"])
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.count("does not compile") == 2
    assert "no working C++ compiler" in printed


@pytest.mark.slow
def test_one_step_is_one_graph():
    """torch.compile takes forward, loss, backward and update together, and computes the same costs."""
    eager = compiled.xor_steps(1)
    torch.compiler.reset()
    one_graph = torch.compile(compiled.xor_steps(1), fullgraph=True, backend="eager")
    for _ in range(3):
        assert one_graph().item() == eager().item()
