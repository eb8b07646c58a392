"""Published lists: a table of all samples, what people read of it, the paper's three files, and a data card."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats import card, paper
from fastreid_prune.formats.folders import CHECKSUMS, Images
from fastreid_prune.formats.listed import Listed
from fastreid_prune.formats.matching import NameIndex
from fastreid_prune.formats.numbering import Identities
from fastreid_prune.formats.publication import Publication
from fastreid_prune.formats.registry import Request, reader, writer
from fastreid_prune.io.files import sha256
from fastreid_prune.io.tables import CsvReader, write_csv
from fastreid_prune.scored_run.score_table import CSV, IDENTITY_COLUMNS, VERDICT_COLUMNS
from fastreid_prune.scored_run.verdicts import KINDS, MISLABELLED, OUTLIER
from fastreid_prune.trajectory import Samples
from fastreid_prune.version import __version__

# what the lists are, for programs
INFO, SCHEMA_VERSION = "lists.json", 1
_MAX_TEXT = 1 << 20
_NUMBER = r"^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,4})?$|^-?inf$"


@writer("lists", "lists to publish: all scores and verdicts, the paper's three files, data card, checksums")
def write(publication: Publication, folder: Path, images: Images) -> None:
    """Write the paper's files, ``scores``, ``important``, ``mislabelled``, ``outliers``, data card and info."""
    paper.write(publication, folder, images)
    table, verdicts, order = publication.table, publication.table.verdicts, publication.order
    table.write(folder)
    write_csv(
        folder / "important.csv",
        {
            "rank": np.arange(1, len(table) + 1),
            "file_name": table.file_name[order],
            "pid": table.pid[order],
            "camid": table.camid[order],
            publication.method: table.scores[publication.method][order],
        },
    )
    wrong = _by_confidence(verdicts.mislabelled, verdicts.confidence, table.file_name)
    write_csv(
        folder / "mislabelled.csv",
        {
            "file_name": table.file_name[wrong],
            "given_pid": table.pid[wrong],
            "suggested_pid": verdicts.suggested_pid[wrong],
            "confidence": verdicts.confidence[wrong],
            "runner_up_pid": verdicts.runner_up_pid[wrong],
            "reason": verdicts.reason[wrong],
        },
    )
    outliers = _by_confidence(verdicts.outlier, verdicts.confidence, table.file_name)
    write_csv(
        folder / "outliers.csv",
        {
            "file_name": table.file_name[outliers],
            "pid": table.pid[outliers],
            "confidence": verdicts.confidence[outliers],
            "evidence": verdicts.reason[outliers],
        },
    )
    info = {
        "schema_version": SCHEMA_VERSION,
        "written_by": f"fastreid_prune {__version__}",
        "dataset": publication.name,
        "method": publication.method,
        "samples": len(table),
        "judged": table.judged,
        "thresholds": table.thresholds,
        "source": dict(sorted(table.about.items())),
    }
    _write_text(folder / INFO, json.dumps(info, indent=2, ensure_ascii=False) + "\n")
    _write_text(folder / "README.md", card.text(publication))


