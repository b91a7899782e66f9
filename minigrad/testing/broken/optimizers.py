"""Broken optimizers."""

# ruff: noqa: D102  # what forward, backward and update are, their contracts say

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Optimizer, Parameter
from minigrad.core.optimizer import Params
from minigrad.testing.broken.gallery import GALLERY, Broken
from minigrad.testing.case import Case

State = dict[str, Any]


def caught_by(law: str, diagnosis: str = "") -> Any:
    """Hang a broken optimizer into the gallery."""

    def hang(cls: Any) -> Any:
        GALLERY.append(Broken(Case(cls), law, diagnosis, cls.__name__))
        return cls

    return hang


class _Descent(Optimizer):
    r"""A right $\theta \leftarrow \theta - \eta g$ to be broken."""

    def __init__(self, params: Params, lr: float = 0.1) -> None:
        self.lr = lr
        super().__init__(params)

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        parameter.sub_(self.lr * grad)


@caught_by("descends", "the sign is flipped")
class Climbs(_Descent):
    r"""$\theta \leftarrow \theta + \eta g$."""

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        parameter.add_(self.lr * grad)


@caught_by("update_agrees_with_step")
class OtherFastPath(_Descent):
    r"""A fast path that takes half of $\eta g$."""

    def update_all(self, parameters: Sequence[Parameter], grads: Sequence[Tensor], states: Sequence[State]) -> None:
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.sub_(0.5 * self.lr * grad)


@caught_by("zero_rate_changes_nothing")
class DecayWithoutRate(_Descent):
    r"""A decay $\theta \leftarrow 0.99\,\theta$ that no rate scales."""

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        parameter.mul_(0.99).sub_(self.lr * grad)


@caught_by("only_with_gradient")
class DecaysEverything(_Descent):
    r"""$\theta \leftarrow (1 - \eta) \theta$ for parameters without a gradient too."""

    def step(self) -> None:
        super().step()
        for parameter in self.parameters:
            parameter.mul_(1 - 0.1 * self.lr)


@caught_by("updates_in_place")
class NewMemory(_Descent):
    r"""$\theta \leftarrow \theta - \eta g$ in new memory: what looks at the old one sees no change."""

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        parameter.data = parameter.data - self.lr * grad


@caught_by("gradients_untouched", "step mutated the argument grad")
class GradientMutated(_Descent):
    r"""$g \leftarrow g + \lambda \theta$ written over the gradient."""

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        parameter.sub_(self.lr * grad.add_(parameter, alpha=0.01))


@caught_by("gradients_untouched")
class KeepsTheGradient(_Descent):
    r"""A momentum $v = g$ that is the gradient's own memory."""

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        state["velocity"] = grad if "velocity" not in state else 0.9 * state["velocity"] + grad
        parameter.sub_(self.lr * state["velocity"])


@caught_by("parameters_independent")
class OneCounterForAll(_Descent):
    r"""$\eta / t$ with one $t$ that every parameter raises."""

    def __init__(self, params: Params, lr: float = 0.1) -> None:
        self.count = 0
        super().__init__(params, lr)

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        self.count += 1
        parameter.sub_(self.lr / self.count * grad)


@caught_by("non_contiguous_gradients")
class GradientAsItLies(_Descent):
    r"""Reads $g$ as if it were contiguous."""

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        parameter.sub_(self.lr * grad.as_strided(parameter.shape, parameter.stride()))


@caught_by("state_dict_continues")
class StateOutsideTheStates(_Descent):
    r"""A momentum $v$ that hangs on the optimizer, where no state dict finds it."""

    def __init__(self, params: Params, lr: float = 0.1) -> None:
        self.velocity: dict[int, Tensor] = {}
        super().__init__(params, lr)

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        place = [p is parameter for p in self.parameters].index(True)
        self.velocity[place] = grad + 0.9 * self.velocity.get(place, torch.zeros_like(grad))
        parameter.sub_(self.lr * self.velocity[place])


@caught_by("copies_continue")
class StateByIdentity(_Descent):
    r"""A momentum $v$ that is found by the identity of the parameter, which a copy has not."""

    def __init__(self, params: Params, lr: float = 0.1) -> None:
        self.velocity: dict[int, Tensor] = {}
        super().__init__(params, lr)

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        self.velocity[id(parameter)] = grad + 0.9 * self.velocity.get(id(parameter), torch.zeros_like(grad))
        parameter.sub_(self.lr * self.velocity[id(parameter)])


@caught_by("same_twice")
class Noisy(_Descent):
    r"""$g$ with noise from the global generator."""

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        parameter.sub_(self.lr * (grad + 0.1 * torch.randn_like(grad)))


@caught_by("groups_independent")
class OneRateForAll(_Descent):
    r"""A step that does not look at the groups: the same $\eta$ for every parameter."""

    def step(self) -> None:
        for parameter, state in zip(self.parameters, self.states, strict=True):
            if parameter.gradient is not None:
                self.update(parameter, parameter.gradient, state)


@caught_by("optimizer_dtype_kept")
class StateInFloat32(_Descent):
    r"""A momentum $v$ that is float32 whatever the parameter is."""

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        state["velocity"] = grad.float() + 0.9 * state.get("velocity", torch.zeros(grad.shape))
        parameter.sub_(self.lr * state["velocity"].to(grad.dtype))


@caught_by("optimizer_device_kept")
class StateOnTheCPU(_Descent):
    r"""A momentum $v$ that begins on the CPU wherever the parameter is."""

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        state["velocity"] = grad + 0.9 * state.get("velocity", torch.zeros(grad.shape, dtype=grad.dtype))
        parameter.sub_(self.lr * state["velocity"])


@caught_by("extreme_gradients")
class DividesByTheGradient(_Descent):
    r"""$\theta \leftarrow \theta - \eta\, g / |g|$, which is $0/0$ for no gradient."""

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        parameter.sub_(self.lr * grad / grad.abs())


@caught_by("empty_parameters")
class LargestEntry(_Descent):
    r"""$\theta \leftarrow \theta - \eta\, g / \max |g|$, and nothing has no largest entry."""

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        parameter.sub_(self.lr * grad / (grad.abs().max() + 1e-8))


@caught_by("step_compiles")
class BranchesOnTheGradient(_Descent):
    r"""$\theta \leftarrow \theta - \eta\, g / \|g\|$ where $\|g\| > 1$, by a branch that no graph can hold."""

    def update(self, parameter: Parameter, grad: Tensor, state: State) -> None:
        parameter.sub_(self.lr * (grad / grad.norm() if grad.norm() > 1 else grad))


@caught_by("config")
class RateRenamed(_Descent):
    r"""$\eta$ that is stored as another number."""

    def __init__(self, params: Params, lr: float = 0.1) -> None:
        super().__init__(params, 2 * lr)


@caught_by("documented")
class UndocumentedOptimizer(_Descent):
    """Says what it is, but not what it does."""
