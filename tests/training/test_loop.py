"""What happens when in a run: events, validation, metrics, schedules, early ends."""

import copy
import os
import signal
import threading

import numpy
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from minigrad import Callback, Layer, Metric
from minigrad.callbacks import EarlyStopping, GradientStatistics, TimeLimit
from minigrad.core import Schedule, Wrapper
from minigrad.errors import CheckpointError, ConfigError, DataError
from minigrad.layers import Dropout, Linear, Sequential
from minigrad.losses import MSE
from minigrad.metrics import MeanAbsoluteError
from minigrad.optimizers import SGD
from minigrad.schedules import LinearLR, SequentialLR, StepLR
from minigrad.training import Checkpoint, evaluate, fit, train_step

X = torch.linspace(-1, 1, 12).reshape(12, 1)
Y = 2 * X + 1
QUIET = {"progress": False}


def net():
    torch.manual_seed(0)
    return Linear(1, 1)


def run_fit(model=None, callbacks=(), **options):
    model = net() if model is None else model
    options = {"epochs": 2, "batch_size": 4, "seed": 0, **QUIET, **options}
    return fit(model, MSE(), SGD(model.parameters(), lr=0.1), (X, Y), callbacks=callbacks, **options)


class Journal(Callback):
    """Writes down each event."""

    def __init__(self):
        self.lines = []

    def config(self):
        return {}


def _written(name):
    def event(self, run, *error):
        self.lines.append((name, run.step, run.epoch, len(run.rows)))

    return event


EVENTS = [name for name in vars(Callback) if name.startswith("on_")]
for _name in EVENTS:
    setattr(Journal, _name, _written(_name))


def test_events_come_in_their_order(tmp_path):
    journal = Journal()
    run_fit(callbacks=[journal], batch_size=6, validation=(X, Y), checkpoint=tmp_path)
    epoch = [
        ("on_epoch_start", 0, 0, 0),
        ("on_before_update", 0, 0, 0),
        ("on_step_end", 1, 0, 1),
        ("on_before_update", 1, 0, 1),
        ("on_validation_end", 2, 0, 2),
        ("on_step_end", 2, 0, 2),
        ("on_epoch_end", 2, 0, 2),
        ("on_checkpoint", 2, 1, 2),
    ]
    again = [(name, step + 2, e + 1, rows + 2) for name, step, e, rows in epoch]
    begin = [("on_fit_start", 0, 0, 0), ("on_checkpoint", 0, 0, 0)]
    assert journal.lines == [*begin, *epoch, *again, ("on_fit_end", 4, 2, 4)]


class Fails(Callback):
    def __init__(self, event="on_step_end"):
        setattr(self, event, self.fail)

    def fail(self, run):
        raise RuntimeError("no more paper")

    def config(self):
        return {}


@pytest.mark.parametrize("event", ["on_fit_start", "on_epoch_start", "on_step_end", "on_before_update", "on_epoch_end"])
def test_a_callback_that_raises_is_named_and_the_others_are_told(event):
    journal = Journal()
    with pytest.raises(RuntimeError, match="no more paper") as caught:
        run_fit(callbacks=[journal, Fails(event)])
    assert f"In callback Fails.{event}, after" in caught.value.__notes__[0]
    assert [line[0] for line in journal.lines[-2:]] == ["on_exception", "on_fit_end"]
    assert caught.value.history.stopped == "RuntimeError: no more paper"
    assert all(isinstance(cost, float) for cost in caught.value.history.costs)


def test_who_was_not_told_of_the_start_is_not_told_of_the_end():
    journal = Journal()
    with pytest.raises(RuntimeError, match="no more paper"):  # and not what the bar lacks
        run_fit(callbacks=[Fails("on_fit_start"), journal], progress=True)
    assert journal.lines == []


def test_best_weights_of_an_earlier_run_stay_out_of_one_that_does_not_begin():
    stopping = EarlyStopping(restore_best=True)
    run_fit(callbacks=[stopping], validation=(X, Y))
    other = Linear(1, 1)
    weight = other.weight.clone()
    with pytest.raises(RuntimeError, match="no more paper"):
        run_fit(other, [Fails("on_fit_start"), stopping], validation=(X, Y))
    assert torch.equal(other.weight, weight)


