"""summary: what a net is made of, and what one forward costs."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any, final

import torch
from torch import Tensor

from minigrad.core import Layer, Parameter, Wrapper, is_innermost, map_layers

_HEADINGS = ("name", "layer", "output shape", "parameters", "FLOPs", "cache bytes")


@dataclass(frozen=True)
class LayerSummary:
    """One layer's share of one forward.

    Attributes:
        name: Its name in the net, as in a state dict; a layer that stands twice comes twice.
        layer: Its `repr`.
        output_shape: The shape of its output (a tuple of shapes if there are several).
        parameters: How many numbers it trains; 0 where they are frozen or were counted in an earlier row.
        flops: Floating-point operations of its matrix products and convolutions, a multiply-add being two.
        cache_bytes: Memory that its cache keeps alive until backward and that no earlier cache holds already.
    """

    name: str
    layer: str
    output_shape: tuple[Any, ...]
    parameters: int
    flops: int
    cache_bytes: int


@dataclass(frozen=True)
class Summary:
    """A net's layers in the order in which they were done; shown as a table in a terminal and in a notebook."""

    rows: tuple[LayerSummary, ...]

    @property
    def parameters(self) -> int:
        """How many numbers the net trains."""
        return sum(row.parameters for row in self.rows)

    @property
    def flops(self) -> int:
        """Floating-point operations of one forward."""
        return sum(row.flops for row in self.rows)

    @property
    def cache_bytes(self) -> int:
        """Memory that one forward keeps alive until backward."""
        return sum(row.cache_bytes for row in self.rows)

    def _cells(self) -> Iterator[tuple[str, ...]]:
        for row in self.rows:
            numbers = (f"{number:,}" for number in (row.parameters, row.flops, row.cache_bytes))
            yield row.name, row.layer, str(row.output_shape), *numbers

    def _totals(self) -> tuple[str, ...]:
        return "total", "", "", f"{self.parameters:,}", f"{self.flops:,}", f"{self.cache_bytes:,}"

    def __rich__(self) -> Any:
        """A table for `rich.print`."""
        from rich.table import Table
        from rich.text import Text

        table = Table(show_footer=True)
        for i, (heading, total) in enumerate(zip(_HEADINGS, self._totals(), strict=True)):
            table.add_column(heading, footer=total, justify="right" if i > 2 else "left", overflow="fold")
        for cells in self._cells():
            table.add_row(*(Text(cell) for cell in cells))
        return table

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(width=120, color_system=None)
        with console.capture() as capture:
            console.print(self)
        return "\n".join(line.rstrip() for line in capture.get().rstrip().split("\n"))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def row(tag: str, cells: Iterable[str]) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(row("td", cells) for cells in self._cells())
        return f"<table>{row('th', _HEADINGS)}{body}{row('th', self._totals())}</table>"


def summary(net: Layer, example: Any) -> Summary:
    """Run `net` forward on `example` and count, layer by layer: output shape, parameters, operations, memory.

    A layer that holds others has a row behind theirs if there is anything to count beside what they count. The net and
    the random generators are left as they were.

    Args:
        net: Any layer.
        example: An input that it takes; its batch size enters the counts.

    Raises:
        TypeError: If `net` is no layer.

    Examples:
        >>> from minigrad.activations import Sigmoid
        >>> from minigrad.layers import Linear, Sequential
        >>> sigmoid = Sigmoid()
        >>> table = summary(Sequential(Linear(2, 3), sigmoid, Linear(3, 1), sigmoid), torch.zeros(4, 2))
        >>> table.parameters, table.flops, table.cache_bytes
        (13, 72, 96)
        >>> [row.output_shape for row in table.rows]
        [(4, 3), (4, 3), (4, 1), (4, 1)]
    """
    if not isinstance(net, Layer):
        raise TypeError(f"summary expects a layer. Received: {net!r} ({type(net).__name__})")
    # A forward may move buffers and write into tapes: those of a copy, which shares the parameters.
    net = copy.deepcopy(
        net, {id(tensor): tensor for tensor in net.state_dict().values() if isinstance(tensor, Parameter)}
    )
    run = _Run(net)
    with torch.random.fork_rng(devices=[]):
        # A probe in the caches would stay alive with them: the probed twin and its cache go when this returns.
        _probed(net, run).forward(example)
    return Summary(tuple(run.rows))


class _Run:
    """What the probes of one forward have seen."""

    def __init__(self, net: Layer) -> None:
        self.rows: list[LayerSummary] = []
        self.flops = 0
        self.names: dict[int, list[str]] = {}
        for name, layer in _named("", net):
            self.names.setdefault(id(layer), []).append(name)
        self.uncounted = {id(parameter) for parameter in net.parameters()}
        # Parameters and buffers are held by the net itself, not by a cache.
        self.held = {_storage(tensor) for tensor in net.state_dict().values()}

    def add(self, layer: Layer, y: Any, cache: Any, flops: int) -> None:
        names = self.names[id(layer)]
        name = names.pop(0) if len(names) > 1 else names[0]
        parameters = [p for p in layer.parameters() if id(p) in self.uncounted]
        self.uncounted -= {id(p) for p in parameters}
        storages = {_storage(t): t.untyped_storage().nbytes() for t in _tensors(cache)}
        counts = (
            sum(p.numel() for p in parameters),
            flops,
            sum(size for storage, size in storages.items() if storage not in self.held),
        )
        self.held |= storages.keys()
        self.flops += flops
        if _is_row(layer) or any(counts):
            self.rows.append(LayerSummary(name, repr(layer), _shape(y), *counts))


@final
class _Probe(Wrapper):
    """Counts what one layer's forward does, beside what the probes within it have counted."""

    def __init__(self, layer: Layer, inside: Layer, run: _Run) -> None:
        super().__init__(inside)
        self.original = layer
        self.run = run

    def forward(self, x: Any) -> tuple[Any, Any]:
        from torch.utils.flop_counter import FlopCounterMode

        before = self.run.flops
        with FlopCounterMode(display=False) as counter:
            y, cache = self.layer.forward(x)
        within = self.run.flops - before
        self.run.add(self.original, y, cache, counter.get_total_flops() - within)
        return y, cache


def _probed(layer: Layer, run: _Run) -> Layer:
    """A twin of the layer with probes around it and around all layers in it."""
    if _is_row(layer):
        return _Probe(layer, layer, run)
    twin = map_layers(layer, lambda child: _probed(child, run), lambda part: part is not layer)
    return twin if isinstance(layer, Wrapper) else _Probe(layer, twin, run)


def _is_row(layer: Layer) -> bool:
    # A wrapper with a forward of its own may keep another cache than the layer inside (Recompute does).
    return is_innermost(layer) or (isinstance(layer, Wrapper) and type(layer).forward is not Wrapper.forward)


def _named(name: str, layer: Layer) -> Iterator[tuple[str, Layer]]:
    yield name, layer
    if not _is_row(layer):
        for child_name, child in layer.named_children():
            yield from _named(f"{name}.{child_name}".strip("."), child)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif hasattr(value, "__dict__"):
        yield from _tensors(vars(value))


def _shape(y: Any) -> tuple[Any, ...]:
    if isinstance(y, Tensor):
        return tuple(y.shape)
    parts = y.values() if isinstance(y, dict) else y if isinstance(y, list | tuple) else ()
    return tuple(_shape(part) for part in parts)


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
