"""One call that makes a manifest of whatever came back."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.importing.assembling import from_corrections, from_lists
from fastreid_prune.importing.cvat import read_annotations
from fastreid_prune.importing.folder import images_folder, read_corrected_folder
from fastreid_prune.importing.listed import Listed
from fastreid_prune.importing.matching import Tally
from fastreid_prune.importing.paper import is_paper_folder, read_paper_lists
from fastreid_prune.importing.published import is_published_folder, read_info, read_published_lists
from fastreid_prune.manifest import Manifest
from fastreid_prune.trajectory import Samples


@dataclass(frozen=True)
class ImportSummary:
    """What :func:`import_lists` did.

    Attributes:
        manifest: the CSV that was written.
        kind: what was read.
        counts: samples by action.
        samples: all samples of the data set.
        unlisted: how many of them were not named, and ``unlisted_examples``.
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


def import_lists(
    lists: str | os.PathLike,
    output: str | os.PathLike,
    samples: Samples,
    root: str | os.PathLike,
    *,
    ratio: float | None = None,
    purify: bool = False,
    method: str | None = None,
    base: str | os.PathLike | None = None,
    edited: bool = False,
) -> ImportSummary:
    """Make a manifest for a data set on disk of published lists, or of what a person corrected.

    Args:
        lists: a folder of published lists, ours or in the paper's format, or of one such folder a data set; a
            corrected folder in Market-1501's layout; an ``.xml`` or ``.zip`` of CVAT's; a manifest's CSV that was
            edited by hand.
        output: the manifest's CSV.
        samples: the training samples of the data set on disk.
        root: the folder that their names are relative to.
        ratio: the fraction to prune; lists by default prune nothing, corrections keep what they were made from.
        purify: act on the verdicts in lists.
        method: the score in our lists to rank by; by default the one they are ranked by.
        base: for corrections, the manifest that the person's copy was made from; by default the one in the folder.
        edited: accept files of ours that were changed.

    Raises:
        FastreidPruneError: it is none of these, is damaged or hostile, or is for another data set.
    """
    lists, root = Path(lists), Path(root)
    folders = list_folders(lists)
    if folders:
        listed = [_read_lists(folder, samples, method, edited) for folder in folders]
        kind, merged = "lists", merge(listed)
        manifest = from_lists(samples, merged, ratio or 0.0, purify)
        present, tally = merged.listed, merged.tally
    elif lists.suffix == ".csv":
        kind, tally = "manifest", Tally(len(samples), len(samples))
        manifest, present = _edited_manifest(lists, samples, edited), np.ones(len(samples), bool)
    else:
        folder = lists.is_dir()
        corrected = (
            read_corrected_folder(lists, samples, root) if folder else read_annotations(lists, samples)
        )
        kind = "corrected folder" if folder else "annotations"
        before = _base(lists, base)
        manifest = from_corrections(samples, corrected, before, ratio)
        present, tally = corrected.present, corrected.tally
    manifest.write(output)
    missing = np.flatnonzero(~present)
    return ImportSummary(
        manifest=Path(output),
        kind=kind,
        counts=manifest.counts,
        samples=len(samples),
        unlisted=len(missing),
        unlisted_examples=samples.file_name[missing[:5]].tolist(),
        tally=tally,
        new_ids=list(manifest.about["new_ids"]),
    )


def listed_datasets(lists: str | os.PathLike) -> list[str]:
    """The data sets that lists are for: as our lists say, else as their folders are called.

    Raises:
        FastreidPruneError: it is no folder of lists, which alone can tell.
    """
    folders = list_folders(Path(lists))
    if not folders:
        raise FastreidPruneError(f"{lists}: does not say which data set it is for. Name it with --dataset.")
    said = [read_info(folder).get("dataset") if is_published_folder(folder) else None for folder in folders]
    return [
        name if isinstance(name, str) else folder.resolve().name
        for name, folder in zip(said, folders, strict=True)
    ]


def list_folders(lists: Path) -> list[Path]:
    """The folders of published lists at ``lists``: itself, or those in it; empty if it is something else."""
    if not lists.exists():
        raise FastreidPruneError(f"{lists}: there is nothing. Check the path.")
    if not lists.is_dir():
        return []
    for place in (
        [lists],
        sorted(path for path in lists.iterdir() if path.is_dir() and not path.is_symlink()),
    ):
        found = [folder for folder in place if is_published_folder(folder) or is_paper_folder(folder)]
        if found:
            return found
    return []


def merge(parts: list[Listed]) -> Listed:
    """Lists of several data sets as one. What one of them does not know another may.

    Raises:
        FastreidPruneError: they are ranked by different scores.
    """
    first = parts[0]
    if len({part.method for part in parts}) > 1:
        raise FastreidPruneError(
            f"the lists are ranked by {sorted({part.method for part in parts})}; choose a method."
        )
    for part in parts[1:]:
        fresh = part.listed & ~first.listed
        for name in ("score", "listed", "verdict", "suggested_pid", "reason"):
            getattr(first, name)[fresh] = getattr(part, name)[fresh]
        first.judged |= part.judged
        first.source = {**first.source, "and": {**part.source, **first.source.get("and", {})}}
        first.tally.rows += part.tally.rows
        first.tally.matched += part.tally.matched
        first.tally.by_last_part += part.tally.by_last_part
        for what, count in part.tally.problems.items():
            first.tally.note(what, part.tally.named[what], count)
    return first


def _read_lists(folder: Path, samples: Samples, method: str | None, edited: bool) -> Listed:
    if is_published_folder(folder):
        return read_published_lists(folder, samples, method, edited)
    return read_paper_lists(folder, samples)


def _edited_manifest(path: Path, samples: Samples, edited: bool) -> Manifest:
    """A manifest as it is now, with the identities that a person added, if it fits the data set otherwise."""
    manifest = Manifest.read(path, edited=edited)
    if edited:
        kept = set(manifest.new_pid[manifest.kept])
        manifest.about["new_ids"] = sorted(kept - set(samples.pid))
    manifest.check_against(samples.file_name, samples.pid)
    return manifest


def _base(lists: Path, base: str | os.PathLike | None) -> Manifest | None:
    if base is not None:
        return Manifest.read(base)
    if lists.is_dir():
        beside = images_folder(lists)
        path = beside.parent / "manifest.csv" if beside is not None else None
        if path is not None and path.is_file():
            return Manifest.read(path)
    return None