def test_each_is_told_of_the_end_whatever_another_one_raises():
    class FailsInTheEnd(Callback):
        def on_step_end(self, run):
            raise ValueError("no more ink")

        def on_exception(self, run, error):
            raise KeyError("no pencil")

        def on_fit_end(self, run):
            raise RuntimeError("no more paper")

    journal = Journal()
    with pytest.raises(RuntimeError, match="no more paper") as caught:
        run_fit(callbacks=[FailsInTheEnd(), journal])
    assert [line[0] for line in journal.lines[-2:]] == ["on_exception", "on_fit_end"]
    assert len(caught.value.history) == 1
    assert isinstance(caught.value.__context__, KeyError)
    assert isinstance(caught.value.__context__.__context__, ValueError)


def test_what_an_error_has_left_can_be_saved(tmp_path):
    class Saves(Callback):
        def on_exception(self, run, error):
            run.save(run.folder / "left.safetensors")

    with pytest.raises(RuntimeError, match="no more paper"):
        run_fit(callbacks=[Saves(), Fails("on_before_update")], checkpoint=tmp_path)
    assert (tmp_path / "left.safetensors").exists()


def test_what_a_metric_has_left_over_does_not_count():
    error = MeanAbsoluteError()
    with pytest.raises(RuntimeError, match="no more paper"):
        run_fit(metrics=[error], callbacks=[Fails("on_step_end")])
    assert run_fit(metrics=[error]).rows == run_fit(metrics=["mae"]).rows


def test_gradients_that_were_left_over_do_not_count():
    model = net()
    with pytest.raises(RuntimeError, match="no more paper"):
        run_fit(model, [Fails("on_before_update")])
    assert model.weight.grad is not None
    assert run_fit(model).rows == run_fit().rows


def test_gradients_that_the_optimizer_does_not_use_do_not_add_up():
    torch.manual_seed(0)
    model = Sequential(Linear(1, 3), Linear(3, 1))
    sgd = SGD(model[1].parameters(), lr=1e-9)
    history = fit(model, MSE(), sgd, (X, Y), steps=3, callbacks=[GradientStatistics(every=1)], **QUIET)
    assert history["grad_norm/0.weight"] == pytest.approx(history["grad_norm/0.weight"][:1] * 3, rel=1e-5)
    assert model[0].weight.grad is None


def test_the_validation_is_what_evaluate_says_and_stands_in_the_row_of_its_time():
    model = net()
    seen = []

    class Watch(Callback):
        def on_validation_end(self, run):
            seen.append(evaluate(model, MSE(), (X, Y + 1), metrics=["mae"]))

    history = run_fit(model, [Watch()], validation=(X, Y + 1), metrics=["mean_absolute_error"])
    assert [i for i, row in enumerate(history) if "val_cost" in row] == [2, 5]
    assert [(row["val_cost"], row["val_mean_absolute_error"]) for row in (history.rows[2], history.rows[5])] == [
        (values["cost"], values["mean_absolute_error"]) for values in seen
    ]
    torch.testing.assert_close(seen[0]["cost"] > 0, True)


def test_validation_can_come_every_so_many_updates_and_always_at_the_end():
    history = run_fit(validation=(X, Y), validate_every=2, epochs=None, steps=5)
    assert [i for i, row in enumerate(history) if "val_cost" in row] == [1, 3, 4]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_an_iterator_that_is_used_up_is_no_validation(reduction):
    with pytest.raises(DataError, match="must be a batch to measure on, each time"):
        fit(net(), MSE(reduction), "sgd", (X, Y), epochs=2, validation=iter([(X, Y)]), **QUIET)


@pytest.mark.parametrize(("arguments", "message"), [((net(), MSE("none")), "one cost"), (("net", MSE()), "a Layer")])
def test_what_cannot_be_evaluated_is_told(arguments, message):
    with pytest.raises(ConfigError, match=message):
        evaluate(*arguments, (X, Y))


def test_the_last_update_is_validated_also_where_nobody_knows_their_number():
    history = fit(net(), MSE(), "sgd", iter([(X, Y)] * 3), epochs=1, validation=(X, Y), validate_every=2, **QUIET)
    assert [i for i, row in enumerate(history) if "val_cost" in row] == [1, 2]


@pytest.mark.parametrize("count", [2, 9])
def test_a_pass_ends_with_its_data_whatever_length_they_tell(count):
    class Batches(list):
        def __len__(self):
            return count

    assert len(fit(net(), MSE(), "sgd", Batches([(X, Y)] * 3), epochs=2, **QUIET)) == 6


def test_a_loader_that_drops_its_only_batch_yields_none():
    loader = DataLoader(TensorDataset(X, Y), batch_size=100, drop_last=True)
    with pytest.raises(DataError, match="at least one batch per pass"):
        fit(net(), MSE(), "sgd", loader, epochs=2, **QUIET)


