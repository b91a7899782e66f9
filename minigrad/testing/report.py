"""The table of results, in plain text."""

from collections.abc import Iterable

from minigrad.testing.result import CheckResult

_MARKS = {"passed": "passed", "failed": "FAILED", "not applicable": "-"}


def format_results(results: Iterable[CheckResult]) -> str:
    """The results as a table of laws and verdicts for each component, and a last line that counts them.

    Examples:
        >>> print(format_results([CheckResult("gradient", "Swish()", "failed", "Wrong. Received: 2", "sign flipped")]))
        Swish()
          gradient  FAILED  Wrong. Received: 2
                            Diagnosis: sign flipped.
        <BLANKLINE>
        1 law tried: 0 passed, 1 failed, 0 not applicable
    """
    results = list(results)
    width = max((len(result.law) for result in results), default=0)
    lines: list[str] = []
    component = None
    for result in results:
        if result.component != component:
            component = result.component
            lines += [*([""] if lines else []), component]
        lines += _lines(result, width)
    counts = [sum(result.verdict == verdict for result in results) for verdict in _MARKS]
    tried = f"{len(results)} law{'' if len(results) == 1 else 's'} tried"
    return "\n".join([*lines, "", f"{tried}: {counts[0]} passed, {counts[1]} failed, {counts[2]} not applicable"])


def _lines(result: CheckResult, width: int) -> list[str]:
    first = f"  {result.law:{width}}  {_MARKS[result.verdict]:6}"
    indent = " " * (len(first) + 2)
    message = result.message.splitlines() or [""]
    if result.diagnosis:
        message.append(f"Diagnosis: {result.diagnosis}.")
    return [f"{first}  {message[0]}".rstrip(), *(f"{indent}{line}" for line in message[1:])]
