"""Traced, a layer whose passes go on a tape."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, final

from torch import Tensor

from minigrad.core import Layer, Parameter, Wrapper, receive_gradients


class Trace(NamedTuple):
    """One pass through one layer.

    Attributes:
        layer: The layer that was passed.
        verb: Which pass it was.
        received: `x`, or `dL/dy`.
        returned: `y`, or `dL/dx` (None where only the parameters' gradients were asked for).
        cache: What `forward` handed to `backward`; a container has consumed it once its backward is over.
        gradients: The gradients that the parameters received, each with the parameter's name and the rows in it.
    """

    layer: Layer
    verb: Literal["forward", "backward", "predict"]
    received: Any
    returned: Any
    cache: Any = None
    gradients: tuple[tuple[str, Tensor, int], ...] = ()


class Tape(list[Trace]):
    """The passes in the order in which they happened."""

    def __repr__(self) -> str:
        return f"<Tape of {len(self)} passes>"


@final
class Traced(Wrapper):
    r"""Records both passes of a layer, and changes neither.

    $$y = f(x), \qquad \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\, J_f$$

    As no layer changes a tensor in place, the tape holds the tensors themselves, not copies. One tape serves a whole
    net: `map_layers(net, lambda layer: Traced(layer, tape))`.

    Args:
        layer: The layer inside.
        tape: Where each pass is appended: a `Tape`, or any list.

    Raises:
        TypeError: If `layer` is not a layer.

    Examples:
        >>> import torch
        >>> from minigrad.layers import Linear
        >>> tape = Tape()
        >>> linear = Traced(Linear(2, 1), tape)
        >>> y, cache = linear.forward(torch.ones(4, 2))
        >>> _ = linear.backward(torch.ones(4, 1), cache)
        >>> [(trace.verb, trace.returned.shape) for trace in tape]
        [('forward', torch.Size([4, 1])), ('backward', torch.Size([4, 2]))]
        >>> [(name, rows) for name, grad, rows in tape[1].gradients]
        [('weight', 4), ('bias', 4)]
    """

    def __init__(self, layer: Layer, tape: list[Trace]) -> None:
        super().__init__(layer)
        self.tape = tape

    def forward(self, x: Any) -> tuple[Any, Any]:
        """The forward of the layer inside, recorded."""
        y, cache = self.layer.forward(x)
        self.tape.append(Trace(self.layer, "forward", x, y, cache))
        return y, cache

    def backward(self, grad_output: Any, cache: Any) -> Any:
        """The backward of the layer inside, recorded."""
        return self._recorded(self.layer.backward, grad_output, cache)

    def backward_parameters(self, grad_output: Any, cache: Any) -> None:
        """The parameters-only backward of the layer inside, recorded."""
        self._recorded(self.layer.backward_parameters, grad_output, cache)

    def predict(self, x: Any) -> Any:
        """The predict of the layer inside, recorded."""
        y = self.layer.predict(x)
        self.tape.append(Trace(self.layer, "predict", x, y))
        return y

    def _recorded(self, backward: Callable[[Any, Any], Any], grad_output: Any, cache: Any) -> Any:
        parts: list[tuple[Parameter, Tensor, int]] = []
        with receive_gradients(lambda parameter, grad, rows: parts.append((parameter, grad, rows))):
            grad_input = backward(grad_output, cache)
        names = {id(parameter): name for name, parameter in self.layer.named_parameters()}
        gradients = tuple((names.get(id(parameter), parameter.role), grad, rows) for parameter, grad, rows in parts)
        self.tape.append(Trace(self.layer, "backward", grad_output, grad_input, cache, gradients))
        # Only now, so that they reach whoever receives gradients outside.
        for parameter, grad, rows in parts:
            parameter.accumulate(grad, rows)
        return grad_input
