"""A whole training step: by many threads, sample by sample under vmap, and as one compiled graph."""

import copy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from minigrad.activations import ELU, GELU, LeakyReLU, LogSoftmax, PReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from minigrad.core import Layer, Loss, Parameter, receive_gradients
from minigrad.layers import (
    Dropout,
    Embedding,
    Flatten,
    Frozen,
    LayerNorm,
    Linear,
    Parallel,
    Recompute,
    Residual,
    RMSNorm,
    Sequential,
    Unflatten,
)
from minigrad.losses import BCE, MSE, BCEWithLogits, CrossEntropy, KLDiv
from minigrad.optimizers import SGD


def shared() -> Sequential:
    """Holds one activation object twice and one linear object twice."""
    sigmoid, linear = Sigmoid(), Linear(3, 3)
    return Sequential(Linear(2, 3), sigmoid, linear, Tanh(), linear, Linear(3, 1), sigmoid)


def deep() -> Sequential:
    return Sequential(
        Linear(2, 4),
        PReLU(),
        Residual(Sequential(LayerNorm(4), GELU(), Linear(4, 4))),
        Parallel(Sequential(Linear(4, 3), SiLU()), Frozen(Linear(4, 2)), merge="cat"),
        RMSNorm(5),
        Recompute(Sequential(Linear(5, 4), ELU(), LeakyReLU())),
        Unflatten(1, (2, 2)),
        Flatten(),
        Softplus(),
        Linear(4, 3),
    )


def tokens() -> Sequential:
    return Sequential(Embedding(7, 4, padding_idx=0), Linear(4, 5), ReLU(), Flatten(), Linear(15, 3))


X, T = torch.randn(6, 2), torch.rand(6, 1)
INDICES = torch.tensor([[0, 1, 2], [3, 3, 3], [6, 0, 0], [4, 5, 6], [1, 2, 3], [0, 0, 0]])
CASES: dict[str, tuple[Callable[[], Layer], Loss, Tensor, Tensor]] = {
    "shared": (shared, BCE(), X, T),
    "deep": (deep, CrossEntropy(label_smoothing=0.1), X, torch.tensor([0, 1, 2, 2, 1, 0])),
    "tokens": (tokens, MSE(), INDICES, torch.randn(6, 3)),
    "logits": (lambda: Linear(2, 1), BCEWithLogits(reduction="sum"), X, T),
    "distribution": (
        lambda: Sequential(Linear(2, 3), LogSoftmax()),
        KLDiv("batchmean"),
        X,
        torch.rand(6, 3).softmax(1),
    ),
}
cases = pytest.mark.parametrize("name", CASES)


def step(net: Layer, loss: Loss, optimizer: Any, x: Tensor, t: Tensor) -> Tensor:
    prediction, cache = net.forward(x)
    cost, loss_cache = loss.forward(prediction, t)
    net.backward_parameters(loss.backward(loss_cache), cache)
    optimizer.step()
    optimizer.zero_grad()
    return cost


def gradients(net: Layer, loss: Loss, x: Tensor, t: Tensor) -> dict[int, Tensor]:
    """The gradients of one pass, by the parameter's id, for whoever else may be accumulating."""
    received: dict[int, Tensor] = {}

    def receive(parameter: Parameter, grad: Tensor, rows: int) -> None:
        received[id(parameter)] = received[id(parameter)] + grad if id(parameter) in received else grad

    with receive_gradients(receive):
        prediction, cache = net.forward(x)
        _, loss_cache = loss.forward(prediction, t)
        net.backward(loss.backward(loss_cache), cache)
    return received


def test_shared_objects_learn_as_torchs_do():
    net = shared().to(torch.float64)
    sigmoid, linear = nn.Sigmoid(), nn.Linear(3, 3)
    twin = nn.Sequential(nn.Linear(2, 3), sigmoid, linear, nn.Tanh(), linear, nn.Linear(3, 1), sigmoid)
    twin.to(torch.float64).load_state_dict(net.state_dict())
    optimizer, optimizer_of_torch = SGD(net.parameters(), lr=1.0), torch.optim.SGD(twin.parameters(), lr=1.0)
    loss_of_torch = nn.BCELoss()
    for _ in range(20):
        cost = step(net, BCE(), optimizer, X.double(), T.double())
        optimizer_of_torch.zero_grad()
        cost_of_torch = loss_of_torch(twin(X.double()), T.double())
        cost_of_torch.backward()
        optimizer_of_torch.step()
        torch.testing.assert_close(cost, cost_of_torch.detach(), rtol=1e-12, atol=1e-12)


