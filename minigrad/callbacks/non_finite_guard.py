"""NonFiniteGuard, which stops at the first NaN or infinity and says where it came up."""

import math
import weakref
from collections.abc import Callable, Iterable
from typing import Any, final

from torch import Tensor

from minigrad.core import Callback, Layer, Parameter, Run, Wrapper, receive_gradients
from minigrad.core.finite import first_not_finite, tensors
from minigrad.errors import NonFiniteError


@final
class NonFiniteGuard(Callback):
    r"""Stops the run at the first NaN or infinity: it says which step, which pass, which layer, and which number.

    It looks at every value on its way, in the order in which they are computed:

    - before the first step, at the parameters;
    - forward, at what reaches each layer that computes (of the first one that is the batch) and at what it returns;
    - backward, at the gradient that the loss hands over, at each parameter's gradient and at each layer's
      $\partial L / \partial x$;
    - at the update, at the gradients that it uses, the cost of the step, and the parameters that it leaves.

    So the place that is named is the one where it came up, not one where it was noticed. A step that is stopped in
    forward or backward has changed no parameter. Each look reads the values once, and waits for the device: for a run
    that must not go wrong, or one that did.

    Raises:
        NonFiniteError: In the run, where a number is not finite.

    Examples:
        >>> NonFiniteGuard()
        NonFiniteGuard()
    """

    def __init__(self) -> None:
        self._begin(0)

    def _begin(self, step: int) -> None:
        self._step = step
        self._verb = ""  # the pass under way
        self._loss = "the loss"
        self._passed: Callable[[], Any] = _nothing  # the tensor that a layer returned last, as long as it lives

    def wrap(self, layer: Layer, name: str) -> Layer:
        """Look at both passes of the layer."""
        return Guarded(layer, name, self)

    def on_fit_start(self, run: Run) -> None:
        """Look at the parameters that the run begins with."""
        self._begin(run.step)
        self._loss = f"{type(run.loss).__name__}()"
        if found := first_not_finite(run.net.named_parameters()):
            raise self._error("before forward", f"parameter {found}, as the run began with it")

    def on_before_update(self, run: Run) -> None:
        """Look at the gradients that the update will use, all contributions summed up."""
        gradients = [(f"dL/d{n}", p.gradient) for n, p in run.net.named_parameters() if p.gradient is not None]
        if found := first_not_finite(gradients):
            raise self._error("backward", f"{found}; each contribution to this sum was finite")

    def on_step_end(self, run: Run) -> None:
        """Look at the cost, and at the parameters that the update left."""
        cost = run.row()["cost"]
        if not math.isfinite(cost):
            raise self._error("forward", f"the cost {cost}, which the loss {self._loss} made of finite outputs")
        if found := first_not_finite(run.net.named_parameters()):
            optimizer = type(run.optimizer).__name__
            raise self._error("update", f"parameter {found}; {optimizer}'s lr is {run.lr()}, the gradient was finite")
        self._step, self._verb = run.step, ""

    def on_fit_end(self, run: Run) -> None:
        """Let go of the run."""
        self._begin(0)

    def received(self, verb: str, where: str, name: str, value: Any) -> None:
        """Look at what reaches a layer, unless it is what the last one returned."""
        first, self._verb = self._verb != verb, verb
        if value is not None and value is self._passed():
            return
        if found := first_not_finite(tensors(value, name)):
            origin = "a container around the layers computed it, as no layer returned it"
            if first:
                origin = (
                    "it is in the batch"
                    if verb == "forward"
                    else f"the loss {self._loss} returned it, so look at the targets, too"
                )
            raise self._error(verb, f"on its way into {where}: {found}; {origin}")

    def returned(self, verb: str, where: str, named: Iterable[tuple[str, Tensor]]) -> None:
        """Look at what a layer returns."""
        if found := first_not_finite(named):
            raise self._error(verb, f"{where}: {found}; what it received was finite")

    def passes_on(self, value: Any) -> None:
        """Remember what a layer returned: the next one need not look at it again."""
        self._passed = weakref.ref(value) if isinstance(value, Tensor) else _nothing

    def _error(self, verb: str, found: str) -> NonFiniteError:
        return NonFiniteError(
            f"Every number of a training step must be finite. Received: in step {self._step}, {verb}, {found}"
        )


class Guarded(Wrapper):
    """A layer whose passes a `NonFiniteGuard` looks at."""

    def __init__(self, layer: Layer, name: str, guard: NonFiniteGuard) -> None:
        super().__init__(layer)
        self.name = name
        self.guard = guard
        inner = layer
        while isinstance(inner, Wrapper):  # another callback's
            inner = inner.layer
        self.where = f"layer {name} ({type(inner).__name__})" if name else f"the net ({type(inner).__name__})"

    def forward(self, x: Any) -> tuple[Any, Any]:
        """The forward of the layer inside, watched."""
        self.guard.received("forward", self.where, "x", x)
        y, cache = self.layer.forward(x)
        self.guard.returned("forward", self.where, tensors(y, "y"))
        self.guard.passes_on(y)
        return y, cache

    def backward(self, grad_output: Any, cache: Any) -> Any:
        """The backward of the layer inside, watched."""
        return self._watched(self.layer.backward, grad_output, cache)

    def backward_parameters(self, grad_output: Any, cache: Any) -> None:
        """The parameters-only backward of the layer inside, watched."""
        self._watched(self.layer.backward_parameters, grad_output, cache)

    def _watched(self, backward: Callable[[Any, Any], Any], grad_output: Any, cache: Any) -> Any:
        self.guard.received("backward", self.where, "dL/dy", grad_output)
        parts: list[tuple[Parameter, Tensor, int]] = []
        with receive_gradients(lambda parameter, grad, rows: parts.append((parameter, grad, rows))):
            grad_input = backward(grad_output, cache)
        self.guard.returned("backward", self.where, ((self._label(p), grad) for p, grad, _ in parts))
        # Only now, so that they reach whoever receives gradients outside.
        for parameter, grad, rows in parts:
            parameter.accumulate(grad, rows)
        self.guard.returned("backward", self.where, tensors(grad_input, "dL/dx"))
        self.guard.passes_on(grad_input)
        return grad_input

    def _label(self, parameter: Parameter) -> str:
        names = {id(own): name for name, own in self.layer.named_parameters()}
        return f"dL/d{names.get(id(parameter), parameter.role)}"


def _nothing() -> None:
    return None
