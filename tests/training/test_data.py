"""Data of every form, as the same batches."""

import random

import numpy
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from minigrad.errors import DataError, ShapeError
from minigrad.layers import Linear
from minigrad.training import Batches
from minigrad.training.randomness import packed, random_states, set_random_states, unpacked

X, Y = torch.arange(14.0).reshape(7, 2), torch.arange(7)


class Items(Dataset):
    """A map-style dataset of dicts."""

    def __len__(self):
        return 7

    def __getitem__(self, i):
        return {"image": X[i], "label": Y[i]}


class Endless(IterableDataset):
    def __iter__(self):
        return iter([(X[:4], Y[:4]), (X[4:], Y[4:])])


def targets(batches):
    return [y.tolist() for (_, y, _), _ in batches]


FORMS = {
    "pair": ((X, Y), ("x", "y")),
    "arrays": ((X.numpy(), Y.numpy()), ("x", "y")),
    "list of two": ([X, Y], ("x", "y")),
    "dict": ({"x": X, "y": Y}, ("x", "y")),
    "dict with names": ({"image": X, "label": Y, "more": 1}, ("image", "label")),
    "tensor dataset": (TensorDataset(X, Y), ("x", "y")),
    "dataset of dicts": (Items(), ("image", "label")),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shuffle", [False, True])
def test_what_can_be_cut_is_cut_the_same(form, shuffle):
    data, fields = FORMS[form]
    expected = Batches((X, Y), 3, shuffle=shuffle, seed=1)
    ours = Batches(data, 3, shuffle=shuffle, seed=1, fields=fields)
    for _ in range(2):
        for ((x, y, weight), last), ((u, v, _), end) in zip(ours, expected, strict=True):
            assert torch.equal(x, u)
            assert torch.equal(y, v)
            assert (weight, last) == (None, end)
    assert (len(ours), ours.rows) == (3, 7)


@pytest.mark.parametrize(
    "data",
    [
        [(X[:4], Y[:4]), (X[4:], Y[4:])],
        [{"x": X[:4], "y": Y[:4]}, {"x": X[4:], "y": Y[4:]}],
        DataLoader(TensorDataset(X, Y), batch_size=4),
        Endless(),
        {1: (X[:4], Y[:4]), 2: (X[4:], Y[4:])}.values(),
    ],
    ids=["pairs", "dicts", "loader", "iterable", "view"],
)
def test_what_comes_in_batches_stays_so(data):
    batches = Batches(data)
    assert [(y.tolist(), last) for (_, y, _), last in batches] == [([0, 1, 2, 3], False), ([4, 5, 6], True)]
    assert batches.rows is None


def test_the_number_of_batches_may_be_unknown():
    batches = Batches(Endless())
    assert batches.count is None
    with pytest.raises(TypeError, match="number of batches of this iterable is unknown"):
        len(batches)


def test_weights_go_with_their_rows():
    weight = Y * 10.0
    for data in ((X, Y, weight), {"x": X, "y": Y, "weight": weight}):
        for (_, y, w), _ in Batches(data, 2, seed=3):
            assert torch.equal(w, y * 10.0)


def test_several_inputs_travel_as_a_tuple():
    (x, _, _), _ = next(iter(Batches(((X, X + 1), Y), 2, shuffle=False)))
    assert [part.shape for part in x] == [(2, 2), (2, 2)]
    assert torch.equal(x[0] + 1, x[1])


def test_arrays_become_what_the_net_needs_and_tensors_stay():
    net = Linear(2, 1, dtype=torch.float64)
    (x, y, _), _ = next(iter(Batches((X.numpy(), Y.numpy()), like=net)))
    assert (x.dtype, y.dtype) == (torch.float64, torch.int64)
    (x, _, _), _ = next(iter(Batches((X, Y), like=net)))
    assert x is X


def test_a_table_is_its_array():
    pandas = pytest.importorskip("pandas")
    x, y = pandas.DataFrame(X.numpy()), pandas.Series(range(len(X)))
    rows = [(x.tolist(), y.tolist()) for (x, y, _), _ in Batches((x, y), 4, shuffle=False, like=Linear(2, 1))]
    assert rows == [(X[:4].tolist(), [0, 1, 2, 3]), (X[4:].tolist(), [4, 5, 6])]


def test_batches_are_moved():
    (x, y, w), _ = next(iter(Batches((X, Y, X[:, 0]), 2, device="meta", shuffle=False)))
    assert {part.device.type for part in (x, y, w)} == {"meta"}


@pytest.mark.parametrize("data", [(X, Y), TensorDataset(X, Y), DataLoader(TensorDataset(X, Y), 2, shuffle=True)])
@pytest.mark.parametrize("taken", range(8))
def test_a_pass_goes_on_where_it_stood(data, taken):
    torch.manual_seed(0)
    size = None if isinstance(data, DataLoader) else 2
    whole = Batches(data, size, seed=4, replay=True)
    start = torch.get_rng_state()
    expected = targets(whole) + targets(whole)
    torch.set_rng_state(start)
    first = Batches(data, size, seed=4, replay=True)
    seen = []
    while len(seen) < taken:
        for (_, y, _), _ in first:
            seen.append(y.tolist())
            if len(seen) == taken:
                break
    state, now = first.state_dict(), random_states()
    torch.manual_seed(99)  # another process
    second = Batches(data, size, seed=77, replay=True)
    second.load_state_dict(state)
    set_random_states(now)
    rest = targets(second) + targets(second)
    assert (seen + rest)[:8] == expected


def test_workers_that_live_on_cannot_be_replayed():
    loader = DataLoader(TensorDataset(X, Y), 2, shuffle=True, num_workers=1, persistent_workers=True)
    assert len(Batches(loader)) == -(-len(X) // 2)
    with pytest.raises(DataError, match=r"use persistent_workers=False\. Received: a DataLoader with .*=True$"):
        Batches(loader, replay=True)


def test_random_states_survive_packing():
    random.seed(3)
    numpy.random.seed(3)
    numpy.random.randn()  # leaves half a pair behind
    random.gauss(0, 1)
    states = unpacked(packed(random_states()))

    def drawn():
        return random.gauss(0, 1), random.random(), numpy.random.randn(), numpy.random.rand(), torch.rand(2).tolist()

    first = drawn()
    set_random_states(states)
    assert drawn() == first


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"data": 3}, DataError, "Received: int"),
        ({"data": "text"}, DataError, "Received: str"),
        ({"data": X}, DataError, "Received: Tensor"),
        ({"data": (X, Y), "batch_size": 0}, ValueError, "batch_size=0"),
        ({"data": (X, Y), "batch_size": -1}, ValueError, "batch_size=-1"),
        ({"data": [(X, Y)], "batch_size": 2}, ValueError, r"batch_size=2 for a list"),
        ({"data": (X, Y[:3])}, ShapeError, "7 in x, 3 in y"),
        ({"data": (X, Y, Y[:2])}, ShapeError, "2 in weight"),
        ({"data": ((X, X[:3]), Y)}, ShapeError, "7 and 3 in x"),
        ({"data": (X[:0], Y[:0])}, DataError, "at least one example"),
        ({"data": (torch.tensor(1.0), Y)}, ShapeError, "one row per example"),
        ({"data": {"x": X, "y": Y}, "fields": ("x",)}, ValueError, "two names"),
        ({"data": {"x": X, "y": Y}, "fields": "xy"}, ValueError, "fields='xy'"),
        ({"data": {"x": X}}, DataError, "needs the fields x and y.* Received: x"),
        ({"data": {"x": X, "y": Y}, "fields": ("image", "label")}, DataError, "fields image and label"),
    ],
)
def test_misuse_is_one_sentence(arguments, error, message):
    with pytest.raises(error, match=message):
        Batches(**arguments)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ((X,), "1 of them"),
        ("ab", "Received: str"),
        ({"z": 1}, "Received: z"),
        (None, "Received: NoneType"),
        ((X[:0], Y[:0]), "at least one row"),
    ],
)
def test_a_batch_that_is_none_is_told(batch, message):
    with pytest.raises(DataError, match=message):
        list(Batches(iter([batch])))
