"""NaN and infinity, planted in each kind of layer, in each pass: found, and named by layer, pass and step."""

import copy
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

import minigrad
from minigrad.callbacks import ActivationStatistics, NonFiniteGuard
from minigrad.core import Layer, Loss, Parameter, Run, map_layers, receive_gradients
from minigrad.errors import NonFiniteError
from minigrad.layers import Linear, Recompute, Residual, Sequential
from minigrad.losses import MSE
from minigrad.optimizers import SGD
from minigrad.registry import components, current_registry
from minigrad.testing import Case, cases_of
from minigrad.testing.passes import draw_upstream
from minigrad.testing.trees import leaves, map_tensors
from tests.callbacks.problem import classifier, data, fit

NUMBERS = [math.nan, math.inf]


def cases() -> Iterator[Any]:
    """Each case of each registered layer of minigrad's own, containers and wrappers included."""
    ids = {row.id: row.kind for row in components() if row.kind in ("layer", "activation")}
    for name, kind in ids.items():
        if name.startswith("minigrad:"):
            for i, case in enumerate(cases_of(current_registry().get(kind, name))):
                yield pytest.param(case, id=f"{name.partition(':')[2]}-{i}")


CASES = list(cases())


class Through(Layer):
    """Hands on what it is given, so that the layer after it has a name of two parts."""

    def forward(self, x: Any) -> tuple[Any, None]:
        return x, None

    def backward(self, grad_output: Any, cache: None) -> Any:
        return grad_output


class Bench:
    """A net around the layer of a case, and the run of a guard that has made two steps already."""

    def __init__(self, case: Case) -> None:
        torch.manual_seed(0)
        made: Any = case.make()
        self.x = case.arguments()
        self.net = Sequential({"before": Through(), "body": Sequential({"it": made})})
        parameters = list(self.net.parameters()) or [Parameter(torch.zeros(1))]
        self.run = Run(self.net, MSE(), SGD(parameters, lr=0.25))
        self.run.step = 2
        self.guard = NonFiniteGuard()
        # By name, all that computes something in what the case makes.
        names = {id(layer): name for name, layer in self.net.named_layers()}
        self.computing: dict[str, Layer] = {}
        map_layers(self.net, lambda layer: self.computing.setdefault(names[id(layer)], layer))
        del self.computing["before"]

    def step(self, update: Callable[[], None] = lambda: None) -> None:
        """One step under the guard."""
        names = {id(layer): name for name, layer in self.net.named_layers()}
        watched = map_layers(self.net, lambda layer: self.guard.wrap(layer, names[id(layer)]))
        self.guard.on_fit_start(self.run)
        torch.manual_seed(1)
        y, cache = watched.forward(self.x[0])
        watched.backward(draw_upstream(y), cache)
        self.guard.on_before_update(self.run)
        update()
        self.run.rows.append({"step": self.run.step, "epoch": 0, "cost": 1.0})
        self.run.step += 1
        self.guard.on_step_end(self.run)


def spoilt(value: Any, number: float) -> Any:
    """A copy with the number in place of the last element of the first floating-point tensor."""
    done: list[Tensor] = []

    def spoil(tensor: Tensor) -> Tensor:
        tensor = tensor.clone(memory_format=torch.contiguous_format)
        if tensor.is_floating_point() and tensor.numel() and not done:
            tensor.view(-1)[-1] = number
            done.append(tensor)
        return tensor

    return map_tensors(spoil, value)


def can_be_spoilt(value: Any) -> bool:
    return any(leaf.is_floating_point() and leaf.numel() for _, leaf in leaves(value))


def expected(name: str, layer: Layer, verb: str, number: float) -> str:
    shown = re.escape(f"{number:g}")
    where = re.escape(f"in step 2, {verb}, layer {name} ({type(layer).__name__}): ")
    return rf"{where}\S+, at \(.*\) {shown}, not finite in 1 of \d+ elements; what it received was finite(\n|$)"


