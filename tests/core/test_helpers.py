"""kernel, scalar and check_floating."""

import pytest
import torch
from torch import Tensor

from minigrad.activations import ReLU
from minigrad.core import kernel, scalar
from minigrad.core.checks import check_floating
from minigrad.errors import DtypeError


def test_a_kernel_is_torchs_eager_and_compiled():
    tanh_backward = kernel("tanh_backward")
    grad, y = torch.randn(5), torch.randn(5)
    expected = torch.ops.aten.tanh_backward.default(grad, y)
    assert torch.equal(tanh_backward(grad, y), expected)
    compiled = torch.compile(lambda grad, y: tanh_backward(grad, y), fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(grad, y), expected)
    with pytest.raises(AttributeError):
        kernel("no_such_kernel")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_scalar_is_made_once_and_rounds_as_the_number_does(dtype: torch.dtype):
    assert scalar(3, dtype) is scalar(3, dtype)
    assert scalar(3, dtype).dtype == dtype
    x = torch.randn(100).to(dtype)
    for value in (3, 7, 0.1, 1e-3):
        assert torch.equal(x / scalar(value, dtype), x / torch.tensor(value, dtype=dtype))


def test_a_scalar_does_not_outlive_a_transform():
    def divide(x: Tensor) -> Tensor:
        return x / scalar(17.25, x.dtype)

    x = torch.ones(3, 2)
    expected = x / 17.25
    assert torch.equal(torch.func.vmap(divide)(x), expected)
    assert torch.equal(torch.compile(divide, fullgraph=True, backend="aot_eager")(x), expected)
    with torch.inference_mode():
        divide(x)
    assert torch.equal(divide(x), expected)
    assert not scalar(17.25, torch.float32).is_inference()


def test_what_has_no_gradient_is_refused():
    for good in (torch.zeros(1), torch.zeros(1, dtype=torch.bfloat16), torch.zeros(0, dtype=torch.float64)):
        check_floating(ReLU(), good)
    with pytest.raises(DtypeError, match=r"^ReLU expects a floating-point tensor\. Received: torch\.uint8$"):
        check_floating(ReLU(), torch.zeros(1, dtype=torch.uint8))
    with pytest.raises(DtypeError, match=r"^ReLU expects a floating-point tensor\. Received: float$"):
        check_floating(ReLU(), 1.0)