@cases
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_compiled_step_is_the_eager_one_in_one_graph(name: str, momentum: float):
    make, loss, x, t = CASES[name]
    eager = make()
    compiled = copy.deepcopy(eager)
    optimizers = [SGD(net.parameters(), lr=0.1, momentum=momentum) for net in (eager, compiled)]
    torch.compiler.reset()
    run = torch.compile(lambda x, t: step(compiled, loss, optimizers[1], x, t), fullgraph=True, backend="aot_eager")
    for _ in range(4):
        torch.testing.assert_close(run(x, t), step(eager, loss, optimizers[0], x, t))
    for one, other in zip(eager.parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(one.detach(), other.detach())
        assert other.grad is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method.*:DeprecationWarning")
def test_the_default_compiler_takes_the_step_too():
    make, loss, x, t = CASES["shared"]
    eager = make()
    compiled = copy.deepcopy(eager)
    optimizers = [SGD(net.parameters(), lr=0.1) for net in (eager, compiled)]
    torch.compiler.reset()
    run = torch.compile(lambda x, t: step(compiled, loss, optimizers[1], x, t), fullgraph=True)
    for _ in range(3):
        torch.testing.assert_close(run(x, t), step(eager, loss, optimizers[0], x, t))


@cases
def test_vmap_gives_the_gradients_of_each_sample(name: str):
    make, loss, x, t = CASES[name]
    net = make()
    ids = [id(parameter) for parameter in net.parameters()]

    def one(x: Tensor, t: Tensor) -> list[Tensor]:
        received = gradients(net, loss, x.unsqueeze(0), t.unsqueeze(0))
        return [received[i] for i in ids]

    each = torch.func.vmap(one)(x, t)
    for i in range(len(x)):
        for grad, expected in zip(each, one(x[i], t[i]), strict=True):
            torch.testing.assert_close(grad[i], expected)
    assert all(parameter.grad is None for parameter in net.parameters())


def test_under_vmap_each_sample_drops_out_on_its_own():
    net = Sequential(Linear(2, 8), Dropout())

    def one(x: Tensor) -> tuple[Tensor, Tensor]:
        y, cache = net.forward(x)
        with receive_gradients(lambda parameter, grad, rows: None):
            return y, net.backward(torch.ones_like(y), cache)

    y, _ = torch.func.vmap(one, randomness="different")(torch.ones(64, 2))
    assert len({tuple(row.tolist()) for row in y == 0}) > 32


@pytest.mark.parametrize("name", ["shared", "deep", "tokens"])
def test_eight_threads_share_one_net(name: str):
    make, loss, x, t = CASES[name]
    net = make()
    inputs = [x.roll(k, 0) for k in range(8)]
    expected = [gradients(net, loss, each, t) for each in inputs]
    start = threading.Barrier(8)

    def work(k: int) -> int:
        start.wait()
        wrong = 0
        for _ in range(25):
            received = gradients(net, loss, inputs[k], t)
            wrong += any(not torch.equal(received[i], grad) for i, grad in expected[k].items())
        return wrong

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [0] * 8


def test_passes_may_interleave():
    net = shared()
    caches = []
    for k in range(4):
        y, cache = net.forward(X.roll(k, 0))
        caches.append((torch.ones_like(y), cache))
    expected = []
    for k in range(4):
        y, cache = net.forward(X.roll(k, 0))
        expected.append(net.backward(torch.ones_like(y), cache))
    for k in (2, 0, 3, 1):
        assert torch.equal(net.backward(*caches[k]), expected[k])


def test_an_update_may_be_applied_during_backward():
    one = shared()
    other = copy.deepcopy(one)
    sgd = SGD(one.parameters(), lr=0.5)
    step(one, BCE(), sgd, X, T)

    waiting: list[tuple[Parameter, Tensor]] = []
    with receive_gradients(lambda parameter, grad, rows: waiting.append((parameter, grad))):
        prediction, cache = other.forward(X)
        _, loss_cache = BCE().forward(prediction, T)
        other.backward_parameters(BCE().backward(loss_cache), cache)
    for parameter, grad in waiting:
        parameter.sub_(0.5 * grad)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a.detach(), b.detach())


def test_micro_batches_add_up_to_the_batch():
    whole = shared()
    parts = copy.deepcopy(whole)
    for net, batches in ((whole, [(X, T)]), (parts, [(X[:2], T[:2]), (X[2:], T[2:])])):
        pending = []
        for x, t in batches:
            prediction, cache = net.forward(x)
            pending.append((BCE(reduction="sum").forward(prediction, t)[1], cache))
        for loss_cache, cache in pending:
            net.backward(BCE(reduction="sum").backward(loss_cache), cache)
    for a, b in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)
        assert a.rows == b.rows
