"""Writing a manifest: the CSV, then the JSON that vouches for it."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import sha256, written_whole
from fastreid_prune.io.names import check_names, dataset_names
from fastreid_prune.io.tables import text_blocks, write_csv
from fastreid_prune.manifest.columns import ACTIONS, COLUMNS, KEEP, RELABEL
from fastreid_prune.manifest.rules import Problems, check_rows
from fastreid_prune.manifest.sidecar import (
    ABOUT,
    SCHEMA_VERSION,
    encode_checksums,
    row_checksums,
    sidecar_path,
)
from fastreid_prune.version import __version__


def write_files(path: Path, columns: dict[str, np.ndarray], about: dict) -> None:
    """Write the manifest's CSV and JSON; a reader that comes in between finds a digest that does not fit.

    Raises:
        FastreidPruneError: rows that break a manifest's rules, or a file that cannot be written.
    """
    json_path = sidecar_path(path)
    check_names(columns["file_name"], str(path))
    problems, checksums, start = Problems(), [], 1
    for block in text_blocks(columns):
        check_rows(
            pa.RecordBatch.from_arrays([pa.array(c, pa.string()) for c in block], COLUMNS), start, problems
        )
        checksums.append(row_checksums(zip(*block, strict=True)))
        start += len(block[0])
    if problems:
        raise FastreidPruneError(f"{path}: not written, the manifest contradicts itself: {problems}.")
    write_csv(path, columns)
    text = json.dumps(_info(path, columns, about, checksums), indent=2, ensure_ascii=False)
    with written_whole(json_path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def _info(path: Path, columns: dict[str, np.ndarray], about: dict, checksums: list[np.ndarray]) -> dict:
    action, pid = columns["action"], columns["pid"]
    trained = (action == KEEP) | (action == RELABEL)
    return {
        "schema_version": SCHEMA_VERSION,
        "written_by": f"fastreid_prune {__version__}",
        "dataset": {
            "names": sorted(set(dataset_names(pid))),
            "samples": len(pid),
            "identities": len(set(pid)),
            "cameras": len(set(columns["camid"])),
        },
        "counts": {name: int((action == name).sum()) for name in ACTIONS},
        "identities_left": len(set(columns["new_pid"][trained])),
        **{key: about.get(key) for key in ABOUT},
        "csv": {
            "name": path.name,
            "rows": len(pid),
            "sha256": sha256(path),
            "row_checksums": encode_checksums(np.concatenate(checksums) if checksums else np.zeros(0, "<u2")),
        },
    }
