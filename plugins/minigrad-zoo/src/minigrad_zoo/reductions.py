"""How the costs of a batch become one, and how the gradient finds its way back to each."""

import torch
from torch import Tensor

from minigrad import Loss, ShapeError, scalar


def reduced(loss: Loss, costs: Tensor) -> Tensor:
    """The mean of the costs, their sum, or the costs themselves.

    Examples:
        >>> from minigrad_zoo import SoftMargin
        >>> reduced(SoftMargin(reduction="mean"), torch.tensor([1.0, 3.0]))
        tensor(2.)
    """
    if loss.reduction == "none":
        return costs
    return costs.mean() if loss.reduction == "mean" else costs.sum()


def upstream(loss: Loss, grad_cost: Tensor | None, like: Tensor, shape: torch.Size) -> Tensor:
    """The gradient of the cost as it was reported, 1 if it is not given.

    Args:
        loss: Whose cost it is.
        grad_cost: What `backward` was given.
        like: A tensor of the dtype and on the device that it must have.
        shape: Of the costs before they were reduced.

    Raises:
        ShapeError: If it has not the shape of the cost.
    """
    expected = shape if loss.reduction == "none" else ()
    if grad_cost is None:
        one = scalar(1, like.dtype) if like.is_cpu else like.new_ones(())
        return one.expand(expected)
    if grad_cost.shape != expected:
        raise ShapeError(
            f"{type(loss).__name__} expects a grad_cost of the shape of its cost, {tuple(expected)}. "
            f"Received: {tuple(grad_cost.shape)}"
        )
    return grad_cost


def shares(loss: Loss, grad_cost: Tensor | None, costs: Tensor) -> Tensor:
    r"""The gradient $\partial L / \partial \ell_i$ of each cost: a tensor that broadcasts to the shape of `costs`.

    Examples:
        >>> from minigrad_zoo import SoftMargin
        >>> shares(SoftMargin(reduction="mean"), None, torch.tensor([1.0, 3.0]))
        tensor(0.5000)
    """
    grad = upstream(loss, grad_cost, costs, costs.shape)
    # The mean of no costs has no gradient to share out.
    return grad / costs.numel() if loss.reduction == "mean" and costs.numel() else grad
