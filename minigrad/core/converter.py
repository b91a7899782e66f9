"""Converter: how a torch.nn module and one of our components become each other."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from minigrad.core.component import Component, constructor_arguments
from minigrad.core.layer import Layer
from minigrad.core.loss import Loss
from minigrad.errors import ConversionError


class Convert(Protocol):
    """What a converter is given: it converts the parts of a whole.

    Attributes:
        share: Whether both sides use the same memory.
    """

    share: bool

    def __call__(self, part: Any, name: str) -> Any:
        """Convert the part that stands under `name` in the state dict; one object gives one object, however often."""
        ...

    def tensor(self, tensor: Tensor) -> Tensor:
        """Copy a tensor that is an option (a loss's `weight`), or share it if that was asked for."""
        ...


class Converter(Component, ABC):
    """Turns one type of torch module into one class of layer or loss, and back.

    It carries over the options only. Parameters and buffers follow by themselves, under their names in the state dict,
    which must be the same on both sides.

    Attributes:
        torch_type: The class of torch modules; `None` if it only goes to torch.
        minigrad_type: The class of layers or losses; `None` if it only comes from torch.

    Examples:
        >>> from minigrad.activations import ReLU
        >>> class Rectifier(torch.nn.Module):
        ...     def forward(self, x):
        ...         return x.clamp(min=0)
        >>> class RectifierConverter(Converter):
        ...     torch_type = Rectifier
        ...     minigrad_type = ReLU
        ...
        ...     def from_torch(self, module, convert):
        ...         return ReLU()
        ...
        ...     def to_torch(self, component, convert):
        ...         return Rectifier()
    """

    torch_type: ClassVar[Any] = None
    minigrad_type: ClassVar[Any] = None

    @abstractmethod
    def from_torch(self, module: Any, convert: Convert) -> Component:
        """Our twin of `module`, with the same options."""

    @abstractmethod
    def to_torch(self, component: Any, convert: Convert) -> torch.nn.Module:
        """The torch twin of `component`, with the same options."""


def torch_twin(
    cls: type[Component], torch_type: type[torch.nn.Module] | None = None, **stored_as: str
) -> type[Converter]:
    """The converter of a class that bears the name, the arguments and the state-dict names of a torch.nn module.

    Args:
        cls: A layer or loss whose constructor arguments are called as torch's. It may lack some of torch's and have
            some of its own: the conversion is refused where these are not at their defaults.
        torch_type: Its twin; by default the class of the same name in torch.nn (a loss's without its suffix `Loss`).
        stored_as: Arguments that torch stores under another name: `p="norm"`.

    Raises:
        ConversionError: If torch.nn has no module of that name.

    Examples:
        >>> from minigrad.activations import ELU
        >>> torch_twin(ELU).torch_type
        <class 'torch.nn.modules.activation.ELU'>
    """
    name = cls.__name__ + "Loss" * issubclass(cls, Loss)
    torch_type = getattr(torch.nn, name, None) if torch_type is None else torch_type
    if torch_type is None:
        raise ConversionError(
            f"torch_type=... must say which torch module {cls.__name__} is. Received: no torch.nn.{name}"
        )
    attributes = {
        "torch_type": torch_type,
        "minigrad_type": cls,
        "stored_as": stored_as,
        "__doc__": f"Turns torch.nn.{torch_type.__name__} into {cls.__name__}, and back.",
        "__module__": cls.__module__,
    }
    return type(f"{cls.__name__}Converter", (_Twin,), attributes)


class _Twin(Converter):
    """The one rule for all that are made alike: an option is read from the attribute that bears its name."""

    stored_as: ClassVar[Mapping[str, str]] = {}

    def from_torch(self, module: Any, convert: Convert) -> Component:
        options = {}
        for argument in constructor_arguments(self.minigrad_type):
            stored = self.stored_as.get(argument.name, argument.name)
            if hasattr(module, stored):
                value = getattr(module, stored)
                if isinstance(argument.default, bool) and (value is None or isinstance(value, Tensor)):
                    value = value is not None  # Linear's `bias` is a flag first and a parameter then
                options[argument.name] = _converted(value, argument.name, convert)
        component: Component = self.minigrad_type(**options, **_place(self.minigrad_type, module.state_dict()))
        self._refuse_what_is_lost(module, component)
        return component

    def to_torch(self, component: Any, convert: Convert) -> torch.nn.Module:
        options = {name: _converted(value, name, convert) for name, value in self._torch_options(component).items()}
        state = component.state_dict() if isinstance(component, Layer) else {}
        module: torch.nn.Module = self.torch_type(**options, **_place(self.torch_type, state))
        return module

    def _torch_options(self, component: Component) -> dict[str, Any]:
        """The options without those that torch does not have."""
        takes = inspect.signature(self.torch_type.__init__).parameters
        takes_any = any(argument.kind is argument.VAR_KEYWORD for argument in takes.values())
        options = component.config()
        for argument in constructor_arguments(self.minigrad_type):
            if argument.name in takes or takes_any:
                continue
            value = options.pop(argument.name)
            if not _same(value, argument.default):
                raise ConversionError(
                    f"torch.nn.{self.torch_type.__name__} has no {argument.name}, so {type(component).__name__} must "
                    f"have {argument.name}={argument.default!r}. Received: {argument.name}={value!r}"
                )
        return options

    def _refuse_what_is_lost(self, module: torch.nn.Module, component: Component) -> None:
        # What a module that is made back from ours does not share with the original got lost on the way.
        options = self._torch_options(component)
        own = {name: getattr(module, name) for name, value in options.items() if isinstance(value, Component)}
        back = self.torch_type(**(options | own), **_place(self.torch_type, {"": torch.empty(0, device="meta")}))
        for name, value in vars(back).items():
            if not name.startswith("_") and name != "training" and not _same(getattr(module, name, None), value):
                hint = " No layer writes into its input: inplace=False gives the same values." * (name == "inplace")
                raise ConversionError(
                    f"{type(component).__name__} stands for torch.nn.{self.torch_type.__name__} with {name}={value!r}."
                    f"{hint} Received: {name}={getattr(module, name, None)!r}"
                )


def _converted(value: Any, name: str, convert: Convert) -> Any:
    """The value of an option, on the other side."""
    if isinstance(value, Tensor):
        return convert.tensor(value)
    return convert(value, name) if isinstance(value, Component | torch.nn.Module) else value


def _place(cls: type, state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Where `cls` must make its tensors to have them where `state` has them, and of what dtype."""
    takes = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    like = next((tensor for tensor in state.values() if tensor.is_floating_point()), None)
    if like is None:
        return {}
    return {name: getattr(like, name) for name in ("device", "dtype") if name in takes}


def _same(value: Any, other: Any) -> bool:
    if isinstance(value, Tensor) or isinstance(other, Tensor):
        return value is other
    if isinstance(value, list | tuple) and isinstance(other, list | tuple):
        return tuple(value) == tuple(other)
    return bool(value == other)
