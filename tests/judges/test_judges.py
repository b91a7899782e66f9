"""The judges' cases, one test each, and their fixed number."""

from collections import Counter

import pytest

from tests.judges import modules, optimizers

MODULES = list(modules.cases())
OPTIMIZERS = list(optimizers.cases())

pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")


@pytest.mark.parametrize("case", MODULES, ids=str)
def test_a_module_is_torchs(case: modules.ModuleCase):
    judgement = modules.judge(case)
    assert judgement.verdict == "passed", judgement.reason


@pytest.mark.parametrize("case", OPTIMIZERS, ids=str)
def test_an_optimizer_is_torchs(case: optimizers.OptimizerCase):
    judgement = optimizers.judge(case)
    assert judgement.verdict == "passed", judgement.reason


def test_no_case_has_dropped_out():
    found = Counter(case.family for case in MODULES)
    assert {family: found[family] for family in modules.FAMILIES} == {f: n for f, (_, n) in modules.FAMILIES.items()}
    configured = Counter(case.name for case in OPTIMIZERS if case.index < 100 and not case.grouped)
    assert configured == optimizers.CONFIGURATIONS
    assert sum(configured.values()) == 82


def test_a_wrong_module_is_caught(monkeypatch: pytest.MonkeyPatch):
    import minigrad

    monkeypatch.setattr(minigrad.Tanh, "backward", lambda self, grad_output, cache: grad_output * (1 - cache))
    judgement = modules.judge(next(case for case in MODULES if case.name == "Tanh"))
    assert judgement.verdict == "failed"
    assert judgement.reason.startswith("input gradient: off by")


def test_a_wrong_optimizer_is_caught(monkeypatch: pytest.MonkeyPatch):
    import minigrad

    monkeypatch.setattr(minigrad.SGD, "update_all", lambda self, parameters, grads, states: None)
    judgement = optimizers.judge(next(case for case in OPTIMIZERS if case.name == "SGD"))
    assert judgement.verdict == "failed"
