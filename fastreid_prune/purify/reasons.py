"""Names and reasons that a person reads."""

import numpy as np

from fastreid_prune.purify.calibration import Scale
from fastreid_prune.purify.evidence import COLUMNS, Evidence
from fastreid_prune.purify.reference_set import ReferenceSet
from fastreid_prune.scored_run.verdicts import MISLABELLED, OUTLIER
from fastreid_prune.selection.regime import NEAR, usual_distance
from fastreid_prune.trajectory import Trajectory

UNLIKE, BETWEEN = "unlike every identity", "between two identities"
# left out, since nobody can say under which identity it belongs
UNNAMED = "not the given identity, and whose it is is not clear"
_AT = {name: index for index, name in enumerate(COLUMNS)}


def class_names(trajectory: Trajectory) -> np.ndarray:
    """The identity of each class, ``[C]`` str; the class's number where the samples are not named."""
    if trajectory.samples is not None:
        names = list(trajectory.samples.class_names)
    else:
        names = [str(index) for index in range(trajectory.num_classes)]
    return np.array([*names, None], dtype=object)[:-1]


def duplicates_elsewhere(reference: ReferenceSet) -> np.ndarray:
    """The row of each sample's nearest neighbour where that is a near-duplicate under another identity, [N] int64;
    -1 elsewhere."""
    usual = usual_distance(reference.plain, reference.label, reference.known)
    nearest, similarity = reference.plain_neighbours.index[:, 0], reference.plain_neighbours.similarity[:, 0]
    elsewhere = (nearest >= 0) & (reference.label[nearest] != reference.label)
    return np.where(elsewhere & (1 - similarity < NEAR * usual), nearest, -1)


def reasons(
    verdict: np.ndarray,
    evidence: Evidence,
    names: np.ndarray,
    usual: Scale,
    more_outlier: np.ndarray,
    duplicates: dict[int, str],
) -> np.ndarray:
    """Why, in words, ``[N]`` str; "" for samples found clean or not judged.

    Args:
        verdict: [N] str.
        evidence: of the N samples.
        names: [C] str, of the classes.
        usual: what is usual in the run.
        more_outlier: [N] bool, the sample is more likely an outlier than a wrong label.
        duplicates: of near-duplicates under another identity, by row: whose, in words.
    """
    result = np.full(len(verdict), "", object)
    columns, z = evidence.columns, usual(evidence.columns)
    for row in np.flatnonzero(verdict == MISLABELLED):
        result[row] = _against(columns[row], names[evidence.suggested[row]])
    for row in np.flatnonzero(verdict == OUTLIER):
        if more_outlier[row]:
            result[row] = f"{outlier_kind(z[row])}: {_unlike(columns[row], usual)}"
        else:
            result[row] = (
                f"{UNNAMED}: perhaps {names[evidence.suggested[row]]} or {names[evidence.runner_up[row]]}"
            )
    for sample, where in duplicates.items():
        if result[sample]:
            result[sample] += f"; near-duplicate of {where}"
    return result


def outlier_kind(z: np.ndarray) -> str:
    """Which kind of outlier scaled evidence [F] looks like: :data:`BETWEEN` or :data:`UNLIKE`."""
    return BETWEEN if z[_AT["second"]] > 0 else UNLIKE


def _against(columns: np.ndarray, name: str) -> str:
    parts = []
    if columns[_AT["soft"]] > 0:
        parts.append(f"the soft label gives {_times(columns[_AT['soft']])} the given identity's probability")
    if columns[_AT["suggested_vote"]] > columns[_AT["given_vote"]]:
        parts.append(
            "so do its nearest neighbours" if parts else "its nearest neighbours are that identity's"
        )
    if columns[_AT["likeness"]] > 0:
        parts.append(f"its likeness is {columns[_AT['likeness']]:.2f} (cosine) nearer")
    return f"looks like {name}: " + ("; ".join(parts) or "no single strong sign, but all together")


def _unlike(columns: np.ndarray, usual: Scale) -> str:
    near, isolation = columns[_AT["near"]], columns[_AT["isolation"]]
    return (
        f"similarity to the most similar identity {near:.2f} (usual {usual.middle[_AT['near']]:.2f}), "
        f"to its neighbours {isolation:.2f} (usual {usual.middle[_AT['isolation']]:.2f})"
    )


def _times(nats: float) -> str:
    return f"{np.exp(nats):.1f} times" if nats < np.log(100) else "over 100 times"
