"""The report: one self-contained HTML file."""

from trainer.report.write import write_report

__all__ = ["write_report"]
