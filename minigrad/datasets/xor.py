"""XOR, the smallest problem that a single layer cannot solve."""

from typing import final

import torch

from minigrad.core import Data, Dataset


@final
class XOR(Dataset):
    r"""The four rows of the exclusive or.

    $x \in \{0, 1\}^2$, and $y = 1$ where exactly one of the two is 1: `x: (4, 2)`, `y: (4, 1)`, both float32. There is
    nothing besides to validate or to test on.

    Examples:
        >>> x, y = XOR().load().train
        >>> x.tolist(), y.flatten()
        ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], tensor([0., 1., 1., 0.]))

    References:
        Minsky and Papert, "Perceptrons", 1969.
    """

    def load(self) -> Data:
        """Make the four rows."""
        x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float32)
        y = torch.tensor([[0.0], [1.0], [1.0], [0.0]], dtype=torch.float32)
        return Data(train=(x, y), columns=("a", "b"), target="a xor b")
