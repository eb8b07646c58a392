"""How good each kind of verdict is, given who every image shows: single labels, clips, outliers, identities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fastreid_prune.datasets.truth import NO_ID, number_of
from fastreid_prune.io.names import dataset_names
from fastreid_prune.scored_run.identity_table import MORE, SAME, Finding
from fastreid_prune.scored_run.verdicts import Verdicts

SINGLE, CLIPS, LEFT_OUT, CLIPS_OUT = ("single labels", "clips", "left out", "clips left out")
IN_DOUBT = "in doubt"
# an identity holds more than one person where the second shows in this share of its images, two at least (ours)
LEAST_PART, LEAST_IMAGES = 0.15, 2


@dataclass(frozen=True)
class KindQuality:
    """One kind of verdict against the truth.

    Attributes:
        kind: which.
        given: verdicts of it; of identities, findings.
        right: of these.
        errors: errors of that kind in the data set.
        found: of these, by right verdicts.
        found_surely: of these, by the first findings, as far down as 90 % of them are right; None for verdicts, which
            have no rank here.
    """

    kind: str
    given: int
    right: int
    errors: int
    found: int
    found_surely: int | None = None

    @property
    def precision(self) -> float:
        """The share of the verdicts that is right; NaN without any."""
        return self.right / self.given if self.given else float("nan")

    @property
    def recall(self) -> float:
        """The share of the errors that is found; NaN without any."""
        return self.found / self.errors if self.errors else float("nan")

    def row(self) -> tuple[str, ...]:
        """For a table; see :data:`HEADER`."""
        shares = [
            "–" if np.isnan(share) else f"{100 * share:.0f} %" for share in (self.precision, self.recall)
        ]
        surely = "" if self.found_surely is None else str(self.found_surely)
        return (
            self.kind.replace("_", " "), str(self.given), str(self.right), shares[0], str(self.errors),
            str(self.found), shares[1], surely,
        )  # fmt: skip


HEADER = ("kind", "given", "right", "precision", "errors", "found", "recall", "found at 90 %")


@dataclass(frozen=True)
class TrueIdentities:
    """Who N images show, and so who the identities of a data set are.

    Attributes:
        pid: [N] str, the given identities.
        camera: [N] str.
        person: [N] int, the number of who is shown; ``NO_ID`` where it is nobody, or more than one person.
        named_after: identity -> person; by default each identity's own number.
    """

    pid: np.ndarray
    camera: np.ndarray
    person: np.ndarray
    named_after: Mapping[str, int] | None = None

    @classmethod
    def of(cls, pid: np.ndarray, camera: np.ndarray, true_id: Sequence[int | str]) -> "TrueIdentities":
        """Of images [N] that show these persons, given as the data set numbers or names its identities.

        >>> pid = np.array(["people_ann", "people_ann", "people_eve"], object)
        >>> TrueIdentities.of(pid, np.zeros(3, object), ["ann", "eve", "people_eve"]).wrong
        array([False,  True, False])
        """
        if all(isinstance(one, int) for one in true_id):
            return cls(pid, camera, np.array(true_id, np.int64))
        known, title = np.unique(pid.astype(str)), dataset_names(np.unique(pid.astype(str)))
        short = {
            name: name.removeprefix(f"{data}_") for name, data in zip(known.tolist(), title, strict=True)
        }
        called = [short.get(str(one), str(one)) for one in true_id]
        number = {name: place for place, name in enumerate(sorted(set(called) - {str(NO_ID)}))}
        person = np.array([number.get(name, NO_ID) for name in called], np.int64)
        return cls(pid, camera, person, {name: number[own] for name, own in short.items() if own in number})

    @cached_property
    def main(self) -> dict[str, int]:
        """Identity -> its person: that of its own number where images of it show that one, else whom most show.

        >>> pid, nobody = np.array(["m_1", "m_1", "m_9"], object), np.zeros(3, object)
        >>> TrueIdentities(pid, nobody, np.array([1, 4, 4])).main
        {'m_1': 1, 'm_9': 4}
        """
        result = {}
        for pid, (shown, count) in self._shown.items():
            own = number_of(pid) if self.named_after is None else self.named_after.get(pid)
            result[pid] = (
                own
                if own is not None and own in shown
                else int(shown[count.argmax()])
                if len(shown)
                else NO_ID
            )
        return result

    @cached_property
    def _shown(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        names, place = np.unique(self.pid.astype(str), return_inverse=True)
        order = np.argsort(place, kind="stable")
        parts = np.split(self.person[order], np.flatnonzero(np.diff(place[order])) + 1)
        return {
            str(name): np.unique(part[part != NO_ID], return_counts=True)
            for name, part in zip(names, parts, strict=True)
        }

    @cached_property
    def wrong(self) -> np.ndarray:
        """[N] bool, the image shows another person than its identity's."""
        return (self.person != NO_ID) & (self.person != np.array([self.main[str(pid)] for pid in self.pid]))

    @cached_property
    def in_groups(self) -> np.ndarray:
        """[N] bool, of the wrong ones: another with the same label and camera shows the same person."""
        keys = np.c_[
            [np.unique(column.astype(str), return_inverse=True)[1] for column in (self.pid, self.camera)]
        ].T
        _, which, size = np.unique(
            np.c_[keys, self.person, self.wrong], axis=0, return_inverse=True, return_counts=True
        )
        return self.wrong & (size[which.reshape(-1)] > 1)

    def shows(self, pid: np.ndarray) -> np.ndarray:
        """[N] bool, that each image shows the person of identity ``pid`` [N] str."""
        return np.array([self.main.get(str(name), NO_ID) for name in pid]) == self.person

    @cached_property
    def pairs(self) -> set[frozenset[str]]:
        """Two identities that are one person each."""
        of: dict[int, list[str]] = {}
        for pid, person in self.main.items():
            of.setdefault(person, []).append(pid)
        of.pop(NO_ID, None)
        return {
            frozenset((one, two)) for pids in of.values() for k, one in enumerate(pids) for two in pids[:k]
        }

    @cached_property
    def mixed(self) -> set[str]:
        """Identities that hold more than one person."""
        return {
            pid
            for pid, (_, count) in self._shown.items()
            if len(count) > 1 and np.sort(count)[-2] >= max(LEAST_PART * count.sum(), LEAST_IMAGES)
        }

    def bears_out(self, finding: Finding) -> bool:
        """Whether a finding about identities is right."""
        if finding.kind == SAME:
            return frozenset((finding.pid, finding.other_pid)) in self.pairs
        return finding.pid in self.mixed


