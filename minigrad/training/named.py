"""Components for a run, from whatever a person wrote."""

from collections.abc import Iterable, Sequence
from typing import Any

from minigrad.core import Component, Loss, Metric
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


def made_loss(spec: Any) -> Loss:
    """A loss that gives one cost.

    Raises:
        ConfigError: If it is none, or cannot be made.
    """
    loss: Loss = made("loss", spec)
    if getattr(loss, "reduction", "mean") == "none":
        raise ConfigError(f"There must be one cost: reduction='mean' or 'sum'. Received: {loss!r}")
    return loss


def several(name: str, specs: Any) -> list[Any]:
    """Several components.

    Raises:
        ConfigError: If it is one that stands for itself, or nothing.
    """
    if isinstance(specs, str | dict | Component) or not isinstance(specs, Iterable):
        raise ConfigError(f"{name} is a list. Received: {name}={specs!r}")
    return list(specs)


def named_metrics(metrics: Sequence[Any]) -> dict[str, Metric]:
    """Metrics by the names of their columns: the snake case of their class.

    Raises:
        ConfigError: If two would have one column.

    Examples:
        >>> named_metrics(["accuracy", {"name": "top_k_accuracy", "k": 3}])
        {'accuracy': Accuracy(), 'top_k_accuracy': TopKAccuracy(k=3)}
    """
    found: dict[str, Metric] = {}
    for spec in several("metrics", metrics):
        metric = made("metric", spec)
        name = snake_case(type(metric).__name__)
        if name in found:
            raise ConfigError(f"Each metric has a column of its own. Received: {name} twice")
        found[name] = metric
    return found
