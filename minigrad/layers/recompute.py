"""Recompute, less memory for more time."""

from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from minigrad.core import Wrapper


class _Kept(NamedTuple):
    x: Any
    cpu_state: Tensor | None
    cuda_states: list[Tensor]
    inner: Any  # the cache itself, where nothing is to be gained


@final
class Recompute(Wrapper):
    r"""Keeps only its input, and does the forward again when the backward needs the cache.

    $$y = f(x), \qquad \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\, J_f(x)$$

    Put it around whole blocks of a deep net: memory falls from all that is cached within a block to its input, and time
    grows by one forward. The second forward draws the random numbers of the first, so a Dropout inside drops the same
    elements, and it leaves buffers (running statistics) and the random state as it found them.

    Under torch.compile it only passes on: the compiler itself decides there what is computed twice.

    Args:
        layer: The layer inside.

    Raises:
        TypeError: If `layer` is not a layer.

    Examples:
        >>> from minigrad.layers import Dropout, Linear, Sequential
        >>> block = Recompute(Sequential(Linear(2, 8), Dropout()))
        >>> y, cache = block.forward(torch.ones(4, 2))
        >>> block.backward(torch.ones(4, 8), cache).shape
        torch.Size([4, 2])

    References:
        Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
    """

    def forward(self, x: Any) -> tuple[Any, _Kept]:
        """Map `x` to `y`, and keep `x`."""
        if torch.compiler.is_compiling():
            y, inner = self.layer.forward(x)
            return y, _Kept(None, None, [], inner)
        cpu_state = torch.get_rng_state()
        initialized = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
        cuda_states = torch.cuda.get_rng_state_all() if initialized else []
        y, _ = self.layer.forward(x)
        return y, _Kept(x, cpu_state, cuda_states, None)

    def backward(self, grad_output: Any, cache: _Kept) -> Any:
        """Map `dL/dy` to `dL/dx`, after a second forward."""
        return self.layer.backward(grad_output, self._forward_again(cache))

    def backward_parameters(self, grad_output: Any, cache: _Kept) -> None:
        """Accumulate the gradients of the parameters alone, after a second forward."""
        self.layer.backward_parameters(grad_output, self._forward_again(cache))

    def _forward_again(self, cache: _Kept) -> Any:
        if cache.cpu_state is None:
            return cache.inner
        buffers = [(buffer, buffer.clone()) for buffer in self.layer.buffers()]
        with torch.random.fork_rng(devices=range(len(cache.cuda_states))):
            torch.set_rng_state(cache.cpu_state)
            if cache.cuda_states:
                torch.cuda.set_rng_state_all(cache.cuda_states)
            _, inner = self.layer.forward(cache.x)
        for buffer, before in buffers:
            buffer.copy_(before)
        return inner
