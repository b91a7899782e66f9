"""Text, a file as a sequence of characters."""

from pathlib import Path
from typing import final

import torch
from torch import Tensor

from minigrad.core import Data, Dataset, Pair
from minigrad.datasets.parts import MAX_ROWS, check_integer, check_parts
from minigrad.datasets.reading import checked_file, path_text, undecodable, unreadable
from minigrad.errors import DataError

MAX_BYTES = 2**26


@final
class Text(Dataset):
    r"""Windows of a text file, in each place of which the next character is to be told.

    With $c_i$ the index of the text's $i$-th character among all that occur in it, sorted, a window that begins at $i$
    is

    $$x = (c_i, \ldots, c_{i + L - 1}), \qquad y = (c_{i + 1}, \ldots, c_{i + L})$$

    `x: (N, L)` and `y: (N, L)`, both int64. The text's beginning is for the training, what follows for the validation,
    the end for the test; no window reaches from one part into another. Windows share memory: change none in place.

    Args:
        path: A text in UTF-8 of at most 64 MiB; a relative path is relative to the working folder.
        context: $L$.
        stride: How far apart windows begin; by default `context`, so that each character is told once.
        validation: The fraction of the text that is set aside to watch the training.
        test: The fraction that is set aside for the end.

    Raises:
        TypeError: If `path` is no path.
        ValueError: If `context` or `stride` is not positive, or the fractions leave nothing.

    Examples:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "text.txt"
        >>> _ = file.write_text("abcabca")
        >>> data = Text(file, context=3, validation=0.0).load()
        >>> data.vocabulary, *data.train
        ('abc', tensor([[0, 1, 2],
                [0, 1, 2]]), tensor([[1, 2, 0],
                [1, 2, 0]]))
    """

    def __init__(
        self, path: Path, context: int = 64, stride: int | None = None, validation: float = 0.1, test: float = 0.0
    ) -> None:
        self.path = path_text(path)
        check_integer(1, MAX_BYTES, context=context)
        if stride is not None:
            check_integer(1, MAX_BYTES, stride=stride)
        check_parts(validation, test)
        self.context = context
        self.stride = stride
        self.validation = validation
        self.test = test

    def load(self) -> Data:
        """Read the file.

        Raises:
            DataError: If the file is missing, too large, not UTF-8, or too short for one window in each part.
        """
        text = self._read()
        vocabulary = "".join(sorted(set(text)))
        index = {character: i for i, character in enumerate(vocabulary)}
        indices = torch.tensor([index[character] for character in text])
        validating, testing = (int(fraction * len(text) + 0.5) for fraction in (self.validation, self.test))
        train, validation, test = indices.tensor_split([len(text) - validating - testing, len(text) - testing])
        return Data(
            train=self._windows(train, "train"),
            validation=self._windows(validation, "validation") if self.validation else None,
            test=self._windows(test, "test") if self.test else None,
            target="next character",
            classes=tuple(vocabulary),
            vocabulary=vocabulary,
        )

    def _read(self) -> str:
        file = checked_file(self.path, MAX_BYTES)
        try:
            return file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise undecodable(self.path, error) from error
        except OSError as error:
            raise unreadable(self.path, error) from error

    def _windows(self, part: Tensor, name: str) -> Pair:
        if len(part) <= self.context:
            raise DataError(
                f"{self.path} must have more than context={self.context} characters in its {name} part. "
                f"Received: {len(part)}"
            )
        stride = self.context if self.stride is None else self.stride
        x, y = (indices.unfold(0, self.context, stride) for indices in (part[:-1], part[1:]))
        if len(x) > MAX_ROWS:
            raise DataError(
                f"{self.path} must have at most {MAX_ROWS:,} windows: a larger stride gives fewer. "
                f"Received: {len(x):,} in its {name} part, stride={stride}"
            )
        return x, y
