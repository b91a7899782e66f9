"""When torch's fused update kernels may be used."""

from collections.abc import Sequence
from operator import attrgetter

import torch
from torch import Tensor

# With half precision the fused SGD of torch 2.13 leaves most elements as they were (pytorch issue 191763).
_FUSED = {torch.float32, torch.float64}
_dtype = attrgetter("dtype")
_is_contiguous = torch.Tensor.is_contiguous


def fusible(parameters: Sequence[Tensor], grads: Sequence[Tensor]) -> bool:
    """Whether the fused kernels of the CPU may update these parameters.

    They run through memory as it lies, without a look at strides: a transposed gradient would be read in the wrong
    order, an expanded one past its end. Under torch.compile they are not needed.

    Examples:
        >>> fusible([torch.zeros(2, 3)], [torch.zeros(2, 3)]), fusible([torch.zeros(2, 3)], [torch.zeros(3, 2).t()])
        (True, False)
    """
    return (
        not torch.compiler.is_compiling()
        and parameters[0].is_cpu
        and _FUSED.issuperset(map(_dtype, parameters))
        and all(map(_is_contiguous, grads))
        and all(map(_is_contiguous, parameters))
    )
