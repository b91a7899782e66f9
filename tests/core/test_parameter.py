"""Parameter: its role stays, its gradient enters through one door."""

import copy
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor

from minigrad.core import Parameter, receive_gradients
from minigrad.errors import ShapeError


def bias() -> Parameter:
    return Parameter(torch.tensor([1.0, 2.0]), role="bias")


COPIES: dict[str, Any] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy in a list": lambda p: copy.deepcopy([p])[0],
    "pickle": lambda p: pickle.loads(pickle.dumps(p)),
    "old pickle": lambda p: pickle.loads(pickle.dumps(p, protocol=2)),
    "to dtype": lambda p: p.to(torch.float64),
    "to device": lambda p: p.to("cpu", copy=True),
    "wrapped again": lambda p: Parameter(p, role=p.role),
}


@pytest.mark.parametrize("name", COPIES)
def test_the_role_survives(name: str):
    parameter = bias()
    again = COPIES[name](parameter)
    assert type(again) is Parameter
    assert again.role == "bias"
    assert again.tolist() == [1.0, 2.0]
    again.accumulate(torch.ones(2, dtype=again.dtype), rows=3)
    assert again.rows == 3


@pytest.mark.parametrize("name", ["deepcopy", "pickle", "to dtype", "to device"])
def test_a_copy_is_independent(name: str):
    parameter = bias()
    again = COPIES[name](parameter)
    again.add_(1)
    again.accumulate(torch.ones(2, dtype=again.dtype))
    assert parameter.tolist() == [1.0, 2.0]
    assert parameter.grad is None


def test_to_the_same_is_the_same_object():
    parameter = bias()
    assert parameter.to(torch.float32) is parameter


def test_a_parameter_that_stands_twice_is_copied_once():
    parameter = bias()
    one, other = copy.deepcopy([parameter, parameter])
    assert one is other


def test_autograd_never_records_it():
    parameter = bias()
    assert not parameter.requires_grad
    assert isinstance(parameter, torch.nn.Parameter)
    assert Parameter(torch.ones(2, requires_grad=True) * 2).grad_fn is None


def test_a_gradient_of_another_shape_is_refused():
    for wrong in ((), (1,), (3,), (4, 2)):
        parameter = bias()
        with pytest.raises(ShapeError, match=r"^A gradient has the shape of its parameter, \(2,\)\. Received: \("):
            parameter.accumulate(torch.ones(wrong))
        assert parameter.grad is None
        parameter.accumulate(torch.ones(2))
        with pytest.raises(ShapeError, match=r"Received: \("):  # it would be added
            parameter.accumulate(torch.ones(wrong))
        assert parameter.rows == 1


def test_gradients_add_up_and_rows_are_counted():
    parameter = bias()
    assert parameter.grad is None
    assert parameter.rows == 0
    for k in range(1, 5):
        parameter.accumulate(torch.full((2,), float(k)), rows=k)
        assert parameter.rows == k * (k + 1) // 2
        assert parameter.grad.tolist() == [parameter.rows] * 2
    assert parameter.gradient is parameter.grad
    parameter.zero_grad()
    assert parameter.grad is None
    assert parameter.rows == 0


def test_what_was_handed_in_is_never_changed():
    parameter = bias()
    grads = [torch.full((2,), float(k)) for k in range(4)]
    for grad in grads:
        parameter.accumulate(grad)
    assert [grad.tolist() for grad in grads] == [[k, k] for k in range(4)]
    first = torch.ones(2)
    parameter.grad = first
    parameter.accumulate(torch.ones(2))
    assert first.tolist() == [1, 1]
    assert parameter.grad.tolist() == [2, 2]


def test_grad_can_be_set_and_deleted_as_in_torch():
    parameter = bias()
    parameter.accumulate(torch.ones(2), rows=3)
    parameter.grad = torch.tensor([5.0, 6.0])
    assert parameter.grad.tolist() == [5, 6]
    assert parameter.rows == 3
    parameter.grad = None
    assert parameter.grad is None
    parameter.grad = torch.ones(2)
    del parameter.grad
    assert parameter.grad is None
    with pytest.raises(ShapeError, match=r"\(2,\) torch\.float32\. Received: \(3,\) torch\.float32$"):
        parameter.grad = torch.ones(3)
    with pytest.raises(ShapeError, match=r"Received: \(2,\) torch\.float64$"):
        parameter.grad = torch.ones(2, dtype=torch.float64)


class Yielding(list[Any]):
    """Lets another thread run whenever an item was taken."""

    def pop(self, *args: Any) -> Any:
        item = super().pop(*args)
        time.sleep(0)
        return item


@pytest.mark.parametrize("parts", [list, Yielding])
def test_eight_threads_lose_nothing(parts: type):
    parameter = Parameter(torch.zeros(3, dtype=torch.float64))
    parameter._parts = parts()
    start = threading.Barrier(8)

    def work(k: int) -> None:
        start.wait()
        for i in range(200):
            parameter.accumulate(torch.full((3,), float(1000 * k + i), dtype=torch.float64), rows=k)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert parameter.rows == 200 * sum(range(8))
    assert parameter.grad.tolist() == [sum(1000 * k + i for k in range(8) for i in range(200))] * 3


def test_receivers_nest_and_come_back():
    parameter = bias()
    outer: list[int] = []
    inner: list[int] = []
    with receive_gradients(lambda p, grad, rows: outer.append(rows)):
        parameter.accumulate(torch.ones(2), rows=1)
        with receive_gradients(lambda p, grad, rows: inner.append(rows)):
            parameter.accumulate(torch.ones(2), rows=2)
        parameter.accumulate(torch.ones(2), rows=3)
    assert (outer, inner) == ([1, 3], [2])
    assert parameter.grad is None
    with pytest.raises(KeyError), receive_gradients(lambda p, grad, rows: None):
        raise KeyError
    parameter.accumulate(torch.ones(2), rows=4)
    assert parameter.rows == 4


def test_a_receiver_gets_parameter_gradient_and_rows():
    parameter, grad = bias(), torch.ones(2)
    seen: list[Any] = []
    with receive_gradients(lambda *received: seen.append(received)):
        parameter.accumulate(grad, rows=7)
    assert seen[0][0] is parameter
    assert seen[0][1] is grad
    assert seen[0][2] == 7


def test_a_receiver_is_of_its_thread_alone():
    parameter = bias()
    seen: list[int] = []
    with receive_gradients(lambda p, grad, rows: seen.append(rows)):
        other = threading.Thread(target=parameter.accumulate, args=(torch.ones(2), 5))
        other.start()
        other.join()
    assert seen == []
    assert parameter.rows == 5


def test_the_repr_shows_role_and_value():
    assert repr(bias()) == "Parameter(role='bias', tensor([1., 2.]))"


def test_arithmetic_gives_plain_tensors():
    assert type(bias() * 2) is Tensor
    assert type(bias().detach() * 2) is Tensor
