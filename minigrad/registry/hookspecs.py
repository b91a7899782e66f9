"""The hooks that a plugin implements: signatures and docstrings, no logic."""

from collections.abc import Iterable
from typing import Protocol, TypeVar, overload

from pluggy import HookimplMarker, HookspecMarker

hookspec = HookspecMarker("minigrad")
hookimpl = HookimplMarker("minigrad")

_C = TypeVar("_C", bound=type)


class Register(Protocol):
    """What a hook is given: call it once for each component.

    `cls` is the class, or a string `"package.module:Class"` that is imported on first use. Its name is the snake case
    of the class name unless `name` is given; `aliases` are further names; `summary` is by default the docstring's first
    line.
    """

    @overload
    def __call__(self, cls: _C, *, name: str | None = None, aliases: Iterable[str] = (), summary: str = "") -> _C: ...
    @overload
    def __call__(self, cls: str, *, name: str | None = None, aliases: Iterable[str] = (), summary: str = "") -> str: ...
    def __call__(
        self, cls: type | str, *, name: str | None = None, aliases: Iterable[str] = (), summary: str = ""
    ) -> type | str:
        """Stage one component; all of a plugin's components enter together, or none."""
        ...


@hookspec
def minigrad_register_activations(register: Register) -> None:
    """Call `register(cls)` for each subclass of `minigrad.Activation`."""


@hookspec
def minigrad_register_layers(register: Register) -> None:
    """Call `register(cls)` for each subclass of `minigrad.Layer`."""


@hookspec
def minigrad_register_losses(register: Register) -> None:
    """Call `register(cls)` for each subclass of `minigrad.Loss`."""


@hookspec
def minigrad_register_optimizers(register: Register) -> None:
    """Call `register(cls)` for each subclass of `minigrad.Optimizer`."""


@hookspec
def minigrad_register_schedules(register: Register) -> None:
    """Call `register(cls)` for each subclass of `minigrad.Schedule`."""


@hookspec
def minigrad_register_initializers(register: Register) -> None:
    """Call `register(cls)` for each subclass of `minigrad.Initializer`."""


@hookspec
def minigrad_register_converters(register: Register) -> None:
    """Call `register(cls)` for each subclass of `minigrad.Converter`.

    For a class that bears the name, the arguments and the state-dict names of a torch.nn module, that is
    `register(minigrad.torch_twin(cls))`.
    """


@hookspec
def minigrad_register_callbacks(register: Register) -> None:
    """Call `register(cls)` for each subclass of `minigrad.Callback`."""


@hookspec
def minigrad_register_metrics(register: Register) -> None:
    """Call `register(cls)` for each subclass of `minigrad.Metric`."""


@hookspec
def minigrad_register_datasets(register: Register) -> None:
    """Call `register(cls)` for each subclass of `minigrad.Dataset`."""
