"""What a judge says of one case."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Judgement:
    """What came of one case: passed, failed or unsupported, and why."""

    verdict: str
    reason: str = ""
