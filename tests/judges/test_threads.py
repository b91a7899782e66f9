"""8 threads, 200 passes each, through one layer object, forwards and backwards interleaved: none wrong."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

import minigrad

THREADS, PASSES = 8, 200

LAYERS: list[tuple[str, Any]] = [
    *((name, getattr(minigrad, name)()) for name in ("ReLU", "Sigmoid", "Tanh", "GELU", "SiLU", "Softplus", "Softmax")),
    ("PReLU", minigrad.PReLU()),
    ("Linear", minigrad.Linear(6, 6)),
    ("LayerNorm", minigrad.LayerNorm(6)),
    ("RMSNorm", minigrad.RMSNorm(6)),
    ("Residual", minigrad.Residual(minigrad.Linear(6, 6))),
    ("Frozen", minigrad.Frozen(minigrad.Linear(6, 6))),
    ("Recompute", minigrad.Recompute(minigrad.Sequential(minigrad.Linear(6, 6), minigrad.Tanh()))),
]
_sigmoid = minigrad.Sigmoid()
LAYERS.append(
    (
        "Sequential",
        minigrad.Sequential(minigrad.Linear(6, 6), _sigmoid, minigrad.Linear(6, 6), _sigmoid).to(torch.float64),
    )
)


@pytest.mark.parametrize(("name", "layer"), LAYERS, ids=[name for name, _ in LAYERS])
def test_one_layer_serves_many_threads(name: str, layer: Any):
    layer.to(torch.float64)
    xs = torch.randn(THREADS, 4, 3, 6, dtype=torch.float64)
    upstream = torch.randn_like(xs)
    alone = [
        _pass(layer, x, g)
        for of_one, g_of_one in zip(xs, upstream, strict=True)
        for x, g in zip(of_one, g_of_one, strict=True)
    ]
    once = {name: (p.grad.clone(), p.rows) for name, p in layer.named_parameters() if p.grad is not None}
    layer.zero_grad()

    def work(thread: int) -> int:
        wrong = 0
        for _ in range(PASSES // 4):
            passes = [layer.forward(x) for x in xs[thread]]  # four open at once, closed in the other order
            for i in reversed(range(4)):
                y, cache = passes[i]
                expected_y, expected_gradient = alone[4 * thread + i]
                gradient = layer.backward(upstream[thread, i], cache)
                wrong += not (torch.equal(y, expected_y) and torch.equal(gradient, expected_gradient))
        return wrong

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(work, range(THREADS))) == [0] * THREADS
    for parameter_name, parameter in layer.named_parameters():
        # No contribution is lost, whoever made it.
        gradient, rows = once[parameter_name]
        torch.testing.assert_close(parameter.grad, gradient * (PASSES // 4), rtol=1e-9, atol=1e-9)
        assert parameter.rows == rows * (PASSES // 4)
    layer.zero_grad()


def _pass(layer: Any, x: torch.Tensor, g: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    y, cache = layer.forward(x)
    return y, layer.backward(g, cache)
