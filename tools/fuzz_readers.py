#!/usr/bin/env python3
"""Mutated files for every reader of manifests, lists and annotations: ``tools/fuzz_readers.py --count 100000``.

Each input is a good file with bytes flipped, cut, doubled, mixed with another file's, or values put in that break
readers. A reader may take it or refuse it with FastreidPruneError. Anything else, more than 20 seconds, or more memory
than ``--memory`` MiB is a bug: it is printed, its input is kept, and the status is 1.
"""

import argparse
import collections
import io
import json
import pickle
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.export import export_run
from fastreid_prune.importing.assembling import from_corrections, from_lists
from fastreid_prune.importing.cvat import read_annotations
from fastreid_prune.importing.folder import read_corrected_folder
from fastreid_prune.importing.paper import read_paper_lists
from fastreid_prune.importing.plain_pickle import load_plain
from fastreid_prune.importing.published import check_sums, read_published_lists
from fastreid_prune.manifest import Manifest
from fastreid_prune.score_table import ScoreTable
from fastreid_prune.trajectory import Samples
from fastreid_prune.verdicts import Verdicts

SECONDS = 20
FOLDER = "Market-1501-v15.09.15/bounding_box_train"
VALUES = [
    b"\0",
    b"\n",
    b"\r\n",
    b'"',
    b'""',
    b",",
    b"../",
    b"/etc/passwd",
    b"C:\\",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"nan",
]
VALUES += [
    b"inf",
    b"-1",
    b"1e999",
    b"9" * 30,
    b"9" * 5000,
    b"\xf0\x9d\x84\x9e",
    b"\xed\xa0\x80",
    b"{}",
    b"[" * 2000,
]
VALUES += [
    b"<!DOCTYPE a>",
    b"&a;",
    b"<image",
    b"</image>",
    b"]]>",
    b"keep",
    b"outlier",
    b"PK\x03\x04",
    b"\x93NUMPY",
]
VALUES += [
    b"cposix\nsystem\n",
    b"R",
    b"b",
    b"(",
    b"t",
    b"0",
    b"2",
    b"\x85",
    b"\x94",
    b"r\xff\xff\xff\x7f",
    b"\x8d" + b"\xff" * 8,
]
VALUES += [
    b"<U99999999",
    b"|O",
    b"|V8",
    b"(1000000000000,)",
    b"'shape': (-1,)",
    b"cnumpy\nndarray\n",
    b"i8",
    b"O8",
    b"U0",
]


def good_files(folder: Path) -> tuple[Samples, dict[str, bytes]]:
    """A small data set, and a good file of each kind that is read, by name."""
    numbers = np.arange(24)
    samples = Samples.from_items(
        [f"{FOLDER}/{n % 5 + 1:04}_c{n % 3 + 1}s1_{n:06}_00.jpg" for n in numbers],
        [f"market1501_{n % 5 + 1}" for n in numbers],
        [f"market1501_{n % 3}" for n in numbers],
    )
    verdict, suggested = np.full(24, "clean", object), np.full(24, "", object)
    verdict[[1, 6]], suggested[[1, 6]], verdict[9] = (
        "mislabelled",
        ["market1501_3", "market1501_4"],
        "outlier",
    )
    reason = np.where(verdict == "clean", "", 'so say "others", here').astype(object)
    verdicts = Verdicts(verdict, suggested, np.full(24, "", object), numbers / 24, reason)
    scores = {"entropy": numbers / 7, "random": numbers / 11}
    (folder / "run").mkdir()
    ScoreTable(samples.file_name, samples.pid, samples.camid, scores, verdicts).write(folder / "run")
    for number, name in enumerate(samples.file_name):
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number)
    export_run(folder / "run", folder / "out", ["lists", "market1501"], images=folder / "data")
    lists = folder / "out" / "market1501"
    names = ("scores.csv", "lists.json", "SHA256SUMS", "fpath_list.npy", "Ranking_list.npy")
    files = {name: (lists / name).read_bytes() for name in (*names, "Mislabeled_outlier_samples.pickle")}
    market = lists / "market1501"
    files |= {name: (market / name).read_bytes() for name in ("names.csv", "manifest.csv", "manifest.json")}
    people = [
        (name.rpartition("/")[2], pid.split("_")[1])
        for name, pid in zip(samples.file_name, samples.pid, strict=True)
    ]
    tag = '<image id="0" name="{}"><tag label="market-1501"><attribute name="person_id">{}</attribute></tag></image>'
    xml = "<annotations>" + "\n".join(tag.format(*each) for each in people) + "</annotations>"
    files["annotations.xml"] = xml.encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("annotations.xml", xml)
        file.writestr("bounding_box_train/0001_c1s1_000000_00.jpg", b"x")
    files["task.zip"] = archive.getvalue()
    arrays = {"a": np.array([[1, 3], [6, 4]]), "b": np.array([9.0]), "c": np.array(["x", None], object)}
    things = [arrays, [np.str_("a"), np.float32(1), {1, "b"}, (b"c", None, True, 10**30, 1.5)]]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        files[f"protocol-{protocol}.pickle"] = pickle.dumps(things, protocol)
    objects = io.BytesIO()
    np.save(objects, np.array(samples.file_name.tolist(), object), allow_pickle=True)
    files["objects.npy"] = objects.getvalue()
    return samples, files


