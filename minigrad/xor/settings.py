"""What can be set in the main job, checked before anything runs."""

from dataclasses import dataclass

import torch

from minigrad.core.checks import check_device
from minigrad.errors import ConfigError

DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Settings:
    """The settings of one run of both pipelines.

    Args:
        seed: What the weights are drawn from.
        steps: How many steps each pipeline takes.
        lr: The learning rate.
        hidden: How many hidden units the net has.
        dtype: `"float32"` or `"float64"`.
        device: A torch device that this machine has.
        log_every: From how many steps one is shown.

    Raises:
        ConfigError: If one of them cannot be used; it says what is expected.

    Examples:
        >>> Settings(steps=0)
        Traceback (most recent call last):
        minigrad.errors.ConfigError: steps must be at least 1. Received: steps=0
    """

    seed: int = 777
    steps: int = 10_001
    lr: float = 1.0
    hidden: int = 2
    dtype: str = "float32"
    device: str = "cpu"
    log_every: int = 1000

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("hidden", 1), ("log_every", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}. Received: {name}={getattr(self, name)}")
        if not -(2**63) <= self.seed < 2**64:
            raise ConfigError(f"seed must lie between -2**63 and 2**64 - 1. Received: seed={self.seed}")
        if self.dtype not in DTYPES:
            raise ConfigError(f"dtype must be {' or '.join(DTYPES)}. Received: dtype={self.dtype!r}")
        if not 0 <= self.lr <= torch.finfo(self.torch_dtype).max:
            raise ConfigError(f"lr must be a finite {self.dtype} and not negative. Received: lr={self.lr}")
        check_device(self.device, self.torch_dtype)
        try:
            torch.empty(3, self.hidden, dtype=self.torch_dtype, device=self.device)
        except (RuntimeError, TypeError) as error:
            raise ConfigError(f"The hidden units must fit into memory. Received: hidden={self.hidden}") from error

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype itself."""
        return DTYPES[self.dtype]
