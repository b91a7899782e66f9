"""The registry that everybody asks, which a test can replace, and its everyday questions as functions."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from minigrad.core import (
    Activation,
    Callback,
    Component,
    Converter,
    Dataset,
    Initializer,
    Layer,
    Loss,
    Metric,
    Optimizer,
    Schedule,
)
from minigrad.registry import building, describing
from minigrad.registry.discovery import PluginInfo
from minigrad.registry.registry import ComponentInfo, Registry

_current = Registry()


def current_registry() -> Registry:
    """The registry that every function here asks."""
    return _current


@contextmanager
def use_registry(registry: Registry) -> Iterator[Registry]:
    """Let every function here, on every thread, ask another registry for a while.

    Examples:
        >>> with use_registry(Registry(only=())) as registry:  # no plugins, nothing registered in this session
        ...     [plugin.name for plugin in registry.plugins() if plugin.status == "loaded"]
        ['minigrad']
    """
    global _current
    previous, _current = _current, registry
    try:
        yield registry
    finally:
        _current = previous


def activation(name: str) -> type[Activation]:
    """The activation class of that name.

    Examples:
        >>> activation("leaky_relu")(negative_slope=0.1)
        LeakyReLU(negative_slope=0.1)
    """
    return cast("type[Activation]", _current.get("activation", name))


def layer(name: str) -> type[Layer]:
    """The layer class of that name; an activation is a layer, too.

    Examples:
        >>> layer("linear")(2, 1)
        Linear(in_features=2, out_features=1)
    """
    return cast("type[Layer]", _current.get("layer", name))


def loss(name: str) -> type[Loss]:
    """The loss class of that name.

    Examples:
        >>> loss("bce")(reduction="sum")
        BCE(reduction='sum')
    """
    return cast("type[Loss]", _current.get("loss", name))


def optimizer(name: str) -> type[Optimizer]:
    """The optimizer class of that name.

    Examples:
        >>> optimizer("sgd").__name__
        'SGD'
    """
    return cast("type[Optimizer]", _current.get("optimizer", name))


def schedule(name: str) -> type[Schedule]:
    """The schedule class of that name.

    Examples:
        >>> schedule("cosine").__name__
        'CosineAnnealingLR'
    """
    return cast("type[Schedule]", _current.get("schedule", name))


def initializer(name: str) -> type[Initializer]:
    """The initializer class of that name.

    Examples:
        >>> initializer("xavier_uniform")(gain=2.0)
        XavierUniform(gain=2.0)
    """
    return cast("type[Initializer]", _current.get("initializer", name))


def callback(name: str) -> type[Callback]:
    """The callback class of that name.

    Examples:
        >>> callback("time_limit")(seconds=60)
        TimeLimit(seconds=60)
    """
    return cast("type[Callback]", _current.get("callback", name))


def metric(name: str) -> type[Metric]:
    """The metric class of that name.

    Examples:
        >>> metric("accuracy")()
        Accuracy()
    """
    return cast("type[Metric]", _current.get("metric", name))


def dataset(name: str) -> type[Dataset]:
    """The dataset class of that name.

    Examples:
        >>> dataset("xor")()
        XOR()
    """
    return cast("type[Dataset]", _current.get("dataset", name))


def build(spec: Any, **arguments: Any) -> Any:
    """Make a component from its configuration.

    Args:
        spec: A name, `"sigmoid"`; a dict of a name and the constructor's arguments, which may hold configurations in
            their turn; a list, which is a `Sequential`; or a component, which is handed through. A dict may say its
            `kind`, where a name stands for components of several kinds, and give its object an `id`, which
            `{"ref": id}` repeats: one object then stands in several places.
        arguments: Further arguments, such as the `params` of an optimizer. They go before those of the dict.

    Raises:
        ConfigError: If an argument is unknown, missing or refused; it names the place, `layers[2].in_features`.
        UnknownNameError: If there is no component of that name.

    Examples:
        >>> net = build(["sigmoid", {"name": "linear", "in_features": 2, "out_features": 1}])
        >>> net
        Sequential(Sigmoid(), Linear(in_features=2, out_features=1))
        >>> build({"name": "sgd", "lr": 0.1}, params=net.parameters())
        SGD(lr=0.1)
        >>> build([{"name": "linear", "in_featres": 2, "out_features": 1}])
        Traceback (most recent call last):
        ...
        minigrad.errors.ConfigError: [0].in_featres: linear takes in_features, ... Did you mean 'in_features'?...
    """
    return building.build(_current, spec, arguments)


def describe(component: Component) -> dict[str, Any]:
    """The configuration of a component: `build(describe(net))` is an equal net, with weights drawn anew.

    Names are qualified, so it means the same wherever the same plugins are installed. An object that stands in several
    places is written once. Weights, devices and dtypes are no part of it: a state dict holds the weights.

    Raises:
        UnknownNameError: If the class of a component is not registered.

    Examples:
        >>> describe(build(["sigmoid"]))
        {'name': 'minigrad:sequential', 'layers': [{'name': 'minigrad:sigmoid'}]}
    """
    return describing.describe(_current, component)


def components(kind: str | None = None) -> list[ComponentInfo]:
    """Every registered component, or those of one kind; this loads the plugins."""
    return _current.components(kind)


def plugins() -> list[PluginInfo]:
    """The built-ins and every installed plugin, with how its loading ended; this loads them."""
    return _current.plugins()


def register_activation(
    cls: type[Activation] | str | None = None,
    *,
    name: str | None = None,
    aliases: Iterable[str] = (),
    summary: str = "",
) -> Any:
    """Register an activation for this session, as `local:name`: a call, or a decorator with or without arguments.

    In this session its bare name goes before a plugin's. The same name again replaces it, so that a notebook's cell can
    be run again.

    Args:
        cls: The class, or `"package.module:Class"`.
        name: Its name; by default the snake case of the class name.
        aliases: Further names.
        summary: One line about it; by default the docstring's first line.

    Raises:
        RegistrationError: If the class or a name cannot be, or a name is a built-in's.

    Examples:
        >>> from minigrad.activations import Tanh
        >>> with use_registry(Registry(only=())):
        ...     _ = register_activation(Tanh, name="my_tanh")
        ...     activation("my_tanh")()
        Tanh()
    """
    return _register("activation", cls, name, aliases, summary)


def register_layer(
    cls: type[Layer] | str | None = None, *, name: str | None = None, aliases: Iterable[str] = (), summary: str = ""
) -> Any:
    """Register a layer for this session; see `register_activation`."""
    return _register("layer", cls, name, aliases, summary)


def register_loss(
    cls: type[Loss] | str | None = None, *, name: str | None = None, aliases: Iterable[str] = (), summary: str = ""
) -> Any:
    """Register a loss for this session; see `register_activation`."""
    return _register("loss", cls, name, aliases, summary)


def register_optimizer(
    cls: type[Optimizer] | str | None = None,
    *,
    name: str | None = None,
    aliases: Iterable[str] = (),
    summary: str = "",
) -> Any:
    """Register an optimizer for this session; see `register_activation`."""
    return _register("optimizer", cls, name, aliases, summary)


def register_schedule(
    cls: type[Schedule] | str | None = None, *, name: str | None = None, aliases: Iterable[str] = (), summary: str = ""
) -> Any:
    """Register a schedule for this session; see `register_activation`."""
    return _register("schedule", cls, name, aliases, summary)


def register_initializer(
    cls: type[Initializer] | str | None = None,
    *,
    name: str | None = None,
    aliases: Iterable[str] = (),
    summary: str = "",
) -> Any:
    """Register an initializer for this session; see `register_activation`."""
    return _register("initializer", cls, name, aliases, summary)


def register_converter(
    cls: type[Converter] | str | None = None, *, name: str | None = None, aliases: Iterable[str] = (), summary: str = ""
) -> Any:
    """Register a converter for this session; see `register_activation`."""
    return _register("converter", cls, name, aliases, summary)


def register_callback(
    cls: type[Callback] | str | None = None, *, name: str | None = None, aliases: Iterable[str] = (), summary: str = ""
) -> Any:
    """Register a callback for this session; see `register_activation`."""
    return _register("callback", cls, name, aliases, summary)


def register_metric(
    cls: type[Metric] | str | None = None, *, name: str | None = None, aliases: Iterable[str] = (), summary: str = ""
) -> Any:
    """Register a metric for this session; see `register_activation`."""
    return _register("metric", cls, name, aliases, summary)


def register_dataset(
    cls: type[Dataset] | str | None = None, *, name: str | None = None, aliases: Iterable[str] = (), summary: str = ""
) -> Any:
    """Register a dataset for this session; see `register_activation`."""
    return _register("dataset", cls, name, aliases, summary)


def _register(kind: str, cls: Any, name: str | None, aliases: Iterable[str], summary: str) -> Any:
    def register(cls: Any) -> Any:
        _current.register(kind, cls, name=name, aliases=aliases, summary=summary)
        return cls

    return register if cls is None else register(cls)
