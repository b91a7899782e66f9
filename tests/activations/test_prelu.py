"""PReLU, the activation that learns."""

import pytest
import torch
from torch import nn

from minigrad.activations import PReLU
from minigrad.errors import DtypeError, ShapeError

SHAPES = [(1, (5,)), (1, ()), (1, (4, 3)), (3, (4, 3)), (3, (2, 3, 5)), (3, (2, 3, 5, 4)), (3, (0, 3)), (1, (2, 3, 4))]


@pytest.mark.parametrize(("num_parameters", "shape"), SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_passes_are_torchs_bit_for_bit(num_parameters: int, shape: tuple[int, ...], dtype: torch.dtype):
    twin = nn.PReLU(num_parameters, init=0.3, dtype=dtype)
    ours = PReLU(num_parameters, init=0.3, dtype=dtype)
    if num_parameters > 1:
        ours.weight.copy_(torch.tensor([-0.5, 0.0, 0.7]))
    twin.load_state_dict(ours.state_dict())
    x = torch.randn(shape, dtype=dtype)
    grad = torch.randn_like(x)
    x_of_torch = x.clone().requires_grad_()
    y_of_torch = twin(x_of_torch)
    y_of_torch.backward(grad)

    y, cache = ours.forward(x)
    assert torch.equal(y, y_of_torch)
    assert torch.equal(ours.backward(grad, cache), x_of_torch.grad)
    assert torch.equal(ours.weight.grad, twin.weight.grad)
    assert ours.weight.rows == x.numel() // num_parameters


def test_the_formula_in_the_docstring_holds():
    prelu = PReLU(dtype=torch.float64)
    x, grad = torch.randn(50, dtype=torch.float64), torch.randn(50, dtype=torch.float64)
    y, cache = prelu.forward(x)
    torch.testing.assert_close(y, torch.where(x > 0, x, 0.25 * x))
    torch.testing.assert_close(prelu.backward(grad, cache), torch.where(x > 0, grad, 0.25 * grad))
    torch.testing.assert_close(prelu.weight.grad, (grad * x)[x <= 0].sum()[None])


def test_at_the_kink_the_slope_is_taken():
    prelu = PReLU()
    _, cache = prelu.forward(torch.zeros(1))
    assert prelu.kinks == (0.0,)
    assert prelu.backward(torch.ones(1), cache).item() == 0.25


def test_config_repr_and_reset():
    prelu = PReLU(2, init=0.5)
    assert repr(prelu) == "PReLU(num_parameters=2, init=0.5)"
    assert prelu.config() == {"num_parameters": 2, "init": 0.5}
    prelu.weight.zero_()
    prelu.reset_parameters()
    assert prelu.weight.tolist() == [0.5, 0.5]


def test_misuse_is_told():
    with pytest.raises(ValueError, match=r"^num_parameters must be a whole number, .* Received: num_parameters=0$"):
        PReLU(0)
    for shape in [(4, 2), (3,)]:
        with pytest.raises(ShapeError, match=r"^PReLU expects \(N, num_parameters=3, \.\.\.\)\. Received: shape \("):
            PReLU(3).forward(torch.zeros(shape))
    with pytest.raises(
        DtypeError, match=r"^PReLU expects torch\.float32, as its weight is\. Received: torch\.float64$"
    ):
        PReLU().forward(torch.zeros(3, dtype=torch.float64))
    with pytest.raises(DtypeError, match=r"^PReLU expects a floating-point tensor\. Received: torch\.int64$"):
        PReLU().forward(torch.tensor([1]))
