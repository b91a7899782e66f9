"""Cases of the built-in activations; those that are not listed are made without arguments."""

from collections.abc import Callable
from typing import Any

from minigrad.testing.case import Case, draw

Cases = Callable[[Any], list[Case]]


def variants(*arguments: dict[str, Any]) -> Cases:
    """The activation as it is by default, and with each set of arguments, on two and on three axes."""

    def cases(cls: Any) -> list[Case]:
        default = [Case(cls), Case(cls, lambda: draw(2, 3, 4, kinks=cls().kinks), "three axes")]
        return default + [Case(lambda given=given: cls(**given)) for given in arguments]

    return cases


SAMPLES: dict[str, Cases] = {
    "CELU": variants({"alpha": 0.5}),
    "ELU": variants({"alpha": 0.5}, {"alpha": 2.0}),
    "GELU": variants({"approximate": "tanh"}),
    "Hardswish": variants(),
    "Identity": variants(),
    "LeakyReLU": variants({"negative_slope": 0.3}, {"negative_slope": -0.5}),
    "LogSigmoid": variants(),
    "LogSoftmax": variants({"dim": 1}),
    "Mish": variants(),
    "PReLU": variants({"num_parameters": 4}, {"init": -0.5}),
    "ReLU": variants(),
    "SELU": variants(),
    "SiLU": variants(),
    "Sigmoid": variants(),
    "Softmax": variants({"dim": 1}),
    "Softplus": variants({"beta": 2.0}, {"beta": 0.5, "threshold": 1.0}),
    "Tanh": variants(),
}
