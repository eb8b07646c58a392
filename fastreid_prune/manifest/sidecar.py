"""The JSON beside a manifest: how it was made, what it counts, and how to notice that a row was changed."""

import base64
import binascii
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError

SCHEMA_VERSION = 1
ABOUT = ("method", "ratio", "thresholds", "source", "regime", "new_ids")
# two bytes a row, 20 million rows, and then some
_MAX_BYTES = 80 << 20


def sidecar_path(path: Path) -> Path:
    """The JSON of the manifest at ``path``.

    Raises:
        FastreidPruneError: ``path`` does not end in ``.csv``.
    """
    if path.suffix != ".csv":
        raise FastreidPruneError(f"{path}: expected the manifest's CSV, a name that ends in '.csv'.")
    return path.with_suffix(".json")


def row_checksums(rows: Iterable[Iterable[str]]) -> np.ndarray:
    """16 bits a row of text values, [N] uint16: enough to say which rows of an edited file differ."""
    return np.array([binascii.crc_hqx("\x1f".join(row).encode(), 0) for row in rows], dtype="<u2")


def encode_checksums(checksums: np.ndarray) -> str:
    """As text for the JSON."""
    return base64.b64encode(checksums.astype("<u2").tobytes()).decode("ascii")


def decode_checksums(text: Any) -> np.ndarray:
    """[N] uint16 of what :func:`encode_checksums` gave; empty where it is damaged."""
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), dtype="<u2")
    except (TypeError, ValueError):
        return np.zeros(0, np.uint16)


def read_sidecar(path: Path) -> dict[str, Any]:
    """The JSON at ``path``, checked as far as the rows are not needed.

    Raises:
        FastreidPruneError: missing, not JSON, without what it must say, or of a newer schema.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FastreidPruneError(
                f"{path}: larger than {_MAX_BYTES >> 20} MiB, which no manifest's JSON is."
            )
        info = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FastreidPruneError(
            f"{path}: cannot be read ({error.strerror or error}). A manifest is two files, CSV and JSON; "
            "copy both."
        ) from error
    except (ValueError, RecursionError) as error:
        raise FastreidPruneError(f"{path}: this is no JSON ({error!s:.200}). Copy it again.") from None
    version = info.get("schema_version") if isinstance(info, dict) else None
    if type(version) is not int or version < 1:
        raise FastreidPruneError(f"{path}: no schema_version; this is not the JSON of a manifest.")
    if version > SCHEMA_VERSION:
        raise FastreidPruneError(
            f"{path}: schema version {version} is newer than this package knows ({SCHEMA_VERSION}). "
            "Upgrade fastreid_prune, or make the manifest again with this version."
        )
    csv_info = info.get("csv")
    new_ids = info.get("new_ids", [])
    if (
        not isinstance(csv_info, dict)
        or not isinstance(csv_info.get("sha256"), str)
        or not isinstance(csv_info.get("rows"), int)
        or not isinstance(new_ids, list)
        or not all(isinstance(pid, str) for pid in new_ids)
    ):
        raise FastreidPruneError(
            f"{path}: 'csv' (sha256, rows) or 'new_ids' is missing or damaged. Copy it again."
        )
    return info
