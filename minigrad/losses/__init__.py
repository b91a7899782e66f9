"""The built-in losses."""

from minigrad.losses.bce import BCE

__all__ = ["BCE"]
