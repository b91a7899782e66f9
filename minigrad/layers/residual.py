"""Residual, a layer with a way around it."""

from typing import Any, final

from torch import Tensor

from minigrad.core import Layer
from minigrad.errors import ShapeError


@final
class Residual(Layer):
    r"""Adds the input to what the body makes of it.

    $$y = x + f(x), \qquad \frac{\partial L}{\partial x}
    = \frac{\partial L}{\partial y} + \frac{\partial L}{\partial y}\, J_f$$

    However small the body's Jacobian $J_f$, the gradient arrives undiminished by the way around.

    Args:
        body: The layer $f$; it must keep the shape of `x`.

    Raises:
        TypeError: If `body` is not a layer.
        ShapeError: If the body returns another shape than that of `x`.

    Examples:
        >>> import torch
        >>> from minigrad.activations import ReLU
        >>> block = Residual(ReLU())
        >>> y, cache = block.forward(torch.tensor([-1.0, 2.0]))
        >>> y, block.backward(torch.ones(2), cache)
        (tensor([-1.,  4.]), tensor([1., 2.]))

    References:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
    """

    def __init__(self, body: Layer) -> None:
        if not isinstance(body, Layer):
            raise TypeError(f"Residual expects a layer. Received: body={body!r} ({type(body).__name__})")
        self.body = body

    def forward(self, x: Tensor) -> tuple[Tensor, Any]:
        """Map `x: (*shape)` to `y: (*shape)`."""
        try:
            y, cache = self.body.forward(x)
        except Exception as error:
            error.add_note(self._where())
            raise
        return self._around(x, y), cache

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        """Map `dL/dy: (*shape)` to `dL/dx: (*shape)`."""
        try:
            return grad_output + self.body.backward(grad_output, cache)
        except Exception as error:
            error.add_note(self._where())
            raise

    def backward_parameters(self, grad_output: Tensor, cache: Any) -> None:
        """Accumulate the gradients of the body's parameters alone."""
        try:
            self.body.backward_parameters(grad_output, cache)
        except Exception as error:
            error.add_note(self._where())
            raise

    def predict(self, x: Tensor) -> Tensor:
        """Add the input to what the body predicts."""
        try:
            y = self.body.predict(x)
        except Exception as error:
            error.add_note(self._where())
            raise
        return self._around(x, y)

    def _around(self, x: Tensor, y: Tensor) -> Tensor:
        # Torch would stretch the smaller of the two without a word.
        if y.shape != x.shape:
            raise ShapeError(
                f"Residual expects a body that keeps the shape of x, {tuple(x.shape)}. Received: {tuple(y.shape)} "
                f"from {type(self.body).__name__}"
            )
        return x + y

    def _where(self) -> str:
        return f"In the body ({type(self.body).__name__.lower()}) of Residual."
