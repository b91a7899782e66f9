"""One pass through a layer or a loss, forward and backward, with everything that came out of it."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Component, Layer, Loss, Optimizer, Parameter, receive_gradients
from minigrad.testing.trees import cast, leaves, map_tensors

SEED = 0x5EED


@dataclass
class Pass:
    """What one forward and one backward gave."""

    output: Any
    grad_input: Any
    grads: dict[str, Tensor] = field(default_factory=dict)  # of the parameters, by name
    rows: dict[str, int] = field(default_factory=dict)

    def gradients(self) -> dict[str, Any]:
        """Every gradient by name, the input's as `input`."""
        return {"input": self.grad_input} | {f"parameter {name}": grad for name, grad in self.grads.items()}

    def everything(self) -> dict[str, Any]:
        """The output and every gradient, by name."""
        return {"output": self.output} | {f"gradient of {name}": grad for name, grad in self.gradients().items()}


def forward(component: Layer | Loss, inputs: tuple[Any, ...], seed: int = SEED) -> tuple[Any, Any]:
    """The forward under a seed, so that a random layer draws the same numbers each time."""
    torch.manual_seed(seed)
    return component.forward(*inputs)


def backward(component: Layer | Loss, upstream: Any, cache: Any) -> Any:
    """The backward of a layer or a loss, which take their arguments in different order."""
    return component.backward(cache, upstream) if isinstance(component, Loss) else component.backward(upstream, cache)


def backward_recorded(component: Layer | Loss, upstream: Any, cache: Any, output: Any = None) -> Pass:
    """The backward, with the parameters' gradients taken at their door."""
    names = {id(p): name for name, p in parameters_of(component).items()}
    result = Pass(output, None)

    def receive(parameter: Parameter, grad: Tensor, rows: int) -> None:
        name = names.get(id(parameter), f"<not among parameters(), role {parameter.role}>")
        result.grads[name] = result.grads[name] + grad if name in result.grads else grad
        result.rows[name] = result.rows.get(name, 0) + rows

    with receive_gradients(receive):
        result.grad_input = backward(component, upstream, cache)
    return result


def run(component: Layer | Loss, inputs: tuple[Any, ...], upstream: Any = None, seed: int = SEED) -> Pass:
    """Forward and backward; without `upstream`, one is drawn (see `draw_upstream`)."""
    output, cache = forward(component, inputs, seed)
    return backward_recorded(component, draw_upstream(output) if upstream is None else upstream, cache, output)


def draw_upstream(output: Any, seed: int = SEED) -> Any:
    """A random gradient for `output`, in its structure; `None` where it is not floating-point."""
    generator = torch.Generator().manual_seed(seed)

    def draw(leaf: Tensor) -> Tensor | None:
        if not leaf.is_floating_point():
            return None
        grad = torch.randn(leaf.shape, generator=generator, dtype=torch.float64)
        return grad.to(device=leaf.device, dtype=leaf.dtype)

    return map_tensors(draw, output)


def parameters_of(component: Component) -> dict[str, Parameter]:
    """The parameters by name; a loss has none."""
    return dict(component.named_parameters()) if isinstance(component, Layer) else {}


def as_dtype(component: Any, dtype: torch.dtype) -> Any:
    """A deep copy of a component, in `dtype`."""
    twin = copy.deepcopy(component)
    if isinstance(twin, Layer):
        return twin.to(dtype=dtype)
    if not isinstance(twin, Optimizer):
        for name, value in vars(twin).items():
            if any(True for _ in leaves(value)):
                setattr(twin, name, cast(value, dtype))
    return twin


@contextmanager
def isolated() -> Iterator[None]:
    """Seed torch, and leave its random state and default dtype as they were found."""
    default = torch.get_default_dtype()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        try:
            yield
        finally:
            torch.set_default_dtype(default)
