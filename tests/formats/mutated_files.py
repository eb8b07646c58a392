"""Good files of every kind that is read from strangers, and changed copies of them."""

import io
import json
import pickle
import random
import zipfile
from pathlib import Path

import numpy as np

from fastreid_prune.evaluation.archive import ARRAYS
from fastreid_prune.formats import export_run
from fastreid_prune.manifest.decisions import Decisions
from fastreid_prune.trajectory import Samples

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


def good_files(folder: Path, run: Path, samples: Samples) -> dict[str, bytes]:
    """A good file of each kind, by name; the images and what was exported of the run stay in ``folder``."""
    for number, name in enumerate(samples.file_name):
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number)
    formats = ["lists", "market1501", "imagefolder", "cleanlab", "fiftyone"]
    export_run(run, folder / "out", formats, images=folder / "data")
    lists = folder / "out" / "Market1501"
    market, table = lists / "market1501", lists / "imagefolder" / "train" / "metadata.csv"
    names = ("scores.csv", "lists.json", "SHA256SUMS", "fiftyone.json", "label_issues.csv", *PAPER)
    files = {name: (lists / name).read_bytes() for name in names}
    files |= {name: (market / name).read_bytes() for name in ("names.csv", "manifest.csv", "manifest.json")}
    objects = io.BytesIO()
    np.save(objects, np.array(samples.file_name.tolist(), object), allow_pickle=True)
    files |= {"objects.npy": objects.getvalue(), "metadata.csv": table.read_bytes()}
    return files | _annotations(samples) | _pickles() | _others(samples, folder)


def _annotations(samples: Samples) -> dict[str, bytes]:
    names = [name.rpartition("/")[2] for name in samples.file_name]
    persons = [pid.split("_")[1] for pid in samples.pid]
    tag = '<image id="0" name="{}"><tag label="market-1501"><attribute name="person_id">{}</attribute></tag></image>'
    images = [tag.format(*pair) for pair in zip(names, persons, strict=True)]
    xml = "<annotations>" + "\n".join(images) + "</annotations>"
    items = [
        {
            "id": name[:-4],
            "annotations": [{"type": "label", "label_id": 0, "attributes": {"person_id": person}}],
        }
        for name, person in zip(names, persons, strict=True)
    ]
    datumaro = json.dumps({"categories": {"label": {"labels": [{"name": "person"}]}}, "items": items})
    cvat, market, zipped = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(cvat, "w") as file:
        file.writestr("annotations.xml", xml, zipfile.ZIP_DEFLATED)
        file.writestr("bounding_box_train/0001_c1s1_000000_00.jpg", b"x")
    with zipfile.ZipFile(market, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("images_default.txt", "\n".join(f"bounding_box_default/{name}" for name in names))
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("annotations/default.json", datumaro)
    return {
        "annotations.xml": xml.encode(),
        "task.zip": cvat.getvalue(),
        "market.zip": market.getvalue(),
        "datumaro.zip": zipped.getvalue(),
        "default.json": datumaro.encode(),
    }


def _pickles() -> dict[str, bytes]:
    arrays = {"a": np.array([[1, 3], [6, 4]]), "b": np.array([9.0]), "c": np.array(["x", None], object)}
    things = [arrays, [np.str_("a"), np.float32(1), {1, "b"}, (b"c", None, True, 10**30, 1.5)]]
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    return {f"protocol-{protocol}.pickle": pickle.dumps(things, protocol) for protocol in protocols}


def _others(samples: Samples, folder: Path) -> dict[str, bytes]:
    decision = np.resize(np.array(["keep", "relabel", "drop", "unsure"], object), len(samples))
    new_pid = np.where(decision == "relabel", "market1501_9", "").astype(object)
    Decisions(samples.file_name, samples.pid, decision, new_pid).write(folder / "decisions.csv")
    shapes = [np.eye(4, 3, dtype=np.float32), np.eye(6, 3, dtype=np.float32)]
    labels = [np.array(["a", "b"] * 2), np.array(["a", "b"] * 3), np.arange(4), np.arange(6)]
    np.savez(folder / "features.npz", **dict(zip(ARRAYS, (*shapes, *labels), strict=True)))
    samples.write_csv(folder / "samples.csv")
    names = ("decisions.csv", "features.npz", "samples.csv")
    return {name: (folder / name).read_bytes() for name in names}


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
