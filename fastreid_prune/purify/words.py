"""Names and reasons that a person reads."""

import numpy as np

from fastreid_prune.purify.calibration import Scale
from fastreid_prune.purify.evidence import COLUMNS, Evidence
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.verdicts import MISLABELLED, OUTLIER

UNLIKE, BETWEEN = "unlike every identity", "between two identities"
_AT = {name: index for index, name in enumerate(COLUMNS)}


def class_names(trajectory: Trajectory) -> np.ndarray:
    """The identity of each class, ``[C]`` str; the class's number where the samples are not named."""
    if trajectory.samples is not None:
        names = list(trajectory.samples.class_names)
    else:
        names = [str(index) for index in range(trajectory.num_classes)]
    return np.array([*names, None], dtype=object)[:-1]


def reasons(
    verdict: np.ndarray, evidence: Evidence, names: np.ndarray, trajectory: Trajectory, usual: Scale
) -> np.ndarray:
    """Why, in words, ``[N]`` str; "" for samples found clean or not judged."""
    result = np.full(len(verdict), "", object)
    columns, z = evidence.columns, usual(evidence.columns)
    for row in np.flatnonzero(verdict == MISLABELLED):
        result[row] = _against(columns[row], z[row], names[evidence.suggested[row]])
    for row in np.flatnonzero(verdict == OUTLIER):
        result[row] = f"{outlier_kind(columns[row], z[row])}: {_unlike(columns[row], usual)}"
    return result


def outlier_kind(columns: np.ndarray, z: np.ndarray) -> str:
    """Which kind of outlier it looks like: ``between two identities`` or ``unlike every identity``."""
    if z[_AT["near"]] > -1.0:
        return BETWEEN
    return UNLIKE


def _against(columns: np.ndarray, z: np.ndarray, name: str) -> str:
    parts = []
    if columns[_AT["soft"]] > 0:
        parts.append(f"the soft label gives {_times(columns[_AT['soft']])} the given identity's probability")
    if columns[_AT["vote"]] > 0:
        parts.append(
            "so do its nearest neighbours" if parts else "its nearest neighbours are that identity's"
        )
    if columns[_AT["likeness"]] > 0:
        parts.append(f"its likeness is {columns[_AT['likeness']]:.2f} (cosine) nearer")
    if columns[_AT["late"]] > 0:
        parts.append("the model never learned the given label")
    return f"looks like {name}: " + ("; ".join(parts) or "no single strong sign, but all together")


def _unlike(columns: np.ndarray, usual: Scale) -> str:
    near, alone = columns[_AT["near"]], columns[_AT["alone"]]
    return (
        f"similarity to the most similar identity {near:.2f} (usual {usual.middle[_AT['near']]:.2f}), "
        f"to its neighbours {alone:.2f} (usual {usual.middle[_AT['alone']]:.2f})"
    )


def _times(nats: float) -> str:
    return f"{np.exp(nats):.1f} times" if nats < np.log(100) else "over 100 times"