def _by_confidence(chosen: np.ndarray, confidence: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Rows of the chosen, surest first, then by name."""
    rows = np.flatnonzero(chosen)
    surest = -np.nan_to_num(confidence[rows], nan=-1.0)
    return rows[np.lexsort((names[rows].astype(str), surest))]


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def is_published_folder(folder: Path) -> bool:
    """Whether lists of ours are in ``folder``."""
    return (folder / CSV).is_file() and (folder / INFO).is_file()


def read_info(folder: Path) -> dict:
    """``lists.json``, checked.

    Raises:
        FastreidPruneError: it is no such file, or of a newer schema.
    """
    path = folder / INFO
    try:
        text = _start(path, _MAX_TEXT + 1)
        info = json.loads(text) if len(text) <= _MAX_TEXT else None
    except (OSError, ValueError, RecursionError) as error:
        raise FastreidPruneError(f"{path}: cannot be read ({error!s:.200}). Copy the lists again.") from None
    info = info if isinstance(info, dict) else {}
    version = info.get("schema_version")
    if type(version) is not int or not isinstance(info.get("method"), str):
        raise FastreidPruneError(f"{path}: schema_version or method is missing. Copy the lists again.")
    if version > SCHEMA_VERSION:
        raise FastreidPruneError(
            f"{path}: schema version {version} is newer than this package knows ({SCHEMA_VERSION}). Upgrade it."
        )
    return info


def dataset(folder: Path) -> str:
    """The data set that lists are for: as they say, else as their folder is called."""
    said = read_info(folder).get("dataset")
    return said if isinstance(said, str) else folder.resolve().name


@reader("lists", "a folder of published lists", detect=is_published_folder, dataset=dataset)
def read(folder: Path, request: Request) -> Listed:
    """What our lists say of the samples of a data set: ``scores.csv`` holds all of it.

    Raises:
        FastreidPruneError: damaged, edited, or newer lists, or no such score in them.
    """
    info, samples = read_info(folder), request.samples
    if not request.edited:
        check_sums(folder)
    method = info["method"] if request.method is None else request.method
    path = folder / CSV
    reader = CsvReader(path, IDENTITY_COLUMNS)
    if method in (*IDENTITY_COLUMNS, *VERDICT_COLUMNS) or method not in reader.columns:
        scores = [name for name in reader.columns if name not in (*IDENTITY_COLUMNS, *VERDICT_COLUMNS)]
        raise FastreidPruneError(
            f"{path}: no scores by {method!r:.60}; there are {', '.join(scores)!r:.300}."
        )
    name = info.get("dataset")
    source = {"lists": name[:100] if isinstance(name, str) else "", f"sha256 of {CSV}": sha256(path)}
    result = Listed.nothing(len(samples), method, source)
    verdict_columns = [name for name in VERDICT_COLUMNS if name in reader.columns]
    index, identities = NameIndex(samples.file_name), Identities(samples.pid)
    for block in reader.blocks([*IDENTITY_COLUMNS, method, *verdict_columns]):
        rows = index.rows(block.column("file_name"), result.tally)
        own = pa.array(np.flatnonzero(rows >= 0))
        _take_block(block.take(own), rows[rows >= 0], method, samples, identities, result)
    result.tally.note(f"do not have {len(reader.columns)} fields", [], reader.malformed)
    result.judged = bool(np.isin(result.verdict, KINDS[:4]).any())
    return result


def _take_block(
    block: pa.RecordBatch,
    rows: np.ndarray,
    method: str,
    samples: Samples,
    identities: Identities,
    result: Listed,
) -> None:
    tally, names = result.tally, block.column("file_name")
    number = np.asarray(pc.match_substring_regex(block.column(method), _NUMBER), bool)
    texts = block.column(method).to_pylist()
    result.score[rows[number]] = [float(text) for text, good in zip(texts, number, strict=True) if good]
    garbled = ~number & np.asarray(pc.not_equal(block.column(method), ""), bool)
    tally.note("have no number as score", names.filter(pa.array(garbled)).slice(0, 5), int(garbled.sum()))
    result.listed[rows] = True
    given = np.array(block.column("pid").to_pylist(), dtype=object)
    other = given != samples.pid[rows]
    tally.note(
        "give another identity than the data set", names.filter(pa.array(other)).slice(0, 5), int(other.sum())
    )
    if "verdict" not in block.schema.names:
        return
    text = {name: np.array(block.column(name).to_pylist(), dtype=object) for name in VERDICT_COLUMNS
            if name in block.schema.names}  # fmt: skip
    verdict = text["verdict"]
    suggested = text.get("suggested_pid", np.full(len(rows), "", object))
    wrong = ~np.isin(verdict, KINDS)
    tally.note("have a verdict that is none", names.filter(pa.array(wrong)).slice(0, 5), int(wrong.sum()))
    unknown = (verdict == MISLABELLED) & np.array([pid not in identities for pid in suggested], bool)
    tally.note(
        "suggest an identity unknown here", names.filter(pa.array(unknown)).slice(0, 5), int(unknown.sum())
    )
    settled = (verdict == MISLABELLED) & ((suggested == samples.pid[rows]) | unknown)
    verdict[settled | wrong] = KINDS[0]
    result.verdict[rows] = verdict
    result.suggested_pid[rows] = np.where(verdict == MISLABELLED, suggested, "")
    changed = np.isin(verdict, (MISLABELLED, OUTLIER))
    if "reason" in text:
        result.reason[rows] = [reason[:500].replace("\0", "") for reason in text["reason"]]
    empty = result.reason[rows] == ""
    result.reason[rows[changed & empty]] = "listed"


def _start(path: Path, count: int) -> bytes:
    with open(path, "rb") as file:
        return file.read(count)


def check_sums(folder: Path) -> None:
    """Compare the files of a published folder with its ``SHA256SUMS``, if it has one.

    Raises:
        FastreidPruneError: files that differ or are missing.
    """
    path = folder / CHECKSUMS
    if not path.is_file():
        return
    # only what is right in the folder is opened: a list of sums must not lead to other files
    lines = _start(path, _MAX_TEXT).decode("utf-8", "replace").splitlines()
    pairs = [line.split("  ", 1) for line in lines if "  " in line]
    known = {name: digest for digest, name in pairs}
    there = {file.name for file in folder.iterdir() if file.is_file() and not file.is_symlink()}
    wrong = [name for name, digest in known.items() if name not in there or sha256(folder / name) != digest]
    if wrong:
        raise FastreidPruneError(
            f"{path}: {len(wrong)} of {len(known)} files differ from it or are missing: {', '.join(wrong[:5])!r}. Copy "
            "the lists again, or accept the change with --edited."
        )
