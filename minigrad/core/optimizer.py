"""Optimizer: one readable update rule, and the loop around it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from minigrad.core.component import Component, constructor_arguments
from minigrad.core.parameter import Parameter

Params = Iterable[Parameter] | Iterable[Mapping[str, Any]]


class Optimizer(Component, ABC):
    r"""Changes parameters in place by their gradients: $\theta \leftarrow \theta + \Delta(\theta, g, s)$.

    An author writes `update(parameter, grad, state)` and nothing else. The constructor stores its arguments under their
    own names and calls `super().__init__(params)` last.

    A parameter group is an optimizer of the same class with its own arguments: `optimizer.groups` holds them, and it is
    `[optimizer]` when there is only one. So `update` simply reads `self.lr`.

    Args:
        params: Parameters, or parameter groups: dicts of `"params"` and the arguments that differ in that group.

    Raises:
        ValueError: If there is no parameter, one stands twice, or a group overrides an unknown argument.
        TypeError: If something else than a `Parameter` is given.

    Examples:
        >>> import torch
        >>> class SignSGD(Optimizer):
        ...     def __init__(self, params, lr=0.1):
        ...         self.lr = lr
        ...         super().__init__(params)
        ...
        ...     def update(self, parameter, grad, state):
        ...         parameter.sub_(self.lr * grad.sign())
        >>> weight = Parameter(torch.zeros(2))
        >>> optimizer = SignSGD([weight])
        >>> weight.accumulate(torch.tensor([3.0, -0.5]))
        >>> optimizer.step()
        >>> weight
        Parameter(role='weight', tensor([-0.1000,  0.1000]))
    """

    parameters: list[Parameter]
    states: list[dict[str, Any]]
    groups: "list[Optimizer]"

    # States that have their parameter's shape, as a fused kernel takes for granted.
    _shaped_states: ClassVar[tuple[str, ...]] = ()

    def __init__(self, params: Params) -> None:
        name = type(self).__name__
        groups = _as_groups(name, params)
        self.parameters = [p for group in groups for p in group["params"]]
        if not self.parameters:
            raise ValueError(f"{name} expects at least one parameter. Received: none")
        for parameter in self.parameters:
            if not isinstance(parameter, Parameter):
                raise TypeError(
                    f"{name} expects Parameters, such as net.parameters(). Received: {type(parameter).__name__}"
                )
        if len({id(p) for p in self.parameters}) != len(self.parameters):
            raise ValueError(f"{name} expects each parameter once. Received: one that stands in it twice")
        self.states = [{} for _ in self.parameters]
        self.config()  # says at once which argument was not stored
        self.groups = [self] if len(groups) == 1 and len(groups[0]) == 1 else [self._group(g) for g in groups]

    def _group(self, group: Mapping[str, Any]) -> Self:
        overrides = {name: value for name, value in group.items() if name != "params"}
        if unknown := overrides.keys() - self.config().keys():
            raise ValueError(
                f"A parameter group of {type(self).__name__} may override {', '.join(self.config())}. "
                f"Received: {', '.join(sorted(unknown))}"
            )
        return type(self)(group["params"], **(self.config() | overrides))

    def __setattr__(self, name: str, value: Any) -> None:
        groups = self.__dict__.get("groups")
        if groups and groups[0] is not self and name in {a.name for a in constructor_arguments(type(self))}:
            raise AttributeError(
                f"This {type(self).__name__} has {len(groups)} parameter groups: set {name} on each of "
                f"optimizer.groups. Received: optimizer.{name} = {value!r}"
            )
        super().__setattr__(name, value)

    @abstractmethod
    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Change one `parameter` in place by its gradient; `state` is this parameter's own, empty at first."""

    def update_all(
        self, parameters: Sequence[Parameter], grads: Sequence[Tensor], states: Sequence[dict[str, Any]]
    ) -> None:
        """Update each parameter; override it only with a faster way to the same result."""
        for parameter, grad, state in zip(parameters, grads, states, strict=True):
            self.update(parameter, grad, state)

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        for group in self.groups:
            parameters, states = group.parameters, group.states
            try:
                grads = [parameter._parts[0][0] for parameter in parameters]
            except IndexError:  # one of them has no gradient
                states = [state for parameter, state in zip(parameters, states, strict=True) if parameter._parts]
                parameters = [parameter for parameter in parameters if parameter._parts]
                if not parameters:
                    continue
                grads = [parameter._parts[0][0] for parameter in parameters]
            group.update_all(parameters, grads, states)

    def zero_grad(self) -> None:
        """Forget the gradient of every parameter."""
        for parameter in self.parameters:
            parameter._parts.clear()

    def state_dict(self) -> dict[str, Any]:
        """Each group's arguments and its parameters' shapes and states, in the parameters' order."""
        return {
            "groups": [
                {
                    "config": group.config(),
                    "shapes": [list(parameter.shape) for parameter in group.parameters],
                    "states": [dict(state) for state in group.states],
                }
                for group in self.groups
            ]
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned.

        Raises:
            ValueError: If it is that of another optimizer, or of other parameters.
        """
        name = type(self).__name__
        try:
            received = [[tuple(shape) for shape in group["shapes"]] for group in state_dict["groups"]]
            options = {option for group in state_dict["groups"] for option in group["config"]}
            states = [len(group["states"]) for group in state_dict["groups"]]
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"{name}.load_state_dict expects what a state_dict of minigrad returned. Received: {_keys(state_dict)}"
            ) from error
        if unknown := options - self.config().keys():
            raise ValueError(
                f"The state dict of {name} must be that of an optimizer with its arguments, "
                f"{', '.join(self.config())}. Received: {', '.join(sorted(unknown))}"
            )
        expected = [[tuple(parameter.shape) for parameter in group.parameters] for group in self.groups]
        if received != expected or states != [len(shapes) for shapes in expected]:
            raise ValueError(
                f"The state dict of {name} must hold a state for each parameter, of its shape; by group: {expected}. "
                f"Received: {received}"
            )
        self._check_shaped(state_dict)
        for group, saved in zip(self.groups, state_dict["groups"], strict=True):
            for name, value in saved["config"].items():
                setattr(group, name, value)
            group.states[:] = [
                {name: _copied(value, parameter.device) for name, value in state.items()}
                for parameter, state in zip(group.parameters, saved["states"], strict=True)
            ]

    def _check_shaped(self, state_dict: Mapping[str, Any]) -> None:
        # A fused kernel would run past the end of a state that is too small.
        states = [state for group in state_dict["groups"] for state in group["states"]]
        for parameter, state in zip(self.parameters, states, strict=True):
            for name in self._shaped_states:
                if name in state and state[name].shape != parameter.shape:
                    raise ValueError(
                        f"In {type(self).__name__} {name} has its parameter's shape, {tuple(parameter.shape)}. "
                        f"Received: {tuple(state[name].shape)}"
                    )


def _as_groups(name: str, params: Params) -> list[dict[str, Any]]:
    items = _as_list(name, params)
    if not (items and all(isinstance(item, Mapping) for item in items)):
        return [{"params": items}]
    for item in items:
        if "params" not in item:
            raise ValueError(
                f"A parameter group of {name} needs params. Received: {', '.join(map(str, item)) or 'none'}"
            )
    return [{**item, "params": _as_list(name, item["params"])} for item in items]


def _as_list(name: str, params: Any) -> list[Any]:
    # A tensor would fall into its rows, and a layer is not yet its parameters.
    if isinstance(params, Tensor) or not isinstance(params, Iterable):
        raise TypeError(f"{name} expects Parameters, such as net.parameters(). Received: {type(params).__name__}")
    return list(params)


def _keys(state_dict: Any) -> str:
    return f"the keys {', '.join(map(str, state_dict))}" if isinstance(state_dict, Mapping) else repr(state_dict)


def _copied(value: Any, device: torch.device) -> Any:
    if isinstance(value, Tensor):
        return value.detach().to(device, copy=True)
    if isinstance(value, list | tuple):
        return type(value)(_copied(item, device) for item in value)
    if isinstance(value, dict):
        return {name: _copied(item, device) for name, item in value.items()}
    return value
