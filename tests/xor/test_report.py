"""What a person reads and what a program reads."""

import dataclasses
import json
import math
import re

import pytest
from rich.console import Console

from minigrad.xor import Report, Settings, as_json, as_renderable, run

PIPELINE_KEYS = [
    "first_cost",
    "last_cost",
    "max_cost_difference",
    "max_weight_difference",
    "bit_identical",
    "accuracy",
    "solved",
]


@pytest.fixture
def report() -> Report:
    return run(Settings(steps=25, log_every=10))


def rendered(report: Report, width: int = 100) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(as_renderable(report))
    return capture.get()


def test_the_object_has_the_promised_shape(report: Report):
    plain = as_json(report)
    assert list(plain) == ["seed", "steps", "pipelines"]
    assert (plain["seed"], plain["steps"]) == (777, 25)
    assert list(plain["pipelines"]) == ["torch", "manual"]
    for pipeline in plain["pipelines"].values():
        assert list(pipeline) == PIPELINE_KEYS
    torch_part = plain["pipelines"]["torch"]
    assert torch_part["first_cost"] == 0.7434073090553284
    assert torch_part["bit_identical"] is True
    assert torch_part["max_cost_difference"] == torch_part["max_weight_difference"] == 0.0
    assert torch_part["solved"] is False
    assert 0 < plain["pipelines"]["manual"]["max_weight_difference"] < 1e-6


def test_what_is_no_number_is_null(report: Report):
    report.pipelines["manual"].comparison.max_cost_difference = math.nan
    report.pipelines["manual"].comparison.costs[-1] = math.inf
    manual = as_json(report)["pipelines"]["manual"]
    assert manual["max_cost_difference"] is None
    assert manual["last_cost"] is None
    json.dumps(manual, allow_nan=False)


def test_costs_are_shown_at_every_logged_step_and_at_the_last(report: Report):
    text = rendered(report)
    table = text[: text.index("2. The hand-written pipeline")]
    steps = [line.split()[0] for line in table.splitlines() if line.count("0.") == 2]
    assert steps == ["0", "10", "20", "24"]
    assert "0.7434073090553284" in table


def test_the_parity_is_told(report: Report):
    text = rendered(report)
    assert "bit-identical: yes, every cost and every weight of 25 steps" in text
    assert "bit-identical: no, first in step" in text
    assert "a batch of 7 rows, 25 steps" in text
    assert "The parity holds" in text


def test_the_truth_table_and_the_verdicts_are_told(report: Report):
    text = rendered(report)
    assert text.count("Not solved") == 2
    assert "Solved" not in text.replace("Not solved", "")
    assert "ln 2 = 0.6931" in text
    predictions = [f"{p:.4f}" for p in report.pipelines["torch"].predictions]
    assert all(prediction in text for prediction in predictions)


def test_a_broken_parity_is_told_with_where_and_both_values():
    # Training so fast is chaotic: on any processor the rounding has grown beyond the tolerance by then.
    text = rendered(run(Settings(seed=9, lr=3.0, steps=200)), width=300)
    assert "The parity does not hold for the hand-written pipeline" in text
    assert re.search(r"more than is allowed, first in step \d+, \S+: \S+ in the reference, \S+ in minigrad", text)
    assert "no step is wrong" in text


def test_a_broken_batch_of_seven_is_told(report: Report):
    manual = report.pipelines["manual"]
    broken = dataclasses.replace(manual.seven, first_breach=manual.seven.first_difference)
    pipelines = report.pipelines | {"manual": dataclasses.replace(manual, seven=broken)}
    text = rendered(dataclasses.replace(report, pipelines=pipelines), width=300)
    assert "the batch of 7 rows differs by more than is allowed, first in step" in text
    assert "The parity does not hold" in text


def test_a_run_that_stopped_says_so(report: Report):
    report.pipelines["torch"].comparison.stopped = "step 25: no number"
    assert "stopped in step 25: no number" in rendered(report)


def test_it_fits_eighty_columns(report: Report):
    assert max(map(len, rendered(report, width=80).splitlines())) <= 80


def test_a_terminal_without_signs_gets_words(report: Report):
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(as_renderable(report, ascii_only=True))
    assert "ok bit-identical: yes" in capture.get()
    assert "NO torch.nn: Not solved" in capture.get()
    assert not set("✓✗·") & set(capture.get())


def test_no_digit_is_lost_in_a_narrow_terminal(report: Report):
    assert "…" not in rendered(report, width=50)
