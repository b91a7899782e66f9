"""Constant, Zeros and Ones."""

from typing import final

from torch import Tensor

from minigrad.core import Initializer


@final
class Constant(Initializer):
    r"""$\theta = c$.

    Args:
        val: $c$.

    Examples:
        >>> bias = torch.empty(2)
        >>> Constant(0.1)(bias)
        >>> bias
        tensor([0.1000, 0.1000])
    """

    def __init__(self, val: float) -> None:
        self.val = val

    def __call__(self, tensor: Tensor) -> None:
        """Fill `tensor: (*shape)`."""
        tensor.fill_(self.val)


@final
class Zeros(Initializer):
    r"""$\theta = 0$, the usual choice for a bias; a weight of zeros keeps hidden units alike for ever.

    Examples:
        >>> bias = torch.empty(2)
        >>> Zeros()(bias)
        >>> bias
        tensor([0., 0.])
    """

    def __call__(self, tensor: Tensor) -> None:
        """Fill `tensor: (*shape)`."""
        tensor.zero_()


@final
class Ones(Initializer):
    r"""$\theta = 1$, the usual choice for a gain.

    Examples:
        >>> gain = torch.empty(2)
        >>> Ones()(gain)
        >>> gain
        tensor([1., 1.])
    """

    def __call__(self, tensor: Tensor) -> None:
        """Fill `tensor: (*shape)`."""
        tensor.fill_(1.0)
