"""The built-in components, registered through the same hooks as anybody's."""

from types import ModuleType
from typing import Any

from minigrad import activations, callbacks, datasets, initializers, layers, losses, metrics, optimizers, schedules
from minigrad.core import Component, torch_twin
from minigrad.registry.hookspecs import Register, hookimpl


@hookimpl
def minigrad_register_activations(register: Register) -> None:
    """Register what `minigrad.activations` makes public."""
    for cls in _components(activations):
        register(cls)


@hookimpl
def minigrad_register_layers(register: Register) -> None:
    """Register what `minigrad.layers` makes public, and the identity, which is of use as either."""
    for cls in _components(layers):
        register(cls)
    register(activations.Identity)


@hookimpl
def minigrad_register_losses(register: Register) -> None:
    """Register what `minigrad.losses` makes public."""
    for cls in _components(losses):
        register(cls)


@hookimpl
def minigrad_register_optimizers(register: Register) -> None:
    """Register what `minigrad.optimizers` makes public."""
    for cls in _components(optimizers):
        register(cls)


def _components(room: ModuleType) -> list[Any]:
    """The components of a room; what helps them, such as the tape of `Traced`, stands beside them."""
    public = [getattr(room, name) for name in room.__all__]
    return [thing for thing in public if isinstance(thing, type) and issubclass(thing, Component)]


@hookimpl
def minigrad_register_schedules(register: Register) -> None:
    """Register every public name of `minigrad.schedules`, with the short names that people say."""
    short = {"StepLR": "step", "CosineAnnealingLR": "cosine", "LinearLR": "warmup", "OneCycleLR": "one_cycle"}
    short |= {"ReduceLROnPlateau": "plateau", "ExponentialLR": "exponential"}
    for name in schedules.__all__:
        register(getattr(schedules, name), aliases=[short[name]] if name in short else ())


@hookimpl
def minigrad_register_initializers(register: Register) -> None:
    """Register every public name of `minigrad.initializers`."""
    for name in initializers.__all__:
        register(getattr(initializers, name))


@hookimpl
def minigrad_register_converters(register: Register) -> None:
    """Register the converters of what torch.nn has, too; those that need more than its names stand in `interop`."""
    twins = ["Linear", "Embedding", "LayerNorm", "RMSNorm", "Dropout", "Flatten", "Unflatten"]
    for cls in (*_components(activations), *_components(losses), *(getattr(layers, name) for name in twins)):
        register(torch_twin(cls))
    # It stands above, so it is named and not imported.
    for name in ("Sequential", "Residual", "Parallel", "Frozen", "Checked", "Recompute", "Timed", "Traced", "Autograd"):
        register(f"minigrad.interop.converters:{name}Converter", summary=f"Turns {name} into a torch module.")


@hookimpl
def minigrad_register_callbacks(register: Register) -> None:
    """Register what `minigrad.callbacks` makes public."""
    for cls in _components(callbacks):
        register(cls)


@hookimpl
def minigrad_register_metrics(register: Register) -> None:
    """Register what `minigrad.metrics` makes public, with the short names that people say."""
    short = {"MeanAbsoluteError": "mae", "TopKAccuracy": "top_k"}
    for cls in _components(metrics):
        register(cls, aliases=[short[cls.__name__]] if cls.__name__ in short else ())


@hookimpl
def minigrad_register_datasets(register: Register) -> None:
    """Register what `minigrad.datasets` makes public."""
    for cls in _components(datasets):
        register(cls)
