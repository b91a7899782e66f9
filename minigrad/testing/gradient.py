"""The gradient check: what a backward returns against central differences and against autograd."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import torch
from torch import Tensor

from minigrad.core import Layer, Loss, Reduction, constructor_arguments
from minigrad.testing.clues import clues_for, sizes_of
from minigrad.testing.compare import diagnose, far, worst
from minigrad.testing.judges import along, autograd_gradient, differentiable, jacobian
from minigrad.testing.passes import Pass, as_dtype, backward_recorded, draw_upstream, forward, isolated, run
from minigrad.testing.trees import cast, describe, flat, gradient_pairs, unflat

FULL = 200  # entries up to which a whole Jacobian is taken; above it, random directions
DIRECTIONS = 16


@dataclass(frozen=True)
class Fault:
    """A gradient that a judge does not agree with."""

    name: str
    message: str
    diagnosis: str = ""

    def __str__(self) -> str:
        return self.message + (f"\n  Diagnosis: {self.diagnosis}." if self.diagnosis else "")


@dataclass(frozen=True)
class Tolerance:
    """The step of the differences, and how far a gradient may be off."""

    eps: float = 1e-6
    atol: float = 1e-5
    rtol: float = 1e-3


def check_gradient(
    component: Layer | Loss, *inputs: Any, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3
) -> None:
    r"""Hold every gradient of a layer or loss against central differences, and against autograd.

    $$\frac{\partial}{\partial t} \langle g, f(t) \rangle \approx
    \frac{\langle g, f(t + \epsilon u) - f(t - \epsilon u) \rangle}{2 \epsilon}$$

    in float64, for a random upstream gradient $g$ and for $t$ the input and every parameter: the full Jacobian where it
    is small, seeded random directions otherwise. A loss is checked under each reduction that it knows. There is no
    second try. The component itself is left as it is: a copy is checked.

    Args:
        component: A layer or a loss.
        inputs: What its `forward` takes: `x`, or `prediction, target`; converted to float64.
        eps: Step of the differences.
        atol: Absolute tolerance of an entry.
        rtol: Relative tolerance of an entry.

    Raises:
        AssertionError: If a gradient is wrong; it says which, by how much, and the likely mistake.

    Examples:
        >>> from minigrad.layers import Linear
        >>> check_gradient(Linear(3, 2), torch.randn(5, 3))

        >>> class Cube(Layer):
        ...     def forward(self, x):
        ...         return x**3, x
        ...
        ...     def backward(self, grad_output, cache):
        ...         return 3 * cache**2
        >>> check_gradient(Cube(), torch.randn(5, 3))
        Traceback (most recent call last):
        AssertionError: The gradient of x must be that of forward, by central differences. Received: ...
          Diagnosis: it ignores the upstream gradient.
        ...
    """
    tolerance = Tolerance(eps, atol, rtol)
    with isolated():
        for name, variant in reductions(component):
            twin, arguments = as_dtype(variant, torch.float64), cast(inputs, torch.float64)
            faults = [*difference_faults(twin, arguments, tolerance), *autograd_faults(twin, arguments, tolerance)]
            if faults:
                where = f"In {component!r}" + (f", with reduction={name!r}." if name else ".")
                raise AssertionError("\n".join([*map(str, faults), where]))


def reductions(component: Layer | Loss) -> Iterator[tuple[str, Layer | Loss]]:
    """The component itself, or a loss under each reduction that it knows, by name."""
    if not isinstance(component, Loss) or not has_reduction(component):
        yield "", component
        return
    for reduction in get_args(Reduction):
        yield reduction, type(component)(**(component.config() | {"reduction": reduction}))


def has_reduction(loss: Loss) -> bool:
    """Whether a loss lets its reduction be chosen."""
    return any(argument.name == "reduction" for argument in constructor_arguments(type(loss)))


def difference_faults(
    component: Layer | Loss, inputs: tuple[Any, ...], tolerance: Tolerance, prefix: str = ""
) -> Iterator[Fault]:
    """Every gradient whose name begins with `prefix` that central differences do not agree with."""
    result = run(component, inputs)
    grads = dict(_named_gradients(component, inputs, result))
    for name, tensor in differentiable(component, inputs):
        if name.startswith(prefix):
            fault = _fault(component, inputs, name, tensor, grads.get(name), tolerance)
            if fault is not None:
                yield fault


def autograd_faults(component: Layer | Loss, inputs: tuple[Any, ...], tolerance: Tolerance) -> Iterator[Fault]:
    """Every gradient that torch's autograd through `forward` does not agree with."""
    expected = autograd_gradient(component, inputs)
    result = run(component, inputs)
    grads = dict(_named_gradients(component, inputs, result))
    for name, right in (expected or {}).items():
        if wrong := misfit(grads.get(name), right, tolerance):
            yield Fault(name, f"The gradient of {name} must be that of forward, by autograd. Received: {wrong}")


