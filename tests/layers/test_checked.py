"""Checked: every planted fault is found and named, and nothing else is."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from minigrad.activations import LogSoftmax, ReLU, Sigmoid
from minigrad.core import Layer, Parameter, map_layers, receive_gradients
from minigrad.errors import CacheError, SanitizerError
from minigrad.layers import (
    Checked,
    Dropout,
    Embedding,
    Flatten,
    Frozen,
    LayerNorm,
    Linear,
    Parallel,
    Residual,
    Sequential,
)
from minigrad.losses import BCE
from minigrad.optimizers import SGD

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


class Scale(Layer):
    """A right layer, from which each faulty one differs in one method."""

    def __init__(self) -> None:
        self.weight = Parameter(torch.tensor([2.0, 3.0]))

    def forward(self, x: Tensor) -> tuple[Any, Any]:
        return x * self.weight, (x,)

    def backward(self, grad_output: Any, cache: Any) -> Any:
        self.weight.accumulate((grad_output * cache[0]).sum(0), len(grad_output))
        return grad_output * self.weight


def faulty(**methods: Callable[..., Any]) -> Layer:
    return type("Faulty", (Scale,), methods)()


def run(layer: Layer, x: Any = X, grad: Any = None) -> Any:
    y, cache = layer.forward(x)
    return layer.backward(torch.ones_like(y) if grad is None else grad, cache)


def changing_argument(self: Any, x: Tensor) -> Any:
    x.mul_(2)
    return Scale.forward(self, x)


def changing_argument_and_back(self: Any, x: Tensor) -> Any:
    x.mul_(2).div_(2)
    return Scale.forward(self, x)


def changing_memory_behind_the_counter(self: Any, x: Tensor) -> Any:
    x.data[0, 1] = 7
    return Scale.forward(self, x)


def changing_weight(self: Any, x: Tensor) -> Any:
    self.weight.mul_(0.5)
    return Scale.forward(self, x)


def returning(value: float) -> Callable[..., Any]:
    def forward(self: Any, x: Tensor) -> Any:
        y = x.clone()
        y[1, 0] = value
        return y, (x,)

    return forward


def changing_gradient(self: Any, grad_output: Tensor, cache: Any) -> Any:
    return grad_output.mul_(2)


def changing_cache(self: Any, grad_output: Tensor, cache: Any) -> Any:
    cache[0].neg_()
    return grad_output


def changing_weight_backward(self: Any, grad_output: Tensor, cache: Any) -> Any:
    self.weight.sub_(0.1)
    return grad_output


def handing(grad: Callable[[Tensor, Any], Tensor], rows: Any = 2) -> Callable[..., Any]:
    def backward(self: Any, grad_output: Tensor, cache: Any) -> Any:
        self.weight.accumulate(grad(grad_output, cache), rows)
        return grad_output * self.weight

    return backward


def handing_twice(self: Any, grad_output: Tensor, cache: Any) -> Any:
    grad = grad_output.sum(0)
    self.weight.accumulate(grad, 2)
    self.weight.accumulate(grad.view(2), 2)
    return grad_output


FAULTS: dict[str, tuple[dict[str, Callable[..., Any]], str]] = {
    "x changed": (
        {"forward": changing_argument},
        r"^Faulty\.forward must not change its argument\. Received: x, at \(0, 0\) now 2, before 1$",
    ),
    "x changed and restored": (
        {"forward": changing_argument_and_back},
        r"^Faulty\.forward must not change its argument\. Received: x, written in place with the values that it had$",
    ),
    "x changed past its version counter": (
        {"forward": changing_memory_behind_the_counter},
        r"^Faulty\.forward must not change its argument\. Received: x, at \(0, 1\) now 7, before 2$",
    ),
    "weight changed in forward": (
        {"forward": changing_weight},
        r"^Faulty\.forward must not change a parameter\. Received: weight, at \(0,\) now 1, before 2$",
    ),
    "NaN in y": (
        {"forward": returning(float("nan"))},
        r"^Faulty\.forward must return a finite y\. Received: y, at \(1, 0\) nan, not finite in 1 of 4 elements; "
        r"what it received was finite$",
    ),
    "infinity in y": ({"forward": returning(float("-inf"))}, r"finite y\. Received: y, at \(1, 0\) -inf"),
    "gradient changed": (
        {"backward": changing_gradient},
        r"^Faulty\.backward must not change its argument\. Received: dL/dy, at \(0, 0\) now 2, before 1$",
    ),
    "cache changed": (
        {"backward": changing_cache},
        r"^Faulty\.backward must not change its cache\. Received: cache\[0\], at \(0, 0\) now -1, before 1$",
    ),
    "weight changed in backward": (
        {"backward": changing_weight_backward},
        r"^Faulty\.backward must not change a parameter\. Received: weight, at \(0,\) now 1\.9, before 2$",
    ),
    "dL/dx of another shape": (
        {"backward": lambda self, grad, cache: grad.sum(0)},
        r"^Faulty\.backward must return dL/dx like x: \(2, 2\) torch\.float32 cpu\. Received: \(2,\) torch\.float32",
    ),
    "dL/dx of another dtype": (
        {"backward": lambda self, grad, cache: grad.double()},
        r"must return dL/dx like x: \(2, 2\) torch\.float32 cpu\. Received: \(2, 2\) torch\.float64 cpu$",
    ),
    "no dL/dx": ({"backward": lambda self, grad, cache: None}, r"must return dL/dx like x: .* Received: no tensor$"),
    "two dL/dx": (
        {"backward": lambda self, grad, cache: (grad, grad)},
        r"must return dL/dx like x: \(2, 2\) torch\.float32 cpu\. Received: no tensor$",
    ),
    "NaN in dL/dx": (
        {"backward": lambda self, grad, cache: grad * float("nan")},
        r"^Faulty\.backward must return a finite dL/dx\. Received: dL/dx, at \(0, 0\) nan, .* 4 of 4 elements; "
        r"what it received was finite$",
    ),
    "NaN in a gradient": (
        {"backward": handing(lambda grad, cache: grad.sum(0) / 0)},
        r"^Faulty\.backward must hand over a finite dL/dweight\. Received: dL/dweight, at \(0,\) inf, not finite in 2",
    ),
    "a gradient of another shape": (
        {"backward": handing(lambda grad, cache: grad.sum())},
        r"must hand over dL/dweight like weight: \(2,\) torch\.float32 cpu\. Received: \(\) torch\.float32 cpu$",
    ),
    "a gradient of another dtype": (
        {"backward": handing(lambda grad, cache: grad.sum(0).double())},
        r"must hand over dL/dweight like weight: \(2,\) torch\.float32 cpu\. Received: \(2,\) torch\.float64 cpu$",
    ),
    "rows that are no number": (
        {"backward": handing(lambda grad, cache: grad.sum(0), rows=2.0)},
        r"must count the rows in dL/dweight\. Received: rows=2\.0$",
    ),
    "a gradient in the memory of dL/dy": (
        {"backward": handing(lambda grad, cache: grad[0])},
        r"must hand over dL/dweight in memory of its own, .* Received: one that shares it with dL/dy$",
    ),
    "a gradient in the memory of the cache": (
        {"backward": handing(lambda grad, cache: cache[0][0])},
        r"in memory of its own, .* Received: one that shares it with cache\[0\]$",
    ),
    "one gradient twice": (
        {"backward": handing_twice},
        r"in memory of its own, .* Received: one that shares it with dL/dweight$",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(fault: str):
    methods, message = FAULTS[fault]
    with pytest.raises(SanitizerError, match=message):
        run(Checked(faulty(**methods)), X.clone())


def test_the_right_layer_passes_unchanged():
    plain, checked = Scale(), Checked(Scale())
    assert torch.equal(run(checked), run(plain))
    assert torch.equal(checked.layer.weight.grad, plain.weight.grad)
    assert checked.layer.weight.rows == 2
    assert torch.equal(checked(X), plain(X))


def test_an_upstream_gradient_that_cannot_be_right_is_told():
    checked = Checked(Scale())
    for grad, message in [
        (torch.ones(2), r"expects dL/dy like y: \(2, 2\) torch\.float32 cpu\. Received: \(2,\) torch\.float32 cpu$"),
        (torch.ones(2, 2).double(), r"expects dL/dy like y: .* Received: \(2, 2\) torch\.float64 cpu$"),
        ((torch.ones(2, 2),), r"expects dL/dy like y: .* Received: no tensor$"),
        (X / 0, r"expects a finite dL/dy\. Received: dL/dy, at \(0, 0\) inf"),
    ]:
        with pytest.raises(SanitizerError, match=rf"^Scale\.backward {message}"):
            run(checked, grad=grad)


def test_what_was_bad_already_is_said():
    with pytest.raises(SanitizerError, match=r"finite y\. .*; x was not finite already$"):
        Checked(Scale()).forward(X / 0)
    with pytest.raises(SanitizerError, match=r"^Scale\.predict must return a finite y\. .*; x was not finite already$"):
        Checked(Scale()).predict(X / 0)
    # What becomes finite is nobody's fault.
    Checked(Sigmoid()).forward(X / 0)


def test_weights_that_change_in_between_are_told():
    for change in (lambda w: w.add_(1), lambda w: w.data.add_(1), lambda w: setattr(w, "data", w.data + 1)):
        checked = Checked(Scale())
        y, cache = checked.forward(X)
        change(checked.layer.weight)
        with pytest.raises(
            SanitizerError,
            match=r"^Scale\.backward expects the weights that its forward saw\. Received: weight, at \(0,\) now 3, bef",
        ):
            checked.backward(y, cache)
    checked = Checked(Scale())
    y, cache = checked.forward(X)
    checked.layer.weight = Parameter(torch.tensor([2.0, 3.0]))
    with pytest.raises(SanitizerError, match=r"Received: weight, another object$"):
        checked.backward(y, cache)
    checked = Checked(Scale())
    y, cache = checked.forward(X)
    checked.to(torch.float64)
    with pytest.raises(
        SanitizerError, match=r"Received: weight, now \(2,\) torch\.float64 cpu, before \(2,\) torch\.f"
    ):
        checked.backward(y, cache)


def test_a_step_between_forward_and_backward_is_found():
    checked = Checked(Linear(2, 1))
    optimizer = SGD(checked.parameters(), lr=0.1)
    y, cache = checked.forward(X)
    _, later = checked.forward(X)
    checked.backward(y, cache)
    optimizer.step()
    with pytest.raises(SanitizerError, match=r"^Linear\.backward expects the weights that its forward saw"):
        checked.backward(y, later)


def test_a_cache_that_changes_in_between_is_told():
    x = X.clone()
    checked = Checked(Scale())
    y, cache = checked.forward(x)
    x[1, 1] = 9
    with pytest.raises(
        SanitizerError,
        match=r"^Scale\.backward expects the cache as forward returned it\. Received: cache\[0\], at \(1, 1\) now 9",
    ):
        checked.backward(y, cache)


def test_writing_elsewhere_into_the_same_memory_is_no_fault():
    data = torch.arange(8.0).view(4, 2)
    checked = Checked(Scale())
    y, cache = checked.forward(data[:2])
    data[2:] = 0
    checked.backward(y, cache)


def test_a_cache_of_another_layer_is_told():
    one, other = Checked(Scale()), Checked(Scale())
    y, cache = one.forward(X)
    with pytest.raises(CacheError, match=r"^Scale\.backward expects the cache that its own .* of another Scale$"):
        other.backward(y, cache)
    with pytest.raises(CacheError, match=r"Received: tuple$"):
        one.backward(y, (X,))


def test_gradients_that_were_refused_do_not_arrive():
    checked = Checked(faulty(backward=handing(lambda grad, cache: grad.sum(0) / 0)))
    with pytest.raises(SanitizerError):
        run(checked)
    assert checked.layer.weight.grad is None


def test_a_receiver_outside_still_receives():
    seen = []
    with receive_gradients(lambda parameter, grad, rows: seen.append((parameter.role, rows))):
        run(Checked(Linear(2, 3)))
    assert seen == [("weight", 2), ("bias", 2)]


def test_nan_that_stays_nan_is_no_change():
    class Keeps(Scale):
        def forward(self, x: Tensor) -> tuple[Any, Any]:
            return x.nan_to_num(), (x,)

        def backward(self, grad_output: Any, cache: Any) -> Any:
            return grad_output

    run(Checked(Keeps()), torch.tensor([[1.0, float("nan")]]))


@dataclass
class Pair:
    first: Tensor
    more: dict[str, Tensor]


def test_tensors_are_found_wherever_a_cache_holds_them():
    class Deep(Scale):
        def forward(self, x: Tensor) -> tuple[Any, Any]:
            return x, [Pair(x + 0, {"mask": x + 0})]

        def backward(self, grad_output: Any, cache: Any) -> Any:
            cache[0].more["mask"][0, 0] = 5
            return grad_output

    with pytest.raises(
        SanitizerError, match=r"change its cache\. Received: cache\[0\]\.more\['mask'\], at \(0, 0\) now 5"
    ):
        run(Checked(Deep()))


def test_several_tensors_in_and_out():
    class Swap(Layer):
        def forward(self, x: Any) -> tuple[Any, None]:
            return (x[1], x[0]), None

        def backward(self, grad_output: Any, cache: None) -> Any:
            return (grad_output[0], grad_output[0])

    x = (torch.zeros(2), torch.zeros(3))
    checked = Checked(Swap())
    _, cache = checked.forward(x)
    with pytest.raises(
        SanitizerError, match=r"must return dL/dx like x: element \[0\] to be \(2,\) .* Received: \(3,\) "
    ):
        checked.backward((torch.zeros(3), torch.zeros(2)), cache)
    with pytest.raises(
        SanitizerError, match=r"expects dL/dy like y: element \[1\] to be \(2,\) .* Received: no tensor$"
    ):
        checked.backward((torch.zeros(3),), cache)
    with pytest.raises(SanitizerError, match=r"expects dL/dy like y: element \[2\] to be nothing\. Received: \(1,\) "):
        checked.backward((torch.zeros(3), torch.zeros(2), torch.zeros(1)), cache)


def test_predict_is_watched_and_is_not_learning():
    with pytest.raises(SanitizerError, match=r"^Faulty\.predict must not change its argument"):
        Checked(faulty(forward=changing_argument)).predict(X.clone())
    assert Checked(Dropout(1.0))(torch.ones(2)).tolist() == [1, 1]


NETS: dict[str, tuple[Callable[[], Layer], Tensor]] = {
    "mlp": (lambda: Sequential(Linear(2, 4), ReLU(), LayerNorm(4), Dropout(), Linear(4, 1), Sigmoid()), X),
    "branches": (lambda: Parallel(Residual(Linear(2, 2)), Sequential(Flatten(), Frozen(Linear(2, 3))), merge="cat"), X),
    "indices": (lambda: Sequential(Embedding(5, 3), Linear(3, 4), LogSoftmax()), torch.tensor([0, 4])),
    "empty": (lambda: Sequential(Linear(2, 4), ReLU()), torch.zeros(0, 2)),
}


@pytest.mark.parametrize("name", NETS)
def test_a_whole_net_can_be_checked(name: str):
    make, x = NETS[name]
    plain = make()
    twin = copy.deepcopy(plain)
    results = []
    for net in (plain, map_layers(twin, Checked), Checked(twin)):
        net.zero_grad()
        torch.manual_seed(2)
        y, cache = net.forward(x)
        grad_input = net.backward(torch.ones_like(y), cache)
        y, cache = net.forward(x)
        net.backward_parameters(torch.ones_like(y), cache)
        results.append([net(x), grad_input, *(p.grad.clone() for p in net.parameters())])
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            assert (one is None and other is None) or torch.equal(one, other)


def test_an_error_leads_to_the_layer():
    net = map_layers(Sequential(Linear(2, 2), Sequential(ReLU(), faulty(forward=returning(float("nan"))))), Checked)
    with pytest.raises(SanitizerError, match=r"^Faulty\.forward") as caught:
        net.forward(X)
    assert caught.value.__notes__ == ["In layer 1 (checked) of Sequential.", "In layer 1 (sequential) of Sequential."]


def test_a_checked_net_learns():
    net = Sequential(Linear(2, 1), Sigmoid())
    checked = map_layers(net, Checked)
    optimizer, loss, t = SGD(checked.parameters(), lr=1.0), BCE(), torch.tensor([[0.0], [1.0]])
    costs = []
    for _ in range(20):
        p, cache = checked.forward(X)
        cost, loss_cache = loss.forward(p, t)
        checked.backward_parameters(loss.backward(loss_cache), cache)
        optimizer.step()
        optimizer.zero_grad()
        costs.append(cost.item())
    assert costs[-1] < costs[0]


def test_inference_tensors_are_watched_by_value():
    with torch.inference_mode():
        x = torch.ones(2, 2)
        with pytest.raises(SanitizerError, match=r"must not change its argument"):
            Checked(faulty(forward=changing_argument)).forward(x)
