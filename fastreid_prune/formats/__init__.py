"""Published lists and other tools' formats, written and read: one file a format.

A new format is a new file here with functions under the decorators :func:`.registry.writer` and
:func:`.registry.reader`. What is read comes from anybody: file names are only ever compared with those of the data set
on disk, never opened; memory is bounded; nothing in a file is executed.
"""

import importlib
import pkgutil

from fastreid_prune.formats.exporting import ExportSummary, export_run
from fastreid_prune.formats.importing import ImportSummary, import_lists, listed_datasets
from fastreid_prune.formats.registry import Format, read, reader, writer, written

__all__ = [
    "ExportSummary",
    "Format",
    "ImportSummary",
    "export_run",
    "import_lists",
    "listed_datasets",
    "read",
    "reader",
    "writer",
    "written",
]

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
