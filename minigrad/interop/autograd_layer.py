"""from_autograd: a torch module as a layer, whose backward asks autograd."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, final

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from minigrad.core import Layer, Parameter

# A module is in one mode at a time, whoever runs it.
_lock = threading.RLock()


@final
class AutogradLayer(Layer):
    r"""A torch module as a layer, where nobody has written its backward: autograd finds the gradient.

    $$y = f(x; \theta), \qquad \frac{\partial L}{\partial x} \text{ and } \frac{\partial L}{\partial \theta}
    \text{ by torch.autograd}$$

    Its parameters are minigrad's and share the module's memory, so our optimizers train the module itself; those with
    `requires_grad=False` are kept as buffers. `forward` runs it in `train()` mode, `predict` in `eval()` mode, and each
    leaves it in the mode in which it was. Several inputs, as a tuple, become its arguments. The rows that a parameter
    counts are those of the first input. It cannot stand inside `torch.func.vmap`.

    Args:
        module: Any torch module.

    Raises:
        TypeError: If it is none.
        ValueError: If it is lazy and was not called yet.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"from_autograd expects a torch.nn.Module. Received: {module!r} ({type(module).__name__})")
        if any(torch.nn.parameter.is_lazy(parameter) for parameter in module.parameters()):
            raise ValueError(f"A lazy module learns its sizes from its first input: call it once. Received: {module!r}")
        self.module = module
        ours: dict[int, Tensor] = {}
        for name, tensor in module.state_dict(keep_vars=True).items():
            if isinstance(tensor, torch.nn.Parameter) and id(tensor) not in ours:
                role = name.rpartition(".")[2]
                ours[id(tensor)] = Parameter(tensor, role=role) if tensor.requires_grad else tensor.detach()
            # A name with dots is an attribute like any other, where `named_parameters` and `state_dict` find it.
            vars(self)[name] = ours.get(id(tensor), tensor)

    def forward(self, x: Any) -> tuple[Any, Any]:
        """Run the module in `train()` mode; its graph is the cache."""
        leaves, structure = pytree.tree_flatten(x)
        leaves = [leaf.detach().requires_grad_(leaf.is_floating_point()) if _is(leaf) else leaf for leaf in leaves]
        with torch.enable_grad():
            y = self._run(leaves, structure, training=True)
        return pytree.tree_map_only(Tensor, Tensor.detach, y), (leaves, structure, y)

    def backward(self, grad_output: Any, cache: Any) -> Any:
        """Ask autograd for `dL/dx` and the parameters' gradients."""
        leaves, structure, _ = cache
        learning = [leaf for leaf in leaves if _is(leaf) and leaf.requires_grad]
        grads = dict(zip(map(id, learning), self._ask(grad_output, cache, learning), strict=True))
        return pytree.tree_unflatten([grads.get(id(leaf)) for leaf in leaves], structure)

    def backward_parameters(self, grad_output: Any, cache: Any) -> None:
        """Ask autograd for the parameters' gradients alone."""
        self._ask(grad_output, cache, [])

    def predict(self, x: Any) -> Any:
        """Run the module in `eval()` mode."""
        with torch.no_grad():
            return self._run(*pytree.tree_flatten(x), training=False)

    def _run(self, leaves: list[Any], structure: Any, training: bool) -> Any:
        # A copy: a module may write into its input, a layer never does.
        x = pytree.tree_unflatten([leaf.clone() if _is(leaf) else leaf for leaf in leaves], structure)
        with _lock, _mode(self.module, training), self._lent(training):
            return self.module(*x) if isinstance(x, tuple) else self.module(x)

    @contextmanager
    def _lent(self, training: bool) -> Iterator[None]:
        """Have the module compute with our tensors, also after `to`, `copy.deepcopy` or pickling parted them.

        In training it is lent copies of the buffers, so that its graph goes on seeing what it saw when they change.
        """
        lent: dict[int, Tensor] = {}
        for name, tensor in self._tensors():
            ours = vars(self)[name]
            if not isinstance(tensor, torch.nn.Parameter):
                if id(ours) not in lent:
                    lent[id(ours)] = ours.clone() if training else ours
                self._put(name, lent[id(ours)])
            elif tensor.data_ptr() != ours.data_ptr() or tensor.dtype != ours.dtype:
                tensor.data = ours.data
        try:
            yield
            for name, tensor in self._tensors():
                ours = vars(self)[name]
                if tensor.shape != ours.shape:
                    vars(self)[name] = tensor.detach()
                elif not isinstance(tensor, torch.nn.Parameter) and tensor is not ours:
                    ours.copy_(tensor.detach())
        finally:
            for name, tensor in self._tensors():
                if not isinstance(tensor, torch.nn.Parameter):
                    self._put(name, vars(self)[name])

    def _put(self, name: str, buffer: Tensor) -> None:
        owner, _, attribute = name.rpartition(".")
        self.module.get_submodule(owner)._buffers[attribute] = buffer

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Every tensor of the module that we hold, as often as it stands in it."""
        named = (self.module.named_parameters, self.module.named_buffers)
        return ((n, t) for n, t in chain(*(names(remove_duplicate=False) for names in named)) if n in vars(self))

    def _ask(self, grad_output: Any, cache: Any, inputs: list[Tensor]) -> list[Tensor]:
        leaves, _, y = cache
        outputs = list(zip(pytree.tree_leaves(y), pytree.tree_leaves(grad_output), strict=True))
        outputs = [(out, grad) for out, grad in outputs if _is(out) and out.requires_grad and grad is not None]
        named = self.module.named_parameters()
        twins = [(ours, p) for n, p in named if p.requires_grad and isinstance(ours := vars(self).get(n), Parameter)]
        wanted = [*inputs, *(twin for _, twin in twins)]
        found: Any = [None] * len(wanted)
        if outputs and wanted:
            ys, grads = zip(*outputs, strict=True)
            found = torch.autograd.grad(ys, wanted, grads, retain_graph=True, allow_unused=True)
        rows = next((len(leaf) for leaf in leaves if _is(leaf) and leaf.dim()), 1)
        for (ours, _), grad in zip(twins, found[len(inputs) :], strict=True):
            if grad is not None:
                ours.accumulate(grad.clone(), rows)  # autograd may give one tensor to several
        return [torch.zeros_like(x) if grad is None else grad for x, grad in zip(inputs, found, strict=False)]

    def __repr__(self) -> str:
        return f"from_autograd({self.module!r})"


def _is(leaf: Any) -> bool:
    return isinstance(leaf, Tensor)


@contextmanager
def _mode(module: torch.nn.Module, training: bool) -> Iterator[None]:
    modes = [(part, part.training) for part in module.modules()]
    module.train(training)
    try:
        yield
    finally:
        for part, was in modes:
            part.training = was