@pytest.mark.parametrize("case", CASES)
def test_a_sound_step_is_let_pass(case: Case):
    Bench(case).step()


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("case", CASES)
def test_forward(case: Case, number: float):
    for name in Bench(case).computing:
        bench = Bench(case)
        layer: Any = bench.computing[name]
        sound = layer.forward

        def forward(x: Any, sound: Any = sound) -> Any:
            y, cache = sound(x)
            assert can_be_spoilt(y)
            return spoilt(y, number), cache

        layer.forward = forward
        with pytest.raises(NonFiniteError, match=expected(name, layer, "forward", number)):
            bench.step()


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("case", CASES)
def test_backward(case: Case, number: float):
    for name in Bench(case).computing:
        bench = Bench(case)
        layer: Any = bench.computing[name]
        sound = layer.backward
        spoils: list[bool] = []

        def backward(grad_output: Any, cache: Any, sound: Any = sound, spoils: list[bool] = spoils) -> Any:
            grad_input = sound(grad_output, cache)
            spoils.append(can_be_spoilt(grad_input))
            return spoilt(grad_input, number) if spoils[-1] else grad_input

        layer.backward = backward
        try:
            bench.step()
        except NonFiniteError as error:
            assert re.search(expected(name, layer, "backward", number), str(error))  # noqa: PT017
        else:
            # Only a layer of integers returns no gradient.
            assert spoils == [False]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("case", CASES)
def test_gradients_of_parameters(case: Case, number: float):
    for name in Bench(case).computing:
        for own in vars(Bench(case).computing[name]):
            bench = Bench(case)
            layer: Any = bench.computing[name]
            wanted = getattr(layer, own)
            # A frozen one's gradient goes nowhere, and does no harm.
            if not isinstance(wanted, Parameter) or not any(wanted is p for p in bench.net.parameters()):
                continue
            sound = layer.backward

            def backward(grad_output: Any, cache: Any, sound: Any = sound, wanted: Any = wanted) -> Any:
                parts: list[Any] = []
                with receive_gradients(lambda *part: parts.append(part)):
                    grad_input = sound(grad_output, cache)
                for parameter, grad, rows in parts:
                    parameter.accumulate(spoilt(grad, number) if parameter is wanted else grad, rows)
                return grad_input

            layer.backward = backward
            with pytest.raises(NonFiniteError, match=expected(name, layer, "backward", number)) as caught:
                bench.step()
            assert f": dL/d{own}, at" in str(caught.value)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("case", CASES)
def test_updates(case: Case, number: float):
    for name, _ in Bench(case).net.named_parameters():
        bench = Bench(case)
        parameter = dict(bench.net.named_parameters())[name]

        def update(parameter: Any = parameter) -> None:
            parameter.view(-1)[-1:] = number

        message = re.escape(f"in step 2, update, parameter {name}, at (")
        with pytest.raises(NonFiniteError, match=message + r".*; SGD's lr is 0\.25, the gradient was finite"):
            bench.step(update)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_bad_batch_is_named_as_such(number: float):
    x, y = data()
    x[7, 1] = number
    net = classifier()
    before = copy.deepcopy(net.state_dict())
    message = r"in step 0, forward, on its way into layer 0 \(Linear\): x, at \(7, 1\) .*; it is in the batch\n"
    with pytest.raises(NonFiniteError, match=message) as caught:
        minigrad.fit(net, "cross_entropy", "sgd", (x, y), steps=3, callbacks=["non_finite_guard"], progress=False)
    assert "In layer 0 (guarded) of Sequential." in caught.value.__notes__
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_a_bad_target_is_the_losss_gradient():
    x, y = torch.ones(4, 1), torch.ones(4, 1)
    y[2] = math.nan
    message = (
        r"in step 0, backward, on its way into .*: dL/dy, at \(2, 0\) nan.*; the loss MSE\(\) returned it, so look"
    )
    with pytest.raises(NonFiniteError, match=message):
        minigrad.fit(Linear(1, 1), "mse", "sgd", (x, y), steps=1, callbacks=[NonFiniteGuard()], progress=False)


