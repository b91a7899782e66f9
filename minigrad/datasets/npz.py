"""NPZ, numpy arrays in a file."""

import io
import math
import zipfile
from pathlib import Path
from typing import Any, final

import numpy
import torch
from torch import Tensor

from minigrad.core import Data, Dataset
from minigrad.datasets.parts import check_parts, row_parts, split
from minigrad.datasets.reading import MAX_BYTES, checked_file, path_text, unreadable
from minigrad.errors import DataError

MAX_CLASSES = 1_000_000


@final
class NPZ(Dataset):
    r"""Two arrays of a file that `numpy.savez` wrote, one row per example.

    Floating-point numbers become float32, and integers int64. `x: (N, *)` is taken as it is. `y: (N, *)` holds classes
    if it is of integers, from 0 up, and each part has its share of them if `y` is `(N)`; it holds numbers if it is of
    floats, and `(N)` then becomes `(N, 1)`.

    Nothing in the file is executed: an array of Python objects is refused.

    Args:
        path: The file; a relative path is relative to the working folder.
        x: The name of the inputs in the file.
        y: The name of the targets.
        validation: The fraction of the rows that is set aside to watch the training.
        test: The fraction that is set aside for the end.
        seed: Of the split.

    Raises:
        TypeError: If `path` is no path, or `x` or `y` is no name.
        ValueError: If the fractions leave nothing.

    Examples:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "points.npz"
        >>> numpy.savez(file, x=numpy.zeros((10, 2)), y=numpy.arange(10) % 2)
        >>> data = NPZ(file).load()
        >>> data.train[0].shape, data.train[0].dtype, data.classes
        (torch.Size([7, 2]), torch.float32, ('0', '1'))
    """

    def __init__(
        self, path: Path, x: str = "x", y: str = "y", validation: float = 0.1, test: float = 0.2, seed: int = 0
    ) -> None:
        self.path = path_text(path)
        for argument, name in (("x", x), ("y", y)):
            if not isinstance(name, str):
                raise TypeError(f"{argument} must be the name of an array. Received: {argument}={name!r}")
        check_parts(validation, test, seed)
        self.x = x
        self.y = y
        self.validation = validation
        self.test = test
        self.seed = seed

    def load(self) -> Data:
        """Read the file.

        Raises:
            DataError: If it is no such file, lacks an array, or the arrays are not examples and their targets.
        """
        x, y = self._read()
        if len(x) != len(y) or not len(x):
            raise DataError(
                f"{self.path}: {self.x!r} and {self.y!r} must have a row for each example. "
                f"Received: {len(x)} and {len(y)} rows"
            )
        classes: tuple[str, ...] = ()
        if not y.is_floating_point():
            classes = self._classes(y)
        elif y.dim() == 1:
            y = y.unsqueeze(1)
        strata = y if classes and y.dim() == 1 else None
        pairs = split(x, y, row_parts(len(x), self.validation, self.test, self.seed, strata))
        return Data(*pairs, target=self.y, classes=classes)

    def _read(self) -> tuple[Tensor, Tensor]:
        file = checked_file(self.path)
        try:
            with zipfile.ZipFile(file) as archive:
                return self._tensor(archive, self.x), self._tensor(archive, self.y)
        except DataError:
            raise
        except OSError as error:
            raise unreadable(self.path, error) from error
        except Exception as error:  # in a damaged file anything may go wrong: in the archive, a codec or a header
            raise DataError(
                f"{self.path} must be a file of numpy.savez. Received: {type(error).__name__}: {error}"
            ) from error

    def _tensor(self, archive: zipfile.ZipFile, name: str) -> Tensor:
        members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
        if name not in members:
            shown = ", ".join(list(members)[:10]) or "none"
            raise DataError(f"{self.path} must have an array {name!r}. Received: arrays {shown}")
        if members[name].file_size > MAX_BYTES:
            raise DataError(
                f"{self.path}: array {name!r} must have at most {MAX_BYTES:,} bytes. "
                f"Received: {members[name].file_size:,} bytes"
            )
        return self._converted(_read_array(archive.read(members[name])), name)

    def _converted(self, array: Any, name: str) -> Tensor:
        if array.ndim == 0 or array.dtype.kind not in "fiub":
            raise DataError(
                f"{self.path}: array {name!r} must hold rows of numbers. Received: shape {array.shape} of {array.dtype}"
            )
        if array.dtype.kind != "f":
            if array.size and int(array.max()) > torch.iinfo(torch.int64).max:
                raise DataError(f"{self.path}: array {name!r} must hold integers of int64. Received: {array.max()}")
            return torch.from_numpy(array.astype(numpy.int64))
        with numpy.errstate(over="ignore"):
            tensor = torch.from_numpy(array.astype(numpy.float32))
        if not tensor.isfinite().all():
            where = tuple((~tensor.isfinite()).nonzero()[0].tolist())
            raise DataError(
                f"{self.path}: array {name!r} must hold finite numbers, of float32. "
                f"Received: {array[where]} at {list(where)}"
            )
        return tensor

    def _classes(self, y: Tensor) -> tuple[str, ...]:
        low, high = int(y.min()), int(y.max())
        if low < 0 or high >= MAX_CLASSES:
            raise DataError(
                f"{self.path}: integers in {self.y!r} are classes, from 0 and below {MAX_CLASSES:,}. "
                f"Received: from {low} to {high}"
            )
        return tuple(str(k) for k in range(high + 1))


def _read_array(content: bytes) -> Any:
    """The array in the content of a .npy file, whose header must claim just what follows it."""
    stream = io.BytesIO(content)
    version = numpy.lib.format.read_magic(stream)
    read = {(1, 0): numpy.lib.format.read_array_header_1_0, (2, 0): numpy.lib.format.read_array_header_2_0}
    if version not in read:
        raise ValueError(f"a header of version {version}")
    shape, fortran_order, dtype = read[version](stream)
    if dtype.hasobject:
        raise ValueError("an array of Python objects")
    body = content[stream.tell() :]
    if len(body) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(body)} bytes for shape {shape} of {dtype}")
    array = numpy.frombuffer(body, dtype)
    return array.reshape(shape[::-1]).T if fortran_order else array.reshape(shape)
