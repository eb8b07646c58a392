"""What a scored run found, as files that people publish, read and reuse without this package. One file a format."""

from fastreid_prune.export.export import FORMATS, ExportSummary, export_run

__all__ = ["FORMATS", "ExportSummary", "export_run"]
