"""Laws about torch's transforms: per-sample gradients by vmap, and whole-graph compilation."""

import warnings
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Layer, Loss
from minigrad.testing.compare import first_difference, readable
from minigrad.testing.law import LawBroken, NotApplicable, Reason, demand, law
from minigrad.testing.laws.gradients import without_batch
from minigrad.testing.laws.memory import observing
from minigrad.testing.passes import SEED, backward_recorded, draw_upstream, run
from minigrad.testing.trees import leaves, map_tensors
from minigrad.testing.trial import Trial


def _dependent(trial: Trial) -> Reason:
    return (
        observing(trial)
        or without_batch(trial)
        or (None if trial.case.independent else "its samples depend on each other")
    )


@law(Layer, Loss, unless=_dependent)
def vmap(trial: Trial) -> None:
    """Per-sample gradients by `torch.func.vmap` over forward and backward equal those of one sample at a time."""
    axis: Any = trial.case.batch_dim
    component, inputs = trial.component(), trial.inputs()
    batch = max(leaf.shape[axis] for _, leaf in leaves(inputs))
    singles = [_sample(inputs, axis, i) for i in range(batch)]
    alone = [run(component, single) for single in singles]
    upstream = draw_upstream(alone[0].output)
    alone = [run(component, single, upstream) for single in singles]

    def per_sample(*arguments: Any) -> dict[str, Tensor]:
        single = map_tensors(lambda t: t.unsqueeze(axis), arguments)
        # The seed stands outside: inside a transform nothing may be seeded.
        return _flat(_unseeded(component, single, upstream))

    torch.manual_seed(SEED)
    try:
        with warnings.catch_warnings():
            # Where torch loops over the samples for want of a batched kernel, the numbers are right even so.
            warnings.filterwarnings("ignore", message="There is a performance drop")
            received = torch.func.vmap(per_sample, in_dims=map_tensors(lambda _: axis, inputs), randomness="same")(
                *inputs
            )
    except Exception as error:
        first = str(error).partition("\n")[0]
        raise LawBroken(
            "torch.func.vmap must run over forward and backward: no branch on a tensor's value, nothing in place.",
            f"{type(error).__name__}: {first}",
        ) from error
    flat = [_flat(one.everything()) for one in alone]
    expected = {name: torch.stack([one[name] for one in flat]) for name in received}
    difference = first_difference(received, expected)
    demand(
        difference is None, "Per-sample gradients by vmap must equal those of one sample at a time.", str(difference)
    )


def _sample(inputs: tuple[Any, ...], axis: int, i: int) -> tuple[Any, ...]:
    """One sample, as a batch of its own."""
    return map_tensors(lambda t: t.select(axis, i).unsqueeze(axis), inputs)


def _flat(tree: Any) -> dict[str, Tensor]:
    """Every tensor of a structure by name."""
    return {readable(name): leaf for name, leaf in leaves(tree)}


def _unseeded(component: Any, inputs: tuple[Any, ...], upstream: Any) -> dict[str, Any]:
    output, cache = component.forward(*inputs)
    return backward_recorded(component, upstream, cache, output).everything()


@law(Layer, Loss, unless=observing)
def compiles(trial: Trial) -> None:
    """`torch.compile(fullgraph=True)` takes forward and backward as one graph, with the same result."""
    component, inputs = trial.component(torch.float32), trial.inputs(torch.float32)
    upstream = draw_upstream(run(component, inputs).output)
    expected = _graph(component, inputs, upstream)
    torch._dynamo.reset()
    try:
        torch.manual_seed(SEED)
        received = torch.compile(_both_passes, fullgraph=True, backend="eager")(component, inputs, upstream)
    except Exception as error:
        if "Dynamic shape operator" in str(error):
            raise NotApplicable("torch's kernel has an output whose shape depends on numbers") from error
        raise LawBroken(
            "torch.compile(fullgraph=True) must take forward and backward as one graph.",
            " ".join(str(error).split())[:300],
        ) from error
    finally:
        torch._dynamo.reset()
    difference = first_difference(received, expected, 1e-6, 1e-5)
    demand(difference is None, "A compiled component must compute the same.", str(difference))
    _forget(component)


def _graph(component: Any, inputs: tuple[Any, ...], upstream: Any) -> Any:
    torch.manual_seed(SEED)
    result = _both_passes(component, inputs, upstream)
    _forget(component)
    return result


def _both_passes(component: Any, inputs: tuple[Any, ...], upstream: Any) -> Any:
    output, cache = component.forward(*inputs)
    if isinstance(component, Loss):
        return output, component.backward(cache, upstream)
    grad = component.backward(upstream, cache)
    return output, grad, [parameter.gradient for parameter in component.parameters()]


def _forget(component: Any) -> None:
    if isinstance(component, Layer):
        component.zero_grad()
