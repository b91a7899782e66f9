"""Laws about memory: nothing is changed in place, nothing is shared that must not be, and a layer remembers nothing."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Layer, Loss
from minigrad.errors import CacheError
from minigrad.testing.compare import first_difference
from minigrad.testing.law import Reason, demand, law
from minigrad.testing.laws.gradients import without_parameters
from minigrad.testing.passes import SEED, backward_recorded, draw_upstream, forward, parameters_of, run
from minigrad.testing.trees import everywhere, leaves, map_tensors
from minigrad.testing.trial import Trial


class Watch:
    """Tensors as they were, to tell later which of them was changed in place."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.before = {
            name: (t, t.detach().clone(), t._version, t.data_ptr(), t.shape, t.stride()) for name, t in tensors.items()
        }

    def changed(self) -> list[str]:
        """The names of those that are not what they were, in value, version, storage or shape."""
        return [
            name
            for name, (t, value, *rest) in self.before.items()
            if [t._version, t.data_ptr(), t.shape, t.stride()] != rest
            or not torch.equal(t.nan_to_num(), value.nan_to_num())
        ]


def enclosed(tree: Any, name: str) -> tuple[Any, dict[str, Tensor]]:
    """The same structure as views into larger tensors, and every tensor that is to be watched, by name."""
    larger: list[Tensor] = []

    def enclose(leaf: Tensor) -> Tensor:
        base = torch.cat([leaf.new_ones(1), leaf.reshape(-1), leaf.new_ones(1)])
        larger.append(base)
        return base[1:-1].view(leaf.shape)

    views = map_tensors(enclose, tree)
    around = {f"what {name} is a view of ({i})": base for i, base in enumerate(larger)}
    return views, dict(leaves(views, name)) | around


@law(Layer, Loss, each_reduction=True)
def arguments_untouched(trial: Trial) -> None:
    """No tensor is changed in place: no argument, no parameter, none in the cache, nothing that they alias."""
    component = trial.component()
    names = ("prediction", "target") if isinstance(component, Loss) else ("x",)
    inputs, watched = [], {f"parameter {name}": p.detach() for name, p in parameters_of(component).items()}
    for name, value in zip(names, trial.inputs(), strict=True):
        views, tensors = enclosed(value, name)
        inputs.append(views)
        watched |= tensors
    watch = Watch(watched)
    output, cache = forward(component, tuple(inputs))
    _demand_unchanged(watch, "forward")
    upstream, tensors = enclosed(draw_upstream(output), "grad_cost" if isinstance(component, Loss) else "grad_output")
    # A container pops its cache while it works, so what is in it is listed first.
    watch = Watch(watched | tensors | everywhere(cache, "cache") | dict(leaves(output, "output")))
    backward_recorded(component, upstream, cache)
    _demand_unchanged(watch, "backward")
    if isinstance(component, Layer):
        watch = Watch(watched)
        component.predict(inputs[0])
        _demand_unchanged(watch, "predict")


def _demand_unchanged(watch: Watch, method: str) -> None:
    changed = watch.changed()
    diagnosis = f"{method} mutated the argument {changed[0]}" if changed else ""
    demand(not changed, f"{method} must change no tensor in place.", f"changed: {', '.join(changed)}", diagnosis)


@law(Layer, unless=without_parameters)
def fresh_gradients(trial: Trial) -> None:
    """The gradients handed over are tensors of their own: they share no storage, and none overlaps itself."""
    component, inputs = trial.component(), trial.inputs()
    output, cache = forward(component, inputs)
    upstream = draw_upstream(output)
    others = everywhere(cache, "cache") | dict(leaves(inputs[0], "x")) | dict(leaves(upstream, "grad_output"))
    others |= {f"parameter {name}": p for name, p in parameters_of(component).items()}
    result = backward_recorded(component, upstream, cache)
    others |= dict(leaves(result.grad_input, "the returned gradient"))
    for name, grad in result.grads.items():
        shared = [other for other, tensor in others.items() if _share(grad, tensor)]
        rule = f"The gradient of {name} must be a fresh tensor, which the optimizer may change."
        demand(not shared, rule, f"one that shares memory with {', '.join(shared)}")
        others[f"the gradient of {name}"] = grad
        overlaps = any(size > 1 and step == 0 for size, step in zip(grad.shape, grad.stride(), strict=True))
        demand(not overlaps, rule, "an expanded tensor, whose entries share memory")


def _share(one: Tensor, other: Tensor) -> bool:
    return one.numel() > 0 and one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def observing(trial: Trial) -> Reason:
    """The reason to pass by a component that is made to watch passes."""
    return "it is made to watch each pass" if trial.case.observes else None


