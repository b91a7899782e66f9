"""The torch modules of the containers that torch.nn does not have."""

from typing import Literal

import torch
from torch import Tensor


class Residual(torch.nn.Module):
    """Adds the input to what the body makes of it, as `minigrad.Residual` does.

    Args:
        body: It must keep the shape of its input.

    Examples:
        >>> Residual(torch.nn.ReLU())(torch.tensor([-1.0, 2.0]))
        tensor([-1.,  4.])
    """

    def __init__(self, body: torch.nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        """Map `x: (*shape)` to `y: (*shape)`."""
        y: Tensor = x + self.body(x)
        return y


class Parallel(torch.nn.Module):
    """Gives its input to several branches and merges what they return, as `minigrad.Parallel` does.

    Args:
        branches: The modules.
        merge: `"sum"` or `"cat"`.
        dim: The dimension along which the outputs are concatenated.

    Examples:
        >>> Parallel(torch.nn.Identity(), torch.nn.ReLU(), merge="cat")(torch.tensor([[-1.0, 2.0]]))
        tensor([[-1.,  2.,  0.,  2.]])
    """

    def __init__(self, *branches: torch.nn.Module, merge: Literal["sum", "cat"] = "sum", dim: int = -1) -> None:
        super().__init__()
        self.branches = torch.nn.ModuleList(branches)
        self.merge = merge
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Map `x` through every branch and merge the outputs."""
        outputs: list[Tensor] = [branch(x) for branch in self.branches]
        if self.merge == "cat":
            return torch.cat(outputs, self.dim)
        total = outputs[0]
        for output in outputs[1:]:
            total = total + output
        return total

    def extra_repr(self) -> str:
        """The options."""
        return f"merge={self.merge!r}, dim={self.dim}"
