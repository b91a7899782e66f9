"""Nets as scikit-learn's estimators, in scikit-learn's company and on its data."""

import copy
import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_linnerud
from sklearn.ensemble import AdaBoostClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import minigrad
from minigrad.errors import ConfigError, NonFiniteError, ShapeError, UnknownNameError
from minigrad.interop.sklearn import NetClassifier, NetRegressor, estimator

IRIS = load_iris(return_X_y=True)
LINE = np.linspace(-1, 1, 40).reshape(-1, 1)


def weights(fitted) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in fitted.net_.parameters()])


def tower(n_features: int, n_outputs: int) -> minigrad.Layer:
    return minigrad.Sequential(
        minigrad.Linear(n_features, 8), minigrad.Tanh(), minigrad.Dropout(0.2), minigrad.Linear(8, n_outputs)
    )


# In scikit-learn's company


def test_digits_in_a_pipeline():
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    net = NetClassifier((64,), lr=0.003, epochs=30, batch_size=50, random_state=0)
    pipeline = make_pipeline(StandardScaler(), net).fit(X_train, y_train)
    assert pipeline.score(X_test, y_test) >= 0.965


def test_iris_by_cross_validation():
    pipeline = make_pipeline(StandardScaler(), NetClassifier((16,), lr=0.01, epochs=80, random_state=0))
    assert cross_val_score(pipeline, *IRIS, cv=5).mean() >= 0.94


def test_a_grid_search_in_two_processes():
    pipeline = make_pipeline(StandardScaler(), NetClassifier(net=tower, epochs=30, random_state=0))
    grid = {"netclassifier__lr": [1e-6, 0.03], "netclassifier__optimizer": ["adam", {"name": "rmsprop"}]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2, error_score="raise").fit(*IRIS)
    assert search.best_params_["netclassifier__lr"] == 0.03
    assert search.best_score_ >= 0.94
    alone = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(*IRIS)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


def test_diabetes_with_scaled_targets():
    net = NetRegressor((20,), lr=0.003, epochs=60, batch_size=50, random_state=0)
    regressor = TransformedTargetRegressor(make_pipeline(StandardScaler(), net), transformer=StandardScaler())
    assert cross_val_score(regressor, *load_diabetes(return_X_y=True), cv=5).mean() >= 0.4


def test_several_targets_at_once():
    X, y = load_linnerud(return_X_y=True)
    X, y = StandardScaler().fit_transform(X), StandardScaler().fit_transform(y)
    regressor = NetRegressor((30,), "tanh", lr=0.01, epochs=300, random_state=0).fit(X, y)
    assert regressor.predict(X).shape == y.shape == (20, 3)
    assert regressor.n_outputs_ == 3
    assert regressor.score(X, y) > 0.9


def test_boosting_weighs_the_samples():
    X, y = StandardScaler().fit_transform(IRIS[0]), IRIS[1]
    weak = NetClassifier((), lr=0.1, epochs=10, random_state=0)
    assert AdaBoostClassifier(weak, n_estimators=5, random_state=0).fit(X, y).score(X, y) > 0.9


def test_labels_may_be_words_and_columns_may_have_names():
    X, y = load_iris(return_X_y=True, as_frame=True)
    names = load_iris().target_names[y]
    classifier = NetClassifier((16,), lr=0.03, epochs=60, random_state=0).fit(X, names)
    assert classifier.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert classifier.feature_names_in_.tolist() == list(X.columns)
    assert classifier.n_features_in_ == 4
    assert set(classifier.predict(X.head(3))) <= set(names)
    assert classifier.score(X, names) > 0.95
    with pytest.raises(ValueError, match="feature names should match"):
        classifier.predict(X[X.columns[::-1]])


# Parameters


