"""Components for a run, from whatever a person wrote."""

from collections.abc import Sequence
from typing import Any

from minigrad.core import Component, Metric
from minigrad.errors import ConfigError
from minigrad.registry import KINDS, build, snake_case

Spec = Component | str | dict[str, Any]


def made(kind: str, spec: Any, **arguments: Any) -> Any:
    """A component of a kind: itself, or made from its name or configuration.

    Raises:
        ConfigError: If it is of another kind, or cannot be made.

    Examples:
        >>> made("metric", "accuracy")
        Accuracy()
    """
    base = next(row.base for row in KINDS if row.name == kind)
    if isinstance(spec, base):
        return spec
    if isinstance(spec, str):
        spec = {"name": spec}
    if not isinstance(spec, dict):
        raise ConfigError(f"{kind} must be an object, a name or a configuration. Received: {spec!r}")
    return build({**spec, "kind": kind}, **arguments)


def named_metrics(metrics: Sequence[Any]) -> dict[str, Metric]:
    """Metrics by the names of their columns: the snake case of their class.

    Raises:
        ConfigError: If two would have one column.

    Examples:
        >>> named_metrics(["accuracy", {"name": "top_k_accuracy", "k": 3}])
        {'accuracy': Accuracy(), 'top_k_accuracy': TopKAccuracy(k=3)}
    """
    if isinstance(metrics, str):
        raise ConfigError(f"metrics is a list. Received: metrics={metrics!r}")
    found: dict[str, Metric] = {}
    for spec in metrics:
        metric = made("metric", spec)
        name = snake_case(type(metric).__name__)
        if name in found:
            raise ConfigError(f"Each metric has a column of its own. Received: {name} twice")
        found[name] = metric
    return found
