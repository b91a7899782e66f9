"""`make conformance`: the table of every registered component against every law."""

import sys

import torch

from minigrad.testing import format_results
from minigrad.testing.result import CheckResult
from tests.conformance.registered import registered_checks

VERDICTS = ("passed", "failed", "not applicable")


def main() -> int:
    """Try everything, print a line for each component, then what failed in full; 1 if anything did."""
    torch.set_num_threads(1)
    by_component: dict[str, list[CheckResult]] = {}
    for name, check in registered_checks():
        by_component.setdefault(name.partition("-")[0], []).append(check.result())
    width = max(map(len, by_component))
    print(f"{'component':{width}}  {'passed':>6}  {'failed':>6}  {'not applicable':>14}")
    for component, results in by_component.items():
        passed, failed, passed_by = (sum(r.verdict == verdict for r in results) for verdict in VERDICTS)
        print(f"{component:{width}}  {passed:6}  {failed:6}  {passed_by:14}")
    every = [result for results in by_component.values() for result in results]
    print(f"\n{format_results(r for r in every if r.verdict == 'failed')}\n" if _failed(every) else "")
    passed, failed, passed_by = (sum(r.verdict == verdict for r in every) for verdict in VERDICTS)
    print(f"{len(by_component)} components: {passed} passed, {failed} failed, {passed_by} not applicable")
    return int(_failed(every))


def _failed(results: list[CheckResult]) -> bool:
    return any(result.verdict == "failed" for result in results)


if __name__ == "__main__":
    sys.exit(main())