def test_without_validation_metrics_are_those_of_the_learning():
    history = run_fit(metrics=["mae"], epochs=1, batch_size=None)
    assert history["mean_absolute_error"] == [pytest.approx((net()(X) - Y).abs().mean().item(), rel=1e-6)]
    assert "cost" in history.rows[0]


@pytest.mark.parametrize("data", [(X, Y), DataLoader(TensorDataset(X, Y), batch_size=5, shuffle=True)])
def test_validation_predicts_and_leaves_the_training_as_it_is(data):
    def model():
        torch.manual_seed(0)
        return Sequential(Linear(1, 8), Dropout(0.5), Linear(8, 1))

    alone, watched = model(), model()
    assert run_fit(alone).costs == run_fit(watched, validation=data, metrics=["mae"]).costs


@pytest.mark.parametrize(("every", "rates"), [("step", [0.1, 0.1, 0.05, 0.05, 0.025, 0.025]), ("epoch", [0.1] * 6)])
def test_a_schedule_goes_on_by_update_or_by_pass(every, rates):
    seen = []

    class Rate(Callback):
        def on_step_end(self, run):
            seen.append(run.lr())

    history = run_fit(callbacks=[Rate()], schedule={"name": "step", "step_size": 2, "gamma": 0.5}, schedule_every=every)
    assert seen == rates
    assert len(history) == 6


class Watches(Schedule):
    """Writes down what it is given."""

    def __init__(self, optimizer):
        self.given = []
        super().__init__(optimizer)

    def rate(self, base, step):
        return base

    def watch(self, metric):
        self.given.append(metric)


@pytest.mark.parametrize(
    ("options", "column", "rows"),
    [
        ({"validation": (X, Y)}, "val_cost", [2, 5]),
        ({"validation": (X, Y), "validate_every": 2}, "val_cost", [1, 3, 5]),
        ({"validation": (X, Y), "validate_every": 2, "schedule_every": "epoch"}, "val_cost", [1, 5]),
        ({"validation": (X, Y), "validate_every": 5, "schedule_every": "epoch"}, "val_cost", [5]),
        ({}, "cost", [0, 1, 2, 3, 4, 5]),
        ({"schedule_every": "epoch"}, "cost", [2, 5]),
    ],
)
def test_a_schedule_that_watches_is_given_each_new_cost_once(options, column, rows):
    model = net()
    sgd = SGD(model.parameters(), lr=0.1)
    schedule = Watches(sgd)
    options = {"epochs": 2, "batch_size": 4, **options, **QUIET}
    history = fit(model, MSE(), sgd, (X, Y), schedule=schedule, **options)
    assert schedule.given == [history.rows[i][column] for i in rows]


def test_a_warm_up_before_a_plateau_does_not_wait_for_a_validation():
    model = net()
    sgd = SGD(model.parameters(), lr=0.1)
    parts = [LinearLR(sgd, 0.5, total_iters=3), Watches(sgd)]
    schedule = SequentialLR(sgd, parts, milestones=[4])
    fit(model, MSE(), sgd, (X, Y), epochs=3, batch_size=4, validation=(X, Y), schedule=schedule, **QUIET)
    assert (schedule.last_step, len(parts[1].given), sgd.lr) == (5, 2, 0.1)


def test_components_go_by_name():
    model = net()
    fit(model, "mse", "sgd", (X, Y), steps=1, metrics=["mae"], schedule={"name": "exponential", "gamma": 0.9}, **QUIET)
    model = net()
    sgd = SGD(model.parameters(), lr=0.5)
    fit(model, MSE(), sgd, (X, Y), steps=1, schedule=StepLR(sgd, 1, 0.1), **QUIET)
    assert sgd.lr == 0.05


def test_wrapping_callbacks_see_each_layer_that_computes_once_by_its_name():
    names = []

    class Doubling(Wrapper):
        def forward(self, x):
            y, cache = self.layer.forward(x)
            return 2 * y, cache

        def backward(self, grad_output, cache):
            return self.layer.backward(2 * grad_output, cache)

        def backward_parameters(self, grad_output, cache):
            self.layer.backward_parameters(2 * grad_output, cache)

    class Wraps(Callback):
        def wrap(self, layer: Layer, name: str) -> Layer:
            names.append(name)
            return Doubling(layer)

    torch.manual_seed(0)
    linear = Linear(1, 1)
    model = Sequential(linear, Sequential(Linear(1, 1), linear))
    cost = fit(model, MSE(), SGD(model.parameters(), lr=0.0), (X, Y), steps=1, callbacks=[Wraps(), Wraps()], **QUIET)
    assert names == ["0", "0", "1.0", "1.0"]
    y = X
    for layer in (linear, model[1][0], linear):
        y = 4 * layer(y)
    assert cost.costs == [pytest.approx(MSE()(y, Y).item(), rel=1e-5)]
    assert type(model[0]) is Linear


