"""`make conformance`: the table of every registered component against every law."""

import sys

import torch

from minigrad.testing import format_results
from minigrad.testing.result import CheckResult
from tests.conformance.registered import checks_of, registered

VERDICTS = ("passed", "failed", "not applicable")


def main() -> int:
    """Print a line for each component, then what failed in full; 1 if anything did."""
    torch.set_num_threads(1)
    names = list(registered())
    width = max(map(len, names))
    print(f"{'component':{width}}  {'passed':>6}  {'failed':>6}  {'not applicable':>14}")
    every: list[CheckResult] = []
    for name in names:
        results = [check.result() for check in checks_of(name)]
        passed, failed, passed_by = count(results)
        print(f"{name:{width}}  {passed:6}  {failed:6}  {passed_by:14}", flush=True)
        every += results
    passed, failed, passed_by = count(every)
    if failed:
        print(f"\n{format_results(result for result in every if result.verdict == 'failed')}")
    print(f"\n{len(names)} components: {passed} passed, {failed} failed, {passed_by} not applicable")
    return int(failed > 0)


def count(results: list[CheckResult]) -> tuple[int, ...]:
    """How many results there are of each verdict."""
    return tuple(sum(result.verdict == verdict for result in results) for verdict in VERDICTS)


if __name__ == "__main__":
    sys.exit(main())