def test_fit_changes_no_parameter():
    net, loss = minigrad.Linear(4, 3), minigrad.CrossEntropy()
    before = net.weight.clone()
    config = [{"name": "linear", "in_features": 4, "out_features": 3}]
    for given in (net, config):
        classifier = NetClassifier(net=given, loss=loss, metrics=["accuracy"], lr=0.1, epochs=2).fit(*IRIS)
        assert classifier.net is given
        assert classifier.loss is loss
        assert classifier.net_ is not net
        assert classifier.loss_ is not loss
    assert torch.equal(net.weight, before)
    assert config == [{"name": "linear", "in_features": 4, "out_features": 3}]
    assert not torch.equal(classifier.net_[0].weight, before)


def test_a_clone_has_the_parameters_and_nothing_learned():
    classifier = NetClassifier((3,), minigrad.PReLU(), loss={"name": "nll"}, epochs=1, random_state=0).fit(*IRIS)
    twin = clone(classifier)
    assert repr(twin) == repr(classifier)
    assert twin.get_params().keys() == classifier.get_params().keys()
    with pytest.raises(NotFittedError):
        twin.predict(IRIS[0])
    assert torch.equal(weights(twin.fit(*IRIS)), weights(classifier))
    assert twin.set_params(hidden=(4, 5), lr=0.2).fit(*IRIS).net_[2].in_features == 4


def test_each_hidden_layer_has_an_activation_of_its_own():
    prelu = minigrad.PReLU()
    net = NetClassifier((3, 4), prelu, epochs=0).fit(*IRIS).net_
    assert len({id(prelu), id(net[1]), id(net[3])}) == 3


def test_a_net_that_is_given_starts_at_its_weights():
    net = minigrad.Linear(4, 3)
    classifier = NetClassifier(net=net, epochs=0).fit(*IRIS)
    assert torch.equal(classifier.net_.weight, net.weight.double())
    assert classifier.predict_proba(IRIS[0]).shape == (150, 3)


@pytest.mark.parametrize(
    ("given", "x_dtype", "dtype"),
    [
        (None, np.float64, np.float64),
        (None, np.float32, np.float32),
        (None, np.int64, np.float64),
        ("float32", np.float64, np.float32),
        (torch.float64, np.float32, np.float64),
    ],
)
def test_the_net_computes_in_the_dtype_of_x_or_the_one_asked_for(given, x_dtype, dtype):
    X, y = IRIS[0].astype(x_dtype), IRIS[1]
    assert NetClassifier((3,), epochs=1, dtype=given).fit(X, y).predict_proba(X).dtype == dtype
    assert NetRegressor((3,), epochs=1, dtype=given).fit(X, y).predict(X).dtype == dtype


@pytest.mark.parametrize("optimizer", [minigrad.SGD, lambda params, lr: minigrad.SGD(params, lr, momentum=0.5), "sgd"])
def test_the_optimizer_is_a_class_a_function_or_a_name(optimizer):
    fitted = NetClassifier((3,), optimizer=optimizer, lr=0.25, epochs=1).fit(*IRIS)
    assert type(fitted.optimizer_) is minigrad.SGD
    assert fitted.optimizer_.lr == 0.25
    assert fitted.optimizer_.parameters == list(fitted.net_.parameters())


def test_without_lr_the_optimizer_says():
    assert NetClassifier((3,), epochs=0).fit(*IRIS).optimizer_.lr == 0.001
    given = {"name": "sgd", "lr": 0.5, "momentum": 0.9}
    assert NetClassifier((3,), optimizer=given, epochs=0).fit(*IRIS).optimizer_.lr == 0.5


@pytest.mark.parametrize("schedule", [{"name": "step_lr", "step_size": 1}, lambda sgd: minigrad.StepLR(sgd, 1)])
def test_a_schedule_goes_on_by_epochs_also_from_one_partial_fit_to_the_next(schedule):
    net = NetRegressor((3,), optimizer="sgd", lr=1.0, schedule=schedule, epochs=2, batch_size=10, loss="l1")
    assert net.fit(LINE, LINE[:, 0]).optimizer_.lr == pytest.approx(0.01)
    assert net.partial_fit(LINE, LINE[:, 0]).optimizer_.lr == pytest.approx(0.001)
    by_step = clone(net).set_params(schedule_every="step", epochs=1).fit(LINE, LINE[:, 0])
    assert by_step.optimizer_.lr == pytest.approx(1e-4)


