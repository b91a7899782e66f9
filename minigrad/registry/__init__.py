"""Components by name: hooks for plugins, discovery, lookup, and building from a configuration."""

from minigrad.registry.default import (
    activation,
    build,
    components,
    current_registry,
    describe,
    initializer,
    layer,
    loss,
    optimizer,
    plugins,
    register_activation,
    register_converter,
    register_initializer,
    register_layer,
    register_loss,
    register_optimizer,
    register_schedule,
    schedule,
    use_registry,
)
from minigrad.registry.discovery import PluginInfo
from minigrad.registry.entries import Entry
from minigrad.registry.hookspecs import Register, hookimpl, hookspec
from minigrad.registry.kinds import KINDS, Kind
from minigrad.registry.naming import snake_case
from minigrad.registry.registry import ComponentInfo, Registry

__all__ = [
    "KINDS",
    "ComponentInfo",
    "Entry",
    "Kind",
    "PluginInfo",
    "Register",
    "Registry",
    "activation",
    "build",
    "components",
    "current_registry",
    "describe",
    "hookimpl",
    "hookspec",
    "initializer",
    "layer",
    "loss",
    "optimizer",
    "plugins",
    "register_activation",
    "register_converter",
    "register_initializer",
    "register_layer",
    "register_loss",
    "register_optimizer",
    "register_schedule",
    "schedule",
    "snake_case",
    "use_registry",
]
