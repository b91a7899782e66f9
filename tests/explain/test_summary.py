"""The table of a net's layers."""

import pytest
import torch

from minigrad.activations import Sigmoid
from minigrad.core import Layer
from minigrad.explain import summary
from minigrad.layers import Frozen, Linear, Parallel, Recompute, Residual, SelfAttention, Sequential, Timed
from minigrad.losses import MSE


def test_counts_by_hand() -> None:
    net = Sequential(Linear(2, 3), Sigmoid(), Linear(3, 1, bias=False))
    first, second, third = summary(net, torch.zeros(4, 2)).rows
    assert (first.name, first.output_shape, first.parameters) == ("0", (4, 3), 9)
    assert first.flops == 2 * 4 * 2 * 3
    assert first.cache_bytes == 4 * 2 * 4  # x itself
    assert (second.parameters, second.flops, second.cache_bytes) == (0, 0, 4 * 3 * 4)
    assert (third.parameters, third.cache_bytes) == (3, 0)  # its x is the sigmoid's y, held already


def test_a_shared_layer_comes_twice_and_is_counted_once() -> None:
    linear = Linear(2, 2)
    table = summary(Sequential(linear, Sequential(linear)), torch.zeros(1, 2))
    assert [row.name for row in table.rows] == ["0", "1.0"]
    assert [row.parameters for row in table.rows] == [6, 0]
    assert table.parameters == 6


def test_a_tuple_output_gives_a_tuple_of_shapes() -> None:
    class Split(Layer):
        def forward(self, x: torch.Tensor) -> tuple[tuple[torch.Tensor, torch.Tensor], None]:
            return (x[:, :1], x[:, 1:]), None

        def backward(self, grad_output: tuple[torch.Tensor, torch.Tensor], cache: None) -> torch.Tensor:
            return torch.cat(grad_output, 1)

    assert summary(Split(), torch.zeros(4, 3)).rows[0].output_shape == ((4, 1), (4, 2))


def test_other_outputs_give_the_shapes_in_them() -> None:
    class Named(Layer):
        def forward(self, x: torch.Tensor) -> tuple[dict[str, object], None]:
            return {"logits": x, "note": "none"}, None

        def backward(self, grad_output: dict[str, torch.Tensor], cache: None) -> torch.Tensor:
            return grad_output["logits"]

    assert summary(Named(), torch.zeros(4, 3)).rows[0].output_shape == ((4, 3), ())


def test_leaves_net_and_random_state_alone() -> None:
    net = Sequential(Linear(2, 2))
    before, state = dict(vars(net)), torch.random.get_rng_state()
    summary(net, torch.zeros(1, 2))
    assert vars(net) == before
    assert torch.equal(torch.random.get_rng_state(), state)
    assert next(net.parameters()).grad is None


def test_shows_itself_in_a_terminal_and_a_notebook() -> None:
    table = summary(Sequential(Linear(1000, 2)), torch.zeros(1, 1000))
    assert "Linear(in_features=1000, out_features=2)" in str(table)
    assert "2,002" in str(table)
    assert "<td>2,002</td>" in table._repr_html_()


def test_what_is_frozen_is_not_counted_as_trained() -> None:
    assert [
        row.parameters for row in summary(Sequential(Frozen(Linear(2, 2)), Linear(2, 1)), torch.zeros(1, 2)).rows
    ] == [0, 3]


def test_recompute_keeps_only_its_input() -> None:
    block = Sequential(Linear(2, 8), Sigmoid(), Linear(8, 8))
    plain, kept = (summary(net, torch.zeros(4, 2)) for net in (block, Recompute(block)))
    assert kept.parameters == plain.parameters
    assert plain.cache_bytes == 4 * 2 * 4 + 4 * 8 * 4
    assert 4 * 2 * 4 <= kept.cache_bytes < plain.cache_bytes + 5100  # the random state, of about 5 kB, is kept too
    wide = Sequential(Linear(2, 800), Sigmoid(), Linear(800, 8))
    assert summary(Recompute(wide), torch.zeros(4, 2)).cache_bytes < summary(wide, torch.zeros(4, 2)).cache_bytes


def test_what_a_layer_does_beside_its_children_is_counted() -> None:
    attention = SelfAttention(8, num_heads=2)
    out, own = summary(Sequential(attention), torch.randn(2, 5, 8)).rows
    assert (out.name, own.name, own.output_shape) == ("0.out_proj", "0", (2, 5, 8))
    assert (out.parameters, own.parameters) == (8 * 8 + 8, 24 * 8 + 24)
    projections, scores = 2 * (2 * 5) * 8 * 24, 2 * (2 * 2) * 5 * 5 * 4
    assert (out.flops, own.flops) == (2 * (2 * 5) * 8 * 8, projections + 2 * scores)
    joined, qkv, x, p = 2 * 5 * 8 * 4, 3 * 2 * 5 * 8 * 4, 2 * 5 * 8 * 4, 2 * 2 * 5 * 5 * 4
    assert out.cache_bytes == joined
    assert own.cache_bytes >= qkv + x + p


def test_a_container_that_adds_nothing_has_no_row() -> None:
    net = Sequential(Residual(Sequential(Linear(2, 2))), Parallel(Linear(2, 1), Linear(2, 1), merge="cat"))
    rows = summary(net, torch.zeros(4, 2)).rows
    assert [row.name for row in rows] == ["0.body.0", "1.branches.0", "1.branches.1"]


def test_what_forward_moves_stays_where_it_was() -> None:
    class Counts(Layer):
        def __init__(self) -> None:
            self.calls = torch.zeros(())
            self.seen: list[int] = []

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
            self.calls += 1
            self.seen.append(len(x))
            return x, None

        def backward(self, grad_output: torch.Tensor, cache: None) -> torch.Tensor:
            return grad_output

    counts, timed = Counts(), Timed(Linear(2, 2))
    summary(Sequential(counts, timed), torch.zeros(4, 2))
    assert counts.calls == 0
    assert counts.seen == []
    assert timed.calls["forward"] == 0


def test_only_layers_have_a_summary() -> None:
    for stranger in (torch.nn.Linear(2, 2), MSE()):
        with pytest.raises(TypeError, match=r"summary expects a layer\. Received: "):
            summary(stranger, torch.zeros(1, 2))  # type: ignore[arg-type]
