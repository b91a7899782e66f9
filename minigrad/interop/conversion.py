"""from_torch and to_torch: one walk through a whole, at whose end every tensor is carried over under its name."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Component, Layer, Parameter
from minigrad.errors import ConversionError
from minigrad.interop.lookup import called, converter_from, converter_to
from minigrad.interop.places import Place, places
from minigrad.layers import Frozen

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_PARAMETER_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")


class Walk(ABC):
    """One conversion: where it is, and what it has converted so far, so that what is one stays one.

    Args:
        share: Whether both sides use the same memory; otherwise it is copied.
    """

    def __init__(self, share: bool) -> None:
        self.share = share
        self._where = ""
        self._path = ""
        self._parts: dict[int, Any] = {}
        self._tensors: dict[int, Tensor] = {}

    def convert(self, whole: Any) -> Any:
        """Convert a whole, and carry its tensors over.

        Raises:
            ConversionError: If that cannot be done exactly; it says where.
        """
        try:
            # Weights that are drawn on the way are overwritten: nobody's random numbers are used up for them.
            with torch.random.fork_rng(devices=[]):
                twin = self(whole)
            self.carry(whole, twin)
        except (TypeError, ValueError) as error:
            raise ConversionError(f"{self._where or self._place_of(whole)}: {error}") from error
        except Exception as error:
            error.add_note(f"While {self._where or self._place_of(whole)} was converted.")
            raise
        return twin

    def __call__(self, part: Any, name: str = "") -> Any:
        """Convert the part that is called `name`, once."""
        if id(part) not in self._parts:
            path, where = self._path, self._where
            self._path = f"{path}.{name}" if path and name else path or name
            self._where = self._place_of(part)
            self._parts[id(part)] = self.part(part)
            # In no `finally` clause: after an error, this says where it was.
            self._path, self._where = path, where
        return self._parts[id(part)]

    def _place_of(self, part: Any) -> str:
        return f"{spelt(self._path)} ({called(type(part))})"

    def tensor(self, tensor: Tensor) -> Tensor:
        """The same numbers, in the same memory or in other one."""
        return self.once(tensor, _itself)

    def once(self, tensor: Tensor, make: Callable[[Tensor], Tensor]) -> Tensor:
        """Make something of the numbers of a tensor; of one tensor only one thing."""
        if id(tensor) not in self._tensors:
            plain = tensor.detach().as_subclass(Tensor)
            self._tensors[id(tensor)] = make(plain if self.share else plain.clone())
        return self._tensors[id(tensor)]

    @abstractmethod
    def part(self, part: Any) -> Any:
        """Convert one part that was not met before."""

    @abstractmethod
    def carry(self, whole: Any, twin: Any) -> None:
        """Carry the tensors of `whole` over to its `twin`."""


class FromTorch(Walk):
    """The way from torch."""

    def part(self, module: Any) -> Any:
        """Convert one module."""
        if any(torch.nn.parameter.is_lazy(parameter) for parameter in module.parameters()):
            raise ConversionError("a lazy module learns its sizes from its first input: call it once first")
        hooked = [getattr(module, hooks) for hooks in _HOOKS]
        hooked += [getattr(p, hooks) for p in module.parameters(recurse=False) for hooks in _PARAMETER_HOOKS]
        if any(hooked) or "forward" in vars(module):
            raise ConversionError(
                "a hook, or a forward in place of the class's own, cannot be converted: remove it first"
            )
        twin = converter_from(type(module)).from_torch(module, self)
        learns = [parameter.requires_grad for parameter in module.parameters()]
        if learns and not any(learns) and isinstance(twin, Layer) and any(True for _ in twin.parameters()):
            return Frozen(twin)
        return twin

    def carry(self, whole: torch.nn.Module, twin: Component) -> None:
        """Put the module's parameters and buffers into the layer."""
        state = _state(whole, twin)
        ours = {place.name: place for place in places(twin)}
        _expect_same(state, ours)
        for name, place in ours.items():
            if not isinstance(place.tensor, Parameter):
                place.put(self.tensor(state[name]))
                continue
            if state[name].requires_grad == place.frozen:
                raise ConversionError(
                    f"a layer is frozen as a whole, or not at all. Received: {spelt(name)} with "
                    f"requires_grad={state[name].requires_grad}, unlike other parameters of the same module"
                )
            place.put(self.once(state[name], partial(Parameter, role=place.tensor.role)))


class ToTorch(Walk):
    """The way to torch."""

    def part(self, component: Any) -> Any:
        """Convert one layer or loss."""
        return converter_to(type(component)).to_torch(component, self)

    def carry(self, whole: Component, twin: torch.nn.Module) -> None:
        """Put the layer's parameters and buffers into the module."""
        state = _state(twin, whole)
        ours = {place.name: place for place in places(whole)}
        _expect_same(state, ours)
        self._expect_one_mind(ours)
        for name, place in ours.items():
            if self.share and state[name].data_ptr() == place.tensor.data_ptr():
                continue  # a module of the user's own, which `from_autograd` made a layer of
            module, _, attribute = name.rpartition(".")
            make: Callable[[Tensor], Tensor] = _itself
            if isinstance(state[name], torch.nn.Parameter):
                learns = isinstance(place.tensor, Parameter) and not place.frozen
                make = partial(torch.nn.Parameter, requires_grad=learns)
            setattr(twin.get_submodule(module), attribute, self.once(place.tensor, make))

    def _expect_one_mind(self, ours: Mapping[str, Place]) -> None:
        frozen: dict[int, Place] = {}
        for place in ours.values():
            other = frozen.setdefault(id(place.tensor), place)
            if other.frozen != place.frozen:
                raise ConversionError(
                    f"a torch parameter learns everywhere or nowhere. Received: one that is frozen as "
                    f"{spelt((other if other.frozen else place).name)} and learns as "
                    f"{spelt((place if other.frozen else other).name)}"
                )


def _itself(tensor: Tensor) -> Tensor:
    return tensor


def _state(module: torch.nn.Module, component: Component) -> dict[str, Tensor]:
    """The module's tensors by name; of a loss, those of the modules in it, as its own are options."""
    state = module.state_dict(keep_vars=True)
    return {name: tensor for name, tensor in state.items() if isinstance(component, Layer) or "." in name}


def _expect_same(state: Mapping[str, Tensor], ours: Mapping[str, Place]) -> None:
    """Refuse tensors that only one side has, or that have another shape there."""
    faults = [f"{spelt(name)} only in torch" for name in sorted(state.keys() - ours.keys())]
    faults += [f"{spelt(name)} only in minigrad" for name in sorted(ours.keys() - state.keys())]
    for name in state.keys() & ours.keys():
        theirs, own = tuple(state[name].shape), tuple(ours[name].tensor.shape)
        if theirs != own:
            faults.append(f"{spelt(name)} with shape {theirs} in torch and {own} in minigrad")
    if faults:
        raise ConversionError(f"both twins must have the same state dict. Received: {', '.join(faults)}")


def spelt(path: str) -> str:
    """A state-dict path as one would write it in Python.

    Examples:
        >>> spelt("2.body.0.weight"), spelt("")
        ('net[2].body[0].weight', 'net')
    """
    steps = path.split(".") if path else []
    return "net" + "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in steps)
