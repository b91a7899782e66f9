"""Packages that only some people need."""

from importlib import import_module
from types import ModuleType

from minigrad.errors import MissingExtraError


def require(module: str, extra: str) -> ModuleType:
    """Import a module of a package that one of minigrad's extras brings.

    Raises:
        MissingExtraError: If it is not installed; it says the command that does it.

    Examples:
        >>> require("math", extra="data").pi > 3
        True
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name != module.split(".")[0]:
            raise
        raise MissingExtraError(
            f"{module.split('.')[0]} is needed here, which the extra '{extra}' brings: "
            f"pip install 'minigrad-torch[{extra}]'. Received: it is not installed"
        ) from error
