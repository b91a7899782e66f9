"""Broken activations: careless with memory, dtypes, devices, layouts, and torch's transforms."""

# ruff: noqa: D102  # what forward, backward and update are, their contracts say

import contextlib
import functools
from typing import Any, Self

import torch
from torch import Tensor

from minigrad.core import Activation
from minigrad.testing.broken.gallery import caught_by


class _Square(Activation):
    """A right $y = x^2$ to be broken."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        return x * x, x

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return 2 * grad_output * cache


@caught_by("runs")
class ForgottenCache(_Square):
    """A forward that returns $y$ alone."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        return x * x  # type: ignore[return-value]


@caught_by("arguments_untouched", "forward mutated the argument x")
class InputMutated(_Square):
    """$y = |x|$ written over its argument."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        signs = x.sign()
        return x.abs_(), signs

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return grad_output * cache


@caught_by("arguments_untouched", "backward mutated the argument grad_output")
class UpstreamMutated(_Square):
    """The gradient $2 g x$ written over the upstream gradient."""

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return grad_output.mul_(2 * cache)


@caught_by("arguments_untouched", "backward mutated the argument cache[0]")
class CacheMutated(_Square):
    """The gradient $2 g x$ written over what the cache holds."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        return x * x, (2 * x,)

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return cache[0].mul_(grad_output)


@caught_by("cache_used_again")
class CacheSpoilt(_Square):
    """A backward of $y = x^2$ that empties its cache, and fails obscurely when it is called again."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        return x * x, [x]

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return 2 * grad_output * cache.pop()


@caught_by("remembers_nothing")
class KeepsItsInput(_Square):
    """Keeps the last $x$ on itself, and so its memory alive."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        self.last = x
        return x * x, x


@caught_by("reentrant", "stale cache")
class BackwardFromItself(_Square):
    """Takes $x$ from itself and not from the cache: the second forward overwrites the first."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        self.x = x
        return x * x, None

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return 2 * grad_output * self.x


@caught_by("reentrant")
class BackwardFromAStack(_Square):
    """Takes $x$ from a stack, which is right only for backwards in reverse order."""

    def __init__(self) -> None:
        self.stack: list[Tensor] = []

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        self.stack.append(x)
        return x * x, None

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return 2 * grad_output * self.stack.pop()


@caught_by("twice_in_a_net", "stale cache")
class OnlyTheLastOutput(_Square):
    r"""$y = e^x$ that remembers its last output: a net in which it stands twice is wrong."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        self.y = torch.exp(x)
        return self.y, None

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return grad_output * self.y


@caught_by("dtype_kept")
class DefaultDtype(_Square):
    """$y = x^2 + 0$ with a zero of torch's default dtype."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        return x * x + torch.zeros(x.shape, device=x.device), x


@caught_by("bfloat16_kept")
class AtLeastFloat32(_Square):
    """Computes $x^2$ in float32 and forgets to go back."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        return x * x, x


@caught_by("device_kept")
class AlwaysOnTheCPU(_Square):
    """$y = x^2 + 0$ with a zero that is always on the CPU."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        return x * x + torch.zeros(x.shape, dtype=x.dtype), x


@caught_by("non_contiguous")
class MemoryAsItLies(_Square):
    """Reads $x$ as if it were contiguous."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        x = x.as_strided(x.shape, torch.empty(x.shape, device="meta").stride())
        return x * x, x


@caught_by("expanded")
class UpstreamAsItLies(_Square):
    """Reads the upstream gradient $g$ as if it were contiguous."""

    def backward(self, grad_output: Tensor, cache: Any) -> Tensor:
        return 2 * cache * grad_output.as_strided(cache.shape, torch.empty(cache.shape, device="meta").stride())


@caught_by("empty_batch")
class NeedsASample(_Square):
    r"""$y = x^2 + 0 \max x$, which has no maximum of nothing."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        return x * x + 0 * x.max(), x


@caught_by("refuses")
class SwallowsEverything(_Square):
    """$y = x^2$, and zero for whatever has no square."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        with contextlib.suppress(TypeError):
            return x * x, x
        return torch.zeros(1), None


@caught_by("deterministic")
class BackwardDraws(Activation):
    """$y = x m$ with a random mask $m$ that the backward draws anew."""

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return x * (torch.rand_like(x) > 0.5), None

    def backward(self, grad_output: Tensor, cache: None) -> Tensor:
        return grad_output * (torch.rand_like(grad_output) > 0.5)

    def predict(self, x: Tensor) -> Tensor:
        return x


@caught_by("deterministic")
class CountsItsCalls(Activation):
    """$y = c x$, where $c$ grows with each call."""

    calls = 0

    def forward(self, x: Tensor) -> tuple[Tensor, int]:
        type(self).calls += 1
        return x * self.calls, self.calls

    def backward(self, grad_output: Tensor, cache: int) -> Tensor:
        return grad_output * cache


@caught_by("predicts")
class RandomPrediction(Activation):
    """$y = x m$ with a random mask $m$, in predicting too."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mask = (torch.rand_like(x) > 0.5).to(x.dtype)
        return x * mask, mask

    def backward(self, grad_output: Tensor, cache: Tensor) -> Tensor:
        return grad_output * cache


@caught_by("predicts")
class OtherPrediction(_Square):
    """$y = x^2$ that predicts $x^3$."""

    def predict(self, x: Tensor) -> Tensor:
        return x**3


@caught_by("vmap")
class BranchesOnAValue(_Square):
    """$y = x^2$ behind a branch that depends on a number in $x$."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        return (x * x, x) if bool((x > -1e9).all()) else (x, x)


@caught_by("compiles")
class BreaksTheGraph(_Square):
    """$y = x^2$ behind a call that no graph can hold."""

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        torch._dynamo.graph_break()
        return x * x, x


@caught_by("pickles")
class HoldsAFunction(_Square):
    """$y = x^2$ by a function that cannot be pickled."""

    def __init__(self) -> None:
        self.function: Any = lambda x: x * x

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        return self.function(x), x


@caught_by("deep_copies", make=lambda cls: cls())
class CopiesToItself(_Square):
    """$y = x^2 + w$ whose copy is itself."""

    def __init__(self) -> None:
        self.offset = torch.ones(1)

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        return x * x + self.offset, x

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


@caught_by("makes", make=functools.cache(lambda cls: cls()))
class TheSameAgain(_Square):
    """$y = x^2$ from a function that makes it only once."""
