"""Every registered component keeps every law; there is no list of exceptions."""

import pytest

from minigrad.testing import LAWS, format_results
from tests.conformance.registered import checks_of, registered

# Why a law may have nothing to say. What can be said of a component is in its case, and these are all of the reasons.
REASONS = {
    "autograd cannot follow its forward",
    "it has no learning rate",
    "it has no parameters",
    "it has no parameters and no buffers",
    "it is made to watch each pass",
    "it is random",
    "it reads no file",
    "its input is not floating-point",
    "its inputs have no batch axis",
    "its learning rate does not scale every step",
    "its output cannot be its input",
    "its samples depend on each other",
    "there is no layer in it",
    "torch cannot run it without numbers, so only an accelerator could tell",
    "torch has no bfloat16 kernel for it",
    "torch's kernel has an output whose shape depends on numbers",
}


@pytest.mark.parametrize("name", registered())
def test_every_law_is_kept(name: str):
    results = [check.result() for check in checks_of(name)]
    failed = [result for result in results if result.verdict == "failed"]
    assert not failed, format_results(failed)
    assert {result.message for result in results if result.verdict == "not applicable"} <= REASONS
    assert sum(result.verdict == "passed" for result in results) >= len({r.component for r in results}) * 2


def test_every_law_has_something_to_say():
    applied = {check.law.name for name in registered() for check in checks_of(name) if check.applies()}
    assert applied == {law.name for law in LAWS}
