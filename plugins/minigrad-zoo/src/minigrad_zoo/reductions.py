"""How the costs of a batch become one, and how the gradient finds its way back to each."""

from torch import Tensor

from minigrad import Reduction, scalar


def reduced(costs: Tensor, reduction: Reduction) -> Tensor:
    """The mean of the costs, their sum, or the costs themselves.

    Examples:
        >>> reduced(torch.tensor([1.0, 3.0]), "mean")
        tensor(2.)
    """
    if reduction == "none":
        return costs
    return costs.mean() if reduction == "mean" else costs.sum()


def shares(costs: Tensor, reduction: Reduction, grad_cost: Tensor | None) -> Tensor:
    r"""The gradient $\partial L / \partial \ell_i$ of each cost: a tensor that broadcasts to that of the costs.

    Args:
        costs: Any tensor with as many entries, and of the dtype, of the costs.
        reduction: As they were reduced.
        grad_cost: The gradient of the reduced cost; 1 if it is not given.

    Examples:
        >>> shares(torch.tensor([1.0, 3.0]), "mean", None)
        tensor(0.5000)
    """
    if grad_cost is None:
        grad_cost = scalar(1, costs.dtype)
    return grad_cost / costs.numel() if reduction == "mean" and costs.numel() else grad_cost
