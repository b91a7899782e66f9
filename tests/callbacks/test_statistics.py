"""The columns that callbacks add: rates, norms of gradients, and what the layers return."""

import math
from typing import Any

import pytest
import torch

import minigrad
from minigrad.callbacks import ActivationStatistics, GradientStatistics, LearningRateLog
from minigrad.core import Callback, Layer, Run, Wrapper
from minigrad.layers import Linear, Sequential
from minigrad.optimizers import SGD
from tests.callbacks.problem import classifier, data, fit


def test_the_rate_of_a_row_is_that_of_its_update():
    history = fit(LearningRateLog(), schedule={"name": "exponential", "gamma": 0.5})
    assert history["lr"] == [0.5 * 0.5**step for step in range(9)]


def test_each_group_has_a_column():
    net = Linear(2, 2)
    groups = [{"params": [net.weight], "lr": 0.1}, {"params": [net.bias]}]
    sgd = SGD(groups, lr=0.2)
    history = minigrad.fit(net, "cross_entropy", sgd, data(), steps=2, callbacks=["learning_rate_log"], progress=False)
    assert (history["lr/0"], history["lr/1"]) == ([0.1, 0.1], [0.2, 0.2])
    assert "lr" not in history.columns


class Judge(Callback):
    """Takes down the norms by torch's own function."""

    def __init__(self) -> None:
        self.norms: list[dict[str, float]] = []

    def on_before_update(self, run: Run) -> None:
        grads = {name: p.grad.clone() for name, p in run.net.named_parameters() if p.grad is not None}
        total = torch.nn.utils.get_total_norm(grads.values()).item()
        self.norms.append({f"/{name}": grad.norm().item() for name, grad in grads.items()} | {"": total})


@pytest.mark.parametrize("options", [{}, {"accumulate": 2}, {"clip": 1e-3}])
def test_norms_are_those_of_the_complete_gradients_before_they_are_clipped(options: Any):
    judge = Judge()
    history = fit(GradientStatistics(every=2), judge, **options)
    measured = [row for row in history if "grad_norm" in row]
    assert [row["step"] for row in measured] == list(range(0, len(history), 2))
    for row in measured:
        norms = {f"grad_norm{name}": norm for name, norm in judge.norms[row["step"]].items()}
        assert {name: v for name, v in row.items() if name.startswith("grad")} == pytest.approx(norms, rel=1e-5)


