"""The XOR step of small autograd packages, if they are installed; minigrad needs none of them."""

import importlib
from collections.abc import Callable, Iterator
from importlib.metadata import version

import numpy as np

from minigrad.xor.data import CORNERS, TARGETS

Step = Callable[[], object]


def peers() -> Iterator[tuple[str, Step | None]]:
    """Each peer's name with its step, or with `None` if it is not installed."""
    for name, make in (("micrograd", micrograd), ("mygrad", mygrad)):
        try:
            importlib.import_module(name)
        except ImportError:
            yield name, None
        else:
            yield f"{name} {version(name)}", make()


def micrograd() -> Step:
    """Scalars in pure Python. It has no sigmoid, so this is its own ReLU net with squared errors."""
    net = importlib.import_module("micrograd.nn").MLP(2, [2, 1])

    def step() -> object:
        errors = [(net(list(x)) - y) ** 2 for x, y in zip(CORNERS, TARGETS, strict=True)]
        cost = sum(errors) * (1 / len(errors))
        net.zero_grad()
        cost.backward()
        for parameter in net.parameters():
            parameter.data -= 0.1 * parameter.grad
        return cost

    return step


def mygrad() -> Step:
    """Autograd over numpy arrays; the very net of XOR."""
    mg = importlib.import_module("mygrad")
    sigmoid = importlib.import_module("mygrad.nnet.activations").sigmoid
    random = np.random.default_rng(777)
    x, y = np.array(CORNERS), np.array(TARGETS)[:, None]
    shapes = ((2, 2), (2,), (2, 1), (1,))
    weights = [mg.tensor(random.uniform(-0.7, 0.7, shape)) for shape in shapes]

    def step() -> object:
        w1, b1, w2, b2 = weights
        p = sigmoid(sigmoid(x @ w1 + b1) @ w2 + b2)
        cost = -mg.mean(y * mg.log(p) + (1 - y) * mg.log(1 - p))
        cost.backward()
        for i, weight in enumerate(weights):
            weights[i] = mg.tensor(weight.data - weight.grad)
        return cost

    return step
