"""as_autograd: a layer or loss as a torch module, whose backward is the written one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from minigrad.core import Layer, Loss, Parameter, receive_gradients
from minigrad.interop.places import Place, places

_HOLE = object()


class _Twin(NamedTuple):
    """A tensor of ours, and where the module holds its twin, in the same memory.

    Attributes:
        met: Where both were when they last met: a parameter's address, or the buffer itself.
    """

    place: Place
    holder: torch.nn.Module
    attribute: str
    met: Any

    @property
    def theirs(self) -> Tensor:
        """The twin that the module holds now."""
        tensor: Tensor = getattr(self.holder, self.attribute)
        return tensor


@final
class AutogradModule(torch.nn.Module):
    """A layer or loss as a torch module, in which autograd calls the written backward.

    Its parameters are torch's and share the memory of ours; gradients arrive in theirs, and their `requires_grad`
    counts. Its state dict is the layer's. In `train()` mode it calls `forward`; in `eval()` mode `predict`, which keeps
    nothing for a backward. Several inputs may come as a tuple or as several arguments. Under autocast it computes in
    the dtype of its parameters.

    Args:
        component: The layer or loss.

    Raises:
        TypeError: If it is neither.
    """

    def __init__(self, component: Layer | Loss) -> None:
        if not isinstance(component, Layer | Loss):
            raise TypeError(
                f"as_autograd expects a layer or loss. Received: {component!r} ({type(component).__name__})"
            )
        super().__init__()
        self.component = component
        learning = {id(p) for p in component.parameters()} if isinstance(component, Layer) else set()
        self._twins = [self._registered(place, id(place.tensor) in learning) for place in places(component)]
        self.register_load_state_dict_post_hook(_meet)  # type: ignore[no-untyped-call]

    def _registered(self, place: Place, learns: bool) -> _Twin:
        *path, attribute = place.name.split(".")
        holder: torch.nn.Module = self
        for name in path:
            if name not in holder._modules:
                holder.add_module(name, torch.nn.Module())
            holder = holder.get_submodule(name)
        tensor = place.tensor
        if isinstance(tensor, Parameter):
            holder.register_parameter(attribute, _twin_of(tensor, learns))
            return _Twin(place, holder, attribute, tensor.data_ptr())
        holder.register_buffer(attribute, tensor)
        return _Twin(place, holder, attribute, tensor)

    def forward(self, *inputs: Any) -> Any:
        """The output, or a loss's cost."""
        if torch._C._are_functorch_transforms_active():
            raise RuntimeError(
                f"{type(self.component).__name__} has a written backward, which no transform of torch.func sees inside "
                "of as_autograd: transform the layer itself, whose forward and backward are torch functions"
            )
        if device := _autocast_device(inputs):
            with torch.autocast(device, enabled=False):
                return self.forward(*pytree.tree_map_only(Tensor, self._uncast, inputs))
        self._meet()
        is_loss = isinstance(self.component, Loss)
        x, *others = inputs if is_loss or len(inputs) == 1 else (inputs,)
        tensors, structure = _taken_apart(x)
        constants, other_structure = _taken_apart(others)
        twins = {id(t.place.tensor): t for t in self._twins if isinstance(t.place.tensor, Parameter)}.values()
        parameters = [twin.place.tensor for twin in twins]
        call = _Call(self.component, is_loss or self.training, structure, len(tensors), other_structure, parameters)
        outputs = _Written.apply(call, *tensors, *constants, *(t.theirs for t in twins))  # type: ignore[no-untyped-call]
        self._meet()  # a layer may have put another buffer in place of its old one
        return call.output.filled(outputs)

    def _uncast(self, tensor: Tensor) -> Tensor:
        """What autocast made smaller on its way here, in the dtype of the parameters."""
        if tensor.dtype != torch.get_autocast_dtype(tensor.device.type):
            return tensor
        return tensor.to(next((twin.theirs.dtype for twin in self._twins), torch.float32))

    def _meet(self) -> None:
        """Bring both to one memory again: where one was moved or replaced, the other follows."""
        for i, twin in enumerate(self._twins):
            ours, theirs = twin.place.tensor, twin.theirs
            if isinstance(ours, Parameter):
                if ours.data_ptr() == theirs.data_ptr() and ours.dtype == theirs.dtype:
                    continue
                if ours.data_ptr() == twin.met:
                    ours.data = theirs.data
                else:
                    theirs.data = ours.data
                self._twins[i] = twin._replace(met=ours.data_ptr())
            elif ours is not theirs:
                if ours is twin.met:
                    twin.place.put(theirs)
                else:
                    setattr(twin.holder, twin.attribute, ours)
                self._twins[i] = twin._replace(met=twin.place.tensor)

    def _apply(self, fn: Any, recurse: bool = True) -> "AutogradModule":
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._meet()
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._meet()

    def __repr__(self) -> str:
        return f"as_autograd({self.component!r})"


def _autocast_device(tensors: Any) -> str:
    """The type of the tensors' device if autocast is at work there: a written pass is for one dtype, without it."""
    devices = {leaf.device.type for leaf in pytree.tree_leaves(tensors) if isinstance(leaf, Tensor)}
    available = filter(torch.amp.is_autocast_available, devices)
    return next((device for device in available if torch.is_autocast_enabled(device)), "")


