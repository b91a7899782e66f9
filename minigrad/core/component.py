"""Component: whatever can be configured, shown and built again from its constructor arguments."""

import inspect
from functools import cache
from typing import Any

from minigrad.core.parameter import Parameter

# Where a component lives, or what it works on, is state: it is not part of its configuration.
STATE_ARGUMENTS = frozenset({"self", "device", "dtype", "params", "optimizer"})


@cache
def constructor_arguments(cls: type) -> tuple[inspect.Parameter, ...]:
    """The constructor arguments of `cls` that make up its configuration, in order."""
    if cls.__init__ is object.__init__:  # type: ignore[misc]
        return ()
    arguments = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
    return tuple(a for a in arguments if a.name not in STATE_ARGUMENTS and a.kind is not a.VAR_KEYWORD)


class Component:
    """Base of Layer, Loss and Optimizer: every constructor argument is stored under its own name.

    So a component's configuration is read back from its attributes, and its `repr` is the call that makes it.
    """

    def config(self) -> dict[str, Any]:
        """The constructor arguments, by name, as they stand now.

        A flag whose parameter took its name (`Linear`'s `bias`) reads back as whether that parameter exists.

        Raises:
            AttributeError: If a constructor argument is not stored under its own name.
        """
        return {argument.name: self._argument(argument) for argument in constructor_arguments(type(self))}  # type: ignore[arg-type]

    def _argument(self, argument: inspect.Parameter) -> Any:
        try:
            value = getattr(self, argument.name)
        except AttributeError as error:
            raise AttributeError(
                f"{type(self).__name__} must store its constructor argument under its own name, as "
                f"self.{argument.name}, so that its configuration can be read back"
            ) from error
        if isinstance(argument.default, bool) and (value is None or isinstance(value, Parameter)):
            return value is not None
        return value

    def _shown_arguments(self) -> list[str]:
        """The arguments of the `repr`: those without a default, and those that differ from it."""
        shown = []
        for argument in constructor_arguments(type(self)):  # type: ignore[arg-type]
            value = self._argument(argument)
            if argument.kind is argument.VAR_POSITIONAL:
                shown += [repr(item) for item in value]
            elif argument.default is argument.empty or not _same(value, argument.default):
                shown.append(f"{argument.name}={value!r}")
        return shown

    def __repr__(self) -> str:
        shown = self._shown_arguments()
        line = f"{type(self).__name__}({', '.join(shown)})"
        if len(line) <= 100 and "\n" not in line:
            return line
        body = "".join(f"    {line}\n" for argument in shown for line in f"{argument},".split("\n"))
        return f"{type(self).__name__}(\n{body})"


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))
