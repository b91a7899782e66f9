"""All that is wrong with an experiment, gathered before a word is said."""

from collections.abc import Callable
from typing import Any, TypeVar

from minigrad.errors import ConfigError, MinigradError

_T = TypeVar("_T")
_LONGEST = 400


class Faults:
    """Sentences, each with the key that it is about.

    Examples:
        >>> faults = Faults("a.toml")
        >>> faults.add("train.epochs", "epochs must be positive. Received: epochs=0")
        >>> faults.check()
        Traceback (most recent call last):
        minigrad.errors.ConfigError: a.toml: train.epochs: epochs must be positive. Received: epochs=0
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.lines: list[str] = []

    def add(self, path: str, text: str) -> None:
        """Note one fault of the key `path`."""
        self._take(f"{path}: {text}" if path else text)

    def attempt(self, make: Callable[[], _T]) -> _T | None:
        """What `make` gives; if it cannot be made, `None`, and the reasons are noted."""
        try:
            return make()
        except ConfigError as error:
            for line in error.faults:
                self._take(line)
        except MinigradError as error:
            self._take(str(error))
        return None

    def _take(self, line: str) -> None:
        # What was received may be as long as the file.
        line = shortened(line)
        if line not in self.lines:
            self.lines.append(line)

    def check(self) -> None:
        """Raise one error that lists them all, if there are any.

        Raises:
            ConfigError: With a line for each.
        """
        if len(self.lines) == 1:
            raise ConfigError(f"{self.title}: {self.lines[0]}", self.lines)
        if self.lines:
            listed = "".join(f"\n  {line}" for line in self.lines)
            raise ConfigError(f"{self.title} has {len(self.lines)} faults:{listed}", self.lines)


def shortened(text: Any, longest: int = _LONGEST) -> str:
    """A text on one line, its middle left out if it is too long.

    Examples:
        >>> shortened("a" * 20, 11)
        'aaa ... aaa'
    """
    line = " ".join(str(text).split("\n"))
    half = (longest - 5) // 2
    return line if len(line) <= longest else f"{line[:half]} ... {line[-half:]}"