def _meet(module: Any, _: Any) -> None:
    module._meet()


def _twin_of(parameter: Parameter, learns: bool) -> torch.nn.Parameter:
    """The torch parameter on the memory of ours: one for all modules that are made of the same layer."""
    twins: dict[bool, torch.nn.Parameter] = vars(parameter).setdefault("_torch_twins", {})
    if learns not in twins:
        twins[learns] = torch.nn.Parameter(parameter.detach().as_subclass(Tensor), requires_grad=learns)
    return twins[learns]


class _Structure(NamedTuple):
    """What a structure is without its tensors."""

    spec: pytree.TreeSpec
    leaves: list[Any]

    def filled(self, tensors: Iterable[Any]) -> Any:
        """The structure with tensors in it."""
        left = iter(tensors)
        return pytree.tree_unflatten([next(left) if leaf is _HOLE else leaf for leaf in self.leaves], self.spec)

    def gradients(self, grad: Any, whose: str) -> list[Any]:
        """The gradients in a like structure, one for each tensor; `None` is no gradient at all."""
        leaves = [None] * len(self.leaves) if grad is None else pytree.tree_leaves(grad)
        if len(leaves) != len(self.leaves):
            raise ValueError(
                f"{whose}.backward must return a gradient of the structure of its input, {len(self.leaves)} parts. "
                f"Received: {len(leaves)} parts"
            )
        return [part for part, leaf in zip(leaves, self.leaves, strict=True) if leaf is _HOLE]


def _taken_apart(tree: Any) -> tuple[list[Tensor], _Structure]:
    leaves, spec = pytree.tree_flatten(tree)
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    return tensors, _Structure(spec, [_HOLE if isinstance(leaf, Tensor) else leaf for leaf in leaves])


@dataclass
class _Call:
    """One pass, but for its tensors: autograd keeps these, and lets go of them in time."""

    component: Any
    learns: bool
    x: _Structure
    size: int  # how many tensors there are in x
    others: _Structure
    parameters: list[Tensor]
    output: _Structure = field(init=False)
    cache: _Structure = field(init=False)


class _Written(torch.autograd.Function):
    """Both passes of a component, as autograd calls them."""

    @staticmethod
    def forward(ctx: Any, call: _Call, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Map the tensors of x, of what else is given, and the parameters to those of the output."""
        twins = tensors[len(tensors) - len(call.parameters) :]
        arguments = call.x.filled(tensors), *call.others.filled(tensors[call.size :])
        output, cache = (
            call.component.forward(*arguments) if call.learns else (call.component.predict(*arguments), None)
        )
        outputs, call.output = _taken_apart(output)
        kept, call.cache = _taken_apart(cache)
        ctx.call = call
        # The parameters are kept so that autograd tells if they are changed before the backward comes.
        ctx.save_for_backward(*kept, *twins)
        ctx.mark_non_differentiable(*(tensor for tensor in outputs if not tensor.is_floating_point()))
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        """Map the gradients of the output to those of x and of the parameters."""
        if device := _autocast_device(grads):
            with torch.autocast(device, enabled=False):
                return _Written.backward(ctx, *grads)
        call: _Call = ctx.call
        wanted = ctx.needs_input_grad[1:]
        others = len(wanted) - call.size - len(call.parameters)
        kept = ctx.saved_tensors
        _refuse(call, any(wanted[call.size : call.size + others]), kept[len(kept) - len(call.parameters) :])
        # A container consumes its cache, but autograd may ask again: each time it gets lists of its own.
        cache = call.cache.filled(kept)
        grad_output = call.output.filled(grad if grad.is_floating_point() else None for grad in grads)
        received: dict[int, Tensor] = {}

        def receive(parameter: Parameter, grad: Tensor, rows: int) -> None:
            known = received.get(id(parameter))
            received[id(parameter)] = grad if known is None else known + grad

        with receive_gradients(receive):
            if isinstance(call.component, Loss):
                grad_input = call.component.backward(cache, grad_output)
            elif any(wanted[: call.size]):
                grad_input = call.component.backward(grad_output, cache)
            else:
                grad_input = call.component.backward_parameters(grad_output, cache)
        own = [received.get(id(parameter)) for parameter in call.parameters]
        return None, *call.x.gradients(grad_input, type(call.component).__name__), *[None] * others, *own


def _refuse(call: _Call, wants_others: bool, twins: Sequence[Tensor]) -> None:
    """Say what a written backward cannot do."""
    name = type(call.component).__name__
    if not call.learns:
        raise RuntimeError(f"{name} in eval() mode predicts, and keeps nothing for a backward: call train() first")
    if torch.is_grad_enabled():
        raise RuntimeError(
            f"{name} has a written backward, and nobody wrote the derivative of that: no create_graph=True"
        )
    if wants_others:
        raise RuntimeError(f"{name} has a gradient for its prediction alone: detach the target")
    if any(ours.data_ptr() != twin.data_ptr() for ours, twin in zip(call.parameters, twins, strict=True)):
        raise RuntimeError(f"{name} needs the parameters of its forward, and they were replaced or moved since")