@pytest.mark.parametrize("device", ["cpu", *(["cuda"] if torch.cuda.is_available() else [])])
def test_a_net_learns_on_its_device_and_predicts_arrays(device: str):
    net = NetClassifier(net=tower, lr=0.01, epochs=100, validation_fraction=0.2, device=device, random_state=0)
    net.fit(*IRIS, sample_weight=np.ones(150))
    assert {parameter.device.type for parameter in net.net_.parameters()} == {device}
    assert net.score(*IRIS) > 0.9
    again = weights(net)
    before = torch.get_rng_state(), torch.cuda.get_rng_state() if device == "cuda" else None
    assert torch.equal(weights(net.fit(*IRIS, sample_weight=np.ones(150))), again)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert device == "cpu" or torch.equal(torch.cuda.get_rng_state(), before[1])


def test_an_estimator_shows_itself():
    net = NetRegressor((3,), net=minigrad.Linear(1, 1), lr=0.1)
    assert repr(net) == "NetRegressor(hidden=(3,), lr=0.1, net=Linear(in_features=1, out_features=1))"
    assert "NetRegressor" in net._repr_html_()


# Random numbers


def states():
    return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()


@pytest.mark.parametrize("random_state", [None, 0, np.random.RandomState(0)])
def test_nobodys_random_numbers_are_used_or_moved(random_state):
    before = states()
    classifier = NetClassifier(net=tower, epochs=2, batch_size=50, validation_fraction=0.2, random_state=random_state)
    classifier.fit(*IRIS).partial_fit(*IRIS).predict(IRIS[0])
    assert states() == before


def test_an_integer_gives_the_same_net_whatever_else_was_drawn():
    classifier = NetClassifier(net=tower, epochs=3, batch_size=50, random_state=1)
    first = weights(classifier.fit(*IRIS))
    torch.rand(7), np.random.rand(7)
    assert torch.equal(weights(classifier.fit(*IRIS)), first)
    assert not torch.equal(weights(clone(classifier).set_params(random_state=2).fit(*IRIS)), first)


def test_none_gives_another_net_each_time():
    torch.manual_seed(0), np.random.seed(0)
    first = weights(NetClassifier((3,), epochs=0).fit(*IRIS))
    torch.manual_seed(0), np.random.seed(0)
    assert not torch.equal(weights(NetClassifier((3,), epochs=0).fit(*IRIS)), first)


def test_a_generator_is_drawn_from():
    generator = np.random.RandomState(0)
    first, second = (weights(NetClassifier((3,), epochs=0, random_state=generator).fit(*IRIS)) for _ in range(2))
    assert not torch.equal(first, second)
    again = NetClassifier((3,), epochs=0, random_state=np.random.RandomState(0)).fit(*IRIS)
    assert torch.equal(weights(again), first)


def test_threads_do_not_mix_their_random_numbers():
    def train(seed: int) -> list[float]:
        return weights(NetClassifier(net=tower, epochs=5, batch_size=10, random_state=seed).fit(*IRIS)).tolist()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(train, range(8))) == [train(seed) for seed in range(8)]


# Samples that count differently


@pytest.mark.parametrize("batch_size", [None, 200])
@pytest.mark.parametrize("loss", ["cross_entropy", "bce", minigrad.CrossEntropy(reduction="sum")])
def test_a_weight_of_two_is_the_sample_twice(loss, batch_size):
    X, y = IRIS[0][::3], IRIS[1][::3]
    count = np.arange(50) % 4
    net = NetClassifier((8,), loss=loss, lr=0.01, epochs=20, batch_size=batch_size, random_state=0)
    weighted = net.fit(X, y, sample_weight=count).predict_proba(X)
    repeated = net.fit(X.repeat(count, axis=0), y.repeat(count)).predict_proba(X)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)
    assert np.abs(net.fit(X, y).predict_proba(X) - repeated).max() > 0.001


