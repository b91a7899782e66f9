"""Checking a component by every law: as a list of results, or as the tests of a plugin."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from minigrad.core import Component
from minigrad.testing.case import Case, as_case
from minigrad.testing.gradient import Tolerance
from minigrad.testing.law import laws_for
from minigrad.testing.laws.basics import MAKES
from minigrad.testing.passes import isolated
from minigrad.testing.result import Check, CheckResult
from minigrad.testing.samples import cases_of
from minigrad.testing.trial import Trial, component_name


def checks_for(
    component: Any, inputs: Any = None, *, atol: float = 1e-5, rtol: float = 1e-3, **options: Any
) -> list[Check]:
    """Every law for every case of a component, not yet tried.

    Args:
        component: A class, a function that makes a component (from parameters, for an optimizer), or a `Case`.
        inputs: What its `forward` takes; see `Case`.
        atol: Absolute tolerance of a gradient.
        rtol: Relative tolerance of a gradient.
        options: The further arguments of `Case`.

    Examples:
        >>> from minigrad.activations import Sigmoid
        >>> [check.law.name for check in checks_for(Sigmoid)][:3]
        ['makes', 'documented', 'config']
    """
    alone = inputs is None and not options and inspect.isclass(component)
    cases = cases_of(component) if alone else [as_case(component, inputs, **options)]
    tolerance = Tolerance(atol=atol, rtol=rtol)
    return [check for case in cases for check in _checks(Trial(case, tolerance))]


def _checks(trial: Trial) -> list[Check]:
    try:
        with isolated():
            made = trial.made()
    except Exception:  # the law named "makes" tells what is wrong
        made = None
    name = getattr(trial.case.make, "__name__", "the component") if made is None else component_name(made)
    if trial.case.name:
        name = f"{name} [{trial.case.name}]"
    laws = laws_for(made) if isinstance(made, Component) else [MAKES]
    return [Check(law, trial, name) for law in laws]


def check_component(
    component: Any, inputs: Any = None, *, atol: float = 1e-5, rtol: float = 1e-3, **options: Any
) -> list[CheckResult]:
    """Try a component by every law for its kind.

    Nothing is raised and nothing retried. Where a component cannot be made, or does not run, the other laws have
    nothing to try, and the list ends there.

    Args:
        component: A class, a function that makes a fresh component (from parameters, for an optimizer), or a `Case`.
        inputs: What its `forward` takes: a tensor, or a tuple of the arguments; see `Case`.
        atol: Absolute tolerance of a gradient.
        rtol: Relative tolerance of a gradient.
        options: The further arguments of `Case`.

    Returns:
        One result per law and case.

    Examples:
        >>> import torch
        >>> from minigrad.layers import Linear
        >>> results = check_component(lambda: Linear(3, 2), torch.randn(5, 3))
        >>> [result.law for result in results if result.verdict == "failed"]
        []
    """
    results: list[CheckResult] = []
    for check in checks_for(component, inputs, atol=atol, rtol=rtol, **options):
        stopped = any(
            r.verdict == "failed" and r.law in ("makes", "runs") and r.component == check.name for r in results
        )
        if not stopped:
            results.append(check.result())
    return results


def parametrize_with_checks(
    components: Iterable[Any], *, atol: float = 1e-5, rtol: float = 1e-3
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make one pytest test of each law that applies, for each component; the test function takes `check` and calls it.

    ```python
    from minigrad.testing import parametrize_with_checks


    @parametrize_with_checks([Swish, lambda: Bilinear(3, 4, 2)])
    def test_laws(check):
        check()
    ```

    Args:
        components: Classes, functions that make a component, or `Case`s.
        atol: Absolute tolerance of a gradient.
        rtol: Relative tolerance of a gradient.
    """
    import pytest  # only tests need it

    params, names = [], set()
    for component in components:
        for check in checks_for(component, atol=atol, rtol=rtol):
            name = f"{check.name}-{check.law.name}"
            while name in names:
                name += "'"
            names.add(name)
            if check.applies():
                params.append(pytest.param(check, id=name))
    return pytest.mark.parametrize("check", params)


__all__ = ["Case", "check_component", "checks_for", "parametrize_with_checks"]
