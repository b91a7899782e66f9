"""The converters of what does not follow the one rule: containers, wrappers and the two bridges to autograd."""

import copy
from collections import OrderedDict
from typing import final

import torch

from minigrad.core import Component, Convert, Converter, Wrapper, torch_twin
from minigrad.interop import modules
from minigrad.interop.autograd_layer import AutogradLayer
from minigrad.interop.autograd_module import AutogradModule
from minigrad.layers import Checked, Frozen, Parallel, Recompute, Residual, Sequential, Timed, Traced


@final
class SequentialConverter(Converter):
    """Turns torch.nn.Sequential into Sequential, and back; names are kept."""

    torch_type = torch.nn.Sequential
    minigrad_type = Sequential

    def from_torch(self, module: torch.nn.Sequential, convert: Convert) -> Sequential:
        """Convert each module."""
        # Not named_children, which leaves out a module that it has met before.
        layers = {name: convert(part, name) for name, part in module._modules.items()}
        are_numbered = list(layers) == [str(i) for i in range(len(layers))]
        return Sequential(*layers.values()) if are_numbered else Sequential(layers)

    def to_torch(self, component: Sequential, convert: Convert) -> torch.nn.Sequential:
        """Convert each layer."""
        return torch.nn.Sequential(OrderedDict((n, convert(part, n)) for n, part in component.named_children()))


ResidualConverter = torch_twin(Residual, modules.Residual)


@final
class ParallelConverter(Converter):
    """Turns the torch module Parallel of minigrad.interop.modules into Parallel, and back."""

    torch_type = modules.Parallel
    minigrad_type = Parallel

    def from_torch(self, module: modules.Parallel, convert: Convert) -> Parallel:
        """Convert each branch."""
        branches = [convert(branch, f"branches.{i}") for i, branch in enumerate(module.branches)]
        return Parallel(*branches, merge=module.merge, dim=module.dim)

    def to_torch(self, component: Parallel, convert: Convert) -> modules.Parallel:
        """Convert each branch."""
        branches = [convert(branch, f"branches.{i}") for i, branch in enumerate(component.branches)]
        return modules.Parallel(*branches, merge=component.merge, dim=component.dim)


class _Left(Converter):
    """A wrapper for which torch has no module: what is inside computes the same."""

    def from_torch(self, module: torch.nn.Module, convert: Convert) -> Wrapper:
        """Never asked for."""
        raise NotImplementedError

    def to_torch(self, component: Wrapper, convert: Convert) -> torch.nn.Module:
        """Convert what is inside."""
        module: torch.nn.Module = convert(component.layer, "")
        return module


@final
class FrozenConverter(_Left):
    """Turns Frozen into what is inside; its parameters then do not require a gradient."""

    minigrad_type = Frozen


@final
class CheckedConverter(_Left):
    """Turns Checked into what is inside."""

    minigrad_type = Checked


@final
class RecomputeConverter(_Left):
    """Turns Recompute into what is inside."""

    minigrad_type = Recompute


@final
class TimedConverter(_Left):
    """Turns Timed into what is inside."""

    minigrad_type = Timed


@final
class TracedConverter(_Left):
    """Turns Traced into what is inside."""

    minigrad_type = Traced


@final
class AutogradConverter(Converter):
    """Gives back what a bridge to autograd holds: the layer of as_autograd, the module of from_autograd."""

    torch_type = AutogradModule
    minigrad_type = AutogradLayer

    def from_torch(self, module: AutogradModule, convert: Convert) -> Component:
        """The layer or loss itself, or a copy."""
        return module.component if convert.share else copy.deepcopy(module.component)

    def to_torch(self, component: AutogradLayer, convert: Convert) -> torch.nn.Module:
        """The module itself, or a copy."""
        return component.module if convert.share else copy.deepcopy(component.module)
