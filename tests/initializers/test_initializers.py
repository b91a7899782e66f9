"""Every initializer draws what torch.nn.init draws."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from minigrad import initializers as room
from minigrad.core import Initializer

init = torch.nn.init
CASES: list[tuple[Initializer, Callable[[torch.Tensor], Any]]] = [
    (room.Constant(0.3), lambda t: init.constant_(t, 0.3)),
    (room.Zeros(), init.zeros_),
    (room.Ones(), init.ones_),
    (room.Uniform(-2, 3), lambda t: init.uniform_(t, -2, 3)),
    (room.Normal(1, 0.5), lambda t: init.normal_(t, 1, 0.5)),
    (room.TruncNormal(0, 2, -1, 1), lambda t: init.trunc_normal_(t, 0, 2, -1, 1)),
    (room.XavierUniform(2.0), lambda t: init.xavier_uniform_(t, 2.0)),
    (room.XavierNormal(), init.xavier_normal_),
    (room.KaimingUniform(0.2, "fan_out"), lambda t: init.kaiming_uniform_(t, 0.2, "fan_out")),
    (room.KaimingNormal(nonlinearity="relu"), lambda t: init.kaiming_normal_(t, nonlinearity="relu")),
    (room.Orthogonal(0.5), lambda t: init.orthogonal_(t, 0.5)),
]


@pytest.mark.parametrize(
    ("initializer", "twin"), CASES, ids=lambda case: repr(case) if isinstance(case, Initializer) else ""
)
def test_draws_what_torch_draws(initializer: Initializer, twin: Callable[[torch.Tensor], Any]) -> None:
    ours, theirs = torch.empty(4, 3), torch.empty(4, 3)
    torch.manual_seed(1)
    initializer(ours)
    torch.manual_seed(1)
    twin(theirs)
    assert torch.equal(ours, theirs)


def test_every_initializer_stands_in_the_table() -> None:
    assert sorted(type(initializer).__name__ for initializer, _ in CASES) == sorted(room.__all__)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: room.Uniform(1, 0), "a=1, b=0"),
        (lambda: room.Normal(std=-1), "std=-1"),
        (lambda: room.TruncNormal(a=2, b=1), "a=2, b=1"),
        (lambda: room.KaimingUniform(mode="fan"), "mode='fan'"),  # type: ignore[arg-type]
        (lambda: room.KaimingNormal(nonlinearity="rectify"), "rectify"),
    ],
)
def test_misuse_is_one_sentence(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
