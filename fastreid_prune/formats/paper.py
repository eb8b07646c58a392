"""The three files whose format the paper's authors announced (Yang et al., TMLR 2024).

``fpath_list.npy``: file names, [N] text; a sample's index is its place here. ``Ranking_list.npy``: file names, [N]
text, hardest first. ``Mislabeled_outlier_samples.pickle``: a dictionary of two arrays, ``mislabeled`` [M, 2] int64
(sample index, predicted person id) and ``outliers`` [K] int64 (sample indices). Where identities are no numbers,
``mislabeled`` is text.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.folders import Images
from fastreid_prune.formats.listed import Listed
from fastreid_prune.formats.matching import NameIndex, Tally
from fastreid_prune.formats.numbering import Identities
from fastreid_prune.formats.publication import Publication
from fastreid_prune.formats.registry import Request, reader, writer
from fastreid_prune.io.files import sha256
from fastreid_prune.io.names import person_numbers
from fastreid_prune.io.npy import read_names
from fastreid_prune.io.pickles import read_plain_pickle
from fastreid_prune.trajectory import Samples

FILE_NAMES, RANKING, VERDICTS = "fpath_list.npy", "Ranking_list.npy", "Mislabeled_outlier_samples.pickle"
# as their description has it
_RANKING_WITHOUT_SUFFIX = "Ranking_list"
_SOURCE = "Yang et al., Data Pruning Can Do More, TMLR 2024, arXiv 2412.10091"
_BLOCK_BYTES = 16 << 20


@writer("paper", "the ranking, file names and verdicts as the paper's authors announced them", source=_SOURCE)
def write(publication: Publication, folder: Path, images: Images) -> None:
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


def is_paper_folder(folder: Path) -> bool:
    """Whether the paper's lists are in ``folder``."""
    return (folder / FILE_NAMES).is_file() or _ranking(folder) is not None


@reader(
    "paper",
    "a folder with Ranking_list.npy, fpath_list.npy and Mislabeled_outlier_samples.pickle",
    detect=is_paper_folder,
    dataset=lambda folder: folder.resolve().name,
    source=_SOURCE,
)
def read(folder: Path, request: Request) -> Listed:
    """What the three files (the ranking alone will do) say of the samples of a data set.

    A sample's score is its place in the ranking: 1 for the hardest, towards 0 for the easiest.

    Raises:
        FastreidPruneError: a file is damaged, or holds something else than its format.
    """
    samples = request.samples
    ranking = _ranking(folder)
    files = [path for path in (folder / FILE_NAMES, ranking, folder / VERDICTS) if path and path.is_file()]
    source = {"lists": "the paper's format", **{f"sha256 of {path.name}": sha256(path) for path in files}}
    result = Listed.nothing(len(samples), "ranking list", source)
    if ranking is not None:
        _read_ranking(ranking, samples, result)
    if (folder / VERDICTS).is_file():
        if not (folder / FILE_NAMES).is_file():
            raise FastreidPruneError(
                f"{folder / VERDICTS}: its indices count the rows of {FILE_NAMES}, which is missing. Copy it too."
            )
        index = NameIndex(samples.file_name)
        tally = result.tally if ranking is None else Tally()
        blocks = [index.rows(block, tally) for block in read_names(folder / FILE_NAMES)]
        rows = np.concatenate([*blocks, np.zeros(0, np.int64)])
        result.listed[rows[rows >= 0]] = True
        _read_verdicts(folder / VERDICTS, rows, samples, result)
    return result


def _ranking(folder: Path) -> Path | None:
    names = (RANKING, _RANKING_WITHOUT_SUFFIX)
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _read_ranking(path: Path, samples: Samples, result: Listed) -> None:
    index, start = NameIndex(samples.file_name), 0
    for block in read_names(path):
        rows = index.rows(block, result.tally)
        found = rows >= 0
        result.score[rows[found]] = -(start + np.flatnonzero(found))
        start += len(block)
    result.listed = ~np.isnan(result.score)
    result.score = 1 + result.score / max(start, 1)


def _read_verdicts(path: Path, rows: np.ndarray, samples: Samples, result: Listed) -> None:
    mislabelled, outliers = _two_arrays(read_plain_pickle(path), path)
    identities, tally = Identities(samples.pid), result.tally
    result.judged = True
    for index, number in mislabelled:
        row, pid = _row(index, rows), _identity(number, identities)
        if row is None:
            tally.note("of the mislabelled have an index beyond the file names", [_shown(index)])
        elif pid is None:
            tally.note("of the mislabelled are given to an identity unknown here", [_shown(number)])
        elif row >= 0 and pid != samples.pid[row]:
            result.mislabelled(row, pid)
            result.reason[row] = f"listed as {pid}"
    for index in outliers:
        row = _row(index, rows)
        if row is None:
            tally.note("of the outliers have an index beyond the file names", [_shown(index)])
        elif row >= 0:
            result.outlier(np.array([row]), "listed as outlier")


def _two_arrays(content: Any, path: Path) -> tuple[list, list]:
    """The mislabelled, [index, person] each, and the outliers, by their dimensions: nobody published the keys."""
    values = list(content.values()) if isinstance(content, dict) else content
    values = values if isinstance(values, (list, tuple)) else ()
    kinds = [_kind(value) for value in values]
    held = {kind: value for kind, value in zip(kinds, values, strict=True) if kind != "empty"}
    if not kinds or "neither" in held or len(held) != len(kinds) - kinds.count("empty"):
        found = [_shape(value) for value in values][:5] if kinds else type(content).__name__
        raise FastreidPruneError(
            f"{path}: expected a dictionary of two arrays, [M, 2] (sample index, person id) and [K] (sample index), "
            f"found {found}."
        )
    pairs, singles = (
        value.tolist() if isinstance(value, np.ndarray) else list(value)
        for value in (held.get("pairs", ()), held.get("singles", ()))
    )
    return pairs, singles


def _kind(value: Any) -> str:
    """Whether a value is ``pairs``, ``singles``, ``empty`` or ``neither``; lists do as well as arrays."""
    if isinstance(value, np.ndarray):
        if value.size == 0 and value.ndim <= 2:
            return "empty"
        return {1: "singles", 2: "pairs" if value.shape[-1] == 2 else "neither"}.get(value.ndim, "neither")
    if not isinstance(value, (list, tuple)):
        return "neither"
    if all(isinstance(item, (list, tuple)) and len(item) == 2 and _flat(item) for item in value):
        return "pairs" if value else "empty"
    return "singles" if _flat(value) else "neither"


def _flat(items: list | tuple) -> bool:
    return all(isinstance(item, (int, float, str)) for item in items)


def _shape(value: Any) -> str:
    return str(list(value.shape)) if isinstance(value, np.ndarray) else f"a {type(value).__name__}"


def _row(index: Any, rows: np.ndarray) -> int | None:
    """The sample with this index in the list of names: -1 if it is none of the data set, None if there is no such."""
    number = _whole_number(index)
    return int(rows[number]) if number is not None and 0 <= number < len(rows) else None


def _identity(value: Any, identities: Identities) -> str | None:
    if isinstance(value, str) and value in identities:
        return value
    number = _whole_number(value)
    return None if number is None else identities.by_number(number)


def _whole_number(value: Any) -> int | None:
    try:
        number = int(value)
        return number if number == float(value) else None
    except (TypeError, ValueError, OverflowError):
        return None


def _shown(value: Any) -> str:
    """A value for a message; Python refuses to write out very long numbers."""
    long = isinstance(value, int) and value.bit_length() > 100
    return f"a number of {value.bit_length()} bits" if long else str(value)[:40]