def test_weights_of_targets_side_by_side():
    y = np.hstack([LINE, LINE**2])
    count = np.arange(40) % 3
    net = NetRegressor((8,), lr=0.01, epochs=20, random_state=0)
    weighted = net.fit(LINE, y, count).predict(LINE)
    repeated = net.fit(LINE.repeat(count, axis=0), y.repeat(count, axis=0)).predict(LINE)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)


def test_a_sample_without_weight_is_not_there():
    classifier = NetClassifier((3,), epochs=1).fit(*IRIS, sample_weight=(IRIS[1] > 0).astype(float))
    assert classifier.classes_.tolist() == [1, 2]


def test_the_pipeline_hands_on_weights():
    pipeline = make_pipeline(StandardScaler(), NetClassifier((3,), epochs=1))
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        pipeline.fit(*IRIS, netclassifier__sample_weight=-np.ones(150))


def test_weights_need_a_loss_that_can_be_unreduced():
    class Plain(minigrad.Loss):
        def __init__(self):
            pass

        def forward(self, prediction, target):
            return minigrad.CrossEntropy().forward(prediction, target)

        def backward(self, cache, grad_cost=None):
            return minigrad.CrossEntropy().backward(cache, grad_cost)

    net = NetClassifier((3,), loss=Plain(), epochs=1)
    assert net.fit(*IRIS).predict_proba(IRIS[0]).shape == (150, 3)
    with pytest.raises(ConfigError, match="a loss that has a reduction"):
        net.fit(*IRIS, sample_weight=np.ones(150))


# What the columns of the net mean


