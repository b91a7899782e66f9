"""Laws about state: what is saved, found, drawn at random, and the same when it is predicted or rebuilt."""

import io
from typing import Any

import torch

from minigrad.core import Layer, Loss, Parameter, Wrapper, map_layers
from minigrad.testing.compare import first_difference
from minigrad.testing.law import Reason, demand, law
from minigrad.testing.passes import SEED, backward_recorded, draw_upstream, forward, run
from minigrad.testing.trees import everywhere
from minigrad.testing.trial import Trial


def _without_state(trial: Trial) -> Reason:
    return None if trial.made().state_dict() else "it has no parameters and no buffers"


@law(Layer)
def state_found(trial: Trial) -> None:
    """Every parameter that hangs on the layer is found: it stands in the state dict."""
    component = trial.made()
    hanging = {name: t for name, t in everywhere(vars(component), "self").items() if isinstance(t, Parameter)}
    known = {(t.data_ptr(), t.shape) for t in component.state_dict().values()}
    lost = [name for name, t in hanging.items() if (t.data_ptr(), t.shape) not in known]
    rule = "A parameter is an attribute of its layer, and a layer an attribute or an item of a list, tuple or dict."
    demand(not lost, rule, f"not found: {', '.join(lost)}")


@law(Layer, unless=_without_state)
def state_dict_round_trip(trial: Trial) -> None:
    """A fresh layer that loads another one's state dict, saved and read again, computes the same."""
    source, target = trial.component(), trial.made(SEED + 1).to(dtype=torch.float64)
    file = io.BytesIO()
    torch.save(source.state_dict(), file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    target.load_state_dict(state)
    expected, received = (run(component, trial.inputs()).everything() for component in (source, target))
    difference = first_difference(received, expected, 0.0, 0.0)
    demand(difference is None, "The state dict must hold everything that the output depends on.", str(difference))
    again = target.state_dict()
    demand(list(again) == list(state), "Loading a state dict must not change its names.", ", ".join(again))


@law(Layer, Loss)
def deterministic(trial: Trial) -> None:
    """The same seed gives the same numbers, and `backward` draws none of its own."""
    component = trial.component()
    one, two = run(component, trial.inputs()), run(component, trial.inputs())
    difference = first_difference(two.everything(), one.everything(), 0.0, 0.0)
    demand(difference is None, "The same seed must give the same numbers.", f"the second time, {difference}")
    output, cache = forward(component, trial.inputs())
    torch.manual_seed(SEED + 99)
    late = backward_recorded(component, draw_upstream(output), cache, output)
    difference = first_difference(late.everything(), one.everything(), 0.0, 0.0)
    rule = "backward must draw no random numbers: what forward drew belongs into the cache."
    demand(difference is None, rule, f"under another seed, {difference}")


@law(Layer)
def predicts(trial: Trial) -> None:
    """`predict` draws no random numbers, and is `forward`'s output unless the case says that it differs."""
    component = trial.component()
    predictions: list[Any] = []
    for seed in (SEED, SEED + 1):
        torch.manual_seed(seed)
        predictions.append(component.predict(*trial.inputs()))
    difference = first_difference(predictions[1], predictions[0], 0.0, 0.0)
    demand(difference is None, "predict must draw no random numbers.", f"under another seed, {difference}")
    difference = first_difference(component(*trial.inputs()), predictions[0], 0.0, 0.0)
    demand(difference is None, "Calling a layer is predict.", str(difference))
    if not trial.case.predict_differs:
        difference = first_difference(predictions[0], forward(component, trial.inputs())[0])
        demand(difference is None, "predict gives forward's output.", str(difference))


def _without_children(trial: Trial) -> Reason:
    return None if any(True for _ in trial.made().children()) else "there is no layer in it"


@law(Layer, unless=_without_children)
def mapped(trial: Trial) -> None:
    """`map_layers` builds a net of the same structure around the layers in it: same numbers, same parameters."""
    component = trial.component()
    seen: list[Layer] = []

    def note(layer: Layer) -> Layer:
        seen.append(layer)
        return layer

    twin = map_layers(component, note)
    demand(bool(seen), "Every layer in a layer is found, as an attribute or an item of a list, tuple or dict.", "none")
    expected, received = (run(net, trial.inputs()).everything() for net in (component, twin))
    difference = first_difference(received, expected, 0.0, 0.0)
    demand(difference is None, "A net that map_layers rebuilds must compute the same.", str(difference))
    replaced = map_layers(component, _Refusing)
    try:
        forward(replaced, trial.inputs())
    except _Refused:
        return
    demand(False, "A net that map_layers rebuilds must run the new layers.", "the old ones ran")


class _Refused(Exception):
    """The layer in a rebuilt net was run."""


class _Refusing(Wrapper):
    """A layer that only tells that it was run."""

    def forward(self, x: Any) -> tuple[Any, Any]:
        raise _Refused


@law(Wrapper)
def transparent(trial: Trial) -> None:
    """A wrapper's state dict has the names of the layer inside, and it refuses what is no layer."""
    component = trial.made()
    names, inner = list(component.state_dict()), list(component.layer.state_dict())
    demand(names == inner, f"The names in the state dict are those of the layer inside: {inner}.", str(names))
    try:
        type(component)("no layer")
    except TypeError:
        return
    demand(False, "A wrapper refuses what is no layer with a TypeError.", "no error for the text 'no layer'")
