"""Which classes a sample could belong to at all: where there are very many, only those are looked at.

They are the most probable ones of the soft label, those of the sample's neighbours, those with the most similar
prototypes, and those that are in question anyway. What is computed of them is exact.
"""

import numpy as np

from fastreid_prune.evaluation import inverted_lists
from fastreid_prune.evaluation.inverted_lists import (
    CLASSES_A_LIST,
    LISTS_ASKED,
    Partition,
    is_exact,
    knn_in_lists,
)
from fastreid_prune.evaluation.knn import knn
from fastreid_prune.io.work import Work
from fastreid_prune.trajectory.blocks import row_slices

# of each sample: classes by the soft label, and by prototypes (ours)
BY_SOFT_LABEL, BY_PROTOTYPE = 8, 6
_PAIR_BYTES = 32 << 20
_QUERIES = 1 << 17


def together(*columns: np.ndarray) -> np.ndarray:
    """The classes [n, M] int32 that are in any of the columns [n, k], each once, falling; filled up with -1.

    >>> together(np.array([[3, 1]]), np.array([[3, -1]])).tolist()
    [[3, 1]]
    """
    found = np.concatenate([column.astype(np.int32) for column in columns], 1)
    found = -np.sort(-found, axis=1)
    found[:, 1:][found[:, 1:] == found[:, :-1]] = -1
    found = -np.sort(-found, axis=1)
    return found[:, : max(1, int((found >= 0).sum(1).max(initial=0)))]


def place_of(classes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """[n] the column of each wanted class [n] among the classes [n, M], where it has to be."""
    return (classes == wanted[:, None]).argmax(1)


def similarities(rows: np.ndarray, prototypes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The inner products [n, M] float32 of rows [n, D] with the prototypes [C, D] of their classes [n, M]; of class -1
    -1."""
    result = np.empty(classes.shape, np.float32)
    for part in row_slices(len(rows), 4 * classes.shape[1] * prototypes.shape[1], _PAIR_BYTES):
        result[part] = np.matmul(prototypes[classes[part]], rows[part][:, :, None])[:, :, 0]
    result[classes < 0] = -1.0
    return result


def most_similar(rows: np.ndarray, prototypes: np.ndarray, k: int, work: Work | None = None) -> np.ndarray:
    """The classes [n, k] with the most similar prototypes [C, D] of rows [n, D], all of length 1; -1 fills up."""
    partition = list_of = None
    if not is_exact(len(prototypes), inverted_lists.EXACT_CLASSES):
        partition = Partition.of(prototypes, CLASSES_A_LIST)
        list_of = partition.lists(prototypes, 1)[:, 0]
    common = rows, prototypes, min(k, len(prototypes)), partition, list_of
    blocks = list(row_slices(len(rows), 1, _QUERIES))
    found = (work or Work()).blocks("", _most_similar, common, blocks)
    return np.concatenate([np.empty((0, common[2]), np.int64), *(classes for (classes,) in found)])


def _most_similar(
    rows: np.ndarray,
    prototypes: np.ndarray,
    k: int,
    partition: Partition | None,
    list_of: np.ndarray | None,
    part: slice,
) -> tuple[np.ndarray]:
    if partition is None or list_of is None:
        return (knn(rows[part], prototypes, k)[1],)
    asked = partition.lists(rows[part], LISTS_ASKED)
    return (knn_in_lists(rows[part], prototypes, k, asked, list_of)[1],)


def votes_for(weights: np.ndarray, voted: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The share of the votes for each candidate, [n, M] float32.

    Args:
        weights: [n, k], of the votes.
        voted: [n, k] int, the class that each is for; it is among ``classes``.
        classes: [n, M] int.
    """
    share = np.zeros(classes.shape, np.float32)
    for vote in range(weights.shape[1]):
        share += weights[:, vote, None] * (classes == voted[:, vote, None])
    return share