@pytest.mark.parametrize("loss", ["cross_entropy", "nll", "bce", "bce_with_logits"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_of_each_loss(loss: str, n_classes: int):
    X, y = IRIS[0][: 50 * n_classes], IRIS[1][: 50 * n_classes]
    X = StandardScaler().fit_transform(X)
    classifier = NetClassifier((8,), loss=loss, lr=0.03, epochs=60, random_state=0).fit(X, y)
    p = classifier.predict_proba(X)
    assert p.shape == (len(y), n_classes)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (p >= 0).all()
    assert classifier.score(X, y) > 0.93
    assert -np.log(p[np.arange(len(y)), y]).mean() < 0.2


def test_probabilities_where_no_class_is_likely():
    net = minigrad.Linear(4, 3)
    net.weight.zero_(), net.bias.fill_(-1e9)
    classifier = NetClassifier(net=net, loss="bce_with_logits", epochs=0).fit(*IRIS)
    np.testing.assert_allclose(classifier.predict_proba(IRIS[0][:1]), [[1 / 3] * 3])


def test_the_xor_net():
    X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["same", "different", "different", "same"]
    layers = [minigrad.Linear(2, 4), minigrad.Sigmoid(), minigrad.Linear(4, 1), minigrad.Sigmoid()]
    torch.manual_seed(0)
    classifier = NetClassifier(
        net=minigrad.Sequential(*layers), loss="bce", lr=0.1, epochs=300, batch_size=None, random_state=0
    ).fit(X, y)
    assert classifier.predict(X).tolist() == y
    assert classifier.score(X, y) == 1


def test_large_data_are_predicted_in_parts(monkeypatch):
    classifier = NetClassifier((8,), epochs=1).fit(*IRIS)
    whole = classifier.predict_proba(IRIS[0])
    monkeypatch.setattr(estimator, "_ROWS", 7)
    np.testing.assert_allclose(classifier.predict_proba(IRIS[0]), whole, rtol=1e-12)


# Going on


def test_partial_fits_are_the_epochs_of_a_fit():
    y = np.sin(LINE[:, 0])
    net = NetRegressor((8,), "tanh", lr=0.05, epochs=5, batch_size=None, random_state=0)
    fitted = weights(net.fit(LINE, y))
    costs = net.history_.costs
    parts = clone(net)
    for _ in range(5):
        parts.partial_fit(LINE, y)
    assert torch.equal(weights(parts), fitted)
    assert parts.history_.costs == costs
    assert [row["epoch"] for row in parts.history_] == [row["step"] for row in parts.history_] == [0, 1, 2, 3, 4]
    assert parts.n_iter_ == net.n_iter_ == 5


def test_a_warm_start_goes_on():
    net = NetRegressor((8,), lr=0.05, epochs=6, batch_size=None, random_state=0)
    fitted = weights(net.fit(LINE, LINE[:, 0]))
    halves = clone(net).set_params(epochs=3, warm_start=True)
    assert not torch.equal(weights(halves.fit(LINE, LINE[:, 0])), fitted)
    assert torch.equal(weights(halves.fit(LINE, LINE[:, 0])), fitted)
    assert halves.n_iter_ == len(halves.history_) == 6
    assert torch.equal(weights(net.fit(LINE, LINE[:, 0])), fitted)
    assert net.n_iter_ == 6


def test_partial_fit_of_a_classifier():
    classifier = NetClassifier((16,), lr=0.03, batch_size=30, random_state=0)
    with pytest.raises(ValueError, match="The first partial_fit needs classes"):
        classifier.partial_fit(*IRIS)
    classifier.partial_fit(IRIS[0][:50], IRIS[1][:50], classes=[2, 1, 0])
    for _ in range(40):
        classifier.partial_fit(*IRIS, sample_weight=np.ones(150))
    assert classifier.score(*IRIS) > 0.95
    with pytest.raises(ValueError, match="The classes stay those of the first call"):
        classifier.partial_fit(*IRIS, classes=[0, 1])
    with pytest.raises(ValueError, match=r"Labels must be among the classes.* Received: \[3\]"):
        classifier.partial_fit(IRIS[0], IRIS[1] + 1)
    with pytest.raises(ValueError, match="4 features"):
        classifier.partial_fit(IRIS[0][:, :2], IRIS[1])


def test_a_warm_start_keeps_its_classes_and_targets():
    classifier = NetClassifier((3,), epochs=1, warm_start=True).fit(*IRIS)
    with pytest.raises(ValueError, match="Labels must be among the classes"):
        classifier.fit(IRIS[0], IRIS[1] + 1)
    regressor = NetRegressor((3,), epochs=1, warm_start=True).fit(LINE, LINE)
    with pytest.raises(ValueError, match=r"as many as at first, 1\. Received: 2"):
        regressor.fit(LINE, np.hstack([LINE, LINE]))


@pytest.mark.parametrize("travels", [False, True])
@pytest.mark.parametrize(
    "change",
    [{"lr": 0.5}, {"optimizer": "sgd"}, {"loss": "nll"}, {"hidden": (4,)}, {"dtype": "float32"}, {"random_state": 1}],
)
def test_what_goes_on_is_not_told_to_be_another_and_silent_about_it(change, travels):
    fitted = NetClassifier((3,), net=None, epochs=1, warm_start=True, random_state=0).fit(*IRIS)
    fitted = pickle.loads(pickle.dumps(fitted)) if travels else fitted
    before = weights(fitted)
    fitted.set_params(**change)
    (name,) = change
    for verb in (fitted.fit, fitted.partial_fit):
        with pytest.raises(ConfigError, match=rf"go on with what was made of {name}=.*Received: {name}="):
            verb(*IRIS)
    assert torch.equal(weights(fitted), before)
    fitted.set_params(warm_start=False).fit(*IRIS)
    assert fitted.n_iter_ == 1


def test_what_each_fit_reads_anew_may_change():
    fitted = NetClassifier(net=tower, epochs=1, warm_start=True, random_state=np.random.RandomState(0)).fit(*IRIS)
    fitted = pickle.loads(pickle.dumps(fitted)).set_params(epochs=2, batch_size=50, metrics=["accuracy"])
    assert fitted.fit(*IRIS).n_iter_ == 3


def by_joblib(fitted, folder: Path):
    joblib.dump(fitted, folder / "net.joblib")
    return joblib.load(folder / "net.joblib")


def by_pickle(fitted, folder: Path):
    return pickle.loads(pickle.dumps(fitted))


def by_deepcopy(fitted, folder: Path):
    return copy.deepcopy(fitted)


@pytest.mark.parametrize("travel", [by_joblib, by_pickle, by_deepcopy])
def test_a_fitted_estimator_travels_and_goes_on_as_if_it_had_not(travel, tmp_path: Path):
    net = NetClassifier(net=tower, lr=0.01, epochs=3, batch_size=40, random_state=0, optimizer="adam").fit(*IRIS)
    twin = travel(net, tmp_path)
    np.testing.assert_array_equal(twin.predict_proba(IRIS[0]), net.predict_proba(IRIS[0]))
    assert not torch.equal(weights(twin.partial_fit(*IRIS)), weights(net))
    assert torch.equal(weights(net.partial_fit(*IRIS)), weights(twin))


# What is measured


def test_held_out_samples_are_measured_and_not_learned():
    accuracy = minigrad.metric("accuracy")()
    before = accuracy.state_dict()
    net = NetClassifier((8,), lr=0.01, epochs=4, validation_fraction=0.2, metrics=[accuracy], random_state=0)
    net.fit(*IRIS, sample_weight=np.ones(150))
    assert len(net.history_["val_cost"]) == len(net.history_["val_accuracy"]) == net.n_iter_ == 4
    assert 0 <= net.history_["val_accuracy"][-1] <= 1
    assert accuracy.state_dict() == before


def test_held_out_samples_keep_the_shares_of_the_classes(monkeypatch):
    def recording(net, loss, optimizer, data, *, validation, **options):
        counts.append((torch.bincount(data[1]).tolist(), torch.bincount(validation[1]).tolist()))
        return minigrad.fit(net, loss, optimizer, data, validation=validation, **options)

    counts = []
    monkeypatch.setattr(estimator, "fit", recording)
    for seed in range(3):
        net = NetClassifier((3,), epochs=1, validation_fraction=0.2, random_state=seed)
        net.fit(IRIS[0], np.repeat([0, 1], [140, 10]))
    assert counts == [([112, 8], [28, 2])] * 3


class StopAfter(minigrad.Callback):
    def __init__(self, epochs=2):
        self.epochs = epochs
        self.seen = 0

    def on_epoch_end(self, run):
        self.seen += 1
        if self.seen == self.epochs:
            run.stop("enough")


def test_callbacks_may_stop_and_are_copied():
    callback = StopAfter()
    net = NetRegressor((3,), epochs=10, callbacks=[callback]).fit(LINE, LINE[:, 0])
    assert net.n_iter_ == 2
    assert net.history_.stopped == "enough"
    assert callback.seen == 0
    assert net.callbacks_[0].seen == 2
    assert net.fit(LINE, LINE[:, 0]).n_iter_ == 2


def test_early_stopping_by_the_cost_of_what_is_held_out():
    stopping = {"name": "early_stopping", "patience": 3}
    X, y = load_diabetes(return_X_y=True)
    net = NetRegressor((50,), lr=0.03, epochs=500, callbacks=[stopping], validation_fraction=0.2, random_state=0)
    net.fit(StandardScaler().fit_transform(X), StandardScaler().fit_transform(y[:, None])[:, 0])
    assert 3 < net.n_iter_ < 100
    assert net.history_.stopped


def test_verbose_tells(capsys):
    NetRegressor((3,), epochs=2).fit(LINE, LINE[:, 0])
    assert capsys.readouterr() == ("", "")
    NetRegressor((3,), epochs=2, verbose=True).fit(LINE, LINE[:, 0])
    assert capsys.readouterr().err


def test_an_interrupted_fit_is_a_fit_and_says_so():
    class Interrupt(minigrad.Callback):
        def on_epoch_end(self, run):
            run.stop("interrupted")

    net = NetRegressor((3,), epochs=5, callbacks=[Interrupt()])
    with pytest.warns(UserWarning, match="Training was interrupted after 1 update"):
        net.fit(LINE, LINE[:, 0])
    assert net.n_iter_ == 1
    assert net.predict(LINE).shape == (40,)


# Misuse


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"hidden": 100}, ConfigError, r"hidden holds the widths .* as in \(100,\). Received: hidden=100"),
        ({"hidden": "100"}, ConfigError, "hidden holds the widths"),
        ({"hidden": (10, 0)}, ConfigError, "a positive integer"),
        ({"hidden": (10.0,)}, ConfigError, "a positive integer"),
        ({"hidden": (True,)}, ConfigError, "a positive integer"),
        ({"activation": "rellu"}, UnknownNameError, "Did you mean 'relu'"),
        ({"loss": "cross_entropi"}, UnknownNameError, "Did you mean 'cross_entropy'"),
        ({"loss": 3}, ConfigError, "Received: 3"),
        ({"loss": minigrad.Linear(1, 1)}, ConfigError, "loss"),
        ({"optimizer": "adan"}, UnknownNameError, "Did you mean 'adam'"),
        ({"optimizer": minigrad.SGD(minigrad.Linear(1, 1).parameters())}, ConfigError, "each fit makes a new one"),
        ({"optimizer": lambda params: list(params)}, ConfigError, "returns an Optimizer"),
        ({"optimizer": {"name": "sgd", "lr": 0.1}, "lr": 0.2}, ConfigError, "The learning rate is given once"),
        ({"schedule": "step_lrr"}, UnknownNameError, "Did you mean 'step_lr'"),
        ({"schedule": minigrad.StepLR(minigrad.SGD([minigrad.Parameter(torch.ones(1))]), 1)}, ConfigError, "new one"),
        ({"schedule": lambda optimizer: None}, ConfigError, "returns a Schedule"),
        ({"schedule_every": "week"}, ValueError, "schedule_every"),
        ({"callbacks": [3]}, ConfigError, "Received: 3"),
        ({"epochs": -1}, ValueError, "Received: epochs=-1"),
        ({"batch_size": 0}, ValueError, "Received: batch_size=0"),
        ({"random_state": "seed"}, ValueError, "random_state must be an integer"),
        ({"dtype": "float16"}, ConfigError, "dtype must be 'float32', 'float64' or None"),
        ({"dtype": "int64"}, ConfigError, "dtype must be"),
        ({"dtype": "Tensor"}, ConfigError, "dtype must be"),
        ({"validation_fraction": 2.0}, ValueError, "test_size"),
        ({"net": 3}, ConfigError, "net is a Layer, a configuration, or a function"),
        ({"net": lambda n_features, n_outputs: None}, ConfigError, "which gives None"),
        ({"net": "cross_entropy"}, ConfigError, "net is a Layer"),
        (
            {"net": minigrad.Linear(4, 5)},
            ShapeError,
            r"map \(N, 4\) to \(N, 3\): 3 classes are 3 columns.*Received: \(1, 5\)",
        ),
        ({"net": minigrad.Linear(5, 3)}, ShapeError, "in_features=5"),
        ({"net": torch.nn.Linear(4, 3)}, ConfigError, "net is a Layer"),
        ({"net": minigrad.Linear(4, 3), "loss": "nll"}, ConfigError, "gives log-probabilities.* sum to "),
        ({"metrics": None}, ConfigError, "metrics is a list. Received: metrics=None"),
        ({"callbacks": None}, ConfigError, "callbacks is a list. Received: callbacks=None"),
        ({"callbacks": "early_stopping"}, ConfigError, "callbacks is a list"),
        ({"device": "gpu"}, ConfigError, "device must be one .* Received: device='gpu'"),
    ],
)
def test_misuse_is_told_by_fit_and_leaves_nothing_fitted(arguments, error, text):
    classifier = NetClassifier(**{"hidden": (3,), "epochs": 1} | arguments)
    with pytest.raises(error, match=text):
        classifier.fit(*IRIS)
    with pytest.raises(NotFittedError):
        classifier.predict(IRIS[0])


