"""The main job: both XOR pipelines, each in lock step with its reference."""

from minigrad.xor.composed import as_handwritten, as_torch, xor_net
from minigrad.xor.data import four_rows, seven_rows
from minigrad.xor.handwritten import handwritten_pipeline
from minigrad.xor.lockstep import Comparison, Difference, Tolerance, run_in_lock_step
from minigrad.xor.picture import check_picture, save_picture
from minigrad.xor.report import as_json, as_renderable
from minigrad.xor.run import PipelineReport, Report, beside_reference, run
from minigrad.xor.settings import Settings
from minigrad.xor.verdict import Evidence, Verdict, judge

__all__ = [
    "Comparison",
    "Difference",
    "Evidence",
    "PipelineReport",
    "Report",
    "Settings",
    "Tolerance",
    "Verdict",
    "as_handwritten",
    "as_json",
    "as_renderable",
    "as_torch",
    "beside_reference",
    "check_picture",
    "four_rows",
    "handwritten_pipeline",
    "judge",
    "run",
    "run_in_lock_step",
    "save_picture",
    "seven_rows",
    "xor_net",
]
