"""Nets as scikit-learn's estimators: `NetClassifier` and `NetRegressor`.

It needs scikit-learn, which the extra `data` brings: `pip install 'minigrad-torch[data]'`.
"""

from minigrad.core import require

require("sklearn", "data")  # says the command, where a bare import would not

from minigrad.interop.sklearn.classifier import NetClassifier  # noqa: E402
from minigrad.interop.sklearn.regressor import NetRegressor  # noqa: E402

__all__ = ["NetClassifier", "NetRegressor"]
