"""One training step."""

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Layer, Loss, Metric, Optimizer, as_tensors
from minigrad.errors import ConfigError, DataError, ShapeError
from minigrad.training.sources import Batch, rows_of

_NoOverrides = torch._C.DisableTorchFunctionSubclass


def train_step(net: Layer, loss: Loss, optimizer: Optimizer, x: Any, y: Any) -> Tensor:
    """Learn from one batch and return its cost: forward, loss, backward, update. numpy arrays will do for tensors.

    The gradient of `x` is not computed. The optimizer's gradients are cleared after the update.

    Examples:
        >>> import torch
        >>> from minigrad.activations import Sigmoid
        >>> from minigrad.layers import Linear, Sequential
        >>> from minigrad.losses import BCE
        >>> from minigrad.optimizers import SGD
        >>> _ = torch.manual_seed(0)
        >>> net = Sequential(Linear(2, 1), Sigmoid())
        >>> optimizer = SGD(net.parameters(), lr=1.0)
        >>> x, y = torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([[0.0], [1.0]])
        >>> first, *_, last = [train_step(net, BCE(), optimizer, x, y).item() for _ in range(100)]
        >>> first > 0.5, last < 0.1
        (True, True)
    """
    if type(x) is not Tensor or type(y) is not Tensor:
        x, y = as_tensors((x, y), net)
    # A Parameter is a subclass that overrides nothing; told so once, torch need not look at each call. A caller's own
    # subclass of Tensor may override something and is left alone.
    with _NoOverrides() if type(x) is Tensor and type(y) is Tensor else nullcontext():
        prediction, cache = net.forward(x)
        cost, loss_cache = loss.forward(prediction, y)
        net.backward_parameters(loss.backward(loss_cache), cache)
        optimizer.step()
        optimizer.zero_grad()
        return cost


def accumulated_step(
    net: Layer,
    loss: Loss,
    optimizer: Optimizer,
    batches: Sequence[Batch],
    *,
    clip: float | None = None,
    metrics: Sequence[Metric] = (),
    before_update: Callable[[], None] | None = None,
) -> Tensor:
    r"""Learn from several batches in one update, as if they were one, and return its cost.

    With a loss that averages, batch $i$ of $n_i$ rows enters with the share $n_i / \sum_j n_j$ (rows that are weighed
    count with their weights, and classes as the loss counts them), so that the gradient is that of one large batch;
    with a loss that sums, with 1.

    Args:
        net: Learns in place.
        loss: Its cost is one number.
        optimizer: Holds the net's parameters.
        batches: `(x, y, weight or None)`.
        clip: The largest norm that all gradients together may have; longer ones are shortened to it.
        metrics: Updated with each prediction.
        before_update: Called when the gradients are complete, before they are clipped.
    """
    shares: Sequence[float | None] = [None]
    if len(batches) > 1:
        masses = [mass_of(loss, y, weight) if _averages(loss) else 1.0 for _, y, weight in batches]
        total = (sum(masses) or 1.0) if _averages(loss) else 1.0  # rows that all weigh nothing
        shares = [mass / total for mass in masses]
    costs = []
    for (x, y, weight), share in zip(batches, shares, strict=True):
        prediction, cache = net.forward(x)
        cost, grad = _cost_and_gradient(loss, prediction, y, weight, share)
        net.backward_parameters(grad, cache)
        costs.append(cost)
        for metric in metrics:
            metric.update(prediction, y)
    if before_update is not None:
        before_update()
    if clip is not None:
        torch.nn.utils.clip_grad_norm_(optimizer.parameters, clip)
    optimizer.step()
    optimizer.zero_grad()
    return costs[0] if len(costs) == 1 else torch.stack(costs).sum()


def mass_of(loss: Loss, target: Any, weight: Tensor | None) -> float:
    """By how much the mean of a batch's costs was divided: its rows, if all count alike."""
    counts = loss.counts(target)
    if counts is None:
        return float(rows_of(target) if weight is None else weight.sum())
    return float(counts.sum() if weight is None else (counts * _along(weight, counts)).sum())


def weighted_cost(loss: Loss, prediction: Any, target: Any, weight: Tensor) -> tuple[Tensor, Tensor, Any, Loss]:
    r"""The cost of rows that count differently: $\sum_i w_i \ell_i / \sum_i w_i$ for a loss that averages (over
    $\sum_i w_i c_i$, if it counts entry $i$ with $c_i$), else without the division; with it each entry's share, the
    cache and the unreduced loss that the cache is of.

    Rows that all weigh nothing cost nothing.

    Raises:
        ConfigError: If the loss has no unreduced form.
        ShapeError: If there is not one weight per row.
        DataError: If one is negative or NaN, for a loss that averages.
    """
    if "reduction" not in loss.config():
        raise ConfigError(f"Rows are weighed with a loss that has a reduction. Received: {loss!r}")
    unreduced = copy.copy(loss)
    unreduced.reduction = "none"
    costs, cache = unreduced.forward(prediction, target)
    if costs.dim() == 0 or weight.shape != costs.shape[:1]:
        raise ShapeError(
            f"Weights are one per row, ({costs.shape[0] if costs.dim() else 1},). Received: shape {tuple(weight.shape)}"
        )
    shares = _along(weight.to(costs.dtype), costs).expand(costs.shape)
    if _averages(loss):
        if not bool((weight >= 0).all()):
            raise DataError(f"The weights of an average must not be negative. Received: {weight.min().item()}")
        counts = loss.counts(target)
        shares = shares / (float((shares if counts is None else shares * counts).sum()) or 1.0)
    return (shares * costs).sum(), shares, cache, unreduced


def _cost_and_gradient(
    loss: Loss, prediction: Any, target: Any, weight: Tensor | None, share: float | None
) -> tuple[Tensor, Any]:
    if weight is not None:
        cost, shares, cache, unreduced = weighted_cost(loss, prediction, target, weight)
        if share is not None:
            cost, shares = cost * share, shares * share
        return cost, unreduced.backward(cache, shares)
    cost, cache = loss.forward(prediction, target)
    if share is None:
        return cost, loss.backward(cache)
    if not share:
        cost = torch.zeros_like(cost)  # the mean of nothing is NaN
    return cost * share, loss.backward(cache, torch.full_like(cost, share))


def _along(weight: Tensor, entries: Tensor) -> Tensor:
    """A weight for each row, shaped so that it lies along the entries' rows."""
    return weight.reshape(-1, *[1] * (entries.dim() - 1))


def _averages(loss: Loss) -> bool:
    return getattr(loss, "reduction", "mean") == "mean"
