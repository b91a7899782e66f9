"""Iris, the measures of 150 flowers."""

from typing import final

import torch

from minigrad.core import Data, Dataset, require
from minigrad.datasets.parts import check_parts, row_parts, split
from minigrad.datasets.scaling import scaled, standard


@final
class Iris(Dataset):
    r"""Fisher's 150 flowers of three species, as they come with scikit-learn (the extra `data`).

    `x: (N, 4)` in float32, the sepal's and the petal's length and width, each column brought to mean 0 and variance 1
    over the training part; `y: (N)` the species. The parts have their share of every species.

    Args:
        validation: The fraction of the flowers that is set aside to watch the training.
        test: The fraction that is set aside for the end.
        seed: Of the split.

    Raises:
        ValueError: If the fractions leave nothing.

    Examples:
        >>> data = Iris().load()
        >>> data.train[0].shape, data.classes
        (torch.Size([105, 4]), ('setosa', 'versicolor', 'virginica'))

    References:
        Fisher, "The Use of Multiple Measurements in Taxonomic Problems", Annals of Eugenics 1936.
    """

    def __init__(self, validation: float = 0.1, test: float = 0.2, seed: int = 0) -> None:
        check_parts(validation, test, seed)
        self.validation = validation
        self.test = test
        self.seed = seed

    def load(self) -> Data:
        """Read the flowers.

        Raises:
            MissingExtraError: If scikit-learn is not installed.
        """
        source = require("sklearn.datasets", "data").load_iris()
        rows, y = torch.tensor(source.data, dtype=torch.float64), torch.tensor(source.target, dtype=torch.int64)
        parts = row_parts(len(rows), self.validation, self.test, self.seed, y)
        shift, scale = standard(rows[parts[0]])
        train, validation, test = split(scaled(rows, shift, scale), y, parts)
        return Data(
            train,
            validation,
            test,
            columns=tuple(source.feature_names),
            target="species",
            classes=tuple(map(str, source.target_names)),
            shift=shift,
            scale=scale,
        )
