"""Every way in which a plugin can be wrong: it is skipped whole, named with cause and cure, and the rest works."""

import re
from collections.abc import Callable

import pytest

from minigrad.errors import PluginLoadError, PluginWarning, RegistrationError, UnknownNameError
from minigrad.registry import Registry, activation, plugins, use_registry
from tests.distributions import IDENTITY, activation_plugin

GOOD = activation_plugin("Fine")
CLASS = f"import minigrad\nclass Cubic(minigrad.Activation):{IDENTITY}\n"
OTHER = f"class Other(minigrad.Activation):{IDENTITY}\n"
HOOK = "@minigrad.hookimpl\ndef minigrad_register_activations(register):\n    register(Cubic)\n"

# What is wrong, how the plugin is written, what the warning says of the cause, and of the cure.
BROKEN = {
    "a missing dependency": (
        activation_plugin("Cubic", imports="import no_such_module"),
        r"importing it failed: ModuleNotFoundError: No module named 'no_such_module' \(minigrad_bad.py, line 1\)",
        "Install no_such_module, or uninstall minigrad-bad",
    ),
    "an import that raises": (
        activation_plugin("Cubic", imports="\n1 / 0"),
        r"importing it failed: ZeroDivisionError: division by zero \(minigrad_bad.py, line 2\)",
        "Report it to the authors of minigrad-bad or uninstall it; MINIGRAD_STRICT_PLUGINS=1 shows the whole traceback",
    ),
    "a syntax error": (
        "def",
        r"importing it failed: SyntaxError: [^(]*\(minigrad_bad.py, line 1\)(?! \()",
        "Report it",
    ),
    "an import that exits": (
        activation_plugin("Cubic", imports="import sys; sys.exit(3)"),
        "importing it would have ended Python: SystemExit: 3",
        "Report it",
    ),
    "a panic of a compiled extension": (
        "class Panic(BaseException): pass\nraise Panic('index out of bounds')",
        "importing it failed: Panic: index out of bounds",
        "Report it",
    ),
    "a hook that raises": (
        f"{CLASS}{HOOK}    raise KeyError('weights')",
        r"minigrad_register_activations raised KeyError: 'weights' \(minigrad_bad.py, line 12\)",
        "Report it",
    ),
    "a hook that exits": (
        f"{CLASS}{HOOK}    raise SystemExit",
        "minigrad_register_activations raised SystemExit",
        "Report it",
    ),
    "a misspelt hook": (
        f"{CLASS}{HOOK}".replace("activations", "activation"),
        "it implements an unknown hook, minigrad_register_activation",
        r"The hooks are .*minigrad_register_losses.*\. Did you mean 'minigrad_register_activations'\?",
    ),
    "an unknown hook beside a good one": (
        f"{CLASS}{HOOK}@minigrad.hookimpl\ndef minigrad_configure(register): pass",
        "it implements an unknown hook, minigrad_configure",
        "optionalhook=True",
    ),
    "a hook without its mark": (
        f"{CLASS}{HOOK}".replace("@minigrad.hookimpl\n", ""),
        "minigrad_register_activations is not marked as a hook",
        "Put @minigrad.hookimpl above it",
    ),
    "no hook at all": (CLASS, "it implements no hook", "Implement one of minigrad_register_layers"),
    "a defaulted register": (
        f"{CLASS}{HOOK}".replace("(register):", "(register=print):"),
        "minigrad_register_activations gives its argument register a default, so it would never be given it",
        re.escape("Write def minigrad_register_activations(register): ..."),
    ),
    "a keyword-only register": (
        f"{CLASS}{HOOK}".replace("(register):", "(*, register):"),
        "minigrad_register_activations does not take register",
        re.escape("Write def minigrad_register_activations(register): ..."),
    ),
    "no register": (
        f"{CLASS}{HOOK}".replace("(register):", "():"),
        "minigrad_register_activations does not take register",
        re.escape("Write def minigrad_register_activations(register): ..."),
    ),
    "an argument that no hook has": (
        f"{CLASS}{HOOK}".replace("(register):", "(register, config):"),
        r"its hooks cannot be read: PluginValidationError: .*config",
        "Report it",
    ),
    "a generator": (
        f"{CLASS}{HOOK}    yield",
        "minigrad_register_activations is a generator, which does not run when it is called",
        re.escape("Call register(...) in a plain function"),
    ),
    "a wrapper": (
        f"{CLASS}{HOOK}    return (yield)".replace("hookimpl", "hookimpl(wrapper=True)"),
        "minigrad_register_activations is a generator",
        re.escape("Call register(...) in a plain function"),
    ),
    "a coroutine": (
        f"{CLASS}{HOOK}".replace("def minigrad_register", "async def minigrad_register"),
        "minigrad_register_activations is a coroutine",
        re.escape("Call register(...) in a plain function"),
    ),
    "a returned value": (
        f"{CLASS}{HOOK}    return [Cubic]",
        "minigrad_register_activations returns a value, .*Cubic",
        re.escape("A hook calls register(...) and returns nothing"),
    ),
    "a wrong type": (
        f"{CLASS}{HOOK}    register(dict)",
        r"minigrad_register_activations registers what cannot be \(minigrad_bad.py, line 12\): .* subclasses of "
        r"minigrad.Activation. Received: builtins.dict, a subclass of object",
        "Mend that call in minigrad-bad",
    ),
    "a layer as an activation": (
        f"{CLASS}{HOOK}    register(minigrad.Linear)",
        "subclasses of minigrad.Activation. Received: minigrad.layers.linear.Linear, a subclass of Layer",
        "Mend that call",
    ),
    "an instance": (f"{CLASS}{HOOK}    register(Cubic())", r"Register the class, Cubic. Received: Cubic\(\)", "Mend"),
    "an abstract class": (
        f"{CLASS}{HOOK}    register(Half)\nclass Half(minigrad.Activation):\n    def forward(self, x): ...",
        "registered when it is complete. Half lacks: backward",
        "Mend that call",
    ),
    "a string that names no class": (
        f"{CLASS}{HOOK}    register('minigrad_bad.Cubic')",
        "as a class or as 'package.module:Class'. Received: 'minigrad_bad.Cubic'",
        "Mend that call",
    ),
    "the same name twice": (
        f"{CLASS}{OTHER}{HOOK}    register(Other, name='cubic')",
        "registers each activation name once. Received: 'cubic' for .*Cubic.* and for .*Other",
        "Mend that call",
    ),
    "an alias that is a name": (
        f"{CLASS}{OTHER}{HOOK}    register(Other, aliases=('cubic',))",
        "registers each activation name once. Received: 'cubic'",
        "Mend that call",
    ),
    "one component with a name twice": (
        f"{CLASS}{OTHER}{HOOK}    register(Other, aliases=('other',))",
        "Other is given one name twice. Received: other, other",
        "Mend that call",
    ),
    "a name that is none": (
        f"{CLASS}{OTHER}{HOOK}    register(Other, name='other-1')",
        "consists of a-z, 0-9 and _, and begins with a letter; name=... gives Other another one. Received: 'other-1'",
        "Mend that call",
    ),
    "an alias that is no tuple": (
        f"{CLASS}{OTHER}{HOOK}    register(Other, aliases='o')",
        "aliases is a tuple of names. Received: aliases='o'",
        "Mend that call",
    ),
    "an argument with a word of configurations": (
        f"{CLASS}{HOOK}    register(Named)\nclass Named(Cubic):\n    def __init__(self, kind): self.kind = kind",
        r"No constructor argument is called name, kind, id, ref: .* Received: Named\(kind=...\)",
        "Mend that call",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_is_named_and_skipped_whole(fault: str, install: Callable[..., str]):
    source, cause, cure = BROKEN[fault]
    install("bad", source)
    install("good", GOOD)
    with pytest.warns(PluginWarning) as warned:
        assert activation("fine").__name__ == "Fine"
    [text] = [str(warning.message) for warning in warned]
    assert re.fullmatch(rf"The plugin 'bad' \(minigrad-bad 1.2\) was skipped: .*{cause}.*{cure}.*", text, re.DOTALL)
    with pytest.raises(UnknownNameError, match=r"The plugin 'bad' \(minigrad-bad 1.2\) is not loaded: "):
        activation("cubic")
    rows = {row.name: row for row in plugins()}
    assert (rows["good"].status, rows["good"].components) == ("loaded", ("good:fine",))
    assert (rows["bad"].status, rows["bad"].components) == ("failed", ())
    assert (rows["bad"].distribution, rows["bad"].version) == ("minigrad-bad", "1.2")
    assert re.search(cause, rows["bad"].cause)
    assert re.search(cure, rows["bad"].cure)


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_is_an_error_where_that_is_asked_for(
    fault: str, install: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    source, cause, _ = BROKEN[fault]
    install("bad", source)
    monkeypatch.setenv("MINIGRAD_STRICT_PLUGINS", "1")
    for _ in range(2):
        with pytest.raises(PluginLoadError, match=cause) as raised:
            activation("fine")
        assert raised.value.__cause__ is not None
    assert activation("sigmoid").__name__ == "Sigmoid"
    assert {row.name: row.status for row in plugins()}["bad"] == "failed"


def test_a_missing_attribute_of_the_entry_point_is_a_failed_import(install: Callable[..., str]):
    install("bad", CLASS, target="minigrad_bad:plugin")
    with pytest.warns(PluginWarning, match="importing it failed: AttributeError: .*plugin"), pytest.raises(LookupError):
        activation("cubic")


def test_an_entry_point_that_is_no_reference_is_a_failed_import(install: Callable[..., str]):
    install("bad", CLASS, target="not a module")
    with pytest.warns(PluginWarning, match="'bad' .* importing it failed"), pytest.raises(LookupError):
        activation("cubic")


def test_the_person_at_the_keyboard_passes_through_and_may_ask_again(install: Callable[..., str]):
    source = activation_plugin(
        "Cubic", imports="import minigrad_switch\nif minigrad_switch.on: raise KeyboardInterrupt"
    )
    install("cubic", source)
    switch = install("switch", f"on = True\n{GOOD}")
    with pytest.raises(KeyboardInterrupt):
        activation("cubic")
    __import__(switch).on = False
    assert activation("cubic").__name__ == "Cubic"


def test_warnings_that_are_errors_leave_everything_loaded(install: Callable[..., str]):
    install("bad", "1 / 0")
    install("good", GOOD)
    with pytest.raises(PluginWarning):  # the suite turns warnings into errors
        activation("fine")
    assert activation("fine").__name__ == "Fine"


def test_a_plugin_is_warned_of_once_and_at_the_line_that_asked(install: Callable[..., str]):
    install("bad", "1 / 0")
    install("good", GOOD)
    with pytest.warns(PluginWarning) as warned:
        assert {activation(name).__name__ for name in ("fine", "fine", "good:fine")} == {"Fine"}
    assert [warning.filename for warning in warned] == [__file__]


def test_a_plugin_that_a_listing_has_shown_as_failed_is_not_warned_of(install: Callable[..., str]):
    install("bad", "1 / 0")
    install("good", GOOD)
    assert [row.status for row in plugins()] == ["loaded", "failed", "loaded"]
    assert activation("fine").__name__ == "Fine"


def test_an_object_may_be_the_plugin(install: Callable[..., str]):
    source = f"""{CLASS}
class Plugin:
    @minigrad.hookimpl
    def minigrad_register_activations(self, register):
        register(Cubic)
plugin = Plugin()
"""
    install("cubic", source, target="minigrad_cubic:plugin")
    assert activation("cubic").__name__ == "Cubic"


def test_a_class_is_no_plugin(install: Callable[..., str]):
    source = f"""{CLASS}
class Plugin:
    @minigrad.hookimpl
    def minigrad_register_activations(self, register):
        register(Cubic)
"""
    install("bad", source, target="minigrad_bad:Plugin")
    with pytest.warns(PluginWarning, match="raised TypeError: .*missing 1"), pytest.raises(LookupError):
        activation("cubic")


def test_one_hook_may_stand_under_another_name_and_a_future_one_be_optional(install: Callable[..., str]):
    source = f"""{CLASS}
@minigrad.hookimpl(specname="minigrad_register_activations")
def mine(register):
    register(Cubic)

@minigrad.hookimpl(optionalhook=True)
def minigrad_register_weather(register):
    raise NotImplementedError
"""
    install("cubic", source)
    assert activation("cubic").__name__ == "Cubic"


def test_register_is_a_decorator_too_and_ends_with_its_hook(install: Callable[..., str]):
    source = f"""{CLASS}
@minigrad.hookimpl
def minigrad_register_activations(register):
    global kept
    kept = register

    @register
    class Inner(Cubic):
        "Inside."
"""
    module = install("cubic", source)
    assert activation("inner").__doc__ == "Inside."
    with pytest.raises(RegistrationError, match="register works only inside of minigrad_register_activations"):
        __import__(module).kept(activation("inner"), name="late")


def test_all_kinds_enter_by_their_hooks(install: Callable[..., str]):
    source = """
import minigrad

class Row(minigrad.Layer):
    def forward(self, x): return x, None
    def backward(self, grad_output, cache): return grad_output

class Gap(minigrad.Loss):
    def forward(self, prediction, target): return (prediction - target).sum(), prediction
    def backward(self, cache, grad_cost=None): return cache * 0 + 1

class Walk(minigrad.Optimizer):
    def update(self, parameter, grad, state): parameter.sub_(grad)

@minigrad.hookimpl
def minigrad_register_layers(register): register(Row)

@minigrad.hookimpl
def minigrad_register_losses(register): register(Gap)

@minigrad.hookimpl
def minigrad_register_optimizers(register): register(Walk, aliases=("stroll",))
"""
    install("all", source)
    with use_registry(Registry(only=("all",))) as registry:
        found = [
            registry.get(*name).__name__
            for name in [("layer", "row"), ("loss", "gap"), ("optimizer", "walk"), ("optimizer", "all:stroll")]
        ]
    assert found == ["Row", "Gap", "Walk", "Walk"]
