"""What was judged about each sample's label: the seam between purification, selection and the lists."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.errors import FastreidPruneError

CLEAN, MISLABELLED, OUTLIER, NEAR_DUPLICATE = ("clean", "mislabelled", "outlier", "near_duplicate")
UNJUDGED = ""
# how the reason begins that the images of a clip share; what follows names the first of them, so that no two are alike
CLIP_REASON = "clip of "
KINDS = (CLEAN, MISLABELLED, OUTLIER, NEAR_DUPLICATE, UNJUDGED)


@dataclass(frozen=True)
class Verdicts:
    """One verdict a sample.

    Attributes:
        verdict: [N] str, one of ``KINDS``; empty where nobody judged.
        suggested_pid: [N] str, the identity a mislabelled sample shows; "" elsewhere.
        runner_up_pid: [N] str, the next most likely identity; "" where there is none.
        confidence: [N] float64, probability in [0, 1] that the verdict is right (of a near-duplicate, which is a clean
            sample that others of its identity make superfluous: that its label is); NaN where not known.
        reason: [N] str, the evidence in words.
    """

    verdict: np.ndarray
    suggested_pid: np.ndarray
    runner_up_pid: np.ndarray
    confidence: np.ndarray
    reason: np.ndarray

    def __post_init__(self) -> None:
        """Refuse verdicts that no manifest could carry."""
        lengths = {name: len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(set(lengths.values())) > 1:
            raise FastreidPruneError(f"verdicts: columns of different lengths: {lengths}.")
        unknown = sorted(set(self.verdict) - set(KINDS))
        if unknown:
            raise FastreidPruneError(
                f"verdicts: found {unknown[:5]!r}, expected each to be one of {', '.join(KINDS)}."
            )
        nameless = (self.verdict == MISLABELLED) & (self.suggested_pid == "")
        if nameless.any():
            raise FastreidPruneError(f"verdicts: {nameless.sum()} mislabelled samples have no suggested_pid.")

    def __len__(self) -> int:
        return len(self.verdict)

    def take(self, rows: np.ndarray) -> "Verdicts":
        """The verdicts of these rows (numbers or a mask)."""
        return Verdicts(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @classmethod
    def unjudged(cls, count: int) -> "Verdicts":
        """For ``count`` samples of which nothing is known."""
        empty = np.full(count, UNJUDGED, object)
        return cls(empty, empty, empty, np.full(count, np.nan), empty)

    @property
    def outlier(self) -> np.ndarray:
        """[N] bool."""
        return np.asarray(self.verdict == OUTLIER, bool)

    @property
    def mislabelled(self) -> np.ndarray:
        """[N] bool."""
        return np.asarray(self.verdict == MISLABELLED, bool)

    @property
    def in_doubt(self) -> np.ndarray:
        """[N] bool: no verdict against the given label, and yet it is more likely wrong than right."""
        stays = np.isin(self.verdict, (CLEAN, NEAR_DUPLICATE))
        # false where the confidence is NaN
        return stays & (self.confidence.astype(float) < 0.5)

    @property
    def against(self) -> np.ndarray:
        """[N] bool: judged mislabelled or an outlier."""
        return self.mislabelled | self.outlier

    @property
    def clips(self) -> list[np.ndarray]:
        """The rows [n] int64 of each clip that was judged mislabelled as a whole, rising."""
        together: dict[str, list[int]] = {}
        for row in np.flatnonzero(self.against).tolist():
            if self.reason[row].startswith(CLIP_REASON):
                together.setdefault(self.reason[row], []).append(row)
        return [np.array(each, np.int64) for each in together.values()]

    def only(self, rows: np.ndarray) -> "Verdicts":
        """The verdicts of outliers in ``rows`` [N] bool, for certain; nothing is known of the others."""
        empty = np.full(len(self), UNJUDGED, object)
        verdict, reason = (np.where(rows, column, "") for column in (self.verdict, self.reason))
        return Verdicts(verdict, empty, empty, np.where(rows, 1.0, np.nan), reason)
