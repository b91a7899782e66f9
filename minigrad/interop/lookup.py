"""Which converter is in charge of a class, among the built-in ones, this session's and the plugins'."""

import warnings
from typing import Any

import torch

from minigrad.core import Component, Converter
from minigrad.errors import AmbiguousNameError, ConversionError, PluginLoadError, PluginWarning
from minigrad.registry import Entry, current_registry

# What a subclass may define and still do what its base does.
_HARMLESS = {"__init__", "__repr__", "extra_repr"}


def converter_from(torch_type: type[torch.nn.Module]) -> Converter:
    """The converter of a torch type, or of its base if it adds nothing but a constructor (`class Net(nn.Sequential)`).

    Raises:
        ConversionError: If there is none.
        AmbiguousNameError: If several plugins have one.
    """
    for base in torch_type.__mro__[: torch_type.__mro__.index(torch.nn.Module)]:
        if converter := _find("torch_type", base):
            return converter
        if {name for name, value in vars(base).items() if _is_code(value)} - _HARMLESS:
            break
    raise ConversionError(
        "no converter knows it. minigrad.from_autograd(module) makes a layer of any module, by asking autograd for its "
        "gradient. Or write a minigrad.Converter and register it: in a plugin's minigrad_register_converters, or here "
        f"with minigrad.register_converter.{_missing_plugins()}"
    )


def converter_to(minigrad_type: type[Component]) -> Converter:
    """The converter of one of our classes.

    Raises:
        ConversionError: If there is none.
        AmbiguousNameError: If several plugins have one.
    """
    if converter := _find("minigrad_type", minigrad_type):
        return converter
    raise ConversionError(
        "no converter knows it. minigrad.as_autograd(layer) makes a torch module of any layer, with the layer's own "
        "backward. Or write a minigrad.Converter and register it: in a plugin's minigrad_register_converters, or here "
        f"with minigrad.register_converter.{_missing_plugins()}"
    )


def _find(attribute: str, cls: type) -> Converter | None:
    claims: dict[str, Entry] = {}
    for entry in current_registry().entries("converter"):
        if getattr(_class(entry), attribute, None) is cls:
            if entry.source.plugin in ("minigrad", "local"):
                return _made(entry)
            claims.setdefault(entry.source.plugin, entry)
    if len(claims) > 1:
        raise AmbiguousNameError(
            f"Several plugins convert {cls.__module__}.{cls.__qualname__}, so none does: "
            f"{', '.join(str(entry.source) for entry in claims.values())}. Switch all but one off with MINIGRAD_PLUGINS"
        )
    return _made(next(iter(claims.values()))) if claims else None


def _class(entry: Entry) -> Any:
    try:
        return entry.cls
    except PluginLoadError as error:
        # One broken converter does not keep the others from working.
        warnings.warn(PluginWarning(str(error)), stacklevel=2)
        return None


def _made(entry: Entry) -> Converter:
    converter: Any = entry.cls()
    return converter


def _is_code(value: Any) -> bool:
    return callable(value) or isinstance(value, property | staticmethod | classmethod)


def _missing_plugins() -> str:
    missing = [info for info in current_registry().plugins() if info.status != "loaded"]
    return "".join(f" The plugin {info.name!r} is not loaded: {info.cause}. {info.cure}." for info in missing)


def called(cls: type) -> str:
    """A class by the name under which people know it.

    Examples:
        >>> called(torch.nn.Linear), called(AmbiguousNameError)
        ('torch.nn.Linear', 'minigrad.errors.AmbiguousNameError')
    """
    if getattr(torch.nn, cls.__name__, None) is cls:
        return f"torch.nn.{cls.__name__}"
    return f"{cls.__module__}.{cls.__qualname__}"
