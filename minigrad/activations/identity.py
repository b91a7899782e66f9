"""Identity, which does nothing."""

from typing import Any, final

from minigrad.core import Activation


@final
class Identity(Activation):
    r"""Nothing is changed.

    $$y = x, \qquad \frac{\partial y}{\partial x} = 1$$

    `y` is the very object `x`, whatever it is; no layer changes a tensor in place, so sharing it is harmless. It stands
    where a layer is asked for and none is wanted, as the second branch of a `Parallel` for instance.

    Examples:
        >>> import torch
        >>> x = torch.zeros(1)
        >>> y, cache = Identity().forward(x)
        >>> y is x, cache
        (True, None)
    """

    def forward(self, x: Any) -> tuple[Any, None]:
        """Map `x` to itself."""
        return x, None

    def backward(self, grad_output: Any, cache: None) -> Any:
        """Map `dL/dy` to itself."""
        return grad_output
