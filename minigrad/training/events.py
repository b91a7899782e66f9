"""Callbacks made ready for a run: bound once, named in what they raise, wrapped around layers; and Ctrl-C."""

import difflib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from minigrad.core import Callback, Layer, Run, map_layers
from minigrad.errors import ConfigError

EVENTS = [name for name in vars(Callback) if name.startswith("on_")]


def check_events(callback: Callback) -> None:
    """Refuse a method that is named like an event and is none: it would never be called.

    Raises:
        ConfigError: If there is one.
    """
    for name in dir(callback):
        if name.startswith("on_") and name not in EVENTS and callable(getattr(callback, name)):
            near = difflib.get_close_matches(name, EVENTS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigError(
                f"A callback's events are {', '.join(EVENTS)}.{hint} Received: {type(callback).__name__}.{name}"
            )


def bound(callbacks: Sequence[Callback], event: str) -> Iterator[Callable[..., None]]:
    """The methods that are overridden; an exception in one bears its name."""
    for callback in callbacks:
        if getattr(type(callback), event) is not getattr(Callback, event) or event in vars(callback):
            yield _named(getattr(callback, event), f"In callback {type(callback).__name__}.{event}")


def _named(method: Callable[..., None], name: str) -> Callable[..., None]:
    def call(run: Run, *more: Any) -> None:
        try:
            method(run, *more)
        except BaseException as error:
            error.add_note(f"{name}, after {run.step} updates.")
            raise

    return call


def wrapped_net(net: Layer, callbacks: Sequence[Callback]) -> Layer:
    """The net that learns: the same parameters, with what callbacks put around its layers."""
    wrapping = [callback for callback in callbacks if type(callback).wrap is not Callback.wrap]
    if not wrapping:
        return net
    names: dict[int, str] = {}
    for name, layer in net.named_layers():
        names.setdefault(id(layer), name)

    def wrap(layer: Layer) -> Layer:
        wrapped = layer
        for callback in wrapping:
            wrapped = callback.wrap(wrapped, names.get(id(layer), ""))
            if not isinstance(wrapped, Layer):
                raise ConfigError(f"{type(callback).__name__}.wrap must return a layer. Received: {wrapped!r}")
        return wrapped

    return map_layers(net, wrap)


@contextmanager
def stopping_on_interrupt(run: Run) -> Iterator[None]:
    """Let the first Ctrl-C end the run in order; a second one breaks it off."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:
        if run.stopped:
            raise KeyboardInterrupt
        run.stop("interrupted")

    if previous is not signal.default_int_handler:  # somebody handles it already, and is left to
        yield
        return
    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