def test_a_parameter_without_a_gradient_has_no_norm():
    class Idle(Sequential):  # type: ignore[misc]
        def backward_parameters(self, grad_output: Any, cache: Any) -> None:
            self.layers[-1].backward(grad_output, cache.pop())

    (row,) = fit(GradientStatistics(), net=Idle(Linear(2, 3), Linear(3, 2)), steps=1, epochs=None).rows
    assert [name for name in row if name.startswith("grad")] == ["grad_norm", "grad_norm/1.weight", "grad_norm/1.bias"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_squares_have_room_in_every_dtype(dtype: torch.dtype):
    net = Linear(2, 2, bias=False).to(dtype)
    statistics = GradientStatistics()
    net.weight.grad = torch.full((2, 2), 4e4, dtype=dtype)
    run = Run(net, minigrad.MSE(), SGD(net.parameters(), lr=0.1))
    statistics.on_before_update(run)
    run.rows.append({"step": 0, "epoch": 0, "cost": 0.0})
    statistics.on_step_end(run)
    assert run.rows[0]["grad_norm"] == pytest.approx(8e4, rel=1e-2)  # beyond what float16 can say


class Outputs(Callback):
    """Keeps what each layer returns and is given back."""

    def __init__(self) -> None:
        self.forward: dict[str, list[torch.Tensor]] = {}
        self.backward: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {}

    def wrap(self, layer: Layer, name: str) -> Layer:
        return Kept(layer, name, self)


class Kept(Wrapper):
    def __init__(self, layer: Layer, name: str, outputs: Outputs) -> None:
        super().__init__(layer)
        self.name, self.outputs = name, outputs

    def forward(self, x: Any) -> Any:
        y, cache = self.layer.forward(x)
        self.outputs.forward.setdefault(self.name, []).append(y)
        return y, cache

    def backward(self, grad_output: Any, cache: Any) -> Any:
        grad_input = self.layer.backward(grad_output, cache)
        self.outputs.backward.setdefault(self.name, []).append((grad_output, grad_input))
        return grad_input


@pytest.mark.parametrize("accumulate", [1, 3])
def test_what_the_layers_return_is_described(accumulate: int):
    sigmoid = minigrad.Sigmoid()
    net = Sequential(Linear(2, 4), minigrad.ReLU(), Linear(4, 4), sigmoid, Linear(4, 4), sigmoid, Linear(4, 2))
    net.layers[2].weight.mul_(30)  # far out, where the sigmoid is flat
    outputs = Outputs()
    history = fit(ActivationStatistics(every=2), outputs, net=net, accumulate=accumulate)
    uses = 2 * accumulate
    for row in history:
        step = row["step"]
        assert ("activation/1/mean" in row) == (step % 2 == 0)
        if step % 2:
            continue
        for name, calls in (("0", accumulate), ("1", accumulate), ("3", uses), ("6", accumulate)):
            y = torch.cat([y.flatten() for y in outputs.forward[name][step * calls : (step + 1) * calls]]).double()
            expected = {"mean": y.mean().item(), "std": y.std(correction=0).item()}
            expected["zeros"] = (y == 0).double().mean().item()
            described = {what: row[f"activation/{name}/{what}"] for what in expected}
            assert described == pytest.approx(expected, rel=1e-6)
        for name, calls in (("1", accumulate), ("3", uses)):
            pairs = outputs.backward[name][step * calls : (step + 1) * calls]
            dy, dx = (torch.cat([pair[i].flatten() for pair in pairs]) for i in (0, 1))
            blocked = ((dx.abs() < 0.01 * dy.abs())[dy != 0]).double().mean().item()
            assert row[f"activation/{name}/saturated"] == pytest.approx(blocked)
    assert history["activation/1/zeros"][0] > 0
    assert history["activation/3/saturated"][0] > 0.1
    assert "activation/0/saturated" not in history.columns


def test_an_activation_that_no_gradient_passes_is_not_called_saturated():
    net = Sequential(minigrad.Tanh(), Linear(2, 2))
    (row,) = fit(ActivationStatistics(), net=net, steps=1, epochs=None).rows
    assert "activation/0/mean" in row
    assert "activation/0/saturated" not in row


def test_a_net_of_one_layer_has_no_name():
    (row,) = fit(ActivationStatistics(), net=Linear(2, 2), steps=1, epochs=None).rows
    assert [name for name in row if name.startswith("act")] == ["activation/mean", "activation/std", "activation/zeros"]


def test_means_far_from_zero_cost_no_digits():
    class Far(Layer):
        def forward(self, x: Any) -> Any:
            return x.double() * 1e-3 + 1e9, None

        def backward(self, grad_output: Any, cache: Any) -> Any:
            return grad_output

    statistics = ActivationStatistics()
    watched = statistics.wrap(Far(), "far")
    x = torch.linspace(-1, 1, 64).double()
    for part in x.split(7):
        watched.forward(part)
    run = Run(Far(), minigrad.MSE(), SGD([minigrad.Parameter(x)], lr=1.0))
    run.rows.append({"step": 0, "epoch": 0, "cost": 0.0})
    statistics.on_step_end(run)
    assert run.rows[0]["activation/far/std"] == pytest.approx(1e-3 * x.std(correction=0).item(), rel=1e-4)


def test_validation_is_not_described():
    outputs = Outputs()
    fit(ActivationStatistics(every=1), outputs, net=classifier(), validation=data())
    assert len(outputs.forward["0"]) == 9


@pytest.mark.parametrize("cls", [GradientStatistics, ActivationStatistics])
def test_arguments_that_cannot_be_are_refused(cls: Any):
    with pytest.raises(ValueError, match=r"every must be a whole number, at least 1\. Received: every=0"):
        cls(every=0)


def test_a_number_that_is_not_finite_is_described_as_such():
    statistics = GradientStatistics()
    net = Linear(1, 1, bias=False)
    net.weight.grad = torch.tensor([[math.inf]])
    run = Run(net, minigrad.MSE(), SGD(net.parameters(), lr=0.1))
    statistics.on_before_update(run)
    run.rows.append({"step": 0, "epoch": 0, "cost": 0.0})
    statistics.on_step_end(run)
    assert run.rows[0]["grad_norm"] == math.inf


def test_indices_have_no_mean():
    net = minigrad.Sequential(minigrad.Flatten(0), minigrad.Embedding(4, 2), minigrad.Linear(2, 3))
    words, classes = torch.tensor([[0, 1], [2, 3]]), torch.tensor([0, 1, 2, 0])
    history = minigrad.fit(
        net, "cross_entropy", "sgd", [(words, classes)], steps=1, callbacks=["activation_statistics"], progress=False
    )
    described = {name.split("/")[1] for name in history.columns if name.startswith("activation/")}
    assert described == {"1", "2"}