def of_each_kind(
    truth: TrueIdentities,
    natural: np.ndarray,
    verdicts: Verdicts,
    findings: Sequence[Finding],
    outlier: np.ndarray | None = None,
) -> list[KindQuality]:
    """Measure each kind of verdict.

    A name is right where the identity suggested is the person's, under whichever of its numbers. What is in doubt is
    measured by the errors that no verdict deals with. What the scoring run moved on purpose gets no verdicts and does
    not count.

    Args:
        truth: of N images.
        natural: [N] bool, nothing was done to them in the scoring run.
        verdicts: N of them.
        findings: about identities, the most likely of each kind first.
        outlier: [N] bool, images that should not be trained with; by default those that show nobody.
    """
    outlier = truth.person == NO_ID if outlier is None else outlier
    wrong = truth.wrong & natural & ~outlier
    in_clip = np.zeros(len(natural), bool)
    for rows in verdicts.clips:
        in_clip[rows] = True
    right = verdicts.mislabelled & wrong & truth.shows(verdicts.suggested_pid)
    result = []
    for kind, given, errors in (
        (SINGLE, verdicts.mislabelled & ~in_clip, wrong & ~truth.in_groups),
        (CLIPS, verdicts.mislabelled & in_clip, wrong & truth.in_groups),
    ):
        result.append(KindQuality(kind, *_counts(given & natural, given & right, errors, errors & right)))
    thrown, bad = verdicts.outlier & natural, outlier | wrong
    for kind, given, errors in (
        (LEFT_OUT, thrown & ~in_clip, outlier & natural),
        (CLIPS_OUT, thrown & in_clip, wrong & truth.in_groups),
    ):
        result.append(KindQuality(kind, *_counts(given, given & bad, errors, errors & thrown)))
    doubted, open_errors = verdicts.in_doubt & natural, bad & natural & ~verdicts.against
    result.append(KindQuality(IN_DOUBT, *_counts(doubted, doubted & bad, open_errors, open_errors & doubted)))
    for kind, actual in ((SAME, truth.pairs), (MORE, truth.mixed)):
        found = [truth.bears_out(one) for one in findings if one.kind == kind]
        result.append(
            KindQuality(
                kind, len(found), sum(found), len(actual), sum(found), at_precision(np.array(found, bool))
            )
        )
    return result


def at_precision(right: np.ndarray, precision: float = 0.9) -> int:
    """How many are right down to the lowest rank of this precision; ``right`` [n] bool in the order of rank.

    >>> at_precision(np.array([True, True, False, True]), 0.75), at_precision(np.array([False]))
    (3, 0)
    """
    hits = np.cumsum(right)
    enough = np.flatnonzero(hits >= precision * np.arange(1, len(right) + 1))
    return int(hits[enough[-1]]) if len(enough) else 0


def _counts(*masks: np.ndarray) -> list[int]:
    return [int(mask.sum()) for mask in masks]
