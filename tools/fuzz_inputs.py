"""Good files of every kind that is read, and changed copies of them. See fuzz_readers.py."""

import io
import pickle
import random
import zipfile
from pathlib import Path

import numpy as np

from fastreid_prune.evaluation.archive import ARRAYS
from fastreid_prune.export import export_run
from fastreid_prune.manifest.decisions import Decisions
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.trajectory import Samples

FOLDER = "Market-1501-v15.09.15/bounding_box_train"
PAPER = ("fpath_list.npy", "Ranking_list.npy", "Mislabeled_outlier_samples.pickle")

# what breaks readers: separators and quotes, paths, odd numbers and text, markup, and parts of npy and pickle streams
VALUES = [
    *(b"\0", b"\n", b"\r\n", b'"', b'""', b",", b"../", b"/etc/passwd", b"C:\\", b"\xff\xfe", b"\xef\xbb\xbf"),
    *(b"nan", b"inf", b"-1", b"1e999", b"9" * 30, b"9" * 5000, b"\xf0\x9d\x84\x9e", b"\xed\xa0\x80", b"{}"),
    *(b"[" * 2000, b"<!DOCTYPE a>", b"&a;", b"<image", b"</image>", b"]]>", b"keep", b"outlier", b"PK\x03\x04"),
    *(b"\x93NUMPY", b"<U99999999", b"|O", b"|V8", b"(1000000000000,)", b"'shape': (-1,)", b"i8", b"O8", b"U0"),
    *(b"cposix\nsystem\n", b"cnumpy\nndarray\n", b"R", b"b", b"(", b"t", b"0", b"2", b"\x85", b"\x94", b"Q"),
    *(b"r\xff\xff\xff\x7f", b"\x8d" + b"\xff" * 8, b"\x8a\x08" + b"\xff" * 7 + b"\x7f", b"j\xff\xff\xff\xff"),
]  # fmt: skip


def small_set() -> tuple[Samples, ScoreTable]:
    """24 images of 5 people, with scores, two wrong labels and an outlier."""
    numbers = np.arange(24)
    samples = Samples.from_items(
        [f"{FOLDER}/{n % 5 + 1:04}_c{n % 3 + 1}s1_{n:06}_00.jpg" for n in numbers],
        [f"market1501_{n % 5 + 1}" for n in numbers],
        [f"market1501_{n % 3}" for n in numbers],
    )
    verdict, suggested = np.full(24, "clean", object), np.full(24, "", object)
    verdict[[1, 6]], suggested[[1, 6]] = "mislabelled", ["market1501_3", "market1501_4"]
    verdict[9] = "outlier"
    reason = np.where(verdict == "clean", "", 'so say "others", here').astype(object)
    verdicts = Verdicts(verdict, suggested, np.full(24, "", object), numbers / 24, reason)
    scores = {"entropy": numbers / 7, "random": numbers / 11}
    return samples, ScoreTable(samples.file_name, samples.pid, samples.camid, scores, verdicts)


def good_files(folder: Path, table: ScoreTable) -> dict[str, bytes]:
    """A good file of each kind, by name; the run, its images and what was exported of it stay in ``folder``."""
    (folder / "run").mkdir()
    table.write(folder / "run")
    for number, name in enumerate(table.file_name):
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number)
    export_run(folder / "run", folder / "out", ["lists", "market1501"], images=folder / "data")
    lists = folder / "out" / "market1501"
    files = {name: (lists / name).read_bytes() for name in ("scores.csv", "lists.json", "SHA256SUMS", *PAPER)}
    market = lists / "market1501"
    files |= {name: (market / name).read_bytes() for name in ("names.csv", "manifest.csv", "manifest.json")}
    objects = io.BytesIO()
    np.save(objects, np.array(table.file_name.tolist(), object), allow_pickle=True)
    return (
        files
        | _annotations(table)
        | _pickles()
        | _others(table, folder)
        | {"objects.npy": objects.getvalue()}
    )


def _annotations(table: ScoreTable) -> dict[str, bytes]:
    names = [name.rpartition("/")[2] for name in table.file_name]
    tag = '<image id="0" name="{}"><tag label="market-1501"><attribute name="person_id">{}</attribute></tag></image>'
    images = [tag.format(name, pid.split("_")[1]) for name, pid in zip(names, table.pid, strict=True)]
    xml = "<annotations>" + "\n".join(images) + "</annotations>"
    cvat, market = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(cvat, "w") as file:
        file.writestr("annotations.xml", xml, zipfile.ZIP_DEFLATED)
        file.writestr("bounding_box_train/0001_c1s1_000000_00.jpg", b"x")
    with zipfile.ZipFile(market, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("images_default.txt", "\n".join(f"bounding_box_default/{name}" for name in names))
    return {"annotations.xml": xml.encode(), "task.zip": cvat.getvalue(), "market.zip": market.getvalue()}


def _pickles() -> dict[str, bytes]:
    arrays = {"a": np.array([[1, 3], [6, 4]]), "b": np.array([9.0]), "c": np.array(["x", None], object)}
    things = [arrays, [np.str_("a"), np.float32(1), {1, "b"}, (b"c", None, True, 10**30, 1.5)]]
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    return {f"protocol-{protocol}.pickle": pickle.dumps(things, protocol) for protocol in protocols}


def _others(table: ScoreTable, folder: Path) -> dict[str, bytes]:
    decision = np.array(["keep", "relabel", "drop", "unsure"] * 6, object)
    new_pid = np.where(decision == "relabel", "market1501_9", "").astype(object)
    Decisions(table.file_name, table.pid, decision, new_pid).write(folder / "decisions.csv")
    shapes = [np.eye(4, 3, dtype=np.float32), np.eye(6, 3, dtype=np.float32)]
    labels = [np.array(["a", "b"] * 2), np.array(["a", "b"] * 3), np.arange(4), np.arange(6)]
    np.savez(folder / "features.npz", **dict(zip(ARRAYS, (*shapes, *labels), strict=True)))
    return {name: (folder / name).read_bytes() for name in ("decisions.csv", "features.npz")}


def mutated(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """The data with one to six changes, of which half keep its length."""
    result = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        start = chance.randrange(len(result) + 1)
        end = min(len(result), start + chance.choice((1, 1, 2, 4, 16, 64, 500)))
        kind = chance.randrange(12)
        if kind < 2 and start < len(result):
            result[start] ^= 1 << chance.randrange(8)
        elif kind == 2 and start < len(result):
            result[start] = (result[start] + chance.choice((1, -1))) % 256
        elif kind == 3:
            _overwrite(result, start, chance.choice(VALUES))
        elif kind == 4:
            other = chance.randrange(len(result) + 1)
            _overwrite(result, other, bytes(result[start:end]))
        elif kind == 5:
            result[start:end] = chance.randbytes(end - start)
        elif kind == 6:
            del result[start:end]
        elif kind == 7:
            result[start:start] = result[start:end]
        elif kind == 8:
            result[start:end] = chance.choice(VALUES)
        elif kind == 9:
            result[start:start] = chance.choice(VALUES)
        elif kind == 10:
            other = chance.choice(others)
            place = chance.randrange(len(other) + 1)
            result[start:end] = other[place : place + chance.choice((4, 64, 1000))]
        elif kind == 11:
            del result[start:]
    return bytes(result)


def _overwrite(result: bytearray, start: int, value: bytes) -> None:
    value = value[: len(result) - start]
    result[start : start + len(value)] = value