class CostsInfinity(Loss):
    """A cost that overflows, with a gradient that does not."""

    def forward(self, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        return prediction.sum() * 0 + math.inf, prediction

    def backward(self, cache: Tensor, grad_cost: Tensor | None = None) -> Tensor:
        return torch.ones_like(cache)


def test_a_cost_that_is_not_finite_is_told():
    options: dict[str, Any] = {"steps": 1, "callbacks": [NonFiniteGuard()], "progress": False}
    with pytest.raises(
        NonFiniteError, match=r"in step 0, forward, the cost inf, which the loss CostsInfinity\(\) made"
    ):
        minigrad.fit(Linear(1, 1), CostsInfinity(), "sgd", (torch.ones(2, 1), torch.ones(2, 1)), **options)


def test_a_rate_that_is_too_high_is_an_update():
    net = Linear(1, 1)
    options: dict[str, Any] = {"steps": 9, "callbacks": [NonFiniteGuard()], "progress": False}
    with pytest.raises(NonFiniteError, match=r"in step 0, update, parameter weight, .*; SGD's lr is 3e\+38, the grad"):
        minigrad.fit(net, MSE(), SGD(net.parameters(), lr=3e38), (torch.full((2, 1), 9.0), torch.ones(2, 1)), **options)


def test_a_parameter_that_was_bad_before_is_no_layers_fault():
    net = classifier()
    next(net.parameters())[1, 0] = math.inf
    with pytest.raises(NonFiniteError, match=r"in step 0, before forward, parameter 0\.weight, at \(1, 0\) inf.*began"):
        fit(NonFiniteGuard(), net=net)


def test_a_sum_of_finite_gradients_can_overflow():
    net = Linear(1, 1, bias=False)
    x, y = torch.full((2, 1), 3e38), torch.zeros(2, 1)
    options: dict[str, Any] = {"steps": 1, "batch_size": 1, "accumulate": 2, "shuffle": False, "progress": False}
    loss = {"name": "l1", "reduction": "sum"}
    net.weight.fill_(0.5)
    with pytest.raises(NonFiniteError, match=r"in step 0, backward, dL/dweight, at \(0, 0\) inf, .*contribution"):
        minigrad.fit(net, loss, "sgd", (x, y), callbacks=[NonFiniteGuard()], **options)


def test_what_a_container_computes_is_not_blamed_on_a_layer():
    body = Linear(1, 1, bias=False)
    body.weight.fill_(1.0)
    net = Sequential(Residual(body), minigrad.Sigmoid())  # 3e38 + 3e38 overflows, and the sigmoid of infinity is 1
    message = r"forward, on its way into layer 1 \(Sigmoid\): x, at \(0, 0\) inf, .*; a container around the layers"
    options: dict[str, Any] = {"steps": 1, "callbacks": [NonFiniteGuard()], "progress": False}
    with pytest.raises(NonFiniteError, match=message):
        minigrad.fit(net, "mse", "sgd", (torch.full((1, 1), 3e38), torch.zeros(1, 1)), **options)


def test_the_step_is_that_of_the_history():
    x, y = data()
    x[9, 0] = math.nan
    options: dict[str, Any] = {"epochs": 2, "batch_size": 4, "shuffle": False, "progress": False}
    with pytest.raises(NonFiniteError, match=r"in step 2, forward") as caught:
        minigrad.fit(classifier(), "cross_entropy", "sgd", (x, y), callbacks=[NonFiniteGuard()], **options)
    assert len(caught.value.history.rows) == 2  # type: ignore[attr-defined]


def test_a_layer_that_runs_again_in_backward_raises_no_alarm():
    net = Sequential(Linear(2, 3), Recompute(Sequential(minigrad.Tanh(), Linear(3, 3))), Linear(3, 2))
    assert len(fit(NonFiniteGuard(), net=net)) == 9


def test_another_callbacks_wrapper_is_not_taken_for_the_layer():
    class Spoils(minigrad.Tanh):  # type: ignore[misc]
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x * math.nan, x

    net = Sequential(Linear(2, 3), Spoils(), Linear(3, 2))
    with pytest.raises(NonFiniteError, match=r"forward, layer 1 \(Spoils\): y, at \(0, 0\) nan"):
        fit(ActivationStatistics(), NonFiniteGuard(), net=net)
