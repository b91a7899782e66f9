"""Experiments as files: a configuration is trained into a folder."""

from minigrad.experiments.folder import RunFolder
from minigrad.experiments.looking import compare, curves, evaluate_run, look, net_summary
from minigrad.experiments.plan import Plan, read_plan
from minigrad.experiments.starting import EXAMPLES, write_example
from minigrad.experiments.table import Predictions, predict_table
from minigrad.experiments.text import continue_text
from minigrad.experiments.training import Outcome, TrainingError, train

__all__ = [
    "EXAMPLES",
    "Outcome",
    "Plan",
    "Predictions",
    "RunFolder",
    "TrainingError",
    "compare",
    "continue_text",
    "curves",
    "evaluate_run",
    "look",
    "net_summary",
    "predict_table",
    "read_plan",
    "train",
    "write_example",
]
