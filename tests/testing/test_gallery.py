"""The proof of the laws: each planted bug is caught, by the law that is meant for it."""

from collections import Counter
from pathlib import Path

import pytest

from minigrad.core import Activation, Callback, Dataset, Initializer, Layer, Loss, Metric, Optimizer, Schedule, Wrapper
from minigrad.testing import LAWS, checks_for
from minigrad.testing.broken import GALLERY, Broken


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Some of the planted bugs leave files where they stand."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("broken", GALLERY, ids=lambda broken: broken.name)
def test_a_planted_bug_is_caught_by_the_law_meant_for_it(broken: Broken):
    (check,) = (check for check in checks_for(broken.case) if check.law.name == broken.law)
    result = check.result()
    assert result.verdict == "failed"
    assert broken.diagnosis in result.diagnosis
    with pytest.raises(AssertionError, match=f"law {broken.law}"):
        check()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_every_law_catches_something(law):
    assert law.name in {broken.law for broken in GALLERY}


def test_law_names_are_unique_and_say_what_they_demand():
    assert len({law.name for law in LAWS}) == len(LAWS)
    assert [law.name for law in LAWS if not law.statement.endswith(".")] == []


@pytest.mark.parametrize(
    "kind", [Activation, Layer, Wrapper, Loss, Optimizer, Schedule, Initializer, Callback, Metric, Dataset]
)
def test_every_kind_has_planted_bugs(kind):
    made = [check.trial.made() for check in (checks_for(broken.case)[0] for broken in GALLERY)]
    alone = {Layer: (Activation, Wrapper)}.get(kind, ())
    assert sum(isinstance(component, kind) and not isinstance(component, alone) for component in made) >= 5


def test_every_diagnosis_that_is_promised_is_proven():
    said = " ".join(broken.diagnosis for broken in GALLERY)
    for promise in (
        "off by exactly a factor",
        "sign is flipped",
        "transposed",
        "sigma') is missing",
        "ignores the upstream",
        "wrong axis",
        "zero everywhere",
        "stale cache",
        "mutated the argument",
    ):
        assert promise in said
    assert Counter(broken.name for broken in GALLERY).most_common(1)[0][1] == 1
