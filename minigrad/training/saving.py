"""Nets as files: the weights and the configuration, and nothing that could run."""

import os
import warnings
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from minigrad.core import Component, Layer, Parameter, constructor_arguments
from minigrad.errors import CheckpointError, ConfigError, PluginError, PluginWarning
from minigrad.files.container import naming, read_container, read_tree_only, write_container
from minigrad.files.trees import decode_tree, encode_tree
from minigrad.registry import KINDS, build, current_registry, describe
from minigrad.registry.naming import NAME, PLUGIN_NAME

_KIND = "model"
# What a net is made of. A file that names anything else, a data set that reads a path, say, is refused unbuilt.
_PARTS = tuple(kind for kind in KINDS if kind.name in ("layer", "activation", "initializer", "loss"))
_MAX_PATHS = 1_000_000
_BUILT_IN = ("minigrad", "local")


def save(net: Layer, path: str | os.PathLike[str], *, notes: Mapping[str, Any] | None = None) -> None:
    """Write a net into a file: weights, buffers and configuration, whole and durable or not at all.

    It is a safetensors file whose tensors are `net.state_dict()`; the rest stands in its metadata. torch takes the
    weights over in one line, `torch_net.load_state_dict(safetensors.torch.load_file(path))`. Gradients, the devices of
    the tensors and what a trace has recorded are not kept.

    Args:
        net: Any net of registered components, one Parameter in several places included.
        path: Where to write, `"model.safetensors"` say; the folder must exist.
        notes: What else to keep: a dict of text keys, of numbers, texts, lists and the like.

    Raises:
        UnknownNameError: If a class in the net is not registered.
        ConfigError: If the net could not be built again from its configuration: it was changed since it was made, an
            argument is no plain value, tensors share memory, or a constructor needs the numbers in its tensors.
        TypeError: If `net` is no layer, or a note is no plain value.
        RuntimeError: If another thread or process changes the net meanwhile; what stood there is still there.
        OSError: If the file cannot be written; what stood there is still there.

    Examples:
        >>> import tempfile
        >>> from minigrad.registry import build
        >>> path = tempfile.mkdtemp() + "/model.safetensors"
        >>> net = build([{"name": "linear", "in_features": 2, "out_features": 1}, "sigmoid"])
        >>> save(net, path, notes={"accuracy": 0.97})
        >>> load(path), read_notes(path)
        (Sequential(Linear(in_features=2, out_features=1), Sigmoid()), {'accuracy': 0.97})
    """
    if not isinstance(net, Layer):
        raise TypeError(f"save expects a net, a layer. Received: {type(net).__name__}")
    places = _distinct_places(net)
    tree = {
        "net": _encoded_net(net, places),
        "plugins": _plugins(net),
        "ties": _ties(places),
        "notes": encode_tree(_checked_notes(notes), _no_tensor, "notes"),
    }
    tensors = {place.name: place.tensor for place in places}
    _check_that_it_can_be_loaded(tree["net"], tensors)
    write_container(path, _KIND, tree, tensors)


def load(path: str | os.PathLike[str]) -> Layer:
    """Read the net that `save` wrote, on the CPU, with the dtypes that it had.

    The file is checked before anything is built: every checksum, and on the `meta` device, where tensors have no
    elements, whether the configuration makes tensors of just these names, shapes and dtypes. Components are built by
    their registered names, and nothing in the file is ever run. torch's random numbers go on as if nothing had been
    loaded. Plugins of another version than the net was saved with may compute otherwise: a `PluginWarning` names them.

    Raises:
        CheckpointError: If the file is missing, damaged or no model of minigrad's, or needs a plugin that is not
            installed; it names the file and what is wrong.
    """
    tree, tensors = read_container(path, _KIND)
    with naming(path):
        _check_tree(tree)
        _notes(tree)
        _try_on_meta(tree["net"], tree["plugins"], tensors)
        # The numbers that the constructors draw are replaced at once.
        with torch.device("cpu"), torch.random.fork_rng(devices=[]):
            net = _built(decode_tree(tree["net"], lambda name: _taken(tensors, name).clone()))
        _take_over(net, tensors, tree["ties"])
        _tell_other_versions(path, tree["plugins"], _plugins(net))
        return net


