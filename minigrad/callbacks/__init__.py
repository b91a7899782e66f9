"""What happens beside the training."""

from minigrad.callbacks.best_checkpoint import BestCheckpoint
from minigrad.callbacks.early_stopping import EarlyStopping
from minigrad.callbacks.learning_rate_log import LearningRateLog
from minigrad.callbacks.logs import CSVLog, JSONLLog, read_jsonl
from minigrad.callbacks.non_finite_guard import NonFiniteGuard
from minigrad.callbacks.statistics import ActivationStatistics, GradientStatistics
from minigrad.callbacks.time_limit import TimeLimit

__all__ = [
    "ActivationStatistics",
    "BestCheckpoint",
    "CSVLog",
    "EarlyStopping",
    "GradientStatistics",
    "JSONLLog",
    "LearningRateLog",
    "NonFiniteGuard",
    "TimeLimit",
    "read_jsonl",
]