def readers(folder: Path, samples: Samples, files: dict[str, bytes]) -> dict[str, Callable[[bytes], None]]:
    """A function for each file that reads it, in the place of the good one, as a command would."""
    lists, market, root = (
        folder / "out" / "market1501",
        folder / "out" / "market1501" / "market1501",
        folder / "data",
    )
    paper = folder / "paper"
    paper.mkdir()
    for name in ("fpath_list.npy", "Ranking_list.npy", "Mislabeled_outlier_samples.pickle"):
        (paper / name).write_bytes(files[name])

    def in_place(path: Path, use: Callable[[], None]) -> Callable[[bytes], None]:
        def read(data: bytes) -> None:
            good = path.read_bytes() if path.exists() else None
            path.write_bytes(data)
            try:
                use()
            finally:
                path.unlink() if good is None else path.write_bytes(good)

        return read

    def ours() -> None:
        from_lists(samples, read_published_lists(lists, samples, None, edited=True), 0.3, False).write(
            folder / "m.csv"
        )

    def theirs() -> None:
        from_lists(samples, read_paper_lists(paper, samples), 0.3, True).write(folder / "m.csv")

    def corrected() -> None:
        from_corrections(samples, read_corrected_folder(market, samples, root), None, None).write(
            folder / "m.csv"
        )

    def annotated(path: Path) -> Callable[[], None]:
        return lambda: from_corrections(samples, read_annotations(path, samples), None, None).write(
            folder / "m.csv"
        )

    def manifest(edited: bool) -> Callable[[], None]:
        return lambda: Manifest.read(market / "manifest.csv", edited=edited).check_against(
            samples.file_name, samples.pid
        )

    found: dict[str, Callable[[bytes], None]] = {
        "manifest.csv": in_place(market / "manifest.csv", manifest(True)),
        "manifest.csv (signed)": in_place(market / "manifest.csv", manifest(False)),
        "manifest.json": in_place(market / "manifest.json", manifest(False)),
        "scores.csv": in_place(lists / "scores.csv", ours),
        "lists.json": in_place(lists / "lists.json", ours),
        "SHA256SUMS": in_place(lists / "SHA256SUMS", lambda: check_sums(lists)),
        "names.csv": in_place(market / "names.csv", corrected),
        "annotations.xml": in_place(folder / "annotations.xml", annotated(folder / "annotations.xml")),
        "task.zip": in_place(folder / "task.zip", annotated(folder / "task.zip")),
        "objects.npy": in_place(paper / "fpath_list.npy", theirs),
    }
    for name in ("fpath_list.npy", "Ranking_list.npy", "Mislabeled_outlier_samples.pickle"):
        found[name] = in_place(paper / name, theirs)
    for name in files:
        if name.startswith("protocol"):
            found[name] = lambda data: load_plain(io.BytesIO(data), "x.pickle")
    return found


def mutated(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """The data with one to six changes."""
    result = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        start = chance.randrange(len(result) + 1)
        end = min(len(result), start + chance.choice((1, 2, 4, 16, 64, 500)))
        kind = chance.randrange(8)
        if kind == 0 and start < len(result):
            result[start] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del result[start:end]
        elif kind == 2:
            result[start:start] = result[start:end]
        elif kind == 3:
            result[start:end] = chance.choice(VALUES)
        elif kind == 4:
            result[start:start] = chance.choice(VALUES)
        elif kind == 5:
            del result[start:]
        elif kind == 6:
            other = chance.choice(others)
            place = chance.randrange(len(other) + 1)
            result[start:end] = other[place : place + chance.choice((4, 64, 1000))]
        else:
            result[start:end] = chance.randbytes(end - start)
    return bytes(result)


def too_slow(*_: object) -> None:
    """The alarm's handler."""
    raise TimeoutError(f"more than {SECONDS} seconds")


def fuzz(
    count: int, seed: int, keep: Path, report: Callable[[str], None] = print
) -> tuple[dict[str, list[int]], int]:
    """Read ``count`` mutated inputs.

    Returns:
        reader -> [inputs, taken, refused], and how many were neither.
    """
    chance, bugs = random.Random(seed), 0
    outcomes: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0, 0])
    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    signal.signal(signal.SIGALRM, too_slow)
    try:
        samples, files = good_files(folder)
        read = readers(folder, samples, files)
        contents, names = list(files.values()), sorted(read)
        for name in names:
            read[name](files[name.removesuffix(" (signed)")])
        for number in range(count):
            name = names[number % len(names)]
            data = mutated(files[name.removesuffix(" (signed)")], contents, chance)
            outcomes[name][0] += 1
            signal.alarm(SECONDS)
            try:
                read[name](data)
                outcomes[name][1] += 1
            except FastreidPruneError:
                outcomes[name][2] += 1
            except Exception:
                bugs += 1
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{seed}-{number}").write_bytes(data)
                report(f"{name}, input {number} (kept in {keep}):\n{traceback.format_exc()}")
            finally:
                signal.alarm(0)
    finally:
        shutil.rmtree(folder)
    return dict(outcomes), bugs


def main() -> None:
    """Run, and print how many inputs each reader took and refused."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--keep", type=Path, default=Path("logs/fuzz"), help="folder for inputs that show a bug"
    )
    parser.add_argument("--memory", type=int, default=1024, help="MiB that reading may add")
    arguments = parser.parse_args()
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes, bugs = fuzz(arguments.count, arguments.seed, arguments.keep)
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    for name, (inputs, taken, refused) in outcomes.items():
        print(f"{name:36} {inputs:7} inputs: {taken:6} taken, {refused:7} refused")
    seconds = time.perf_counter() - started
    print(
        json.dumps(
            {"inputs": arguments.count, "bugs": bugs, "seconds": round(seconds), "MiB added": round(added)}
        )
    )
    sys.exit(1 if bugs or added > arguments.memory else 0)


if __name__ == "__main__":
    main()
