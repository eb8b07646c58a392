"""Names of samples: paths relative to the data sets' root that can never lead out of it."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastreid_prune.errors import FastreidPruneError

MAX_LENGTH = 4096
# NUL, absolute, a Windows drive, or a component that is empty, "." or ".." (with either kind of slash)
_UNSAFE = r"\x00|^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.?([/\\]|$)|//|/$"


def unsafe(names: pa.Array) -> np.ndarray:
    """[N] bool: which of ``names`` (strings) are no path inside the data sets' root."""
    bad = pc.or_(pc.match_substring_regex(names, _UNSAFE), pc.greater(pc.binary_length(names), MAX_LENGTH))
    bad = pc.or_(bad, pc.equal(names, ""))
    return np.asarray(pc.fill_null(bad, True), bool)


def check_names(names: Sequence[str] | np.ndarray, where: str) -> None:
    """Refuse names that are unsafe, not valid Unicode, or there twice.

    Raises:
        FastreidPruneError: names ``where`` they were found, how many are wrong, and the first few.
    """
    try:
        array = pa.array(names, pa.string())
    except (UnicodeEncodeError, pa.ArrowException, TypeError):
        wrong = [str(name) for name in names if not isinstance(name, str) or not _is_unicode(name)]
        raise FastreidPruneError(
            f"{where}: {len(wrong)} file names are not valid Unicode text: {examples(wrong)}. Rename the files."
        ) from None
    bad = unsafe(array)
    if bad.any():
        raise FastreidPruneError(
            f"{where}: {bad.sum()} of {len(bad)} file names are not paths inside the data sets' root: "
            f"{examples(array.filter(pa.array(bad)).slice(0, 5).to_pylist(), int(bad.sum()))}. Expected "
            "names such as 'Market-1501-v15.09.15/bounding_box_train/0002_c1s1_000451_03.jpg'."
        )
    if len(array) != (distinct := pc.count_distinct(array).as_py()):
        counts = pc.value_counts(array)
        twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        raise FastreidPruneError(
            f"{where}: {len(array) - distinct} rows repeat a file name: "
            f"{examples(twice.slice(0, 5).to_pylist(), len(twice))}. Every sample has one row."
        )


def _is_unicode(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def examples(values: Iterable[str], total: int | None = None, limit: int = 3) -> str:
    """The first few values, quoted and shortened, for a message: ``'a', 'b', 'c' and 12 more``."""
    values = list(values)
    total = len(values) if total is None else total
    shown = ", ".join(
        ascii(value) if len(value) <= 120 else ascii(value[:117] + "...") for value in values[:limit]
    )
    return f"{shown} and {total - limit} more" if total > limit else shown


def dataset_title(dataset: str) -> str:
    """What a data set is called: its registered name, or of a path its last part.

    >>> dataset_title("Market1501"), dataset_title("/data/crops"), dataset_title("results/crops.csv")
    ('Market1501', 'crops', 'crops')
    """
    return PurePath(dataset).stem if "/" in dataset or os.sep in dataset else dataset


def dataset_names(pids: Sequence[str] | np.ndarray) -> np.ndarray:
    """[N] str: the data set of each identity, ``market1501`` for ``market1501_2``; else ``dataset``.

    Where all identities have the same word before their first underscore, that is the data set: an identity may have
    underscores of its own.

    >>> dataset_names(["people_anna_smith", "people_ben_smith"]).tolist()
    ['people', 'people']
    """
    distinct, place = np.unique(np.asarray(pids, dtype=object), return_inverse=True)
    first = {pid.partition("_")[0] for pid in distinct if "_" in pid}
    if len(first) == 1 and all("_" in pid for pid in distinct):
        return np.full(len(place), first.pop(), dtype=object)
    names = np.array([pid.rpartition("_")[0] or "dataset" for pid in distinct], dtype=object)
    return names[place] if len(names) else np.zeros(0, object)


def person_numbers(pids: np.ndarray) -> tuple[dict[str, int], bool]:
    """A number for each identity: its own (2 for ``market1501_2``) where all have one, else 1, 2, ... as sorted.

    Returns:
        identity -> number, and whether they are the identities' own.
    """
    distinct = sorted(set(pids))
    own = [re.search(r"(?:^|_)([0-9]{1,9})$", pid) for pid in distinct]
    numbers = [int(match.group(1)) for match in own if match]
    if len(set(numbers)) == len(distinct):
        return dict(zip(distinct, numbers, strict=True)), True
    return {pid: number for number, pid in enumerate(distinct, start=1)}, False
