"""History: what a training run reported."""

from collections.abc import Iterator
from typing import Any


class History:
    """The rows that `fit` recorded, one dict per step.

    Examples:
        >>> history = History([{"step": 0, "epoch": 0, "cost": 0.7}, {"step": 1, "epoch": 1, "cost": 0.5}])
        >>> history
        History(steps=2, first cost=0.7, last cost=0.5)
        >>> history.costs
        [0.7, 0.5]
    """

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    @property
    def costs(self) -> list[float]:
        """The cost of each step."""
        return [row["cost"] for row in self.rows]

    def to_dict(self) -> dict[str, list[Any]]:
        """The columns, by name."""
        return {name: [row[name] for row in self.rows] for name in self.rows[0]} if self.rows else {}

    def __len__(self) -> int:
        """How many steps were taken."""
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The rows in turn."""
        return iter(self.rows)

    def __repr__(self) -> str:
        if not self.rows:
            return "History(steps=0)"
        return f"History(steps={len(self)}, first cost={self.costs[0]:.6g}, last cost={self.costs[-1]:.6g})"
