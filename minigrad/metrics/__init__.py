"""How good predictions are."""

from minigrad.metrics.accuracy import Accuracy, BinaryAccuracy, TopKAccuracy
from minigrad.metrics.confusion_matrix import ConfusionMatrix
from minigrad.metrics.mean_absolute_error import MeanAbsoluteError
from minigrad.metrics.perplexity import Perplexity

__all__ = ["Accuracy", "BinaryAccuracy", "ConfusionMatrix", "MeanAbsoluteError", "Perplexity", "TopKAccuracy"]