def _named_gradients(component: Layer | Loss, inputs: tuple[Any, ...], result: Pass) -> Iterator[tuple[str, Any]]:
    argument = "prediction" if isinstance(component, Loss) else "x"
    try:
        for name, leaf, grad in gradient_pairs(inputs[0], result.grad_input, argument):
            if leaf.is_floating_point():
                yield name, grad
    except ValueError:
        pass  # the law of structure says it in words; here the gradient is missing
    yield from ((f"parameter {name}", grad) for name, grad in result.grads.items())


def misfit(received: Any, expected: Tensor, tolerance: Tolerance) -> str:
    """How a gradient differs from the right one, or `""`."""
    if not isinstance(received, Tensor):
        # A parameter that nothing depends on needs no gradient.
        return "no gradient" if received is not None or expected.any() else ""
    if received.shape != expected.shape:
        return f"{describe(received)}, expected shape {tuple(expected.shape)}"
    if far(received, expected, tolerance.atol, tolerance.rtol).any():
        return worst(received, expected, tolerance.atol, tolerance.rtol)
    return ""


def _fault(
    component: Layer | Loss, inputs: tuple[Any, ...], name: str, tensor: Tensor, grad: Any, tolerance: Tolerance
) -> Fault | None:
    def function() -> Tensor:
        return flat(forward(component, inputs)[0])

    rule = f"The gradient of {name} must be that of forward, by central differences. Received: "
    output = forward(component, inputs)[0]
    upstream = draw_upstream(output)
    weights = flat(upstream)
    fits = isinstance(grad, Tensor) and grad.shape == tensor.shape
    if tensor.numel() > FULL and fits:
        directions = torch.randn(DIRECTIONS, *tensor.shape, dtype=torch.float64)
        expected = torch.stack([along(function, tensor, u, tolerance.eps) @ weights for u in directions])
        received = torch.stack([(grad * u).sum() for u in directions])
        rule = f"{rule}along random directions, "
        matrix = None
    else:
        matrix = jacobian(function, tensor, tolerance.eps)
        expected, received = (matrix @ weights).reshape(tensor.shape), grad
    if wrong := misfit(received, expected, tolerance):
        if not isinstance(received, Tensor):
            return Fault(name, rule + wrong, "it is missing")
        clues = clues_for(component, inputs, name, upstream, matrix) if matrix is not None else ()
        sizes = sizes_of(inputs, output)
        loose = {"atol": 10 * tolerance.atol, "rtol": 10 * tolerance.rtol}
        return Fault(name, rule + wrong, diagnose(received, expected, sizes=sizes, clues=clues, **loose))
    if matrix is None or matrix.shape[1] > FULL:
        return None
    return _jacobian_fault(component, inputs, name, matrix, output, tolerance)


def _jacobian_fault(
    component: Layer | Loss, inputs: tuple[Any, ...], name: str, matrix: Tensor, output: Any, tolerance: Tolerance
) -> Fault | None:
    rows = []
    for unit in torch.eye(matrix.shape[1], dtype=torch.float64):
        _, cache = forward(component, inputs)
        result = backward_recorded(component, unflat(unit, output), cache)
        grad = dict(_named_gradients(component, inputs, result)).get(name)
        rows.append(torch.zeros(len(matrix), dtype=torch.float64) if grad is None else grad.reshape(-1))
    if rows and (wrong := misfit(torch.stack(rows), matrix.T, tolerance)):
        return Fault(name, f"The Jacobian by {name} must be that of forward, by central differences. Received: {wrong}")
    return None
