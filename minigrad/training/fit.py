"""fit: a loop around one training step."""

from typing import Any

import torch

from minigrad.core import Layer, Loss, Optimizer, as_tensors
from minigrad.training.data import batches, is_pair
from minigrad.training.history import History
from minigrad.training.step import train_step


def fit(
    net: Layer,
    loss: Loss,
    optimizer: Optimizer,
    data: Any,
    *,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
) -> History:
    """Train `net` on `data` and return the history of its costs.

    Args:
        net: Learns in place.
        loss: What is minimised.
        optimizer: Holds the net's parameters.
        data: A pair of tensors or arrays, one row per example, or an iterable of (x, y) batches (a DataLoader, a list).
        epochs: Passes over the data.
        steps: Updates, going round the data as often as it takes. Give either `epochs` or `steps`.
        batch_size: Rows per batch of a pair; `None` takes all rows at once.
        shuffle: Whether each pass over a pair with a `batch_size` draws a new order.
        seed: Of the order; `None` draws one from torch's global generator.

    Raises:
        ValueError: If not exactly one of `epochs` and `steps` is given, it is negative, or a pass yields no batch.

    Examples:
        >>> from minigrad.layers import Linear
        >>> from minigrad.losses import MSE
        >>> from minigrad.optimizers import SGD
        >>> _ = torch.manual_seed(0)
        >>> x = torch.linspace(-1, 1, 20).reshape(20, 1)
        >>> net = Linear(1, 1)
        >>> history = fit(net, MSE(), SGD(net.parameters(), lr=0.5), (x, 3 * x + 1), epochs=50, batch_size=5, seed=0)
        >>> len(history), round(net.weight.item(), 3), round(net.bias.item(), 3)
        (200, 3.0, 1.0)
    """
    if (epochs is None) == (steps is None):
        raise ValueError(f"fit takes either epochs or steps. Received: epochs={epochs}, steps={steps}")
    for name, value in (("epochs", epochs), ("steps", steps)):
        if value is not None and value < 0:
            raise ValueError(f"{name} must not be negative. Received: {name}={value}")
    generator = None
    if shuffle and batch_size is not None:
        generator = torch.Generator()
        generator.manual_seed(int(torch.empty((), dtype=torch.int64).random_()) if seed is None else seed)
    data = as_tensors(data, net) if is_pair(data) else data
    rows: list[dict[str, Any]] = []
    epoch = 0
    while epoch != epochs and len(rows) != steps:
        first = len(rows)
        for x, y in batches(data, batch_size, generator):
            if len(rows) == steps:
                break
            cost = train_step(net, loss, optimizer, x, y)
            rows.append({"step": len(rows), "epoch": epoch, "cost": cost})
        if len(rows) == first:
            raise ValueError(f"data must yield at least one batch per pass. Received: none in pass {epoch}")
        _read(rows, first)
        epoch += 1
    return History(rows)


def _read(rows: list[dict[str, Any]], first: int) -> None:
    # Once a pass, not once a step: reading a number waits for the device.
    costs = torch.stack([row["cost"] for row in rows[first:]]).tolist()
    for row, cost in zip(rows[first:], costs, strict=True):
        row["cost"] = cost
