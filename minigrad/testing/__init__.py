"""The conformance kit: laws that every component keeps, for the built-ins, for plugins, and for your own layer.

`check_gradient` holds a written backward against central differences and autograd; `check_component` tries a component
by every law for its kind; `parametrize_with_checks` makes pytest tests of them. pytest itself is not needed.

Examples:
    >>> from minigrad.activations import Sigmoid
    >>> {result.verdict for result in check_component(Sigmoid)} <= {"passed", "not applicable"}
    True
"""

from minigrad.testing.case import Case, draw
from minigrad.testing.check import check_component, checks_for, parametrize_with_checks
from minigrad.testing.compare import diagnose
from minigrad.testing.gradient import check_gradient
from minigrad.testing.law import LAWS, Law
from minigrad.testing.report import format_results
from minigrad.testing.result import Check, CheckResult
from minigrad.testing.samples import cases_of
from minigrad.testing.subjects import check_registered, class_in_file

__all__ = [
    "LAWS",
    "Case",
    "Check",
    "CheckResult",
    "Law",
    "cases_of",
    "check_component",
    "check_gradient",
    "check_registered",
    "checks_for",
    "class_in_file",
    "diagnose",
    "draw",
    "format_results",
    "parametrize_with_checks",
]
