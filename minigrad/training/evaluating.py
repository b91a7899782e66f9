"""evaluate: how good a net is on data that it does not learn from."""

from collections.abc import Sequence
from typing import Any

import torch

from minigrad.core import Layer, Loss, Metric
from minigrad.errors import ConfigError, DataError
from minigrad.training.data import Batches
from minigrad.training.named import Spec, made_loss, named_metrics
from minigrad.training.step import mass_of, weighted_cost

_ROWS = 1024  # at once, where nobody says: enough to be quick, few enough for any memory


def evaluate(
    net: Layer,
    loss: Spec,
    data: Any,
    *,
    metrics: Sequence[Spec] = (),
    batch_size: int | None = None,
    fields: tuple[str, str] = ("x", "y"),
    device: torch.device | str | None = None,
) -> dict[str, Any]:
    """The cost and the metrics of a net's predictions, over all data.

    Args:
        net: Predicts; nothing in it changes.
        loss: Its cost is averaged over the rows if it averages, else summed up.
        data: As `fit` takes it.
        metrics: Objects, names or configurations.
        batch_size: Rows at once, of data that are not in batches yet.
        fields: The names of x and y in a dict.
        device: Where every batch is moved.

    Raises:
        ConfigError: If a component is not what it should be.
        DataError: If the data cannot be read as such, or no row counts.

    Examples:
        >>> from minigrad.layers import Linear
        >>> net = Linear(2, 1)
        >>> net.load_state_dict({"weight": torch.tensor([[1.0, 1.0]]), "bias": torch.zeros(1)})
        >>> evaluate(net, "mse", (torch.ones(3, 2), torch.ones(3, 1)), metrics=["mae"])
        {'cost': 1.0, 'mean_absolute_error': 1.0}
    """
    named = named_metrics(metrics)
    criterion = made_loss(loss)
    if not isinstance(net, Layer):
        raise ConfigError(f"evaluate measures a Layer. Received: {type(net).__name__}")
    batches = whole(data, batch_size, fields=fields, like=net, device=device)
    return measured(net, criterion, batches, named)


def whole(data: Any, batch_size: int | None, **options: Any) -> Batches:
    """All data in their order, in batches of a size that is quick and fits into any memory."""
    batches = Batches(data, shuffle=False, **options)
    if batches.rows is None:
        return batches
    return Batches(data, min(batches.rows, max(batch_size or 0, _ROWS)), shuffle=False, **options)


def measured(net: Layer, loss: Loss, batches: Batches, metrics: dict[str, Metric]) -> dict[str, Any]:
    """What `evaluate` returns, of things that are made already."""
    for metric in metrics.values():
        metric.reset()
    total = mass = 0.0
    seen = False
    averages = getattr(loss, "reduction", "mean") == "mean"
    for (x, y, weight), _ in batches:
        prediction = net.predict(x)
        cost = loss.forward(prediction, y)[0] if weight is None else weighted_cost(loss, prediction, y, weight)[0]
        share = mass_of(loss, y, weight) if averages else 1.0
        total += cost.item() * share if share else 0.0  # the mean of nothing is NaN
        mass += share
        seen = True
        for metric in metrics.values():
            metric.update(prediction, y)
    if not seen:
        raise DataError(
            "There must be a batch to measure on, each time; an iterator gives its own once. Received: none"
        )
    if averages and not mass:
        raise DataError(
            "Costs are averaged over rows that count. Received: rows that all weigh nothing, or are ignored"
        )
    values: dict[str, Any] = {"cost": total / mass if averages else total}
    return values | {name: value_of(metric) for name, metric in metrics.items()}


def value_of(metric: Metric) -> Any:
    """What a metric says, in numbers of Python's own, whatever it computes with."""
    value: Any = metric.compute()
    return value.tolist() if hasattr(value, "tolist") else value
