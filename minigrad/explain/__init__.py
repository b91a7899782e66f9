"""What a net does, shown."""

from minigrad.explain.summary import LayerSummary, Summary, summary

__all__ = ["LayerSummary", "Summary", "summary"]
