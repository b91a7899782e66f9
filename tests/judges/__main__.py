"""`make conformance`, second part: the table of torch's verdicts, with a fixed denominator."""

import sys
import warnings
from collections import Counter, defaultdict

import torch

from tests.judges import modules, optimizers

VERDICTS = ("passed", "failed", "unsupported")


def main() -> int:
    """Judge every case, print a line for each family, then what did not pass; 1 if anything failed."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="reduction: 'mean' divides", category=UserWarning)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    others = []
    for judge, cases in ((modules.judge, modules.cases()), (optimizers.judge, optimizers.cases())):
        for case in cases:
            judgement = judge(case)  # type: ignore[arg-type]
            counts[case.family][judgement.verdict] += 1
            if judgement.verdict != "passed":
                others.append(f"{case} {judgement.verdict}: {judgement.reason}")
    width = max(map(len, counts))
    print(f"\n{'torch as judge':{width}}  " + "  ".join(f"{verdict:>11}" for verdict in VERDICTS) + "        of")
    for family, found in counts.items():
        row = "  ".join(f"{found[verdict]:11}" for verdict in VERDICTS)
        print(f"{family:{width}}  {row}  {found.total():8}")
    print("".join(f"\n{line}" for line in others))
    total = Counter({verdict: sum(found[verdict] for found in counts.values()) for verdict in VERDICTS})
    print(", ".join(f"{total[verdict]} {verdict}" for verdict in VERDICTS) + f", of {total.total()}")
    return int(total["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
