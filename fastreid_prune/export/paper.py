"""The three files whose format the paper's authors announced (Yang et al., TMLR 2024).

``fpath_list.npy``: file names, [N] text; a sample's index is its place here. ``Ranking_list.npy``: file names, [N]
text, hardest first. ``Mislabeled_outlier_samples.pickle``: a dictionary of two arrays, ``mislabeled`` [M, 2] int64
(sample index, predicted person id) and ``outliers`` [K] int64 (sample indices). Where identities are no numbers,
``mislabeled`` is text.
"""

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastreid_prune.export.publication import Publication
from fastreid_prune.formats.list_files import FILE_NAMES, RANKING, VERDICTS
from fastreid_prune.io.names import person_numbers

_BLOCK_BYTES = 16 << 20


def write(publication: Publication, folder: Path) -> None:
    """Write the three files."""
    table = publication.table
    write_names(folder / FILE_NAMES, table.file_name)
    write_names(folder / RANKING, table.file_name[publication.order])
    wrong = np.flatnonzero(table.verdicts.mislabelled)
    suggested = table.verdicts.suggested_pid[wrong]
    numbers, own = person_numbers(np.concatenate([table.pid, suggested]))
    predicted = np.array([numbers[pid] for pid in suggested] if own else suggested.astype(str), ndmin=1)
    mislabelled = (
        np.stack([wrong.astype(np.int64), predicted.astype(np.int64)], axis=1)
        if own or not len(wrong)
        else (np.stack([wrong.astype(str), predicted], axis=1))
    )
    outliers = np.flatnonzero(table.verdicts.outlier).astype(np.int64)
    (folder / VERDICTS).write_bytes(pickled({"mislabeled": mislabelled, "outliers": outliers}))


def write_names(path: Path, names: np.ndarray) -> None:
    """Write [N] text as ``.npy`` in blocks, loadable with ``allow_pickle=False``."""
    longest = pc.max(pc.utf8_length(pa.array(names, pa.string()))).as_py() or 1
    dtype = np.dtype(f"<U{longest}")
    with open(path, "wb") as file:
        header = {"descr": dtype.str, "fortran_order": False, "shape": (len(names),)}
        np.lib.format.write_array_header_1_0(file, header)
        step = max(1, _BLOCK_BYTES // dtype.itemsize)
        for start in range(0, len(names), step):
            file.write(names[start : start + step].astype(dtype).tobytes())


def pickled(arrays: dict[str, np.ndarray]) -> bytes:
    """Pickle in protocol 3, in the same bytes under every version of numpy; all of them can read it.

    numpy 2 names the function that makes an array by its new place, which numpy < 1.26 does not know.
    """
    data = pickle.dumps(arrays, protocol=3)
    return data.replace(
        b"cnumpy._core.multiarray\n_reconstruct\n", b"cnumpy.core.multiarray\n_reconstruct\n", 1
    )
