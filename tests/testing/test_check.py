"""Checking components: results, cases, and the tests made of them."""

import json
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import distribution
from typing import Any

import pytest
import torch

from minigrad.activations import Sigmoid
from minigrad.core import Activation, Layer, Parameter
from minigrad.errors import ConfigError
from minigrad.layers import Dropout, Linear
from minigrad.optimizers import SGD
from minigrad.testing import (
    Case,
    CheckResult,
    cases_of,
    check_component,
    checks_for,
    draw,
    format_results,
    parametrize_with_checks,
)
from minigrad.testing.broken.activations import SignFlipped
from minigrad.testing.law import NotApplicable
from tests.testing.test_gradient import Lookup, TwoInTwoOut


def failed(results: list[CheckResult]) -> list[str]:
    return [result.law for result in results if result.verdict == "failed"]


@pytest.mark.parametrize(
    ("component", "options"),
    [
        pytest.param(Sigmoid, {}, id="class"),
        pytest.param(lambda: Linear(3, 2), {"inputs": torch.randn(5, 3)}, id="function"),
        pytest.param(lambda: Linear(3, 2), {}, id="function, inputs drawn"),
        pytest.param(Linear, {}, id="built-in class that needs arguments"),
        pytest.param(Case(Dropout, draw(5, 3), predict_differs=True), {}, id="case"),
        pytest.param(Dropout, {"inputs": draw(5, 3), "predict_differs": True}, id="options"),
        pytest.param(lambda params: SGD(params, lr=0.1, momentum=0.5), {}, id="optimizer"),
        pytest.param(TwoInTwoOut, {"inputs": ((draw(4, 2), draw(4, 2, seed=1)),)}, id="tuples"),
        pytest.param(Lookup, {"inputs": ((torch.tensor([0, 2, 2]), draw(3)),)}, id="integers"),
    ],
)
def test_what_is_right_passes(component, options):
    assert failed(check_component(component, **options)) == []


def test_a_result_says_which_law_and_component_and_why():
    (result,) = (r for r in check_component(SignFlipped) if r.law == "gradient")
    assert result.component == "SignFlipped()"
    assert result.message.startswith("The gradient of x must be that of forward, by central differences. Received: ")
    assert result.diagnosis == "x: the sign is flipped"
    assert str(result).endswith("Diagnosis: x: the sign is flipped.\nIn SignFlipped(), law gradient.")


def test_what_does_not_apply_says_why():
    reasons = {r.law: r.message for r in check_component(Sigmoid) if r.verdict == "not applicable"}
    assert reasons["parameter_gradients"] == "it has no parameters"
    assert reasons["mapped"] == "there is no layer in it"


def test_tolerances_are_the_author_s_or_tighter():
    class Nearly(Activation):
        """$y = x$, almost."""

        def forward(self, x):
            return x * 1.0, None

        def backward(self, grad_output, cache):
            return grad_output * 1.0001

    assert "gradient" not in failed(check_component(Nearly))
    assert "gradient" in failed(check_component(Nearly, atol=1e-7, rtol=1e-5))


def test_a_component_that_cannot_be_made_says_what_to_do():
    class NeedsMore(Layer):
        def __init__(self, width, height):
            self.weight = Parameter(torch.zeros(width, height))

    (result,) = check_component(NeedsMore)
    assert result.law == "makes"
    assert "NeedsMore needs arguments (width, height)" in result.message
    assert "conformance_cases()" in result.message


def test_a_component_that_does_not_run_says_what_to_do_and_ends_there():
    class Eight(Layer):
        """$y = W x$ for eight numbers."""

        def __init__(self):
            self.weight = Parameter(torch.zeros(8, 8))

        def forward(self, x):
            return x @ self.weight, x

        def backward(self, grad_output, cache):
            raise NotImplementedError

    results = check_component(Eight)
    assert results[-1].law == "runs"
    assert "pass inputs=" in results[-1].message
    assert failed(results) == ["runs"]


