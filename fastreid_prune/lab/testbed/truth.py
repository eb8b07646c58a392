"""``truth.csv``: what every image of a test bed really shows."""

import csv
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import written_whole

NO_ID = -1  # the true id of an image that shows no single known person
CLEAN_KINDS = ("clean", "near_copy")
OUTLIER_PREFIX = "outlier_"


@dataclass(frozen=True)
class TruthRow:
    """One image.

    Attributes:
        file: path relative to the test bed's folder, with forward slashes.
        true_id: the number of the person shown, ``NO_ID`` where it shows none, or more than one.
        kind: ``clean``, ``near_copy`` (of another image), ``wrong_label``, ``distractor`` (in the gallery),
            or ``outlier_…``: ``outlier_two_people``, ``outlier_object``, ``outlier_background``,
            ``outlier_occlusion``, ``outlier_foreign`` (a person who is none of the identities).
        given_id: the number that the file's name gives.
        camera: the number that the file's name gives, from 1.
        split: ``train``, ``query`` or ``gallery``.
        near_copy_of: the file of which this is a near-copy, else empty. A near-copy may have a wrong label.
    """

    file: str
    true_id: int
    kind: str
    given_id: int
    camera: int
    split: str
    near_copy_of: str = ""

    @property
    def is_outlier(self) -> bool:
        """Whether the image should not be in a training set at all."""
        return self.kind.startswith(OUTLIER_PREFIX)

    @property
    def is_mislabelled(self) -> bool:
        """Whether the image shows one person and is labelled as another."""
        return self.kind == "wrong_label"


COLUMNS = tuple(field.name for field in fields(TruthRow))


def write_truth(path: str | os.PathLike, rows: Iterable[TruthRow]) -> None:
    """Write rows, in the order of their files."""
    with written_whole(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in sorted(rows, key=lambda row: row.file))


def read_truth(path: str | os.PathLike) -> list[TruthRow]:
    """Read what :func:`write_truth` wrote.

    Raises:
        FastreidPruneError: there is no such file, a column is missing, or an id is no number.
    """
    path = Path(path)
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise FastreidPruneError(
                    f"{path}: the columns {', '.join(missing)} are missing; found "
                    f"{', '.join(reader.fieldnames or ())}. "
                    "Give a truth.csv as `fastreid-prune demo` or `fastreid-prune plant` writes it."
                )
            return [_row(path, reader.line_num, line) for line in reader]
    except OSError as error:
        raise FastreidPruneError(
            f"{path}: cannot be read ({error.strerror}). Give the path of a truth.csv."
        ) from error


def _row(path: Path, line: int, values: dict[str, str]) -> TruthRow:
    try:
        numbers = {name: int(values[name]) for name in ("true_id", "given_id", "camera")}
    except (TypeError, ValueError) as error:
        raise FastreidPruneError(
            f"{path}, line {line}: true_id, given_id and camera must be whole numbers ({error}). "
            "Write the file anew."
        ) from error
    return TruthRow(
        file=values["file"],
        kind=values["kind"],
        split=values["split"],
        near_copy_of=values["near_copy_of"],
        **numbers,
    )
