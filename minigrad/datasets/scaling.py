"""Columns brought to mean 0 and variance 1, and new rows in the same way."""

import torch
from torch import Tensor

from minigrad.errors import DataError


def standard(rows: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and the standard deviation of each column (with divisor `n`), both in float64.

    A column that does not vary has the scale 1, so it becomes 0 and stays finite.

    Args:
        rows: `(n, columns)`, one at least.

    Examples:
        >>> standard(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
        (tensor([2., 5.], dtype=torch.float64), tensor([1., 1.], dtype=torch.float64))
    """
    rows = rows.double()
    shift, scale = rows.mean(0), rows.std(0, correction=0)
    # Rounded, the deviation of equal numbers is not always 0, and that of tiny ones may be.
    varies = (rows.amax(0) > rows.amin(0)) & (scale > torch.finfo(torch.float32).tiny)
    return shift, torch.where(varies, scale, 1.0)


def scaled(rows: Tensor, shift: Tensor | None, scale: Tensor | None) -> Tensor:
    """Rows as a net wants them, in float32: `(row - shift) / scale`, or as they are where there is no scale.

    Computed in float64, for a column of large numbers that differ little.

    Raises:
        DataError: If a number lies so far from the others that a float32 cannot say how far.

    Examples:
        >>> shift, scale = standard(torch.tensor([[1e9], [1e9 + 128]]))
        >>> scaled(torch.tensor([[1e9 + 64]], dtype=torch.float64), shift, scale)
        tensor([[0.]])
    """
    if shift is None or scale is None:
        return rows.float()
    x = ((rows.double() - shift) / scale).float()
    if not x.isfinite().all():
        row, column = (~x.isfinite()).nonzero()[0].tolist()
        raise DataError(
            f"A number must lie within float32 when its column is brought to mean 0 and variance 1. "
            f"Received: {rows[row, column]:g} in column {column + 1}, of mean {shift[column]:g} and deviation "
            f"{scale[column]:g} in the training part"
        )
    return x
