"""The page on which a person sees what was found, judges it, and saves the judgement."""

from fastreid_prune.report.report import ReportSummary, write_report

__all__ = ["ReportSummary", "write_report"]
