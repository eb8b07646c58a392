"""One call that exports a scored run in any formats."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.export import cleanlab, fiftyone, imagefolder, lists, market1501
from fastreid_prune.export.folders import Images, whole_folder, write_checksums
from fastreid_prune.export.publication import Publication, publications
from fastreid_prune.scored_run.identity_table import IDENTITIES, read_identities, write_identities
from fastreid_prune.scored_run.run_files import RunFiles


@dataclass(frozen=True)
class ExportSummary:
    """What :func:`export_run` wrote.

    Attributes:
        folder: the output.
        datasets: data set -> number of samples, mislabelled, outliers.
        files: what was written, relative to ``folder``, links to images left out.
    """

    folder: Path
    datasets: dict[str, tuple[int, int, int]]
    files: list[str]


FORMATS: dict[str, Callable[[Publication, Path, Images], None]] = {
    "lists": lists.write,
    "market1501": market1501.write,
    "imagefolder": imagefolder.write,
    "fiftyone": fiftyone.write,
    "cleanlab": cleanlab.write,
}


def export_run(
    run: str | os.PathLike | RunFiles,
    output: str | os.PathLike,
    formats: Sequence[str] = ("lists",),
    *,
    method: str = "entropy",
    manifest: str | os.PathLike | None = None,
    images: str | os.PathLike | None = None,
    copy: bool = False,
) -> ExportSummary:
    """Write ``output/<data set>/`` for each data set of a scored run. The same run gives the same bytes.

    Where the run's ``identities.csv`` has findings, they are written beside the formats.

    Args:
        run: a scored run, or its folder.
        output: a new or empty folder.
        formats: of :data:`FORMATS`.
        method: the score that ranks.
        manifest: what stays under which identity, for formats with images; by default everything but outliers.
        images: the folder of the data sets, for formats with images.
        copy: copy the images; else link to them.

    Raises:
        FastreidPruneError: no scored run, an unknown format, a format without the images it needs, an output that
            exists.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise FastreidPruneError(f"format: found {unknown[0]!r}, expected one of {', '.join(FORMATS)}.")
    run = RunFiles.open(run)
    sets = publications(run, method, manifest)
    found = read_identities(run.folder / IDENTITIES) if (run.folder / IDENTITIES).is_file() else []
    where = Images(None if images is None else Path(images), copy)
    with whole_folder(output) as folder:
        for publication in sets:
            own = folder / publication.name
            own.mkdir()
            for name in dict.fromkeys(formats):
                FORMATS[name](publication, own, where)
            here = set(publication.table.pid.tolist())
            if findings := [one for one in found if one.pid in here]:
                write_identities(own / IDENTITIES, findings)
            write_checksums(own)
        written = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
        listed = [path for path in written if path.suffix.lower() not in _IMAGES]
        files = [path.relative_to(folder).as_posix() for path in listed]
    counts = {
        each.name: (
            len(each),
            int(each.table.verdicts.mislabelled.sum()),
            int(each.table.verdicts.outlier.sum()),
        )
        for each in sets
    }
    return ExportSummary(Path(output), counts, files)


_IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
