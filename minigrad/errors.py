"""Every exception that minigrad raises on purpose, as one tree.

```text
MinigradError
├── ShapeError            (ValueError)    a tensor of the wrong shape
├── DtypeError            (TypeError)     a tensor of the wrong dtype, or no tensor at all
├── TargetError           (ValueError)    a loss target outside its range
├── CacheError            (RuntimeError)  a backward with a cache that is spent or not its own
├── StateDictError        (ValueError)    weights that do not fit the net
├── ConfigError           (ValueError)    a configuration that cannot be built
├── ConversionError       (ValueError)    a torch module without an exact twin here, or a layer without one there
├── SanitizerError        (RuntimeError)  what `Checked` found: a non-finite value, a mutated argument, ...
├── NonFiniteError        (ArithmeticError)  a NaN or an infinity in a training run: layer, pass and step
├── CheckpointError       (ValueError)    a file of weights or a checkpoint that cannot be trusted or does not fit
├── DataError             (ValueError)    data that cannot be read as what they should be
├── MissingExtraError     (ImportError)   a package that an extra of minigrad brings is not installed
└── PluginError
    ├── UnknownNameError      (LookupError)  no component has that name
    ├── AmbiguousNameError    (LookupError)  several plugins claim that name
    ├── RegistrationError     (ValueError)   a component that cannot be registered
    └── PluginLoadError                      a plugin that could not be loaded
```

`PluginWarning` is what a skipped plugin leaves behind when errors are not asked for, and what loading a net says if it
was saved with another version of one.
"""

from collections.abc import Iterable as _Iterable

__all__ = [
    "AmbiguousNameError",
    "CacheError",
    "CheckpointError",
    "ConfigError",
    "ConversionError",
    "DataError",
    "DtypeError",
    "MinigradError",
    "MissingExtraError",
    "NonFiniteError",
    "PluginError",
    "PluginLoadError",
    "PluginWarning",
    "RegistrationError",
    "SanitizerError",
    "ShapeError",
    "StateDictError",
    "TargetError",
    "UnknownNameError",
]


class MinigradError(Exception):
    """Root of the tree: catches whatever minigrad raises on purpose."""


class ShapeError(MinigradError, ValueError):
    """A tensor has a shape that the component cannot take."""


class DtypeError(MinigradError, TypeError):
    """A tensor has a dtype that the component cannot take, or is no tensor."""


class TargetError(MinigradError, ValueError):
    """A loss target lies outside its range."""


class CacheError(MinigradError, RuntimeError):
    """A backward was given a cache that is already spent, or not its own."""


class StateDictError(MinigradError, ValueError):
    """A state dict does not fit the net: missing or unexpected names, or other shapes."""


class ConfigError(MinigradError, ValueError):
    """A configuration cannot be built.

    Attributes:
        faults: All that is wrong with it, a sentence each.
    """

    def __init__(self, message: str, faults: _Iterable[str] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults) or (message,)


class ConversionError(MinigradError, ValueError):
    """A torch module has no exact twin here, or a layer or loss has none in torch."""


class SanitizerError(MinigradError, RuntimeError):
    """`Checked` found a value or a mutation that must not be."""


class NonFiniteError(MinigradError, ArithmeticError):
    """A NaN or an infinity turned up in a training run."""


class CheckpointError(MinigradError, ValueError):
    """A file of weights or a checkpoint is damaged, is not one, or does not fit."""


class DataError(MinigradError, ValueError):
    """Data cannot be read as what they should be."""


class MissingExtraError(MinigradError, ImportError):
    """A package is needed that one of minigrad's extras brings, and it is not installed."""


class PluginError(MinigradError):
    """Something about a plugin or a registered name is wrong."""


class UnknownNameError(PluginError, LookupError):
    """No component is registered under that name."""


class AmbiguousNameError(PluginError, LookupError):
    """Several plugins claim that bare name, so none has it."""


class RegistrationError(PluginError, ValueError):
    """A component cannot be registered: bad name, wrong type, or registered twice."""


class PluginLoadError(PluginError):
    """A plugin could not be loaded.

    Raised under `MINIGRAD_STRICT_PLUGINS=1`, where a plugin is otherwise skipped with a `PluginWarning`, and when a
    component that was registered as a string cannot be imported.
    """


class PluginWarning(UserWarning):
    """A plugin was skipped, or is not the one that a file was saved with; the text names the distribution, its version,
    the cause and the cure.
    """
