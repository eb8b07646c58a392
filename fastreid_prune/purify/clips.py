"""Which images of one label and one camera belong together: clips, the tracklets that a tracker or a person linked.

File names that give a recording and a frame (Market-1501's ``0002_c1s1_000451_03``) part images of different
recordings, and of one recording more than a minute apart; features part what looks like somebody else.
"""

import re
from collections.abc import Sequence

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from fastreid_prune.trajectory.blocks import row_slices

# average-linkage cosine distance beyond which images are of two clips (ours: on three data sets at least 98.9 % of the
# clips are then of one person)
MOST_DISTANCE = 0.55
# frames between images of one clip: a minute at 25 a second (ours)
MOST_FRAMES = 1500
# more images of one label and camera are clustered in parts
_MOST_TOGETHER = 2000
# fewer are compared with each other, many groups at once
_COMPARED, _BLOCK_BYTES = 64, 32 << 20
_RECORDING = re.compile(r"_c\d+s(\d+)_(\d+)")


def find_clips(
    features: np.ndarray,
    label: np.ndarray,
    camera: np.ndarray,
    file_name: Sequence[str] | None = None,
    most_distance: float = MOST_DISTANCE,
) -> np.ndarray:
    """The clip of each image.

    Args:
        features: [N, D] float32, of length 1.
        label: [N] int, images of different labels are never in one clip.
        camera: [N] int, nor are images of different cameras; one number for all where cameras are not known.
        file_name: [N] str, by which recordings and frames are known; None where names say nothing.
        most_distance: in [0, 2].

    Returns:
        [N] int64, from 0.

    >>> features = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], np.float32)
    >>> find_clips(features, np.zeros(3, int), np.zeros(3, int))
    array([0, 0, 1])
    """
    recording = np.zeros(len(label), np.int64) if file_name is None else recordings(file_name)
    keys = np.c_[np.asarray(label), np.asarray(camera), recording]
    _, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0]) if len(order) else np.empty(0, np.int64)
    ends = np.r_[starts[1:], len(order)] if len(order) else starts
    parts = [
        start + part.start
        for start, size in zip(starts.tolist(), (ends - starts).tolist(), strict=True)
        for part in row_slices(size, 1, _MOST_TOGETHER)
    ]
    starts = np.array(parts, np.int64)
    sizes = np.diff(np.r_[starts, len(order)])
    count, found = np.ones(len(starts), np.int64), np.zeros(len(order), np.int64)
    for one in np.flatnonzero(~_surely_one(features, order, starts, sizes, most_distance)).tolist():
        inside = slice(starts[one], starts[one] + sizes[one])
        found[inside] = _clusters(features[order[inside]], most_distance)
        count[one] = found[inside].max() + 1
    clip = np.full(len(group), -1, np.int64)
    clip[order] = np.repeat(np.cumsum(count) - count, sizes) + found
    return clip


def _surely_one(
    features: np.ndarray, order: np.ndarray, starts: np.ndarray, sizes: np.ndarray, most_distance: float
) -> np.ndarray:
    """[P] bool: the rows order[start : start + size] of a part are all so close that no clustering parts them; many
    parts at once."""
    result = sizes == 1
    for size in np.unique(sizes[(sizes > 1) & (sizes <= _COMPARED)]).tolist():
        chosen = np.flatnonzero(sizes == size)
        for part in row_slices(len(chosen), 4 * size * (features.shape[1] + size), _BLOCK_BYTES):
            some = features[order[starts[chosen[part], None] + np.arange(size)]]
            least = np.matmul(some, some.transpose(0, 2, 1)).min((1, 2))
            # what is near the border is for the clustering itself to say
            result[chosen[part]] = 1 - least < most_distance - 1e-4
    return result


def recordings(file_name: Sequence[str]) -> np.ndarray:
    """A number [N] int64 for each recording without a gap that file names tell of; 0 where one name tells none.

    >>> recordings(["1_c1s1_000100_00.jpg", "1_c1s1_000150_00.jpg", "1_c1s1_009000_00.jpg", "1_c1s2_000100_00.jpg"])
    array([0, 0, 1, 2])
    """
    matches = [_RECORDING.search(name.rsplit("/", 1)[-1]) for name in file_name]
    if not matches or not all(matches):
        return np.zeros(len(matches), np.int64)
    place = np.array([(int(m[1]), int(m[2])) for m in matches if m], np.int64)
    person = [name.rsplit("/", 1)[-1].split("s", 1)[0] for name in file_name]
    _, who = np.unique(person, return_inverse=True)
    order = np.lexsort((place[:, 1], place[:, 0], who))
    step = np.diff(place[order], axis=0)
    same = (np.diff(who[order]) == 0) & (step[:, 0] == 0) & (step[:, 1] <= MOST_FRAMES)
    result = np.empty(len(order), np.int64)
    result[order] = np.r_[0, np.cumsum(~same)]
    return result


def _clusters(features: np.ndarray, most_distance: float) -> np.ndarray:
    if len(features) == 1:
        return np.zeros(1, np.int64)
    tree = linkage(np.asarray(features, np.float64), "average", metric="cosine")
    return fcluster(tree, most_distance, "distance").astype(np.int64) - 1
