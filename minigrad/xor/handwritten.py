"""The hand-written pipeline of XOR: every derivative spelled out, to be read line by line beside the notes."""

from collections.abc import Iterator

import torch
from torch import Tensor


def sigmoid(z: Tensor) -> Tensor:
    r"""$\sigma(z) = 1 / (1 + e^{-z})$."""
    return 1.0 / (1.0 + torch.exp(-z))


def sigmoid_prime(z: Tensor) -> Tensor:
    r"""$\sigma'(z) = \sigma(z) (1 - \sigma(z))$."""
    return sigmoid(z) * (1.0 - sigmoid(z))


def handwritten_pipeline(
    x: Tensor, y: Tensor, *, hidden: int = 2, lr: float = 1.0, seed: int = 777
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    r"""Train two layers by backpropagation written out in full, without end.

    $$\text{cost} = -\tfrac1N \sum \bigl( y \log p + (1 - y) \log(1 - p) \bigr), \qquad
    \Delta W = -\eta \sum_{\text{rows}} \delta_W, \quad \Delta b = -\eta \operatorname*{mean}_{\text{rows}} \delta_b$$

    The cost is only printed. What is derived is the *summed* cost, so a weight's step is the sum over the rows, while a
    bias's step is the mean. The notes write weights as `(in, out)`; torch's layers draw them as `(out, in)`.

    Args:
        x: Inputs, `(rows, 2)`; they set device and dtype.
        y: Targets, `(rows, 1)`.
        hidden: Number of hidden units.
        lr: Learning rate.
        seed: What the weights are drawn from; the global random state is left alone.

    Yields:
        The cost of a step, and the weights after its update, under torch's names and in torch's layout.

    Examples:
        >>> x, y = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), torch.tensor([[0.0], [1], [1], [0]])
        >>> cost, weights = next(handwritten_pipeline(x, y, seed=777))
        >>> round(cost.item(), 4), weights["0.weight"].shape
        (0.7434, torch.Size([2, 2]))
    """
    # The notes leave the weights as uninitialised memory. Here they are what two torch.nn.Linear draw, transposed.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        linear1 = torch.nn.Linear(2, hidden, dtype=x.dtype).to(x.device)
        linear2 = torch.nn.Linear(hidden, 1, dtype=x.dtype).to(x.device)
    w1, b1 = linear1.weight.detach().t(), linear1.bias.detach()
    w2, b2 = linear2.weight.detach().t(), linear2.bias.detach()

    while True:
        # forward
        z1 = x @ w1 + b1
        a1 = sigmoid(z1)
        z2 = a1 @ w2 + b2
        p = sigmoid(z2)

        # binary cross-entropy, for the eye only
        cost = -torch.mean(y * torch.log(p) + (1 - y) * torch.log(1 - p))

        # derivative of the summed cost; 1e-7 keeps the division from zero
        dp = (p - y) / (p * (1 - p) + 1e-7)

        # layer 2
        dz2 = dp * sigmoid_prime(z2)
        dw2 = a1.t() @ dz2
        db2 = torch.mean(dz2, 0)

        # layer 1, through the old w2
        da1 = dz2 @ w2.t()
        dz1 = da1 * sigmoid_prime(z1)
        dw1 = x.t() @ dz1  # the notes store this under the name of layer 2's
        db1 = torch.mean(dz1, 0)

        # update, once all derivatives are known; the notes update layer 1 twice and layer 2 never
        w1 = w1 - lr * dw1
        b1 = b1 - lr * db1
        w2 = w2 - lr * dw2
        b2 = b2 - lr * db2
        yield cost, {"0.weight": w1.t(), "0.bias": b1, "2.weight": w2.t(), "2.bias": b2}
