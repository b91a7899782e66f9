"""CTC, for sequences whose alignment with their labels nobody knows."""

from typing import Any, final

import torch
from torch import Tensor

from minigrad import Loss, Reduction, check_floating
from minigrad_zoo.losses.ctc_kernels import ctc_backward, ctc_forward
from minigrad_zoo.losses.ctc_target import Lengths, unpacked_target
from minigrad_zoo.reductions import reduced, shares

_Cache = tuple[Any, ...]


@final
class CTC(Loss):
    r"""Connectionist temporal classification: the surprise of a label sequence, over all its alignments.

    An alignment $\pi$ gives each of $T$ steps a label or a blank; merging repeats and then dropping blanks leaves the
    label sequence $l$. With the probabilities $p_t(k)$, normalised at each step,

    $$\ell = -\log \sum_{\pi \to l} \prod_{t=1}^T p_t(\pi_t), \qquad
    \frac{\partial \ell}{\partial x_t(k)} = p_t(k) - P(\pi_t = k \mid l), \qquad
    p_t(k) = \frac{e^{x_t(k)}}{\sum_j e^{x_t(j)}}$$

    that is, the probability of $k$ at step $t$ less the share of the alignments that pass there; both sums are computed
    forwards and backwards along the sequence. The scores $x$ are normalised here: log-probabilities, which torch asks
    for, are left as they are by that, and the gradient is torch's.

    The target is a tuple `(targets, input_lengths, target_lengths)`; the lengths are tuples of integers, or tensors.
    With `reduction="mean"` each cost is divided by the length of its label sequence (by 1 if that is empty) first.

    Args:
        blank: The index of the blank.
        reduction: `"mean"`, `"sum"` or `"none"`.
        zero_infinity: Whether a label sequence that is too long for its input costs 0. Otherwise it costs infinity, and
            its gradient is no number.

    Raises:
        ValueError: If `blank` is negative.
        ShapeError: If the shapes and lengths do not fit.
        DtypeError: If the scores are not floating-point, or the targets are not integers, or are no tuple.
        TargetError: If a label is the blank, or is not in [0, C); looked at on the CPU only.

    Examples:
        >>> ctc = CTC()
        >>> scores = torch.zeros(3, 1, 2)  # three steps of a blank or the label 1, all equally likely
        >>> cost, cache = ctc.forward(scores, (torch.tensor([[1]]), (3,), (1,)))
        >>> cost.exp()  # 6 of the 8 alignments leave a single 1
        tensor(1.3333)
        >>> ctc.backward(cache)[:, 0, 1]
        tensor([ 0.0000, -0.1667,  0.0000])

    References:
        Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural
        Networks", ICML 2006.
    """

    def __init__(self, blank: int = 0, reduction: Reduction = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction)
        if blank < 0:
            raise ValueError(f"blank must not be negative. Received: blank={blank}")
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, prediction: Tensor, target: tuple[Tensor, Lengths, Lengths]) -> tuple[Tensor, _Cache]:
        """Map scores `(T, N, C)` and targets `(N, S)`, or all sequences as one `(sum of lengths)`, to the cost.

        The cost is `()`, or `(N)` unreduced. A single sequence may come as `(T, C)`.
        """
        check_floating(self, prediction)
        targets, input_lengths, target_lengths = unpacked_target(prediction, target, self.blank)
        scores = prediction if prediction.dim() == 3 else prediction.unsqueeze(1)
        log_probs = scores.log_softmax(-1)
        options = (targets, input_lengths, target_lengths, self.blank, self.zero_infinity)
        nll, log_alpha = ctc_forward(log_probs, *options)
        divisors = torch.tensor(target_lengths, dtype=nll.dtype, device=nll.device).clamp(min=1)
        costs = nll.where(nll.isfinite(), 0) if self.zero_infinity else nll
        costs = costs / divisors if self.reduction == "mean" else costs
        cost = reduced(self, costs if prediction.dim() == 3 else costs.squeeze(0))
        return cost, (prediction.shape, log_probs, options, nll, log_alpha, divisors)

    def backward(self, cache: _Cache, grad_cost: Tensor | None = None) -> Tensor:
        """Map the cache to the gradient of the scores, of their shape."""
        shape, log_probs, options, nll, log_alpha, divisors = cache
        share = shares(self, grad_cost, nll if len(shape) == 3 else nll.squeeze(0)) * torch.ones_like(nll)
        if self.reduction == "mean":
            share = share / divisors
        grad = ctc_backward(share, log_probs, nll, log_alpha, *options)
        # A difference of probabilities: from scores of 1e10 rounding would make more of it.
        bound = share.abs().unsqueeze(-1)
        return grad.clamp(-bound, bound).view(shape)

    @classmethod
    def conformance_cases(cls) -> list[Any]:
        """The cases by which `minigrad.testing` tries it."""
        from minigrad.testing import Case, draw

        scores, labels = draw(6, 2, 4), torch.tensor([[1, 2, 2], [3, 1, 0]])
        target = (labels, (6, 5), (2, 2))
        wrong = (
            (scores, labels),
            (scores, (labels, (6, 7), (2, 2))),
            (scores, (labels, (6, 5), (2, 4))),
            (scores, (labels, (6,), (2,))),
            (scores, (labels, (6, 5), (3, 3))),
            (scores, (labels + 2, (6, 5), (2, 2))),
            (scores, (labels.float(), (6, 5), (2, 2))),
            (scores.long(), target),
        )
        # The mean is of the cost for each label, and here are two in each sequence.
        here: Any = {"batch_dim": None, "mean_count": 4}
        short = (labels % 3, (6, 1), (2, 2))
        return [
            Case(cls, (scores, target), wrong=wrong, **here),
            Case(lambda: cls(blank=3, zero_infinity=True), (scores, short), "one too short", **here),
        ]
