"""Broken schedules and initializers."""

# ruff: noqa: D102  # what rate, step and a call are, their contracts say

import random
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Initializer, Optimizer, Schedule
from minigrad.testing.broken.gallery import caught_by


class _Halving(Schedule):
    r"""A right $\eta_t = \eta_0 / 2^t$ to be broken."""

    def rate(self, base: float, step: int) -> float:
        return base / 2**step


@caught_by("rates_follow_the_formula")
class OneBaseForAll(_Halving):
    r"""The first group's $\eta_0$ for every group."""

    def _set(self) -> None:
        for group in self.optimizer.groups:
            self.apply(group, self.rate(self.base_lrs[0], self.last_step))


@caught_by("rates_follow_the_formula")
class OneStepLate(_Halving):
    r"""Sets the rate $\eta_t$ before it counts the step."""

    def step(self, metric: float | None = None) -> None:
        self._set()
        self.last_step += 1


@caught_by("rates_are_rates")
class BelowZero(_Halving):
    r"""$\eta_t = \eta_0 (1 - t / 4)$, which goes on below zero."""

    def rate(self, base: float, step: int) -> float:
        return base * (1 - step / 4)


@caught_by("rate_is_pure")
class FromTheLastRate(_Halving):
    r"""$\eta_t = \eta_{t-1} / 2$: each question changes the answer to the next."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.factor = 2.0
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        self.factor /= 2
        return base * self.factor


@caught_by("schedule_resumes")
class CountsOutsideTheState(_Halving):
    r"""$\eta_t = \eta_0 / 2^k$, where no state dict holds the $k$ good metrics."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.good = 0
        super().__init__(optimizer)

    def watch(self, metric: float | None) -> None:
        self.good += metric is not None and metric < 1

    def rate(self, base: float, step: int) -> float:
        return base / 2**self.good


class _Noise(Initializer):
    r"""A right $\theta \sim U(0, 1)$ to be broken."""

    def __call__(self, tensor: Tensor) -> None:
        tensor.uniform_()


@caught_by("fills_in_place")
class GivesANewTensor(_Noise):
    r"""Returns a new $\theta$ and leaves the given one alone."""

    def __call__(self, tensor: Tensor) -> Any:
        return torch.rand_like(tensor)


@caught_by("fills_in_place")
class FillsHalf(_Noise):
    r"""Fills every second row of $\theta$."""

    def __call__(self, tensor: Tensor) -> None:
        tensor[::2].uniform_()


@caught_by("fills_what_lies_apart")
class FillsTheMemory(_Noise):
    r"""Fills as many entries as $\theta$ has, one after the other in memory."""

    def __call__(self, tensor: Tensor) -> None:
        tensor.as_strided((tensor.numel(),), (1,)).uniform_()


@caught_by("seeded")
class OtherGenerator(_Noise):
    r"""Draws $\theta$ from Python's generator."""

    def __call__(self, tensor: Tensor) -> None:
        tensor.fill_(random.random())


@caught_by("config")
class WidthNotStored(_Noise):
    r"""$\theta \sim U(0, b)$ that stores $b$ under another name."""

    def __init__(self, b: float = 1.0) -> None:
        self.width = b