def test_what_the_net_said_of_a_row_is_noted():
    with pytest.raises(ShapeError) as told:
        NetClassifier(net=minigrad.Linear(5, 3)).fit(*IRIS)
    assert "one row of X, of 4 features" in str(told.value.__notes__)


def test_a_regressors_net_has_a_column_for_each_target():
    with pytest.raises(ShapeError, match=r"\(N, 1\) to \(N, 2\): one column for each target. Received: \(1, 1\)"):
        NetRegressor(net=minigrad.Linear(1, 1)).fit(LINE, np.hstack([LINE, LINE]))


def test_two_classes_are_one_column_of_bits():
    X, y = IRIS[0][:100], IRIS[1][:100]
    with pytest.raises(ShapeError, match=r"to \(N, 1\): 2 classes are 1 column for BCEWithLogits"):
        NetClassifier(net=minigrad.Linear(4, 2), loss="bce_with_logits").fit(X, y)


@pytest.mark.parametrize("estimator", [NetClassifier((3,), epochs=1), NetRegressor((3,), epochs=1)])
def test_data_of_another_form(estimator):
    fitted = estimator.fit(*IRIS)
    with pytest.raises(ValueError, match=r"X has 2 features, but Net.* is expecting 4"):
        fitted.predict(IRIS[0][:, :2])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fitted.fit(IRIS[0], IRIS[1][:-1])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        fitted.predict(np.full((1, 4), np.nan))
    with pytest.raises(ValueError, match="too large for dtype"), np.errstate(over="ignore"):
        clone(fitted).set_params(dtype="float32").fit(IRIS[0] * 1e300, IRIS[1])


