"""Checked, a sanitizer around a layer."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor

from minigrad.core import Layer, Parameter, Wrapper, receive_gradients
from minigrad.core.finite import tensors
from minigrad.errors import CacheError, SanitizerError
from minigrad.layers.watching import (
    Snapshot,
    described,
    expect_finite,
    expect_like,
    finiteness,
    likeness,
    storage,
)


@final
class Checked(Wrapper):
    r"""Watches both passes of a layer and stops at the first thing that cannot be right.

    $$y = f(x), \qquad \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\, J_f$$

    Neither pass is changed. Each of these is told with the name of the layer and the value that went bad:

    - NaN or infinity in `y`, in `dL/dx` or in a parameter's gradient (and whether what came in was bad already);
    - a gradient whose shape, dtype or device is not that of what it is the gradient of;
    - an argument or a parameter that a pass changed in place, and a cache that changed between forward and backward;
    - weights that changed between forward and backward: the gradient would be that of neither;
    - a parameter's gradient that shares its memory with another tensor, which clipping in place would change too;
    - a cache that came from another layer.

    It keeps copies of all that it watches and reads every value, so it is for finding a fault, not for every day; and
    it cannot stand inside `torch.func.vmap` or `torch.compile`, where there are no values to read.
    `map_layers(net, Checked)` checks each layer of a net.

    Args:
        layer: The layer inside.

    Raises:
        TypeError: If `layer` is not a layer.
        SanitizerError: If a pass is not as it should be.
        CacheError: If `backward` is given a cache that `forward` did not return.

    Examples:
        >>> import torch
        >>> from minigrad.layers import Linear
        >>> linear = Checked(Linear(2, 1))
        >>> y, cache = linear.forward(torch.ones(4, 2))
        >>> linear.backward(torch.ones(4, 1), cache).shape
        torch.Size([4, 2])
        >>> linear.backward(torch.ones(4), cache)
        Traceback (most recent call last):
        minigrad.errors.SanitizerError: Linear.backward expects dL/dy like y: (4, 1) torch.float32 cpu. Received: ...
    """

    def forward(self, x: Any) -> tuple[Any, "_Kept"]:
        """The forward of the layer inside, watched."""
        name = f"{type(self.layer).__name__}.forward"
        weights = Snapshot(_weights(self.layer))
        y, cache = self._run(name, self.layer.forward, x, weights)
        _expect_finite(name, "y", tensors(y, "y"), tensors(x, "x"))
        return y, _Kept(self, cache, likeness(x), likeness(y), weights, Snapshot(tensors(cache, "cache")))

    def backward(self, grad_output: Any, cache: "_Kept") -> Any:
        """The backward of the layer inside, watched."""
        grad_input = self._backward(self.layer.backward, grad_output, cache)
        name = f"{type(self.layer).__name__}.backward"
        expect_like(f"{name} must return dL/dx like x", grad_input, cache.x_like)
        _expect_finite(name, "dL/dx", tensors(grad_input, "dL/dx"), tensors(grad_output, "dL/dy"))
        return grad_input

    def backward_parameters(self, grad_output: Any, cache: "_Kept") -> None:
        """The parameters-only backward of the layer inside, watched."""
        self._backward(self.layer.backward_parameters, grad_output, cache)

    def predict(self, x: Any) -> Any:
        """The predict of the layer inside, watched."""
        name = f"{type(self.layer).__name__}.predict"
        y = self._run(name, self.layer.predict, x, Snapshot(_weights(self.layer)))
        _expect_finite(name, "y", tensors(y, "y"), tensors(x, "x"))
        return y

    def _run(self, name: str, run: Callable[[Any], Any], x: Any, weights: Snapshot) -> Any:
        taken = Snapshot(tensors(x, "x"))
        result = run(x)
        taken.expect_untouched(f"{name} must not change its argument")
        weights.expect_untouched(f"{name} must not change a parameter")
        return result

    def _backward(self, backward: Callable[[Any, Any], Any], grad_output: Any, cache: "_Kept") -> Any:
        name = f"{type(self.layer).__name__}.backward"
        if not isinstance(cache, _Kept) or cache.owner is not self:
            raise CacheError(f"{name} expects the cache that its own forward returned. Received: {_origin(cache)}")
        expect_like(f"{name} expects dL/dy like y", grad_output, cache.y_like)
        expect_finite(f"{name} expects a finite dL/dy", tensors(grad_output, "dL/dy"))
        cache.tensors.expect_same_values(f"{name} expects the cache as forward returned it")
        self._expect_same_weights(name, cache.weights)

        taken = Snapshot(tensors(grad_output, "dL/dy"))
        cache.tensors.mark()
        cache.weights.mark()
        parts: list[tuple[Parameter, Tensor, int]] = []
        with receive_gradients(lambda parameter, grad, rows: parts.append((parameter, grad, rows))):
            grad_input = backward(grad_output, cache.inner)
        taken.expect_untouched(f"{name} must not change its argument")
        cache.tensors.expect_untouched(f"{name} must not change its cache")
        cache.weights.expect_untouched(f"{name} must not change a parameter")

        others = [*taken.tensors, *cache.tensors.tensors, *cache.weights.tensors]
        _check_gradients(name, parts, dict(cache.weights.tensors), others)
        # Only now, so that they reach whoever receives gradients outside.
        for parameter, grad, rows in parts:
            parameter.accumulate(grad, rows)
        return grad_input

    def _expect_same_weights(self, name: str, weights: Snapshot) -> None:
        rule = f"{name} expects the weights that its forward saw"
        now = dict(_weights(self.layer))
        for path, weight in weights.tensors:
            if now.get(path) is not weight:
                raise SanitizerError(f"{rule}. Received: {path}, another object")
        weights.expect_same_values(rule)


@dataclass(frozen=True)
class _Kept:
    """What `Checked` hands from forward to backward: the cache of the layer inside, and what it was like then."""

    owner: Checked
    inner: Any
    x_like: dict[str, str | None]
    y_like: dict[str, str | None]
    weights: Snapshot
    tensors: Snapshot


def _weights(layer: Layer) -> Iterator[tuple[str, Parameter]]:
    # Frozen ones too, which are not among the parameters.
    for path, inner in layer.named_layers():
        for name, value in vars(inner).items():
            if isinstance(value, Parameter):
                yield f"{path}.{name}" if path else name, value


def _expect_finite(
    name: str, what: str, returned: Iterable[tuple[str, Tensor]], received: Iterable[tuple[str, Tensor]]
) -> None:
    try:
        expect_finite(f"{name} must return a finite {what}", returned)
    except SanitizerError as error:
        raise SanitizerError(f"{error}; {finiteness(received)}") from None


def _check_gradients(
    name: str,
    parts: Iterable[tuple[Parameter, Tensor, int]],
    weights: Mapping[str, Tensor],
    others: Iterable[tuple[str, Tensor]],
) -> None:
    names = {id(weight): path for path, weight in weights.items()}
    memory = {storage(tensor): path for path, tensor in others if tensor.numel()}
    for parameter, grad, rows in parts:
        path = names.get(id(parameter), parameter.role)
        expect_like(f"{name} must hand over dL/d{path} like {path}", grad, {"": described(parameter)})
        expect_finite(f"{name} must hand over a finite dL/d{path}", [(f"dL/d{path}", grad)])
        if not isinstance(rows, int) or rows < 0:
            raise SanitizerError(f"{name} must count the rows in dL/d{path}. Received: rows={rows!r}")
        if grad.numel() and storage(grad) in memory:
            raise SanitizerError(
                f"{name} must hand over dL/d{path} in memory of its own, as clipping changes it in place. "
                f"Received: one that shares it with {memory[storage(grad)]}"
            )
        memory[storage(grad)] = f"dL/d{path}"


def _origin(cache: Any) -> str:
    if isinstance(cache, _Kept):
        return f"the cache of another {type(cache.owner.layer).__name__}"
    return f"{type(cache).__name__}"