@law(Layer, Loss, unless=observing)
def remembers_nothing(trial: Trial) -> None:
    """Neither pass leaves anything behind on the component: its attributes are the same objects afterwards."""
    component = trial.component()
    before = _attributes(component)
    output, cache = forward(component, trial.inputs())
    after_forward = _attributes(component)
    backward_recorded(component, draw_upstream(output), cache)
    rule = "A component keeps no memory of a pass: put what backward needs into the cache."
    for method, after in (("forward", after_forward), ("backward", _attributes(component))):
        changed = [name for name in before.keys() | after.keys() if after.get(name) is not before.get(name)]
        demand(not changed, rule, f"{method} changed {', '.join(sorted(changed))}")


def _attributes(component: Layer | Loss) -> dict[str, Any]:
    """Every attribute of a component and of what is in it, and every item of those that are collections."""
    found: dict[str, Any] = {}
    parts = component.named_layers() if isinstance(component, Layer) else [("", component)]
    for part, holder in parts:
        for name, value in vars(holder).items():
            path = f"{part}.{name}" if part else name
            found[path] = value
            items = (
                value.items()
                if isinstance(value, dict)
                else enumerate(value)
                if isinstance(value, list | tuple)
                else ()
            )
            found |= {f"{path}[{key!r}]": item for key, item in items}
    return found


def other_inputs(trial: Trial) -> tuple[Any, ...]:
    """A second set of inputs: the samples in reverse order, or where there are none, smaller numbers."""
    axis = trial.case.batch_dim
    if axis is not None:
        return map_tensors(lambda t: t.flip(axis) if t.dim() else t, trial.inputs())
    first, *others = trial.inputs()
    return (map_tensors(lambda t: 0.9 * t if t.is_floating_point() else t, first), *others)


@law(Layer, Loss)
def reentrant(trial: Trial) -> None:
    """Two forwards before two backwards, in either order, give what each pass gives alone."""
    passes = [(trial.inputs(), SEED), (other_inputs(trial), SEED + 1)]
    alone = [run(trial.component(), inputs, seed=seed) for inputs, seed in passes]
    for order in ((0, 1), (1, 0)):
        component = trial.component()
        forwards = [forward(component, inputs, seed) for inputs, seed in passes]
        for i in order:
            output, cache = forwards[i]
            received = backward_recorded(component, draw_upstream(output), cache, output).everything()
            difference = first_difference(received, alone[i].everything())
            mixed_up = first_difference(received["gradient of input"], alone[1 - i].grad_input) is None
            diagnosis = "stale cache: the gradient is that of the other forward" if difference and mixed_up else ""
            rule = "A component may run forward again before backward."
            demand(difference is None, rule, f"after two forwards, {difference}", diagnosis)


def _another_shape(trial: Trial) -> Reason:
    inputs = trial.inputs()
    output, _ = forward(trial.component(), inputs)
    shapes = [[leaf.shape for _, leaf in leaves(tree)] for tree in (inputs[0], output)]
    return None if shapes[0] == shapes[1] else "its output cannot be its input"


@law(Layer, unless=_another_shape)
def twice_in_a_net(trial: Trial) -> None:
    """One object that stands twice in a net computes what two copies of it would."""
    one = trial.component()
    results = []
    for first, second in ((one, copy.deepcopy(one)), (trial.component(), None)):
        last = second or first
        middle, first_cache = forward(first, trial.inputs())
        output, last_cache = forward(last, (middle,))
        late = backward_recorded(last, draw_upstream(output), last_cache)
        early = backward_recorded(first, late.grad_input, first_cache)
        grads = {name: early.grads[name] + late.grads[name] for name in early.grads}
        results.append({"output": output, "gradient of x": early.grad_input, **grads})
    difference = first_difference(results[1], results[0])
    rule = "A component may stand twice in a net."
    demand(difference is None, rule, f"used twice, {difference}", "stale cache: it remembers only its last pass")


@law(Layer, Loss)
def cache_used_again(trial: Trial) -> None:
    """A second backward with one cache gives the same gradients, or says by a CacheError that the cache is spent."""
    component = trial.component()
    output, cache = forward(component, trial.inputs())
    upstream = draw_upstream(output)
    first = backward_recorded(component, upstream, cache).gradients()
    kept = map_tensors(Tensor.clone, first)
    try:
        second = backward_recorded(component, upstream, cache).gradients()
    except CacheError:
        return
    difference = first_difference(second, kept)
    demand(difference is None, "backward must not spoil the cache without saying so.", f"the second time, {difference}")
