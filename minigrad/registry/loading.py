"""Load one plugin whole or not at all, whatever it does wrong.

pluggy alone lets a misspelt hook pass in silence, leaves half a plugin active when its registration fails, and lets one
raising hook keep those after it from running. So each plugin gets a manager of its own, its hooks are looked at before
any is called, and what it registers is staged until all of it is in order.
"""

import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pluggy

from minigrad.errors import RegistrationError
from minigrad.registry import hookspecs
from minigrad.registry.entries import Entry, Source, Staging
from minigrad.registry.kinds import KINDS
from minigrad.registry.naming import nearest

HOOKS = tuple(kind.hook for kind in KINDS)
_PREFIX = "minigrad_register_"
_OURS = tuple(str(Path(file).parent) for file in (__file__, pluggy.__file__))


class Refused(Exception):
    """A plugin breaks a rule: why, and what its user or author can do."""

    def __init__(self, cause: str, cure: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.cure = cure


def load_plugin(source: Source, find: Callable[[], Any]) -> list[Entry]:
    """Find a plugin, look at its hooks, call them, and return what it registers.

    Args:
        source: Who it is.
        find: Imports the plugin and returns it: a module, or an object with hooks.

    Raises:
        Refused: If anything about it is wrong.
    """
    with _refusing(lambda error: _import_fault(source, error)):
        plugin = find()
    with _refusing(lambda error: (f"its hooks cannot be read: {told(error)}", _report(source))):
        manager = pluggy.PluginManager("minigrad")
        manager.add_hookspecs(hookspecs)
        manager.register(plugin, source.plugin)
        callers = manager.get_hookcallers(plugin) or []
    _look_at(plugin, callers)
    staging = Staging(source)
    for kind in KINDS:
        with _refusing(lambda error, hook=kind.hook: _hook_fault(source, hook, error)):  # type: ignore[misc]
            results = getattr(manager.hook, kind.hook)(register=staging.register_for(kind))
        if results:
            raise Refused(
                f"{kind.hook} returns a value, {results[0]!r}",
                "A hook calls register(...) and returns nothing",
            )
    staging.open = False
    return staging.entries


@contextmanager
def _refusing(explain: Callable[[BaseException], tuple[str, str]]) -> Iterator[None]:
    """Turn whatever a plugin raises into a refusal; only the person at the keyboard passes through."""
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # sys.exit and the panics of compiled extensions are no Exceptions
        raise Refused(*explain(error)) from error


def _look_at(plugin: Any, callers: list[pluggy.HookCaller]) -> None:
    """Refuse what pluggy lets pass in silence."""
    if unmarked := sorted(name for name in vars(plugin) if name.startswith(_PREFIX) and not _is_marked(plugin, name)):
        raise Refused(f"{unmarked[0]} is not marked as a hook", "Put @minigrad.hookimpl above it")
    if not callers:
        raise Refused("it implements no hook", f"Implement one of {', '.join(HOOKS)}, marked with @minigrad.hookimpl")
    for caller in callers:
        for hook in caller.get_hookimpls():
            if caller.has_spec():
                _look_at_arguments(caller.name, hook)
            elif not hook.optionalhook:
                raise Refused(
                    f"it implements an unknown hook, {caller.name}",
                    f"The hooks are {', '.join(HOOKS)}.{nearest(caller.name, HOOKS)} "
                    f"@minigrad.hookimpl(optionalhook=True) marks one that only other versions of minigrad know",
                )


def _is_marked(plugin: Any, name: str) -> bool:
    return hasattr(getattr(plugin, name), "minigrad_impl")


def _look_at_arguments(name: str, hook: pluggy.HookImpl) -> None:
    """Refuse a hook that would not be given `register`, or would not run when it is called."""
    if "register" not in hook.argnames:
        how = "gives its argument register a default" if "register" in hook.kwargnames else "does not take register"
        raise Refused(f"{name} {how}, so it would never be given it", f"Write def {name}(register): ...")
    if inspect.isgeneratorfunction(hook.function) or inspect.iscoroutinefunction(hook.function):
        what = "a generator" if inspect.isgeneratorfunction(hook.function) else "a coroutine"
        raise Refused(
            f"{name} is {what}, which does not run when it is called", "Call register(...) in a plain function"
        )


def _import_fault(source: Source, error: BaseException) -> tuple[str, str]:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing:
        return f"importing it failed: {told(error)}", f"Install {missing}, or uninstall {source.distribution}"
    if isinstance(error, SystemExit):
        return f"importing it would have ended Python: {told(error)}", _report(source)
    return f"importing it failed: {told(error)}", _report(source)


def _hook_fault(source: Source, hook: str, error: BaseException) -> tuple[str, str]:
    if isinstance(error, RegistrationError):
        return f"{hook} registers what cannot be{_where(error)}: {error}", f"Mend that call in {source.distribution}"
    return f"{hook} raised {told(error)}", _report(source)


def _report(source: Source) -> str:
    return (
        f"Report it to the authors of {source.distribution} or uninstall it; "
        f"MINIGRAD_STRICT_PLUGINS=1 shows the whole traceback"
    )


def told(error: BaseException) -> str:
    """An error in one line, with the last place that was not ours."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}{f': {text}' if text else ''}{_where(error)}"


def _where(error: BaseException) -> str:
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_foreign(frame.filename)]
    return f" ({Path(places[-1].filename).name}, line {places[-1].lineno})" if places else ""


def _is_foreign(file: str) -> bool:
    return not file.startswith(("<", *_OURS)) and "importlib" not in Path(file).parts
