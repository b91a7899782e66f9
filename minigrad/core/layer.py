"""Layer: a differentiable function that returns what its backward needs."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import chain
from typing import Any, Self, TypeVar

import torch
from torch import Tensor

from minigrad.core.arrays import as_tensors
from minigrad.core.component import Component
from minigrad.core.parameter import Parameter
from minigrad.errors import DtypeError, StateDictError

_T = TypeVar("_T")


class Layer(Component, ABC):
    r"""A function $y = f(x; \theta)$ whose gradient is written down.

    `forward(x)` returns `(y, cache)`; `backward(grad_output, cache)` returns the gradient of the input,
    $\partial L/\partial x$, and hands each parameter's gradient to `parameter.accumulate`. The cache is whatever the
    author wants; the layer itself remembers nothing, so it may stand twice in one net.

    Several tensors in or out travel as a tuple, and so do their gradients.

    State is found, not registered: in `vars(self)`, a `Parameter` is trained, another tensor is a buffer, and a `Layer`
    (also inside a list, tuple or dict) is a child.

    Examples:
        >>> class Square(Layer):
        ...     def forward(self, x):
        ...         return x * x, x
        ...
        ...     def backward(self, grad_output, cache):
        ...         return 2 * cache * grad_output
        >>> y, cache = Square().forward(torch.tensor([3.0]))
        >>> y, Square().backward(torch.ones(1), cache)
        (tensor([9.]), tensor([6.]))
    """

    @abstractmethod
    def forward(self, x: Any) -> tuple[Any, Any]:
        """The learning pass: map `x` to `(y, cache)`."""

    @abstractmethod
    def backward(self, grad_output: Any, cache: Any) -> Any:
        """Map `dL/dy` to `dL/dx`, and accumulate the parameters' gradients."""

    def backward_parameters(self, grad_output: Any, cache: Any) -> None:
        """Accumulate the parameters' gradients only; override it where `dL/dx` can be saved.

        Training calls it on the whole net, whose input needs no gradient.
        """
        self.backward(grad_output, cache)

    def predict(self, x: Any) -> Any:
        """The predicting pass: `forward(x)[0]`, unless learning and predicting differ (Dropout, BatchNorm)."""
        return self.forward(x)[0]

    def __call__(self, x: Any) -> Any:
        """The same as `predict`; numpy arrays will do, too."""
        return self.predict(x if type(x) is Tensor else as_tensors(x, self))

    def named_children(self) -> Iterator[tuple[str, "Layer"]]:
        """The layers directly inside this one, under the names that torch would give them."""
        for name, value in vars(self).items():
            if isinstance(value, Layer):
                yield name, value
            elif isinstance(value, list | tuple):
                yield from ((f"{name}.{i}", item) for i, item in enumerate(value) if isinstance(item, Layer))
            elif isinstance(value, dict):
                yield from ((f"{name}.{key}", item) for key, item in value.items() if isinstance(item, Layer))

    def children(self) -> Iterator["Layer"]:
        """The layers directly inside this one."""
        return (child for _, child in self.named_children())

    def named_layers(self) -> Iterator[tuple[str, "Layer"]]:
        """This layer, named `""`, and every layer below it; a layer that stands twice comes once."""
        below = ((_join(name, n), layer) for name, c in self.named_children() for n, layer in c.named_layers())
        return _once(chain([("", self)], below))

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """What is trained, by name; a parameter that stands twice comes once."""
        own = ((name, value) for name, value in vars(self).items() if isinstance(value, Parameter))
        below = ((_join(name, n), p) for name, child in self.named_children() for n, p in child.named_parameters())
        return _once(chain(own, below))

    def parameters(self) -> Iterator[Parameter]:
        """What is trained; each parameter once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """The tensors that are kept but not trained, by name; each once."""
        own = ((name, value) for name, value in vars(self).items() if _is_buffer(value))
        below = ((_join(name, n), b) for name, child in self.named_children() for n, b in child.named_buffers())
        return _once(chain(own, below))

    def buffers(self) -> Iterator[Tensor]:
        """The tensors that are kept but not trained; each once."""
        return (buffer for _, buffer in self.named_buffers())

    def zero_grad(self) -> None:
        """Forget the gradient of every parameter."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def state_dict(self) -> dict[str, Tensor]:
        """Every parameter and buffer under torch's name for it (`0.weight`); the tensors share this layer's storage."""
        own = {n: v for n, v in vars(self).items() if isinstance(v, Parameter)}
        own |= {n: v for n, v in vars(self).items() if _is_buffer(v)}
        below = {_join(name, n): v for name, child in self.named_children() for n, v in child.state_dict().items()}
        return {name: value.detach() for name, value in own.items()} | below

    def load_state_dict(self, state_dict: Mapping[str, Tensor], strict: bool = True) -> None:
        """Copy values into this layer's parameters and buffers; all of them or, if anything does not fit, none.

        Args:
            state_dict: Tensors by name, ours or a torch module's.
            strict: Whether the names must be exactly this layer's. Shapes must always fit.

        Raises:
            StateDictError: If names are missing or unexpected, or shapes differ; it lists them all.
        """
        if not isinstance(state_dict, Mapping):
            raise StateDictError(f"A state dict holds tensors by name. Received: {type(state_dict).__name__}")
        own = self.state_dict()
        faults = [
            f"{name}: expected shape {tuple(own[name].shape)}. Received: {_seen(value).removeprefix('of shape ')}"
            for name, value in state_dict.items()
            if name in own and (not isinstance(value, Tensor) or own[name].shape != value.shape)
        ]
        if strict:
            faults += [f"{name}: missing, expected shape {tuple(own[name].shape)}" for name in own.keys() - state_dict]
            faults += [f"{name}: unexpected, {_seen(state_dict[name])}" for name in state_dict.keys() - own]
        if faults:
            raise StateDictError(
                f"The state dict does not fit {type(self).__name__}:\n"
                + "\n".join(f"  {line}" for line in sorted(faults))
            )
        for name, value in state_dict.items():
            if name in own:
                own[name].copy_(value)

    def to(self, device: Any = None, dtype: torch.dtype | None = None) -> Self:
        """Move every tensor to a device, convert the floating-point ones to a dtype, and return this layer.

        Parameters stay the same objects, so an optimizer that holds them goes on working.

        Raises:
            DtypeError: If `dtype` is not a floating-point one: the fractions would be lost.
        """
        if isinstance(device, torch.dtype):
            device, dtype = None, device
        if dtype is not None and not dtype.is_floating_point:
            raise DtypeError(f"{type(self).__name__}.to expects a floating-point dtype. Received: {dtype}")

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device, dtype if tensor.is_floating_point() else None)

        for _, layer in self.named_layers():
            for name, value in vars(layer).items():
                if isinstance(value, Parameter):
                    value.data = move(value.data)
                    value.grad = None if value.grad is None else move(value.grad)
                elif _is_buffer(value):
                    setattr(layer, name, move(value))
        return self

    def _repr_html_(self) -> str:
        rows = [
            f"<tr><td>{escape(name)}</td><td><code>{escape(repr(layer))}</code></td>"
            f"<td>{sum(p.numel() for p in layer.parameters()):,}</td></tr>"
            for name, layer in (list(self.named_children()) or [("", self)])
        ]
        total = sum(parameter.numel() for parameter in self.parameters())
        return (
            f"<table><caption>{escape(type(self).__name__)}, {total:,} parameters</caption>"
            f"<tr><th>name</th><th>layer</th><th>parameters</th></tr>{''.join(rows)}</table>"
        )


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix and name else prefix or name


def _seen(value: Any) -> str:
    return f"of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"no tensor, but of {type(value)}"


def _is_buffer(value: Any) -> bool:
    return isinstance(value, Tensor) and not isinstance(value, Parameter)


def _once(items: Iterable[tuple[str, _T]]) -> Iterator[tuple[str, _T]]:
    seen = set()
    for name, item in items:
        if id(item) not in seen:
            seen.add(id(item))
            yield name, item
