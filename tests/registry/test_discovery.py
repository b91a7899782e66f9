"""When plugins are looked for, which of them are imported, and what becomes of clashes."""

import importlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from minigrad.errors import AmbiguousNameError, PluginError, PluginLoadError, PluginWarning, UnknownNameError
from minigrad.registry import Registry, activation, components, layer, plugins, use_registry
from tests import distributions
from tests.distributions import IDENTITY, activation_plugin

CUBIC = activation_plugin("Cubic")


def status(name: str) -> str:
    """How the loading of one plugin ended, without loading any again."""
    return {row.name: row.status for row in plugins()}[name]


def python(code: str, site: Path, **variables: str) -> str:
    """What a fresh interpreter prints that finds the packages in `site`."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | variables | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_is_discovered_at_import_nor_for_a_built_in(install: Callable[..., str], site: Path):
    install("bad", "1 / 0")
    code = """
import importlib.metadata, sys, torch
def spy(*args, **kwargs): raise SystemExit("plugins are looked for")
importlib.metadata.entry_points = importlib.metadata.distributions = spy
import minigrad
print(minigrad.activation("sigmoid").__name__, minigrad.layer("minigrad:linear").__name__)
print(minigrad.build([{"name": "linear", "in_features": 2, "out_features": 1}, "sigmoid"])[1])
print(minigrad.describe(minigrad.Sigmoid()))
minigrad.register_activation(minigrad.Sigmoid, name="mine")
print(minigrad.activation("mine").__name__, minigrad.activation("local:mine").__name__, "minigrad_bad" in sys.modules)
"""
    shown = python(code, site).split()
    assert shown == ["Sigmoid", "Linear", "Sigmoid()", "{'name':", "'minigrad:sigmoid'}", "Sigmoid", "Sigmoid", "False"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda: activation("cubic"),
        lambda: layer("cubic"),
        lambda: activation("cubic:cubic"),
        lambda: Registry().get("activation", "cubic"),
        components,
        plugins,
    ],
    ids=["a name", "the name as a layer's", "a qualified name", "another registry", "components", "plugins"],
)
def test_plugins_load_when_they_are_needed(ask: Callable[[], object], install: Callable[..., str]):
    module = install("cubic", CUBIC)
    activation("sigmoid")
    with pytest.raises(UnknownNameError):
        activation("minigrad:cubic")
    assert module not in sys.modules
    ask()
    assert module in sys.modules


def test_entries_come_in_the_order_of_precedence(install: Callable[..., str], registry: Registry):
    module = install("cubic", CUBIC)
    registry.register("activation", "no_such_module:Later")
    entries = registry.entries("activation")
    sources = [next(entries).source.plugin]
    assert module not in sys.modules
    for entry in entries:
        if entry.source.plugin != sources[-1]:
            sources.append(entry.source.plugin)
    assert [source for source in sources if source in ("minigrad", "local", "cubic")] == ["minigrad", "local", "cubic"]


def test_a_plugin_of_the_listing_is_fully_named(install: Callable[..., str], site: Path):
    install("cubic", CUBIC)
    [row] = [row for row in components() if row.plugin == "cubic"]
    assert row.as_dict() == {
        "kind": "activation",
        "name": "cubic",
        "id": "cubic:cubic",
        "plugin": "cubic",
        "version": "1.2",
        "file": str(site / "minigrad_cubic.py"),
        "summary": "",
        "aliases": (),
    }


def test_of_two_plugins_that_claim_a_name_neither_has_it(install: Callable[..., str]):
    install("one", activation_plugin("Cubic", "Square"))
    install("two", activation_plugin("Cubic"))
    text = r"Several plugins claim the name 'cubic'.* 'one:cubic' of minigrad-one or 'two:cubic' of minigrad-two"
    for ask in (activation, layer):
        with pytest.raises(AmbiguousNameError, match=text):
            ask("cubic")
    assert activation("one:cubic").__module__ == "minigrad_one"
    assert activation("two:cubic").__module__ == "minigrad_two"
    assert activation("square").__module__ == "minigrad_one"
    notes = {row.name: row.notes for row in plugins()}
    assert len(notes["one"]) == len(notes["two"]) == 1
    assert "Several plugins claim" in notes["one"][0]


def test_an_alias_claims_its_name_as_well(install: Callable[..., str]):
    install("one", activation_plugin("Cubic"))
    install("two", activation_plugin("Third").replace("register(Third)", "register(Third, aliases=('cubic', 'three'))"))
    with pytest.raises(AmbiguousNameError):
        activation("cubic")
    assert activation("two:cubic") is activation("three") is activation("third")


def test_layers_and_activations_of_two_plugins_clash_where_a_layer_is_asked_for(install: Callable[..., str]):
    install("one", activation_plugin("Cubic"))
    row = f"import minigrad\nclass Cubic(minigrad.Layer):{IDENTITY}\n"
    install("two", f"{row}@minigrad.hookimpl\ndef minigrad_register_layers(register): register(Cubic)")
    assert activation("cubic").__module__ == "minigrad_one"
    with pytest.raises(AmbiguousNameError):
        layer("cubic")


def test_a_built_in_keeps_its_name(install: Callable[..., str]):
    install("cubic", activation_plugin("Sigmoid"))
    assert activation("sigmoid").__module__ == "minigrad.activations.sigmoid"
    assert activation("cubic:sigmoid").__module__ == "minigrad_cubic"
    [note] = {row.name: row.notes for row in plugins()}["cubic"]
    assert note == "activation 'sigmoid' is the built-in's name; this one is 'cubic:sigmoid'"


def test_two_packages_with_one_entry_point_are_both_skipped(install: Callable[..., str]):
    install("cubic", activation_plugin("Cubic"), distribution="cubic-a")
    install("cubic", activation_plugin("Cubic"), distribution="cubic-b", version="3")
    install("good", activation_plugin("Fine"))
    with pytest.warns(PluginWarning) as warned:
        assert activation("fine").__name__ == "Fine"
    assert [str(warning.message) for warning in warned] == [
        f"The plugin 'cubic' ({package}) was skipped: 2 entry points have that name, of cubic-a 1.2 and cubic-b 3. "
        f"Uninstall all but one, or have them renamed."
        for package in ("cubic-a 1.2", "cubic-b 3")
    ]
    assert not {"cubic_a", "cubic_b"} & sys.modules.keys()


@pytest.mark.parametrize("name", ["minigrad", "local", "a:b", "a b"])
def test_a_plugin_needs_a_name_that_an_id_can_begin_with(name: str, install: Callable[..., str]):
    module = install(name, CUBIC, distribution="minigrad-odd")
    with pytest.warns(PluginWarning, match="only letters, digits and . _ - and is neither"):
        components()
    assert module not in sys.modules


@pytest.mark.parametrize(
    ("variables", "loaded"),
    [
        ({}, {"one", "two"}),
        ({"MINIGRAD_PLUGINS": "one"}, {"one"}),
        ({"MINIGRAD_PLUGINS": " two , one,"}, {"one", "two"}),
        ({"MINIGRAD_PLUGINS": ""}, set()),
        ({"MINIGRAD_DISABLE_PLUGINS": "1"}, set()),
        ({"MINIGRAD_DISABLE_PLUGINS": " True "}, set()),
        ({"MINIGRAD_DISABLE_PLUGINS": "yes", "MINIGRAD_PLUGINS": "one"}, set()),
        ({"MINIGRAD_DISABLE_PLUGINS": "0", "MINIGRAD_PLUGINS": "one"}, {"one"}),
        ({"MINIGRAD_DISABLE_PLUGINS": "off"}, {"one", "two"}),
        ({"MINIGRAD_DISABLE_PLUGINS": ""}, {"one", "two"}),
    ],
    ids=lambda value: str(value if isinstance(value, dict) else sorted(value)),  # the same in every process
)
def test_the_environment_says_which_may_load(
    variables: dict[str, str], loaded: set[str], install: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    modules = {name: install(name, activation_plugin(name.title())) for name in ("one", "two")}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert {row.plugin for row in components()} & {"one", "two"} == loaded
    assert {name for name, module in modules.items() if module in sys.modules} == loaded
    assert {name for name in modules if status(name) == "loaded"} == loaded
    for name in modules.keys() - loaded:
        assert status(name) == "disabled"
        with pytest.raises(
            UnknownNameError, match=rf"The plugin '{name}' \(minigrad-{name} 1.2\) is not loaded: it is "
        ):
            activation(name)
        with pytest.raises(UnknownNameError, match="switched off by MINIGRAD_"):
            activation(f"{name}:{name}")


@pytest.mark.parametrize("variable", ["MINIGRAD_DISABLE_PLUGINS", "MINIGRAD_STRICT_PLUGINS"])
def test_a_boolean_of_the_environment_is_parsed(variable: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(variable, "maybe")
    assert activation("sigmoid").__name__ == "Sigmoid"
    with pytest.raises(PluginError, match=f"{variable} must be 1, true, yes, on or 0, .* Received: {variable}=maybe"):
        activation("cubic")


def test_a_plugin_that_is_listed_but_not_installed_is_told(
    install: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    install("cubic", CUBIC)
    monkeypatch.setenv("MINIGRAD_PLUGINS", "cubik")
    with pytest.warns(
        PluginWarning, match=r"'cubik' was skipped: MINIGRAD_PLUGINS=cubik names it, .* mean 'cubic'\? Otherwise"
    ):
        components()


def test_a_registry_may_say_which_may_load(install: Callable[..., str], monkeypatch: pytest.MonkeyPatch):
    module = install("cubic", CUBIC)
    monkeypatch.setenv("MINIGRAD_PLUGINS", "cubic")
    with use_registry(Registry(only=(), said_by="--no-plugins")):
        with pytest.raises(UnknownNameError, match=r"it is switched off by --no-plugins\. Leave --no-plugins out"):
            activation("cubic")
        assert module not in sys.modules
    assert activation("cubic").__name__ == "Cubic"


def test_being_strict_may_be_said_in_code(install: Callable[..., str]):
    install("bad", "1 / 0")
    install("worse", "1 / 0")
    with pytest.raises(PluginLoadError, match=r"'bad'.*\n.*'worse'") as raised:
        Registry(strict=True).components()
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_threads_load_the_plugins_once(install: Callable[..., str], registry: Registry):
    source = activation_plugin("Cubic", imports="import time, minigrad_count\nminigrad_count.n += 1\ntime.sleep(0.05)")
    install("cubic", source.replace("    register(Cubic)", "    minigrad_count.n += 10\n    register(Cubic)"))
    count = install("count", f"n = 0\n{activation_plugin('Count')}")
    found: list[type] = []
    threads = [threading.Thread(target=lambda: found.append(activation("cubic"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert sys.modules[count].n == 11


def test_a_plugin_that_looks_names_up_while_it_is_imported_gets_the_built_ins(install: Callable[..., str]):
    ask = "import minigrad\nminigrad.activation('sigmoid')\ntry: minigrad.activation('fine')\n"
    install("cubic", activation_plugin("Cubic", imports=f"{ask}except LookupError as error: told = str(error)"))
    install("good", activation_plugin("Fine"))
    assert activation("fine").__name__ == "Fine"
    told = sys.modules[activation("cubic").__module__].told
    assert "Plugins are being loaded just now: look names up in functions" in told


def test_an_unreadable_package_hides_nobody_else(install: Callable[..., str]):
    install("broken", CUBIC, points="[minigrad]\nno equals sign\n")
    install("unrelated", CUBIC, points="[console_scripts]\nno equals sign\n")
    install("good", activation_plugin("Fine"))
    with pytest.warns(PluginWarning) as warned:
        assert activation("fine").__name__ == "Fine"
    [warning] = warned
    assert "'minigrad-broken' (minigrad-broken 1.2) was skipped: its entry_points.txt cannot be read" in str(
        warning.message
    )


def test_of_a_package_that_is_there_twice_the_first_counts(
    install: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    distributions.install(tmp_path / "older", "cubic", CUBIC, version="0.9", distribution="Minigrad.Cubic")
    install("cubic", CUBIC)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "older")])
    assert [(row.name, row.version) for row in Registry().plugins()[1:]] == [("cubic", "1.2")]
    # The same, where the packages have to be read one by one.
    install("broken", CUBIC, points="[minigrad]\nno equals sign\n")
    assert [(row.name, row.version) for row in Registry().plugins()[1:]] == [
        ("minigrad-broken", "1.2"),
        ("cubic", "1.2"),
    ]


def test_a_package_without_metadata_still_has_its_plugin(install: Callable[..., str], site: Path):
    install("cubic", CUBIC)
    (site / "minigrad_cubic-1.2.dist-info" / "METADATA").unlink()
    importlib.invalidate_caches()
    assert activation("cubic:cubic").__name__ == "Cubic"
    [row] = [row for row in plugins() if row.name == "cubic"]
    assert (row.distribution, row.version) == ("an unknown package", "")


def test_a_component_given_as_a_string_is_imported_on_first_use(install: Callable[..., str], site: Path):
    (site / "minigrad_heavy.py").write_text(activation_plugin("Heavy"))
    source = "import minigrad\n@minigrad.hookimpl\ndef minigrad_register_activations(register):\n"
    install("lazy", f"{source}    register('minigrad_heavy:Heavy', summary='Heavier.')\n")
    [row] = [row for row in components() if row.plugin == "lazy"]
    assert (row.id, row.summary, row.file) == ("lazy:heavy", "Heavier.", str(site / "minigrad_heavy.py"))
    assert "minigrad_heavy" not in sys.modules
    assert activation("heavy").__name__ == "Heavy"


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("minigrad_none.deep:Heavy", "ModuleNotFoundError: No module named 'minigrad_none'"),
        ("minigrad_none:Heavy", "ModuleNotFoundError: No module named 'minigrad_none'"),
        ("minigrad_heavy:Lost", "AttributeError: .*has no attribute 'Lost'"),
        ("minigrad_heavy:minigrad_register_activations", "RegistrationError: .*registers subclasses"),
    ],
)
def test_a_string_that_leads_nowhere_names_the_plugin(target: str, text: str, install: Callable[..., str], site: Path):
    (site / "minigrad_heavy.py").write_text(activation_plugin("Heavy"))
    source = "import minigrad\n@minigrad.hookimpl\ndef minigrad_register_activations(register):\n"
    install("lazy", f"{source}    register({target!r}, name='heavy')\n")
    with pytest.raises(
        PluginLoadError, match=rf"lazy:heavy cannot be imported .* 'lazy' \(minigrad-lazy 1.2\).*{text}"
    ):
        activation("heavy")
    assert [row.id for row in components() if row.plugin == "lazy"] == ["lazy:heavy"]
