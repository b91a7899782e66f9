"""The verdict on a run: solved or not, and if not, why it looks stuck, read from the numbers of the run."""

import math
from dataclasses import dataclass

from minigrad.xor.data import CORNERS, TARGETS

PLATEAU = 0.05  # predictions that lie this close to 0.5 say next to nothing
NEAR = 0.02  # two predictions, or two hidden values, that count as the same


@dataclass(frozen=True)
class Evidence:
    """The numbers of a finished run.

    Attributes:
        lr: The learning rate.
        costs: The cost of each step.
        predictions: The trained net's answer to each of the four rows.
        hidden: The hidden units' values for each of the four rows.
    """

    lr: float
    costs: list[float]
    predictions: list[float]
    hidden: list[list[float]]

    @property
    def right(self) -> list[bool]:
        """Whether each prediction, rounded, is its target; one half rounds down, and NaN is never right."""
        pairs = zip(self.predictions, TARGETS, strict=True)
        return [not math.isnan(p) and (p > 0.5) == (target > 0.5) for p, target in pairs]

    def answer(self, row: int) -> str:
        """A row with what the net says to it."""
        return f"{name(row)} gets {self.predictions[row]:.4f}"

    def late_costs(self) -> list[float]:
        """The costs of the last tenth of the run."""
        return self.costs[-max(2, len(self.costs) // 10) :]


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a run.

    Attributes:
        solved: Whether all four rounded predictions are right.
        accuracy: The share of them that is.
        text: The verdict in words.
    """

    solved: bool
    accuracy: float
    text: str


def judge(run: Evidence) -> Verdict:
    """Say whether a run solved XOR and, if not, why it looks stuck.

    Examples:
        >>> run = Evidence(lr=0.0, costs=[0.7, 0.7], predictions=[0.4, 0.4, 0.4, 0.4], hidden=[[0.5]] * 4)
        >>> judge(run).text
        'Not solved: 2 of 4 rounded predictions are right, and the cost ends at 0.7000. The rate is 0, so no weight ...'
    """
    accuracy = sum(run.right) / len(run.right)
    if accuracy == 1.0:
        return Verdict(True, accuracy, _solved(run))
    score = f"{sum(run.right)} of 4 rounded predictions {'is' if sum(run.right) == 1 else 'are'} right"
    text = f"Not solved: {score}, and the cost ends at {run.costs[-1]:.4f}. {why_stuck(run)}"
    return Verdict(False, accuracy, text)


def _solved(run: Evidence) -> str:
    least = min(range(4), key=lambda row: abs(run.predictions[row] - 0.5))
    certain = abs(run.predictions[least] - 0.5) > 0.25
    praise = "Solved: " if certain else "Solved, but only just: "
    return f"{praise}all four rounded predictions are right; the least certain: {run.answer(least)}."


def why_stuck(run: Evidence) -> str:
    """The reason that the numbers show; the first that fits, from the plainest to the vaguest."""
    reasons = (_broke_down, _no_rate, _still_falling, _jumps, _on_plateau, _lumped, _saturated)
    text = next((text for reason in reasons if (text := reason(run))), _described(run))
    limit = " One hidden unit draws one straight line, and XOR needs two." if len(run.hidden[0]) == 1 else ""
    return text + limit


def _broke_down(run: Evidence) -> str:
    bad = next((step for step, cost in enumerate(run.costs) if not math.isfinite(cost)), None)
    if bad is None and all(map(math.isfinite, run.predictions)):
        return ""
    since = "after the last step" if bad is None else f"from step {bad:,} on"
    return f"It broke down: {since} the net computes what is no number; the rate {run.lr:g} is too high."


def _no_rate(run: Evidence) -> str:
    return "" if run.lr else "The rate is 0, so no weight moved."


def _still_falling(run: Evidence) -> str:
    late = run.late_costs()
    if len(run.costs) > 1 and not (late[-1] < 0.99 * late[0] and late[-1] == min(late)):
        return ""
    fall = f"it still falls, from {late[0]:.4f} to {late[-1]:.4f} in the last {len(late):,}" if late[1:] else "one step"
    return f"Too few steps: {fall}."


def _jumps(run: Evidence) -> str:
    late = run.late_costs()
    if max(late) < 1.1 * min(late):
        return ""
    return (
        f"The cost jumps between {min(late):.4f} and {max(late):.4f} in the last {len(late):,} steps: "
        f"the rate {run.lr:g} looks too high."
    )


def _on_plateau(run: Evidence) -> str:
    """Every row gets about 0.5, so the cost is about ln 2."""
    if not all(abs(prediction - 0.5) < PLATEAU for prediction in run.predictions):
        return ""
    return f"It looks stuck on the plateau near ln 2 = 0.6931, where a net says 0.50 for everything: {_units(run)}."


def _lumped(run: Evidence) -> str:
    """Rows that the net cannot tell apart get the mean of their targets: 0.5 for two, or thirds for three."""
    lumps = [rows for rows in _same_answers(run.predictions) if {TARGETS[row] for row in rows} == {0.0, 1.0}]
    if len(lumps) != 1:
        return ""
    [rows] = lumps
    mean = sum(TARGETS[row] for row in rows) / len(rows)
    if not all(abs(run.predictions[row] - mean) < NEAR for row in rows):
        return ""
    where, number = ("near half of ln 2 = 0.3466", "both") if len(rows) == 2 else ("near 0.4774", "all")
    return (
        f"It looks stuck {where}: {names(rows)} {number} get {mean:.2f}, the mean of their targets, "
        f"because {_cannot_tell(run, rows)}."
    )


def _same_answers(predictions: list[float]) -> list[list[int]]:
    """The rows, grouped by predictions that lie near one another."""
    order = sorted(range(len(predictions)), key=predictions.__getitem__)
    groups = [[order[0]]]
    for row in order[1:]:
        if predictions[row] - predictions[groups[-1][-1]] < NEAR:
            groups[-1].append(row)
        else:
            groups.append([row])
    return [sorted(group) for group in groups]


def _units(run: Evidence) -> str:
    """Why all four rows get the same answer."""
    if len(run.hidden[0]) == 1:
        return "what its one hidden unit says has not reached the output yet"
    apart = max(max(values) - min(values) for values in run.hidden)
    if apart < NEAR:
        return f"its hidden units are alike (never more than {apart:.1g} apart), so they work as one"
    return (
        f"its hidden units differ by up to {apart:.2g}, but none of that reaches the output yet. "
        f"More steps may leave the plateau, another seed may avoid it"
    )


def _cannot_tell(run: Evidence, rows: list[int]) -> str:
    """Why some rows get the same answer: the hidden units say the same to them, or nearly."""
    columns = list(zip(*(run.hidden[row] for row in rows), strict=True))
    apart = max(max(column) - min(column) for column in columns)
    slope = max(value * (1 - value) for column in columns for value in column)
    if apart >= NEAR:
        return f"the output weighs away what its hidden units say of them (up to {apart:.2g} apart)"
    told = f"its hidden units give them the same values (at most {apart:.1g} apart)"
    if slope >= NEAR:
        return told
    return f"{told} and are saturated there (slopes of at most {slope:.1g}), so hardly any gradient pulls them apart"


def _saturated(run: Evidence) -> str:
    sure = [row for row in range(4) if abs(run.predictions[row] - TARGETS[row]) > 0.95]
    if not sure:
        return ""
    return (
        f"It looks stuck with saturated outputs that are wrong: {', '.join(map(run.answer, sure))}. "
        f"There the sigmoid is flat, and hardly any gradient comes through; a lower rate or another seed may avoid it."
    )


def _described(run: Evidence) -> str:
    late = run.late_costs()
    wrong = [run.answer(row) for row, right in enumerate(run.right) if not right]
    return (
        f"The cost hardly falls, from {late[0]:.4f} to {late[-1]:.4f} in the last {len(late):,} steps, "
        f"and these are wrong: {', '.join(wrong)}."
    )


def name(row: int) -> str:
    """A row of the table, as it is written."""
    return f"({CORNERS[row][0]:g}, {CORNERS[row][1]:g})"


def names(rows: list[int]) -> str:
    """Several rows, as a person lists them."""
    *most, last = [name(row) for row in rows]
    return f"{', '.join(most)} and {last}"
