"""What the pipelines learn: the four rows of XOR, and seven made rows, because 4 hides how a division rounds."""

import torch
from torch import Tensor

CORNERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
TARGETS = (0.0, 1.0, 1.0, 0.0)

MORE_CORNERS = ((0.1, 0.8), (0.9, 0.2), (0.8, 0.9))
MORE_TARGETS = (1.0, 1.0, 0.0)


def four_rows(device: str = "cpu", dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """The XOR table: inputs `(4, 2)` and targets `(4, 1)`.

    Examples:
        >>> x, y = four_rows()
        >>> x.shape, y.flatten()
        (torch.Size([4, 2]), tensor([0., 1., 1., 0.]))
    """
    return _rows(CORNERS, TARGETS, device, dtype)


def seven_rows(device: str = "cpu", dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """The XOR table and three rows near its corners: a division by 7 rounds, one by 4 does not.

    Examples:
        >>> x, y = seven_rows()
        >>> x.shape, y.flatten()
        (torch.Size([7, 2]), tensor([0., 1., 1., 0., 1., 1., 0.]))
    """
    return _rows(CORNERS + MORE_CORNERS, TARGETS + MORE_TARGETS, device, dtype)


def _rows(
    inputs: tuple[tuple[float, float], ...], targets: tuple[float, ...], device: str, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    x = torch.tensor(inputs, dtype=dtype, device=device)
    return x, torch.tensor(targets, dtype=dtype, device=device).unsqueeze(1)
