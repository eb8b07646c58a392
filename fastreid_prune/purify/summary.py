"""What the verdicts on one run are worth, in numbers."""

from dataclasses import dataclass, fields
from typing import Any

from fastreid_prune.purify.claims import CLIPS, CLIPS_OUT, NAMES, OUTLIERS, Claim
from fastreid_prune.purify.refusals import tells_injected

# of the labels; a data set of which no more can be wrong is called clean (ours)
HARDLY_ANY = 0.01


@dataclass(frozen=True)
class Summary:
    """What the verdicts are worth; fractions in [0, 1], None where it was not measured.

    Attributes:
        samples, mislabelled, outliers, in_doubt, near_duplicates: counts. ``in_doubt`` are more likely wrong than right
            though no verdict says so (:attr:`.Verdicts.in_doubt`).
        injected_in_doubt: those in doubt whose label was changed for the scoring run.
        precision: what was asked for.
        claims: one of each kind of verdict: what it is worth, or why there is none.
        wrong_share, outlier_share: what the data set holds by the mixture's estimate.
        most_wrong: the most that the share of wrong labels can be, if they score as injected ones do.
        suspects: how many labels are wrong by an estimate that nothing vouches for; 0 where the model does not tell
            injected ones. No verdict: pruning by ``auto`` begins with as many of the most doubted.
        injected_labels, injected_outliers, injected_clips: how many errors were injected.
        labels_found, outliers_found: the share of them that these verdicts find, each judged without knowing it.
        name_right: the share of injected wrong labels found whose own identity was suggested.
        name_first: the share of all of them whose own identity was suggested.
        separation: the share of pairs in which an injected wrong label is doubted more than a right one, by
            estimate.
        believed: the share of the given labels that the model believes at first sight.
        uncalibrated: the verdicts rest on the mixture alone, at the user's own word.
        approximations: what was not computed exactly, in sentences; empty where everything was.
    """

    samples: int
    mislabelled: int
    outliers: int
    precision: float
    claims: tuple[Claim, ...]
    wrong_share: float
    outlier_share: float
    believed: float
    in_doubt: int = 0
    injected_in_doubt: int = 0
    near_duplicates: int = 0
    most_wrong: float | None = None
    suspects: int = 0
    injected_labels: int = 0
    injected_outliers: int = 0
    injected_clips: int = 0
    labels_found: float | None = None
    outliers_found: float | None = None
    name_right: float | None = None
    name_first: float | None = None
    separation: float | None = None
    uncalibrated: bool = False
    approximations: tuple[str, ...] = ()

    def claim(self, kind: str) -> Claim:
        """The claim of a kind.

        Raises:
            KeyError: none was made.
        """
        return {claim.kind: claim for claim in self.claims}[kind]

    @property
    def good(self) -> bool:
        """The scoring model was good enough: wrong labels, outliers or clips can be judged as surely as asked for, or
        there are none to judge."""
        judged = any(
            claim.stands for claim in self.claims if claim.kind in (NAMES, OUTLIERS, CLIPS, CLIPS_OUT)
        )
        return judged or self.clean

    @property
    def clean(self) -> bool:
        """The model tells injected wrong labels, and hardly any label of the data set can be wrong as these are."""
        return self.tells_injected and self.most_wrong is not None and self.most_wrong <= HARDLY_ANY

    @property
    def tells_injected(self) -> bool:
        """The model tells injected wrong labels from right ones, and mostly knows whose they are."""
        return tells_injected(self.separation or 0.0, self.name_first or 0.0)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}
        lists = {
            "claims": [claim.to_json() for claim in self.claims],
            "approximations": list(self.approximations),
        }
        return plain | lists

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Summary":
        """The summary that :meth:`to_json` gave.

        Raises:
            TypeError: another version wrote it.
        """
        claims = tuple(Claim.from_json(one) for one in values["claims"])
        return cls(**(values | {"claims": claims, "approximations": tuple(values.get("approximations", ()))}))
