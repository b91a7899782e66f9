"""Digits, small pictures of handwritten numerals."""

from typing import final

import torch

from minigrad.core import Data, Dataset, require
from minigrad.datasets.parts import check_parts, row_parts, split


@final
class Digits(Dataset):
    r"""The 1,797 pictures of 8 by 8 pixels that come with scikit-learn (the extra `data`).

    `x: (N, 64)` in float32, row by row, from 0 (white) to 1; `y: (N)` the numeral. In the source a pixel goes up to 16:
    a new row is divided by that. The parts have their share of every numeral.

    Args:
        validation: The fraction of the pictures that is set aside to watch the training.
        test: The fraction that is set aside for the end.
        seed: Of the split.

    Raises:
        ValueError: If the fractions leave nothing.

    Examples:
        >>> data = Digits().load()
        >>> [len(x) for x, y in (data.train, data.validation, data.test)], "".join(data.classes)
        ([1258, 180, 359], '0123456789')

    References:
        Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998.
    """

    def __init__(self, validation: float = 0.1, test: float = 0.2, seed: int = 0) -> None:
        check_parts(validation, test, seed)
        self.validation = validation
        self.test = test
        self.seed = seed

    def load(self) -> Data:
        """Read the pictures.

        Raises:
            MissingExtraError: If scikit-learn is not installed.
        """
        source = require("sklearn.datasets", "data").load_digits()
        x, y = torch.tensor(source.data / 16, dtype=torch.float32), torch.tensor(source.target, dtype=torch.int64)
        train, validation, test = split(x, y, row_parts(len(x), self.validation, self.test, self.seed, y))
        width = x.shape[1]
        return Data(
            train,
            validation,
            test,
            columns=tuple(source.feature_names),
            target="digit",
            classes=tuple(str(numeral) for numeral in source.target_names),
            shift=torch.zeros(width, dtype=torch.float64),
            scale=torch.full((width,), 16, dtype=torch.float64),
        )
