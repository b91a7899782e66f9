"""Frozen, a layer that no longer learns."""

from collections.abc import Iterator
from typing import Any, final

from torch import Tensor

from minigrad.core import Parameter, Wrapper, receive_gradients


@final
class Frozen(Wrapper):
    r"""Keeps the parameters of a layer as they are.

    $$y = f(x; \theta), \qquad \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\, J_f, \qquad
    \theta \text{ receives nothing}$$

    The input's gradient passes, so what stands before it goes on learning. `parameters()` is empty, so an optimizer
    never sees them; the state dict keeps them. Whatever else the layer does while learning (dropping out, running
    statistics), it goes on doing.

    Args:
        layer: The layer inside.

    Raises:
        TypeError: If `layer` is not a layer.

    Examples:
        >>> import torch
        >>> from minigrad.layers import Linear
        >>> linear = Linear(2, 1)
        >>> frozen = Frozen(linear)
        >>> y, cache = frozen.forward(torch.ones(4, 2))
        >>> frozen.backward(torch.ones(4, 1), cache).shape, linear.weight.grad
        (torch.Size([4, 2]), None)
        >>> list(frozen.parameters()), list(frozen.state_dict())
        ([], ['weight', 'bias'])
    """

    def backward(self, grad_output: Any, cache: Any) -> Any:
        """Map `dL/dy` to `dL/dx`; what the parameters would have received is dropped."""
        with receive_gradients(_drop):
            return self.layer.backward(grad_output, cache)

    def backward_parameters(self, grad_output: Any, cache: Any) -> None:
        """Do nothing: no parameter receives anything."""

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Nothing: a frozen parameter is not trained."""
        return iter(())


def _drop(parameter: Parameter, grad: Tensor, rows: int) -> None:
    pass
