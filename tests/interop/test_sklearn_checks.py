"""scikit-learn's own checks of an estimator, with no failure expected."""

import os
import subprocess
import sys

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import minigrad
from minigrad.interop.sklearn import NetClassifier, NetRegressor


class Tower:
    """A function from sizes to a net, whose repr is the same in every process."""

    def __call__(self, n_features, n_outputs):
        return minigrad.Sequential(
            minigrad.Linear(n_features, 20), minigrad.LayerNorm(20), minigrad.Tanh(), minigrad.Linear(20, n_outputs)
        )

    def __repr__(self):
        return "Tower()"


MOMENTUM = {"name": "sgd", "momentum": 0.9}

ESTIMATORS = [
    NetClassifier(),
    NetClassifier((), loss="nll", lr=0.1, epochs=30),
    NetClassifier((20, 10), minigrad.Tanh(), loss=minigrad.BCE(), lr=0.01, epochs=40),
    NetClassifier(net=Tower(), optimizer=MOMENTUM, lr=0.1, epochs=30, batch_size=None, metrics=["accuracy"]),
    NetRegressor(),
    NetRegressor((), "relu", loss="smooth_l1", optimizer=minigrad.Adam, lr=0.1, epochs=40, dtype="float64"),
    NetRegressor(
        net=Tower(), optimizer=MOMENTUM, lr=0.02, schedule={"name": "cosine", "T_max": 50}, epochs=50, batch_size=None
    ),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", ["NetClassifier", "NetRegressor"])
def test_the_check_that_scipy_must_be_started_for(name: str):
    # The one that the test above skips, unless this variable stood when scipy was imported.
    code = f"""
from sklearn.utils.estimator_checks import check_estimator
from minigrad.interop.sklearn import {name}
results = check_estimator({name}(epochs=5), on_skip=None, on_fail=None)
done = [result["status"] for result in results if "array_api" in result["check_name"]]
assert done and set(done) == {{"passed"}}, results
"""
    variables = os.environ | {"SCIPY_ARRAY_API": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=variables, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
