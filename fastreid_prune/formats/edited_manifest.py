"""A manifest that a person edited by hand."""

from pathlib import Path

from fastreid_prune.formats import cleanlab, imagefolder
from fastreid_prune.formats.registry import Request, reader
from fastreid_prune.manifest import Manifest
from fastreid_prune.scored_run.identity_table import is_identities


def is_manifest(path: Path) -> bool:
    """Whether a path is a CSV that is no table of another format."""
    others = path.name in (cleanlab.TABLE, imagefolder.TABLE) or is_identities(path)
    return path.suffix == ".csv" and not others and path.is_file()


@reader("manifest", "a manifest's CSV that was edited by hand", detect=is_manifest)
def read(path: Path, request: Request) -> Manifest:
    """The manifest as it is now, with the identities that a person added, if it fits the data set otherwise.

    Raises:
        FastreidPruneError: it was changed and that is not accepted, its rows make no sense, or it is for other samples.
    """
    samples = request.samples
    manifest = Manifest.read(path, edited=request.edited)
    if request.edited:
        kept = set(manifest.new_pid[manifest.kept])
        manifest.about["new_ids"] = sorted(kept - set(samples.pid))
    manifest.check_against(samples.file_name, samples.pid)
    return manifest
