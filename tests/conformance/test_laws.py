"""Every registered component keeps every law; there is no list of exceptions."""

from collections import defaultdict

import pytest

from minigrad.registry import components
from minigrad.testing import LAWS, Check
from tests.conformance.registered import registered_checks

CHECKS = dict(registered_checks())


@pytest.mark.parametrize("check", [pytest.param(c, id=name) for name, c in CHECKS.items() if c.applies()])
def test_law(check: Check):
    check()


def test_every_component_is_tried():
    tried = {name.partition("-")[0] for name in CHECKS}
    assert tried == {component.id for component in components()}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_every_law_has_something_to_say(law):
    assert any(check.law is law and check.applies() for check in CHECKS.values())


def test_a_law_is_passed_by_for_a_named_reason_only():
    # A denominator that cannot shrink unseen: each reason that may be given, and to how many laws it applies.
    reasons = defaultdict(set)
    for check in CHECKS.values():
        result = None if check.applies() else check.result()
        if result is not None:
            assert result.verdict == "not applicable"
            reasons[result.message].add(check.law.name)
    assert reasons.keys() <= {
        "it has no parameters",
        "it has no parameters and no buffers",
        "its input is not floating-point",
        "its inputs have no batch axis",
        "its samples depend on each other",
        "its output cannot be its input",
        "there is no layer in it",
        "it is made to watch each pass",
        "it is random",
    }
