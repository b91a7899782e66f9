from collections.abc import Callable

import torch
from minigrad_swish import Swish

import minigrad
from minigrad.testing import parametrize_with_checks


@parametrize_with_checks([Swish])
def test_swish_keeps_every_law(check: Callable[[], None]):
    check()


def test_swish_is_found_by_name():
    assert minigrad.activation("swish") is minigrad.activation("swish:swish") is Swish
    assert minigrad.describe(minigrad.build("swish")) == {"name": "swish:swish"}


def test_swish_of_some_numbers():
    y = Swish()(torch.tensor([-1.0, 0.0, 1.0]))
    torch.testing.assert_close(y, torch.tensor([-0.2689414, 0.0, 0.7310586]))
