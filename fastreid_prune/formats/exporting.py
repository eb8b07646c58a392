"""One call that exports a scored run in any formats."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastreid_prune.formats import registry
from fastreid_prune.formats.folders import IMAGES, Images, whole_folder, write_checksums
from fastreid_prune.formats.publication import publications
from fastreid_prune.scored_run.identity_table import IDENTITIES, read_identities, write_identities
from fastreid_prune.scored_run.run_files import RunFiles


@dataclass(frozen=True)
class ExportSummary:
    """What :func:`export_run` wrote.

    Attributes:
        folder: the output.
        datasets: data set -> number of samples, mislabelled, outliers.
        files: what was written, relative to ``folder``, images left out.
        notes: what a reader of the files should know, in sentences.
    """

    folder: Path
    datasets: dict[str, tuple[int, int, int]]
    files: list[str]
    notes: list[str] = field(default_factory=list)


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
        formats: names of :func:`.registry.written`.
        method: the score that ranks.
        manifest: what stays under which identity, for formats with images; by default everything but outliers.
        images: the folder of the data sets, for formats with images.
        copy: copy the images; else link to them.

    Raises:
        FastreidPruneError: no scored run, an unknown format, a format without the images it needs, an output that
            exists.
    """
    chosen = [registry.get(name, registry.written()) for name in dict.fromkeys(formats)]
    run = RunFiles.open(run)
    sets = publications(run, method, manifest)
    found = read_identities(run.folder / IDENTITIES) if (run.folder / IDENTITIES).is_file() else []
    where = Images(None if images is None else Path(images), copy)
    notes: list[str] = []
    with whole_folder(output) as folder:
        for publication in sets:
            place = folder / publication.name
            place.mkdir()
            for each in chosen:
                assert each.write is not None
                notes += each.write(publication, place, where) or []
            here = set(publication.table.pid.tolist())
            if findings := [one for one in found if one.pid in here]:
                write_identities(place / IDENTITIES, findings)
            write_checksums(place)
        written = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
        listed = [path for path in written if path.suffix.lower() not in IMAGES]
        files = [path.relative_to(folder).as_posix() for path in listed]
    counts = {
        each.name: (
            len(each),
            int(each.table.verdicts.mislabelled.sum()),
            int(each.table.verdicts.outlier.sum()),
        )
        for each in sets
    }
    return ExportSummary(Path(output), counts, files, notes)