def test_a_class_gives_its_own_cases():
    class Doubling(Activation):
        """$y = c x$."""

        def __init__(self, factor):
            self.factor = factor

        @classmethod
        def conformance_cases(cls):
            return [Case(lambda: cls(2.0)), Case(lambda: cls(3.0), draw(7), "three")]

        def forward(self, x):
            return self.factor * x, None

        def backward(self, grad_output, cache):
            return self.factor * grad_output

    assert [case.name for case in cases_of(Doubling)] == ["", "three"]
    results = check_component(Doubling)
    assert failed(results) == []
    assert {r.component for r in results} == {"Doubling(factor=2.0)", "Doubling(factor=3.0) [three]"}


@pytest.mark.parametrize(
    ("nonsense", "rule"),
    [(Sigmoid(), "needs a fresh component each time"), (3, "expects a class, a function or a Case")],
)
def test_what_makes_no_component_is_refused(nonsense, rule):
    with pytest.raises(ConfigError, match=rule):
        check_component(nonsense)


def test_a_function_that_makes_no_component_is_told():
    (result,) = check_component(lambda: 3)
    assert (result.law, result.verdict) == ("makes", "failed")
    assert "Received: int 3" in result.message


def test_checks_leave_the_random_state_alone():
    before = torch.get_rng_state()
    check_component(Dropout, draw(5, 3), predict_differs=True)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_default_dtype() == torch.float32


def test_parametrize_makes_a_test_of_each_law_that_applies():
    @parametrize_with_checks([Sigmoid, SignFlipped])
    def function(check: Any) -> None: ...

    (mark,) = function.pytestmark  # type: ignore[attr-defined]
    checks = {param.id: param.values[0] for param in mark.args[1]}
    assert "Sigmoid()-gradient" in checks
    assert "Sigmoid()-parameter_gradients" not in checks
    checks["Sigmoid()-gradient"]()
    with pytest.raises(AssertionError, match="the sign is flipped"):
        checks["SignFlipped()-gradient"]()


def test_parametrize_gives_each_test_its_own_name():
    @parametrize_with_checks([Sigmoid, Sigmoid])
    def function(check: Any) -> None: ...

    ids = [param.id for param in function.pytestmark[0].args[1]]  # type: ignore[attr-defined]
    assert len(set(ids)) == len(ids) == 2 * len([c for c in checks_for(Sigmoid) if c.applies()])


def test_the_kit_waits_until_it_is_asked_for_and_needs_no_pytest():
    code = (
        "import sys, json; sys.modules['pytest'] = None\n"
        "import minigrad; early = [m for m in sys.modules if m.startswith('minigrad.testing')]\n"
        "import minigrad.testing as t, minigrad.testing.broken\n"
        "checks = [c for c in t.checks_for(minigrad.Sigmoid) if c.law.name != 'compiles']\n"
        "print(json.dumps([early, sorted({c.result().verdict for c in checks})]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[], ["not applicable", "passed"]]


def test_the_kit_brings_no_pytest_plugin():
    assert "pytest11" not in {entry.group for entry in distribution("minigrad-torch").entry_points}


def test_a_law_that_finds_nothing_to_judge_by_skips_its_test():
    def torch_lacks_it(trial):
        raise NotApplicable("torch lacks it")

    (check, *_) = checks_for(Sigmoid)
    check = replace(check, law=replace(check.law, function=torch_lacks_it))
    assert (check.result().verdict, check.result().message) == ("not applicable", "torch lacks it")
    with pytest.raises(pytest.skip.Exception, match="torch lacks it"):
        check()


def test_whatever_a_component_raises_is_a_failure_with_a_sentence():
    class Exits(Activation):
        """$y = x$, if it came to that."""

        def forward(self, x):
            raise KeyError("lost")

        def backward(self, grad_output, cache):
            return grad_output

    results = {r.law: r for r in check_component(Exits, draw(5, 3))}
    assert failed(list(results.values())) == ["runs"]
    assert "Received: KeyError: 'lost'" in results["runs"].message


def test_the_table_counts_what_it_shows():
    results = check_component(SignFlipped)
    table = format_results(results)
    assert table.startswith("SignFlipped()\n  makes")
    assert "Diagnosis: x: the sign is flipped." in table
    verdicts = [r.verdict for r in results]
    passed, wrong, rest = (verdicts.count(v) for v in ("passed", "failed", "not applicable"))
    assert table.endswith(f"{len(results)} laws tried: {passed} passed, {wrong} failed, {rest} not applicable")
    assert max(map(len, format_results([]).splitlines())) < 60