def test_a_misspelt_event_is_told():
    class Hopes(Callback):
        def on_step_ends(self, run):
            pass

    with pytest.raises(ConfigError, match=r"Did you mean 'on_step_end'\? Received: Hopes\.on_step_ends"):
        run_fit(callbacks=[Hopes()])


def test_a_wrap_that_gives_no_layer_is_told():
    class Nothing(Callback):
        def wrap(self, layer, name):
            return None

    with pytest.raises(ConfigError, match=r"Nothing\.wrap must return a layer\. Received: None"):
        run_fit(callbacks=[Nothing()])


class Interrupts(Callback):
    def __init__(self, at, times=1):
        self.at, self.times = at, times

    def on_step_end(self, run):
        if run.step == self.at:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def listening():
    """Ctrl-C as a program begins with it; one that was started in the background begins without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_program_that_ignores_ctrl_c_goes_on_ignoring_it():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert len(run_fit(callbacks=[Interrupts(2)])) == 6
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listening")
def test_ctrl_c_ends_the_run_in_order(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    journal = Journal()
    history = run_fit(callbacks=[Interrupts(2), journal], checkpoint=Checkpoint(tmp_path, every=100))
    assert (len(history), history.stopped) == (2, "interrupted")
    assert journal.lines[-2:] == [("on_checkpoint", 2, 0, 2), ("on_fit_end", 2, 0, 2)]
    assert signal.getsignal(signal.SIGINT) is before
    whole = run_fit(callbacks=[Interrupts(-1), Journal()])
    model = net()
    resumed = run_fit(model, [Interrupts(-1), Journal()], checkpoint=Checkpoint(tmp_path, every=100), resume=True)
    assert resumed.rows == whole.rows


@pytest.mark.usefixtures("listening")
def test_a_second_ctrl_c_breaks_it_off():
    with pytest.raises(KeyboardInterrupt) as caught:
        run_fit(callbacks=[Interrupts(2, times=2)])
    assert len(caught.value.history) == 2


def test_beside_the_main_thread_ctrl_c_is_left_to_others():
    found = []
    thread = threading.Thread(target=lambda: found.append(run_fit()))
    thread.start()
    thread.join()
    assert len(found[0]) == 6


def test_stopping_from_a_callback_tells_why():
    class Stops(Callback):
        def on_step_end(self, run):
            run.stop("enough")
            run.stop("more than enough")

    history = run_fit(callbacks=[Stops()])
    assert (len(history), history.stopped) == (1, "enough")


def test_a_step_of_fit_is_the_bare_step():
    model, twin = net(), net()
    history = fit(model, MSE(), SGD(model.parameters(), lr=0.1), (X, Y), steps=5, **QUIET)
    sgd = SGD(twin.parameters(), lr=0.1)
    assert history.costs == [train_step(twin, MSE(), sgd, X, Y).item() for _ in range(5)]


def test_the_seed_holds_what_layers_draw_and_leaves_the_global_generator():
    def trained(seed):
        torch.manual_seed(0)
        model = Sequential(Linear(1, 8), Dropout(0.5), Linear(8, 1))
        torch.manual_seed(seed + 100)
        before = torch.get_rng_state()
        costs = run_fit(model, seed=seed if seed < 2 else 1).costs
        assert torch.equal(torch.get_rng_state(), before)
        return costs

    assert trained(1) == trained(2) != trained(0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"epochs": None}, ValueError, "either epochs or steps"),
        ({"epochs": -1}, ValueError, "epochs=-1"),
        ({"epochs": 1.5}, ValueError, "epochs must be a whole number, at least 0. Received: epochs=1.5"),
        ({"epochs": None, "steps": 2.0}, ValueError, "steps=2.0"),
        ({"epochs": True}, ValueError, "epochs=True"),
        ({"batch_size": 2.5}, ValueError, "batch_size must be a whole number, at least 1. Received: batch_size=2.5"),
        ({"accumulate": 0}, ValueError, "accumulate must be a whole number, at least 1. Received: accumulate=0"),
        ({"validate_every": 0}, ValueError, "validate_every=0"),
        ({"clip": 0.0}, ValueError, "clip=0.0"),
        ({"clip": float("nan")}, ValueError, "clip=nan"),
        ({"clip": "1"}, ValueError, "clip='1'"),
        ({"seed": 1.5}, ValueError, "seed must be a whole number of 64 bits. Received: seed=1.5"),
        ({"seed": 2**64}, ValueError, f"seed={2**64}"),
        ({"schedule_every": "day"}, ValueError, "schedule_every='day'"),
        ({"resume": True}, ValueError, "say where it is"),
        ({"metrics": "mae"}, ConfigError, "metrics is a list"),
        ({"metrics": ["mae", "mean_absolute_error"]}, ConfigError, "mean_absolute_error twice"),
        ({"metrics": [3]}, ConfigError, "metric must be an object, a name or a configuration. Received: 3"),
        ({"callbacks": "time_limit"}, ConfigError, "callbacks is a list. Received: callbacks='time_limit'"),
        ({"callbacks": TimeLimit(3)}, ConfigError, r"callbacks is a list. Received: callbacks=TimeLimit\(seconds=3\)"),
        ({"callbacks": None}, ConfigError, "callbacks is a list. Received: callbacks=None"),
        ({"metrics": {"name": "mae"}}, ConfigError, "metrics is a list"),
        ({"schedule": StepLR(SGD(net().parameters()), 1)}, ConfigError, "schedule must be made for the optimizer"),
        ({"callbacks": [MSE()]}, ConfigError, "callback must be an object"),
        ({"checkpoint": 3}, ConfigError, "A checkpoint is given as a folder or a Checkpoint. Received: 3"),
        ({"checkpoint": __file__}, CheckpointError, "the folder cannot be made. Received: File exists"),
        ({"device": "gpu"}, ConfigError, "device must be one that .* can use with float32, .* Received: device='gpu'"),
        ({"device": "meta"}, ConfigError, "Received: device='meta'"),
        ({"checkpoint": Checkpoint("nowhere", best="val_acuracy")}, ConfigError, "best='val_acuracy'"),
    ],
)
def test_misuse_is_one_sentence(arguments, error, message):
    with pytest.raises(error, match=message):
        run_fit(**arguments)


def test_a_loss_without_one_cost_is_told():
    with pytest.raises(ConfigError, match=r"must be one cost: .* Received: MSE\(reduction='none'\)"):
        fit(net(), MSE(reduction="none"), "sgd", (X, Y), steps=1)


def test_a_net_that_is_none_is_told():
    with pytest.raises(ConfigError, match=r"fit trains a Layer.*Received: list"):
        fit(["linear"], MSE(), "sgd", (X, Y), steps=1)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (SGD(net().parameters()), r"The optimizer must hold parameters of the net\. Received: SGD with none of them"),
        (torch.optim.SGD(net().parameters()), r"with minigrad\.train_step\. Received: torch\.optim\.SGD$"),
    ],
)
def test_an_optimizer_that_does_not_fit_is_told(optimizer, message):
    model = net()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ConfigError, match=message):
        fit(model, MSE(), optimizer, (X, Y), steps=1, progress=False)
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)


def test_a_folder_of_an_earlier_run_is_not_written_over(tmp_path):
    run_fit(checkpoint=tmp_path)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match="holds the checkpoint of an earlier run: go on from it with resume=True"):
        run_fit(checkpoint=tmp_path)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


@pytest.mark.parametrize("validation", [None, (X, Y)])
def test_a_metric_may_compute_with_tensors_or_arrays(tmp_path, validation):
    class Odd(Metric):
        def __init__(self, kind):
            self.kind = kind

        def reset(self):
            pass

        def update(self, prediction, target):
            pass

        def compute(self):
            return self.kind([1.5])[0]

    class Others(Odd):
        def compute(self):
            return self.kind([[1, 2]])

    history = run_fit(metrics=[Odd(torch.tensor), Others(numpy.array)], validation=validation, checkpoint=tmp_path)
    assert list(history.rows[-1].values())[-2:] == [1.5, [[1, 2]]]
    assert type(list(history.rows[-1].values())[-2]) is float


def test_a_metric_of_ones_own_has_a_column():
    class Largest(Metric):
        def __init__(self):
            self.reset()

        def reset(self):
            self.value = -1e9

        def update(self, prediction, target):
            self.value = max(self.value, prediction.max().item())

        def compute(self):
            return self.value

    assert len(run_fit(metrics=[Largest()], validation=(X, Y))["val_largest"]) == 2
