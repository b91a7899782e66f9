"""torch's kernels for CTC, so that torch.compile and the device `meta` can take them as well."""

import torch
from torch import Tensor

from minigrad import kernel

_ctc_loss = kernel("_ctc_loss")
_ctc_loss_backward = kernel("_ctc_loss_backward")


def ctc_forward(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: list[int],
    target_lengths: list[int],
    blank: int,
    zero_infinity: bool,
) -> tuple[Tensor, Tensor]:
    """The costs `(N)`, and the logarithms of the sums over the beginnings of all alignments `(N, T, 2 S + 1)`."""
    function = _forward if torch.compiler.is_compiling() else _ctc_loss
    nll, log_alpha = function(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)
    return nll, log_alpha


@torch.library.custom_op("minigrad_zoo::ctc_forward", mutates_args=())
def _forward(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: list[int],
    target_lengths: list[int],
    blank: int,
    zero_infinity: bool,
) -> tuple[Tensor, Tensor]:
    nll, log_alpha = _ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)
    return nll, log_alpha


@_forward.register_fake
def _(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: list[int],
    target_lengths: list[int],
    blank: int,
    zero_infinity: bool,
) -> tuple[Tensor, Tensor]:
    t, n, _ = log_probs.shape
    return log_probs.new_empty(n), log_probs.new_empty(n, t, 2 * max(target_lengths, default=0) + 1)


@torch.library.custom_op("minigrad_zoo::ctc_backward", mutates_args=())
def ctc_backward(
    grad_costs: Tensor,
    log_probs: Tensor,
    nll: Tensor,
    log_alpha: Tensor,
    targets: Tensor,
    input_lengths: list[int],
    target_lengths: list[int],
    blank: int,
    zero_infinity: bool,
) -> Tensor:
    """The gradient of the scores `(T, N, C)`, from that of the costs `(N)`."""
    lengths = (input_lengths, target_lengths)
    return _ctc_loss_backward(grad_costs, log_probs, targets, *lengths, nll, log_alpha, blank, zero_infinity)


@ctc_backward.register_fake
def _(
    grad_costs: Tensor,
    log_probs: Tensor,
    nll: Tensor,
    log_alpha: Tensor,
    targets: Tensor,
    input_lengths: list[int],
    target_lengths: list[int],
    blank: int,
    zero_infinity: bool,
) -> Tensor:
    return torch.empty_like(log_probs)
