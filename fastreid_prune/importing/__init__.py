"""The way back: published lists, and folders and annotations that a person corrected, become a manifest.

What is read here comes from anybody. File names are only ever compared with those of the data set on disk, never
opened; memory is bounded by the data set, not by the list; nothing in a file is executed.
"""

from fastreid_prune.importing.importing import ImportSummary, import_lists, listed_datasets
from fastreid_prune.importing.plain_pickle import read_plain_pickle

__all__ = ["ImportSummary", "import_lists", "listed_datasets", "read_plain_pickle"]
