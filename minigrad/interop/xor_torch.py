"""The torch.nn pipeline of XOR: the judge of minigrad's, and a guest here because it needs autograd."""

from collections.abc import Iterator

import torch
from torch import Tensor


def torch_pipeline(
    x: Tensor, y: Tensor, *, hidden: int = 2, lr: float = 1.0, seed: int = 777
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Train two linear layers around one sigmoid object, by mean-reduced BCE and plain SGD, without end.

    It lives in `interop` and not beside the other pipelines, because `cost.backward()` is torch's autograd.

    Args:
        x: Inputs, `(rows, 2)`; they set device and dtype.
        y: Targets, `(rows, 1)`.
        hidden: Number of hidden units.
        lr: Learning rate.
        seed: What the weights are drawn from; the global random state is left alone.

    Yields:
        The cost of a step, and the weights after its update, by name. The same tensors come each time.

    Examples:
        >>> x, y = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), torch.tensor([[0.0], [1], [1], [0]])
        >>> cost, weights = next(torch_pipeline(x, y, seed=777))
        >>> cost.item(), list(weights)
        (0.7434073090553284, ['0.weight', '0.bias', '2.weight', '2.bias'])

    References:
        "Deep Learning Zero to All", PyTorch, lab-08-2.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        linear1 = torch.nn.Linear(2, hidden, dtype=x.dtype)
        linear2 = torch.nn.Linear(hidden, 1, dtype=x.dtype)
    sigmoid = torch.nn.Sigmoid()
    model = torch.nn.Sequential(linear1, sigmoid, linear2, sigmoid).to(x.device)
    criterion = torch.nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
    while True:
        optimizer.zero_grad()
        prediction = model(x)
        cost = criterion(prediction, y)
        cost.backward()
        optimizer.step()
        yield cost.detach(), weights
