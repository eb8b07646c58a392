"""Data sets on disk, however they lie there, as one table ``file_name, pid, camid, split``.

>>> import tempfile
>>> from pathlib import Path
>>> folder = Path(tempfile.mkdtemp())
>>> for name in ("anna/1.png", "anna/2.png", "ben/1.png", "ben/2.png", "Thumbs.db"):
...     (folder / name).parent.mkdir(exist_ok=True)
...     _ = (folder / name).write_bytes(b"")
>>> found = read(folder)
>>> found.layout, found.pid.tolist(), [(skip.reason, skip.count) for skip in found.skipped]
('identity_folders', ['anna', 'anna', 'ben', 'ben'], [('no image, by its ending', 1)])
"""

from fastreid_prune.datasets.hold_out import hold_out
from fastreid_prune.datasets.reading import read
from fastreid_prune.datasets.registry import Layout, layouts
from fastreid_prune.datasets.table import SPLITS, Dataset, Skipped

__all__ = ["SPLITS", "Dataset", "Layout", "Skipped", "hold_out", "layouts", "read"]
