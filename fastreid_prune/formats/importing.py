"""One call that makes a manifest of whatever came back."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats import registry
from fastreid_prune.formats.corrected import Corrected
from fastreid_prune.formats.decided import IdentityDecisions
from fastreid_prune.formats.identities import from_identities
from fastreid_prune.formats.listed import Listed, merge
from fastreid_prune.formats.matching import Tally
from fastreid_prune.formats.registry import Format, Request
from fastreid_prune.formats.to_manifest import from_corrections, from_lists
from fastreid_prune.manifest import Manifest
from fastreid_prune.manifest.brake import MOST_REMOVED
from fastreid_prune.scored_run.identity_table import ACCEPT, IDENTITIES, read_identities
from fastreid_prune.trajectory import Samples

_Reading = TypeVar("_Reading", Corrected, IdentityDecisions, Manifest)


@dataclass(frozen=True)
class ImportSummary:
    """What :func:`import_lists` did.

    Attributes:
        manifest: the CSV that was written.
        kind: the format that was read.
        counts: samples by action.
        samples: all samples of the data set.
        unlisted: how many of them nothing was said about, and ``unlisted_examples``.
        missing: how many of these the base manifest had given out to be corrected.
        notes: what else was done or left, such as purification that goes too far, in sentences.
        tally: what became of the rows that were read.
        new_ids: identities that the data set does not have.
    """

    manifest: Path
    kind: str
    counts: dict[str, int]
    samples: int
    unlisted: int
    unlisted_examples: list[str]
    tally: Tally
    new_ids: list[str]
    missing: int = field(default=0)
    notes: list[str] = field(default_factory=list)


def import_lists(
    lists: str | os.PathLike,
    output: str | os.PathLike,
    samples: Samples,
    root: str | os.PathLike,
    *,
    format: str | None = None,
    ratio: float | None = None,
    purify: bool = False,
    method: str | None = None,
    base: str | os.PathLike | None = None,
    remove_missing: bool = False,
    edited: bool = False,
    most_removed: float = MOST_REMOVED,
    lose_identities: bool = False,
) -> ImportSummary:
    """Make a manifest for a data set on disk of published lists, or of what a person corrected.

    Args:
        lists: a file or folder in one of the formats of :func:`.registry.read`, or a folder of one such folder a
            data set.
        output: the manifest's CSV.
        samples: the training samples of the data set on disk.
        root: the folder that their names are relative to.
        format: the name of the format; by default it is told by the files.
        ratio: the fraction to prune; lists by default prune nothing, corrections keep what they were made from.
        purify: act on the verdicts in lists.
        method: the score in lists to rank by; by default the one they are ranked by.
        base: for corrections, the manifest that the person's copy was made from; by default the one in the folder.
        remove_missing: for corrections, images that were given out and are no longer there were taken out. By
            default what is not mentioned keeps its label.
        edited: accept files of ours that were changed.
        most_removed, lose_identities: how far ``purify`` may go, as for :func:`.manifest.prune_run`.

    Raises:
        FastreidPruneError: it is none of these, is damaged or hostile, or is for another data set.
    """
    found = _find(Path(lists), format)
    request = Request(samples, Path(root), method, edited)
    readings = [form.read(path, request) for form, path in found if form.read is not None]
    listed = [each for each in readings if isinstance(each, Listed)]
    corrections = [each for each in readings if isinstance(each, Corrected)]
    missing, notes = 0, list[str]()
    if listed and len(listed) < len(readings):
        raise FastreidPruneError(f"{lists}: lists beside corrections. Import them one by one.")
    if listed:
        merged = merge(listed)
        manifest, notes = from_lists(samples, merged, ratio or 0.0, purify, most_removed, lose_identities)
        present, tally = merged.listed, merged.tally
        notes += [note for _, path in found for note in _identities_beside(path)]
    elif corrections:
        corrected = _one(corrections, lists)
        before = base if base is not None else corrected.base
        based_on = None if before is None else Manifest.read(before)
        manifest = from_corrections(samples, corrected, based_on, ratio, remove_missing)
        present, tally = corrected.present, corrected.tally
        if based_on is not None:
            given_out = based_on.kept[based_on.check_against(samples.file_name, samples.pid)]
            missing = int((given_out & ~present).sum())
    elif decided := [each for each in readings if isinstance(each, IdentityDecisions)]:
        one = _one(decided, lists)
        manifest = from_identities(samples, one, None if base is None else Manifest.read(base), ratio)
        present, tally = np.ones(len(samples), bool), Tally(len(one.findings), len(one.findings))
        notes.append(one.summary)
    else:
        manifest = _one([each for each in readings if isinstance(each, Manifest)], lists)
        present = np.ones(len(samples), bool)
        tally = Tally(len(samples), len(samples))
    manifest.write(output)
    absent = np.flatnonzero(~present)
    return ImportSummary(
        manifest=Path(output),
        kind=found[0][0].name,
        counts=manifest.counts,
        samples=len(samples),
        unlisted=len(absent),
        unlisted_examples=samples.file_name[absent[:5]].tolist(),
        tally=tally,
        new_ids=list(manifest.about["new_ids"]),
        missing=missing,
        notes=notes,
    )


def _identities_beside(folder: Path) -> list[str]:
    """That decisions on identities lie beside lists, and how to act on them; nothing where there are none."""
    path = folder / IDENTITIES
    accepted = sum(one.decision == ACCEPT for one in read_identities(path)) if path.is_file() else 0
    if not accepted:
        return []
    return [
        f"{path}: {accepted} findings about identities are accepted there, and not acted on here. Import that file "
        "with the manifest of this import as --base."
    ]


def listed_datasets(lists: str | os.PathLike) -> list[str]:
    """The data sets that lists are for: as our lists say, else as their folders are called.

    Raises:
        FastreidPruneError: it is no folder of lists, which alone can tell.
    """
    said = [form.dataset(path) for form, path in _find(Path(lists), None) if form.dataset is not None]
    if not said:
        raise FastreidPruneError(f"{lists}: does not say which data set it is for. Name it with --dataset.")
    return said


def _find(path: Path, name: str | None) -> list[tuple[Format, Path]]:
    """What to read, and as what: the path itself, or where it is of no format the folders in it that are."""
    if not path.exists():
        raise FastreidPruneError(f"{path}: there is nothing. Check the path.")
    if name is not None:
        form = registry.get(name, registry.read())
        assert form.detect is not None
        if form.detect(path) or path.is_file():
            return [(form, path)]
        inside = [(form, each) for each in _folders(path) if form.detect(each)]
        if not inside:
            raise FastreidPruneError(f"{path}: not in the format {form.name}, which is {form.reads}.")
        return inside
    found = [(form, path) for form in registry.detected(path)]
    if not found:
        each_of = [(folder, registry.detected(folder)) for folder in _folders(path)]
        found = [(form, folder) for folder, forms in each_of for form in forms]
        several = any(len(forms) > 1 for _, forms in each_of)
    else:
        several = len(found) > 1
    if several:
        names = ", ".join(dict.fromkeys(form.name for form, _ in found))
        raise FastreidPruneError(f"{path}: could be {names}. Say which with --format.")
    if not found:
        known = "; ".join(f"{each.name}: {each.reads}" for each in registry.read())
        raise FastreidPruneError(f"{path}: in no format that is read. There are {known}.")
    return found


def _folders(path: Path) -> list[Path]:
    return (
        sorted(each for each in path.iterdir() if each.is_dir() and not each.is_symlink())
        if path.is_dir()
        else []
    )


def _one(readings: list[_Reading], path: str | os.PathLike) -> _Reading:
    if len(readings) > 1:
        raise FastreidPruneError(f"{path}: corrections of {len(readings)} data sets. Import them one by one.")
    return readings[0]