def test_one_class_is_none():
    with pytest.raises(ValueError, match=r"at least 2 classes apart\. Received: 1 class"):
        NetClassifier().fit(LINE, np.zeros(40))


def test_weights_that_are_no_numbers_are_no_fit():
    net = NetRegressor((), optimizer="sgd", lr=0.01, epochs=200).fit(LINE, LINE[:, 0])
    with pytest.raises(NonFiniteError, match="A smaller learning rate"):
        net.set_params(lr=1e9).fit(LINE, 1e9 * LINE[:, 0])
    with pytest.raises(NotFittedError):
        net.predict(LINE)


@pytest.mark.parametrize("change", [{"net": minigrad.Linear(4, 7)}, {"optimizer": "adan"}, {"loss": "bce", "lr": -1.0}])
def test_a_fit_that_fails_leaves_no_older_net_with_newer_classes(change):
    fitted = NetClassifier((3,), epochs=1).fit(*IRIS)
    with pytest.raises((ConfigError, ShapeError, UnknownNameError)):
        fitted.set_params(**change).fit(IRIS[0][:100], np.array(["a", "b"])[IRIS[1][:100]])
    with pytest.raises(NotFittedError):
        fitted.predict(IRIS[0])


@pytest.mark.parametrize("dtype", ["longdouble", ">f8", "uint16", "bool", "float16", "U1"])
def test_targets_may_be_of_any_dtype_that_means_numbers(dtype):
    net = NetRegressor((), epochs=3, random_state=0)
    targets = (LINE[::-1, 0] > 0).astype(int)
    expected = net.fit(LINE, targets).predict(LINE)
    np.testing.assert_array_equal(net.fit(LINE, targets.astype(dtype)).predict(LINE), expected)


# Where scikit-learn is not wanted, or not there


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    return done.stdout


def test_minigrad_itself_imports_no_scikit_learn():
    assert run("import sys, minigrad, minigrad.interop.torch; print('sklearn' in sys.modules)") == "False\n"


def test_without_scikit_learn_the_import_says_how_to_get_it():
    told = run("""
import sys
sys.modules["sklearn"] = None
from minigrad.errors import MissingExtraError
try:
    import minigrad.interop.sklearn
except MissingExtraError as error:
    print(error)
""")
    assert "pip install 'minigrad-torch[data]'" in told
