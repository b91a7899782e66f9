"""A net as a tree of torch modules in which every layer computes what it predicts."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Layer, Wrapper
from minigrad.interop.autograd_layer import AutogradLayer
from minigrad.interop.places import places
from minigrad.interop.torch import to_torch
from minigrad.layers import Checked, Timed, Traced

_WATCHING = (Checked, Timed, Traced)


@dataclass
class Visit:
    """A call of one layer.

    Attributes:
        path: Of the layer in the net.
        layer: The layer.
        x: What it was given.
        error: What it raised.
    """

    path: str
    layer: Layer
    x: Any
    error: Exception | None = None


class Diary:
    """The calls of a net's layers, in the order in which they began.

    No list in the modules themselves: torch gives them copies of their lists back when it has followed them.
    """

    def __init__(self) -> None:
        self.visits: list[Visit] = []

    def innermost_failure(self) -> Visit | None:
        """The call in which an error began."""
        return next((visit for visit in reversed(self.visits) if visit.error), None)


def path_of(name: str) -> str:
    """The name in the net's state dict of what a `Net` calls so.

    Examples:
        >>> path_of("net.at_0.at_body.at_weight"), path_of("net"), path_of("net.at_1.at_.bias")
        ('0.body.weight', '', '1.bias')
    """
    parts = (part.removeprefix("at_") for part in name.split(".")[1:])
    return ".".join(part for part in parts if part)  # the inside of a wrapper has no name of its own


class Fault(Exception):
    """Why something cannot be exported.

    Args:
        reason: For people.
        visit: Where it happened, if that is known.
    """

    def __init__(self, reason: str, visit: Visit | None = None) -> None:
        super().__init__(reason)
        self.visit = visit


def first_line(error: BaseException) -> str:
    r"""What an error says before it goes into detail.

    Examples:
        >>> first_line(ValueError("no such operator\nat all"))
        'ValueError: no such operator'
    """
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"


class Guest(torch.nn.Module):
    """One layer as a torch module. Names of the net's stand in it with a prefix, so that none meets one of torch's.

    Args:
        path: Of the layer in the net.
        layer: The layer itself.
        stand_in: A copy whose tensors are lent to it by the module: torch puts tensors without numbers there.
        diary: Where its calls are written down.
    """

    def __init__(self, path: str, layer: Layer, stand_in: Layer, diary: Diary) -> None:
        super().__init__()
        self.path = path
        self.layer = layer
        self.stand_in = stand_in
        self.diary = diary
        self.lent: list[str] = []
        for name, value in vars(stand_in).items():
            if isinstance(value, Tensor):
                self.register_buffer(f"at_{name}", value)
                self.lent.append(name)

    def lend(self) -> None:
        """Have the stand-in compute with the tensors that the module holds now."""
        for name in self.lent:
            vars(self.stand_in)[name] = getattr(self, f"at_{name}")

    def forward(self, x: Any) -> Any:
        """What the layer predicts."""
        visit = Visit(self.path, self.layer, x)
        self.diary.visits.append(visit)
        try:
            return type(self.stand_in).predict(self.stand_in, x)
        except Exception as error:
            visit.error = error
            raise


class Net(torch.nn.Module):
    """A whole net, for torch to follow.

    Args:
        net: It is left as it is, and shares its memory.

    Attributes:
        diary: The calls of its layers.
    """

    def __init__(self, net: Layer) -> None:
        super().__init__()
        tensors = {id(place.tensor): place.tensor.detach().as_subclass(Tensor).cpu() for place in places(net)}
        self._known: dict[int, torch.nn.Module] = {}
        self.diary = Diary()
        # Tensors are not copied, and those that are one stay one.
        self.net = self._invited("", net, copy.deepcopy(net, dict(tensors)))

    def forward(self, *inputs: Tensor) -> Any:
        """What the net predicts."""
        for guest in self.guests():
            guest.lend()
        return self.net(inputs[0] if len(inputs) == 1 else inputs)

    def guests(self) -> Iterator[Guest]:
        """The modules that stand for layers, outer ones first."""
        return (module for module in self.modules() if isinstance(module, Guest))

    def _invited(self, path: str, layer: Layer, stand_in: Layer) -> torch.nn.Module:
        if id(layer) not in self._known:
            self._known[id(layer)] = module = self._module(path, layer, stand_in)
            vars(stand_in)["predict"] = module  # whoever holds the stand-in calls the module from now on
        return self._known[id(layer)]

    def _module(self, path: str, layer: Layer, stand_in: Layer) -> torch.nn.Module:
        # A wrapper that only watches, or changes nothing about predicting, is as good as what is inside.
        if isinstance(layer, _WATCHING) or getattr(type(layer), "predict", None) is Wrapper.predict:
            return self._invited(path, vars(layer)["layer"], vars(stand_in)["layer"])
        if isinstance(stand_in, AutogradLayer):
            return _Called(to_torch(stand_in, share=True).eval())
        guest = Guest(path, layer, stand_in, self.diary)
        for (name, child), (_, twin) in zip(layer.named_children(), list(stand_in.named_children()), strict=True):
            *folders, last = (f"at_{part}" for part in name.split("."))
            holder: torch.nn.Module = guest
            for folder in folders:
                if folder not in holder._modules:
                    holder.add_module(folder, torch.nn.Module())
                holder = holder.get_submodule(folder)
            holder.add_module(last, self._invited(f"{path}.{name}".strip("."), child, twin))
        return guest


class _Called(torch.nn.Module):
    """A module of the user's own, which takes several inputs as several arguments."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.at_ = module

    def forward(self, x: Any) -> Any:
        return self.at_(*x) if isinstance(x, tuple) else self.at_(x)
