"""``truth.csv``: what every image of a test bed really shows."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.tables import CsvReader, write_csv

NO_ID = -1  # the true id of an image that shows no single known person
CLEAN_KINDS = ("clean", "near_copy")
OUTLIER_PREFIX = "outlier_"
WRONG_KINDS = ("wrong_label", "wrong_tracklet", "merged")


@dataclass(frozen=True)
class TruthRow:
    """One image. Only its file and its true id need be known.

    Attributes:
        file: path relative to the test bed's folder, with forward slashes.
        true_id: who is shown, as the data set numbers or names its identities (``ann`` of ``people_ann``); ``NO_ID``
            where it shows nobody known, or more than one person.
        kind: ``clean``, ``near_copy`` (of another image), ``wrong_label`` (of a single image), ``wrong_tracklet`` (of
            all of a person in a camera), ``merged`` (the person shares the number of another), ``split`` (the person
            has two numbers, and this is the second: no wrong label by itself), ``distractor`` (in the gallery),
            or ``outlier_…``: ``outlier_two_people``, ``outlier_object``, ``outlier_background``,
            ``outlier_occlusion``, ``outlier_foreign`` (a person who is none of the identities);
            empty where it is not said: it then follows from the ids.
        given_id: the number that the file's name gives; None where it is not said.
        camera: the number that the file's name gives, from 1; None where it is not said.
        split: ``train``, ``query`` or ``gallery``; empty where it is not said.
        near_copy_of: the file of which this is a near-copy, else empty. A near-copy may have a wrong label.
    """

    file: str
    true_id: int | str
    kind: str = ""
    given_id: int | None = None
    camera: int | None = None
    split: str = ""
    near_copy_of: str = ""

    @property
    def is_outlier(self) -> bool:
        """Whether the image should not be in a training set at all."""
        return self.kind.startswith(OUTLIER_PREFIX) if self.kind else self.true_id == NO_ID

    @property
    def is_mislabelled(self) -> bool:
        """Whether the image shows one person and is labelled as another."""
        if self.kind or self.given_id is None:
            return self.kind in WRONG_KINDS
        return self.true_id not in (self.given_id, NO_ID)

    def given(self, number: int) -> "TruthRow":
        """The row with ``number`` as the given id where it says none."""
        return self if self.given_id is not None else replace(self, given_id=number)


def number_of(pid: str) -> int | None:
    """The number of an identity as the data set's files give it: 12 for ``market1501_12``; None where it has none."""
    number = pid.rsplit("_", 1)[-1]
    return int(number) if number.isdecimal() else None


def goes_by(pid: str, true_id: int | str) -> bool:
    """Whether an identity has this number or name, the data set's before it or not.

    >>> goes_by("market1501_12", 12), goes_by("people_ann", "ann"), goes_by("people_joann", "ann")
    (True, True, False)
    """
    if isinstance(true_id, int):
        return number_of(pid) == true_id
    return pid == true_id or pid.endswith(f"_{true_id}")


COLUMNS = tuple(field.name for field in fields(TruthRow))
NEEDED = ("file", "true_id")


def write_truth(path: str | os.PathLike, rows: Iterable[TruthRow]) -> None:
    """Write rows, in the order of their files."""
    ordered = sorted(rows, key=lambda row: row.file)
    write_csv(path, {name: [getattr(row, name) for row in ordered] for name in COLUMNS})


def read_truth(path: str | os.PathLike) -> list[TruthRow]:
    """Read what :func:`write_truth` wrote, or any CSV with the columns ``file`` and ``true_id``.

    Raises:
        FastreidPruneError: there is no such file, a column is missing, an id is missing, or one that is given is no
            number.
    """
    table = CsvReader(path, NEEDED)
    present = [name for name in COLUMNS if name in table.columns]
    lines = (line for block in table.blocks(present) for line in block.to_pylist())
    rows = [_row(table.path, number, line) for number, line in enumerate(lines, start=2)]
    if table.malformed:
        raise FastreidPruneError(
            f"{path}: {table.malformed} lines do not have {len(table.columns)} fields, as its first line has. "
            "Write the file anew."
        )
    return rows


def _row(path: Path, line: int, values: dict[str, str]) -> TruthRow:
    try:
        return TruthRow(
            file=values["file"],
            true_id=_number_or_name(values["true_id"]),
            kind=values.get("kind") or "",
            given_id=_number(values.get("given_id")),
            camera=_number(values.get("camera")),
            split=values.get("split") or "",
            near_copy_of=values.get("near_copy_of") or "",
        )
    except (TypeError, ValueError) as error:
        raise FastreidPruneError(
            f"{path}, line {line}: true_id must be the number or name of an identity ({NO_ID} where nobody known is "
            f"shown), and given_id and camera, where they are given, whole numbers ({error}). Write the file anew."
        ) from error


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def _number_or_name(text: str | None) -> int | str:
    if not text:
        raise ValueError("true_id is empty")
    try:
        return int(text)
    except ValueError:
        return text