def read_notes(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the notes that `save` was given; the header of the file is checked, the weights are not read.

    Raises:
        CheckpointError: If the file is missing or damaged or no model of minigrad's; it names the file and
            what is wrong.
    """
    tree = read_tree_only(path, _KIND)
    with naming(path):
        _check_tree(tree)
        return _notes(tree)


# Where the tensors are.


class _Place(NamedTuple):
    """A tensor of a net: its name in the state dict, the layer that has it, and as what."""

    name: str
    layer: Layer
    attribute: str

    @property
    def tensor(self) -> Tensor:
        return cast("Tensor", vars(self.layer)[self.attribute])


def _places(layer: Layer, prefix: str = "") -> Iterator[_Place]:
    """Every parameter and buffer, as often as it stands in the net."""
    for attribute, value in vars(layer).items():
        if isinstance(value, Tensor):
            yield _Place(prefix + attribute, layer, attribute)
    for name, child in layer.named_children():
        yield from _places(child, f"{prefix}{name}." if name else prefix)


def _distinct_places(net: Layer) -> list[_Place]:
    """The places of a net, if each has a name of its own and no two tensors share memory."""
    places = list(_places(net))
    names = [place.name for place in places]
    if len(set(names)) < len(names) or set(names) != net.state_dict().keys():
        known = ", ".join(sorted(net.state_dict()))
        raise ConfigError(
            "A net is saved under the names of its state dict, one for each tensor. "
            f"Received: {', '.join(sorted(names))} in the layers, {known} in the state dict"
        )
    _check_memory(places)
    return places


def _check_memory(places: list[_Place]) -> None:
    """Refuse tensors that share memory: the file could not say so."""
    spans = sorted(
        (str(place.tensor.device), *_span(place.tensor), place.name)
        for place in {id(place.tensor): place for place in places}.values()
        if place.tensor.numel()
    )
    for (device, _, end, name), (next_device, begin, _, next_name) in pairwise(spans):
        if device == next_device and begin < end:
            raise ConfigError(
                "Two tensors that share memory would come back as two that do not. Make them one Parameter, which may "
                f"stand in several layers, or clone one. Received: {name} and {next_name}"
            )


def _span(tensor: Tensor) -> tuple[int, int]:
    """From which address to which the elements of a strided tensor lie."""
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.data_ptr(), tensor.data_ptr() + (last + 1) * tensor.element_size()


def _ties(places: list[_Place]) -> list[list[str]]:
    """The names of each tensor that stands in several places."""
    names: dict[int, list[str]] = {}
    for place in places:
        names.setdefault(id(place.tensor), []).append(place.name)
    return sorted(sorted(group) for group in names.values() if len(group) > 1)


# What is written.


def _encoded_net(net: Layer, places: list[_Place]) -> Any:
    """The configuration as JSON; a tensor among the arguments is named by its place in the state dict."""
    names = {id(place.tensor): place.name for place in places}

    def name(tensor: Tensor, place: str) -> str:
        if id(tensor) not in names:
            raise TypeError(f"A tensor among the arguments must be one of the state dict's. Received: {place}")
        return names[id(tensor)]

    try:
        encoded = encode_tree(describe(net), name)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"The configuration of the net cannot be kept in a file. {error}") from error
    return encoded


def _plugins(net: Layer) -> dict[str, Any]:
    """The plugins that the net needs, with their distributions and versions; and a look at what it is made of."""
    plugins = {}
    for component in _components(net, set()):
        entry = current_registry().entry_of(type(component))
        if entry.kind not in _PARTS:
            raise ConfigError(f"A net in a file is made of {_parts_in_words()}. Received: {component!r}")
        if entry.source.plugin not in _BUILT_IN:
            plugins[entry.source.plugin] = {
                "distribution": entry.source.distribution,
                "version": entry.source.version,
            }
    return dict(sorted(plugins.items()))


def _components(value: Any, seen: set[int]) -> Iterator[Component]:
    """Every component in a value, once."""
    if isinstance(value, Component):
        if id(value) in seen:
            return
        seen.add(id(value))
        yield value
        value = value.config()
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _components(item, seen)


def _checked_notes(notes: Mapping[str, Any] | None) -> dict[str, Any]:
    if notes is not None and not isinstance(notes, Mapping):
        raise TypeError(f"notes is a dict. Received: notes={notes!r:.100}")
    return dict(notes or {})


def _no_tensor(tensor: Tensor, place: str) -> str:
    raise TypeError(f"Notes hold plain values; tolist() gives those of a tensor. Received: {place} of {tensor.dtype}")


def _check_that_it_can_be_loaded(encoded: Any, tensors: Mapping[str, Tensor]) -> None:
    """Go through what `load` will go through, so that no file is written that it would refuse."""
    try:
        _try_on_meta(encoded, {}, tensors)
    except CheckpointError as error:
        raise ConfigError(f"The net could not be loaded again: {error}") from error


# What is read: everything that the file claims is doubted.


def _check_tree(tree: Any) -> None:
    match tree:
        case {"net": dict(), "plugins": dict(plugins), "ties": list(), "notes": dict()} if len(tree) == 4:
            rows = plugins.values()
            if all(type(row) is dict and set(row) == {"distribution", "version"} for row in rows) and all(
                type(value) is str for row in rows for value in row.values()
            ):
                return
    raise CheckpointError("its description of the net is incomplete")


def _try_on_meta(encoded: Any, plugins: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Build the net without elements and compare: nothing is allocated, however large it claims to be."""
    description = decode_tree(encoded, lambda name: _taken(tensors, name).detach().to("meta"))
    _check_components(description, plugins)
    with torch.device("meta"):
        net = _built(description)
    if _paths(net, {}) > _MAX_PATHS:
        raise CheckpointError(f"its layers stand, nested in one another, in more than {_MAX_PATHS:,} places")
    _check_shapes(net, tensors)


def _paths(layer: Layer, known: dict[int, int]) -> int:
    """In how many places a layer and those below it stand: a few nested shared layers make more than can be walked."""
    if id(layer) not in known:
        known[id(layer)] = 1 + sum(_paths(child, known) for child in layer.children())
    return known[id(layer)]


def _tell_other_versions(
    path: str | os.PathLike[str], saved: Mapping[str, Mapping[str, str]], ours: Mapping[str, Mapping[str, str]]
) -> None:
    """Warn of each plugin that is not the one that the file was written with."""
    for plugin, row in ours.items():
        if plugin not in saved:
            raise CheckpointError(f"its list of plugins lacks {plugin!r}, which its net needs")
        if saved[plugin] != row:
            then, now = (f"{each['distribution']} {each['version']}".strip() for each in (saved[plugin], row))
            text = f"{os.fspath(path)} was saved with {then!r:.200}, and the net may compute otherwise with {now!r}"
            warnings.warn(text, PluginWarning, stacklevel=3)


def _notes(tree: dict[str, Any]) -> dict[str, Any]:
    notes = decode_tree(tree["notes"], lambda name: _taken({}, name))
    if type(notes) is not dict:
        raise CheckpointError(f"its notes are no dict but a {type(notes).__name__}")
    return notes


def _check_components(description: Any, plugins: Mapping[str, Any]) -> None:
    """See that every component is registered, and is something that a net is made of."""
    for spec in _specs(description):
        name, kind = spec["name"], spec.get("kind")
        if kind is not None and kind not in [part.name for part in _PARTS]:
            raise CheckpointError(f"a net is made of {_parts_in_words()}. Received: kind={kind!r:.100}")
        plugin, _, bare = name.rpartition(":")
        if not (PLUGIN_NAME.fullmatch(plugin) and NAME.fullmatch(bare)):
            raise CheckpointError(
                f"a configuration in a file has qualified names, plugin:name. Received: {name!r:.100}"
            )
        try:
            cls = current_registry().find(name, _PARTS)[0].cls
        except PluginError as error:
            raise CheckpointError(_missing(name, plugins, error)) from error
        # A device among the arguments would lead around the meta device; `describe` writes none.
        known = {"name", "kind", "id", *(argument.name for argument in constructor_arguments(cls))}  # type: ignore[arg-type]
        if not spec.keys() <= known:
            raise CheckpointError(f"its {name} has unknown arguments: {sorted(map(str, spec.keys() - known))!r:.200}")


def _specs(description: Any) -> Iterator[dict[Any, Any]]:
    """Every dict that `build` could take for a component."""
    if isinstance(description, dict):
        if isinstance(description.get("name"), str):
            yield description
        description = list(description.values())
    if isinstance(description, list | tuple):
        for value in description:
            yield from _specs(value)


def _missing(name: str, plugins: Mapping[str, Any], error: Exception) -> str:
    plugin, _, bare = name.rpartition(":")
    if plugin == "local":
        return (
            f"it needs {name!r:.100}, which was registered in the session that saved it, not by a plugin. Register the "
            f"class here first, as {bare!r:.100}: minigrad.register_layer or minigrad.register_activation"
        )
    if plugin in plugins:
        row = plugins[plugin]
        package = f"{row['distribution']} {row['version']}".strip()
        needed = f"it needs {name!r:.100} of the plugin {plugin!r:.100}, which was in the distribution {package!r:.200}"
        return f"{needed}. {error!s:.1000}"
    return f"it needs {name!r:.100}. {error!s:.1000}"


def _built(description: Any) -> Layer:
    """The net that a checked configuration describes."""
    try:
        net = build(description)
    except NotImplementedError as error:
        raise CheckpointError(
            "a constructor needs the numbers in its tensors, so that the net cannot be tried on the meta device "
            f"before anything is allocated: {error}"
        ) from error
    except Exception as error:  # the file's arguments and a plugin's constructor may bring about any
        raise CheckpointError(f"its net cannot be built: {type(error).__name__}: {error!s:.1000}") from error
    if not isinstance(net, Layer):
        raise CheckpointError(f"it describes no layer but a {type(net).__name__}")
    return net


def _taken(tensors: Mapping[str, Tensor], name: str) -> Tensor:
    if name not in tensors:
        raise CheckpointError(f"its description names a tensor that is not in the file: {name!r:.100}")
    return tensors[name]


def _check_shapes(net: Layer, tensors: Mapping[str, Tensor]) -> None:
    """See that a net has the tensors of a file: names, shapes, and dtypes up to their precision."""
    own = {place.name: place.tensor for place in _places(net)}
    faults = [f"{name} is missing" for name in own.keys() - tensors.keys()]
    faults += [f"{name} has no place in the net" for name in tensors.keys() - own.keys()]
    for name in own.keys() & tensors.keys():
        made, given = own[name], tensors[name]
        if made.shape != given.shape or not _is_precision_of(given.dtype, made.dtype):
            faults.append(
                f"{name} is {tuple(given.shape)} {given.dtype}, its layer makes {tuple(made.shape)} {made.dtype}"
            )
    if faults:
        shown = "; ".join(sorted(faults)[:5]) + ("; ..." if len(faults) > 5 else "")
        raise CheckpointError(f"its tensors do not fit its configuration: {shown:.2000}")


def _is_precision_of(dtype: torch.dtype, made: torch.dtype) -> bool:
    """Whether a net can have been given `dtype` by `net.to(dtype)`, which converts floating-point numbers alone."""
    both_floating = dtype.is_floating_point and made.is_floating_point
    return dtype == made or both_floating or (dtype.is_complex and made.is_complex)


def _take_over(net: Layer, tensors: Mapping[str, Tensor], ties: Any) -> None:
    """Put the tensors of a file into a net as they are; those that were one become one again."""
    places = {place.name: place for place in _places(net)}
    for group in _checked_ties(ties, places, tensors):
        for name in group[1:]:
            place = places[name]
            vars(place.layer)[place.attribute] = places[group[0]].tensor
    if _ties(list(places.values())) != ties:
        raise CheckpointError("tensors are shared in its net that were not when it was saved")
    first = {name: group[0] for group in ties for name in group}
    for name, place in places.items():
        tensor = tensors[first.get(name, name)]
        if isinstance(place.tensor, Parameter):
            place.tensor.data = tensor  # copy_ would convert it to the dtype that the constructor chose
        else:
            vars(place.layer)[place.attribute] = tensor


def _checked_ties(ties: Any, places: Mapping[str, _Place], tensors: Mapping[str, Tensor]) -> list[list[str]]:
    """The groups of names that are one tensor, if they can be."""
    for group in ties:
        if type(group) is not list or not all(type(name) is str and name in places for name in group) or not group:
            raise CheckpointError("its list of shared tensors names tensors that are not in the net")
        first = group[0]
        for name in group[1:]:
            same_sort = type(places[name].tensor) is type(places[first].tensor)
            if not same_sort or not _equal_bits(tensors[name], tensors[first]):
                raise CheckpointError(f"its tensors {first!r:.100} and {name!r:.100} should be one, and differ")
    return cast("list[list[str]]", ties)


def _equal_bits(one: Tensor, other: Tensor) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return torch.equal(one.reshape(-1).view(torch.uint8), other.reshape(-1).view(torch.uint8))


def _parts_in_words() -> str:
    return ", ".join(kind.plural for kind in _PARTS)
