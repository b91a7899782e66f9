"""New plugin packages, made from templates without any connection."""

from minigrad.scaffold.plugin import PLUGIN_KINDS, new_plugin

__all__ = ["PLUGIN_KINDS", "new_plugin"]
