"""Check: one law for one case, and the result of trying it."""

import sys
from dataclasses import dataclass, replace
from typing import Literal, get_args

from minigrad.core import Loss, Reduction
from minigrad.testing.gradient import has_reduction
from minigrad.testing.law import Law, LawBroken, NotApplicable
from minigrad.testing.passes import isolated
from minigrad.testing.trial import Trial

Verdict = Literal["passed", "failed", "not applicable"]


@dataclass(frozen=True)
class CheckResult:
    """What one law says about one component.

    Attributes:
        law: The law's name.
        component: The component, as its `repr` or class name.
        verdict: `"passed"`, `"failed"` or `"not applicable"`.
        message: Why it failed (the rule, then what was received), or why the law does not apply; otherwise empty.
        diagnosis: The likely mistake, where one is recognised.
    """

    law: str
    component: str
    verdict: Verdict
    message: str = ""
    diagnosis: str = ""

    def __str__(self) -> str:
        lines = [self.message]
        if self.diagnosis:
            lines.append(f"  Diagnosis: {self.diagnosis}.")
        lines.append(f"In {self.component}, law {self.law}.")
        return "\n".join(lines)


@dataclass(frozen=True)
class Check:
    """One law for one case: `result()` tells, and calling it raises if the law is broken."""

    law: Law
    trial: Trial
    name: str

    def applies(self) -> bool:
        """Whether the law says anything about this case; one that fails to tell does apply."""
        with isolated():
            try:
                return self.law.not_applicable(self.trial) is None
            except Exception:
                return True

    def result(self) -> CheckResult:
        """Try the law; nothing that the component raises goes further."""
        trial = self.trial
        with isolated():
            try:
                if reason := self.law.not_applicable(self.trial):
                    return CheckResult(self.law.name, self.name, "not applicable", reason)
                for trial in self._trials():
                    self.law.function(trial)
            except NotApplicable as reason:
                return CheckResult(self.law.name, self.name, "not applicable", str(reason))
            except LawBroken as error:
                return CheckResult(self.law.name, self.name, "failed", str(error) + _under(trial), error.diagnosis)
            except Exception as error:
                message = f"{self.law.statement} Received: {type(error).__name__}: {error}"
                return CheckResult(self.law.name, self.name, "failed", message)
        return CheckResult(self.law.name, self.name, "passed")

    def _trials(self) -> list[Trial]:
        made = self.trial.made()
        if not self.law.each_reduction or not isinstance(made, Loss) or not has_reduction(made):
            return [self.trial]
        return [replace(self.trial, reduction=reduction) for reduction in get_args(Reduction)]

    def __call__(self) -> None:
        """Raise an AssertionError if the law is broken; in a pytest run, skip if it has nothing to say."""
        __tracebackhide__ = True
        result = self.result()
        if result.verdict == "failed":
            raise AssertionError(str(result))
        if result.verdict == "not applicable" and "pytest" in sys.modules:
            sys.modules["pytest"].skip(result.message)


def _under(trial: Trial) -> str:
    return "" if trial.reduction is None else f" (with reduction={trial.reduction!r})"
