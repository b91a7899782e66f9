"""GLU, one half of the features gated by the other."""

from typing import Any, final

import torch.nn.functional as F
from torch import Tensor

from minigrad import Layer, ShapeError, check_floating, kernel

_glu_backward = kernel("glu_backward")


@final
class GLU(Layer):
    r"""Gated linear unit: `x` is cut into halves $a$ and $b$ along one dimension, and the second gates the first.

    $$y = a\, \sigma(b), \qquad \frac{\partial y}{\partial a} = \sigma(b), \qquad
    \frac{\partial y}{\partial b} = a\, \sigma(b) (1 - \sigma(b))$$

    Since `y` is half as long as `x` along that dimension, it is a layer and not an activation, which would keep the
    shape.

    Args:
        dim: The dimension that is cut.

    Raises:
        ShapeError: If `x` has no dimension `dim`, or an odd number of entries along it.
        DtypeError: If `x` is not a floating-point tensor.

    Examples:
        >>> glu = GLU()
        >>> y, cache = glu.forward(torch.tensor([[3.0, 0.0]]))
        >>> y, glu.backward(torch.ones(1, 1), cache)
        (tensor([[1.5000]]), tensor([[0.5000, 0.7500]]))

    References:
        Dauphin et al., "Language Modeling with Gated Convolutional Networks", ICML 2017.
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x: (*, 2 n, *)` to `y: (*, n, *)`."""
        check_floating(self, x)
        try:
            return F.glu(x, self.dim), x
        except (IndexError, RuntimeError) as error:
            raise self._explain(x) or error from None

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        """Map `dL/dy: (*, n, *)` to `dL/dx: (*, 2 n, *)`, in one kernel."""
        return _glu_backward(grad_output, cache, self.dim)

    def _explain(self, x: Any) -> Exception | None:
        if not -x.dim() <= self.dim < x.dim() or x.shape[self.dim] % 2:
            return ShapeError(
                f"GLU expects an even number of entries along dim={self.dim}. Received: shape {tuple(x.shape)}"
            )
        return None

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        wrong = (draw(5, 3), draw(4).long(), draw(1)[0])
        return [Case(cls, draw(5, 4), wrong=wrong), Case(lambda: cls(1), draw(3, 2, 4), "three axes")]
