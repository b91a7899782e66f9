"""Timed, a layer with a stop watch."""

import threading
import time
from collections.abc import Callable
from typing import Any, final

import torch

from minigrad.core import Layer, Wrapper

_lock = threading.Lock()


@final
class Timed(Wrapper):
    r"""Adds up how long the passes of a layer take, and how many there were.

    $$y = f(x), \qquad \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\, J_f$$

    Neither pass is changed. Kernels that run on after the call returns (on a GPU) are waited for.

    Args:
        layer: The layer inside.

    Attributes:
        seconds: The total of each pass, by its name: `forward`, `backward` and `predict`.
        calls: How often each was called.

    Raises:
        TypeError: If `layer` is not a layer.

    Examples:
        >>> from minigrad.layers import Linear
        >>> timed = Timed(Linear(2, 1))
        >>> y, cache = timed.forward(torch.ones(4, 2))
        >>> _ = timed.backward(torch.ones(4, 1), cache)
        >>> timed.calls, timed.seconds["forward"] > 0
        ({'forward': 1, 'backward': 1, 'predict': 0}, True)
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__(layer)
        self.reset()

    def reset(self) -> None:
        """Begin at zero again."""
        self.seconds = {"forward": 0.0, "backward": 0.0, "predict": 0.0}
        self.calls = {"forward": 0, "backward": 0, "predict": 0}

    def forward(self, x: Any) -> tuple[Any, Any]:
        """The forward of the layer inside, timed."""
        return self._timed("forward", self.layer.forward, x)

    def backward(self, grad_output: Any, cache: Any) -> Any:
        """The backward of the layer inside, timed."""
        return self._timed("backward", self.layer.backward, grad_output, cache)

    def backward_parameters(self, grad_output: Any, cache: Any) -> None:
        """The parameters-only backward of the layer inside, timed as a backward."""
        self._timed("backward", self.layer.backward_parameters, grad_output, cache)

    def predict(self, x: Any) -> Any:
        """The predict of the layer inside, timed."""
        return self._timed("predict", self.layer.predict, x)

    def _timed(self, verb: str, run: Callable[..., Any], *arguments: Any) -> Any:
        _wait()
        start = time.perf_counter()
        result = run(*arguments)
        _wait()
        seconds = time.perf_counter() - start
        with _lock:
            self.seconds[verb] += seconds
            self.calls[verb] += 1
        return result


def _wait() -> None:
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()
