"""Torch's exporter, without what it says on the way."""

import io
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import torch

LOGGERS = ("torch", "torch.export", "torch.fx", "torch.onnx", "torch.__trace", "onnx_ir", "onnxscript")

# Warnings, loggers and the standard streams belong to the whole process: one export at a time changes them.
_lock = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep warnings, logs, prints and random numbers of what runs inside from reaching anyone.

    Examples:
        >>> with quiet():
        ...     print("torch.export is at it")
        ...     warnings.warn("and deprecated", FutureWarning)
        ...     _ = torch.rand(1)
    """
    with (
        _lock,
        warnings.catch_warnings(action="ignore"),
        redirect_stdout(io.StringIO()),
        redirect_stderr(io.StringIO()),
        torch.random.fork_rng(devices=[]),
    ):
        loggers = [logging.getLogger(name) for name in LOGGERS]
        levels = [logger.level for logger in loggers]
        try:
            for logger in loggers:
                logger.setLevel(logging.CRITICAL + 1)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
