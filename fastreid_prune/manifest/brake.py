"""What purification may not do unasked: leave out a large part of a data set, or the whole of an identity."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from fastreid_prune.scored_run.verdicts import CLEAN, Verdicts

# of all samples; ours
MOST_REMOVED = 0.2


@dataclass(frozen=True)
class Braked:
    """Verdicts that may be acted on.

    Attributes:
        verdicts: N of them.
        in_doubt: [N] bool, what is left out for doubt besides.
        held: what was not done, in sentences.
    """

    verdicts: Verdicts
    in_doubt: np.ndarray
    held: list[str]


def brake(
    pids: np.ndarray,
    verdicts: Verdicts,
    in_doubt: np.ndarray,
    settled: np.ndarray,
    *,
    most_removed: float = MOST_REMOVED,
    lose_identities: bool = False,
    merged: Collection[str] = (),
) -> Braked:
    """Hold back what goes too far.

    Where more than ``most_removed`` of the samples would be left out, none is. An identity of which no image would be
    left under its number keeps all of its images as they are.

    Args:
        pids: [N] str, the given identities.
        verdicts: N of them.
        in_doubt: [N] bool, what would be left out for doubt.
        settled: [N] bool, images that cannot be read, and those that a person decided about; they are never held.
        most_removed: the share of all samples that may be left out, in [0, 1].
        lose_identities: whether an identity may go as a whole.
        merged: identities that go since they are others'.
    """
    held = []
    removed = (verdicts.outlier | in_doubt) & ~settled
    if removed.sum() > most_removed * len(pids):
        held.append(
            f"{removed.sum()} of {len(pids)} samples ({100 * removed.mean():.0f} %) would be left out, more than the "
            f"{100 * most_removed:g} % that purification may take unasked: all of them stay. If you mean it, ask "
            "for it by "
            f"name: --most-removed {np.ceil(100 * removed.mean()) / 100:g}."
        )
        verdicts, in_doubt = _kept(verdicts, removed), np.zeros_like(in_doubt)
    if not lose_identities:
        now = np.where(verdicts.mislabelled, verdicts.suggested_pid, pids)
        stays = ~(verdicts.outlier | in_doubt)
        lost = sorted(set(pids[~settled]) - set(now[stays]) - set(merged))
        if lost:
            back = np.isin(pids, lost) & ~settled
            verdicts, in_doubt = _kept(verdicts, back), in_doubt & ~back
            shown = ", ".join(lost[:5]) + (", ..." if len(lost) > 5 else "")
            held.append(
                f"No image would be left of {len(lost)} identities ({shown}): their {back.sum()} images stay as "
                "they are. "
                "If you mean it, ask for it by name: --lose-identities."
            )
    return Braked(verdicts, in_doubt, held)


def _kept(verdicts: Verdicts, rows: np.ndarray) -> Verdicts:
    """The verdicts with those on some rows taken back."""
    taken = rows & verdicts.against
    return replace(
        verdicts,
        verdict=np.where(taken, CLEAN, verdicts.verdict),
        suggested_pid=np.where(taken, "", verdicts.suggested_pid),
        runner_up_pid=np.where(taken, "", verdicts.runner_up_pid),
        confidence=np.where(taken, np.nan, verdicts.confidence.astype(float)),
        reason=np.where(taken, "not acted on: purification would go too far", verdicts.reason),
    )
