#!/usr/bin/env python3
"""Mutated files for every reader of manifests, lists and annotations: ``tools/fuzz_readers.py --count 100000``.

Each input is a good file with bytes flipped, cut, doubled, mixed with another file's, or values put in that break
readers. A reader may take it or refuse it with FastreidPruneError. Anything else, a started process, a connection, a
file written outside the reader's folder, more than 20 seconds, or more memory than ``--memory`` MiB is a bug: it is
printed, its input is kept, and the status is 1.
"""

import argparse
import collections
import io
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from fuzz_inputs import PAPER, good_files, mutated, small_set

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.archive import load_retrieval
from fastreid_prune.importing.assembling import from_corrections, from_lists
from fastreid_prune.importing.corrected import Corrected
from fastreid_prune.importing.cvat import read_annotations
from fastreid_prune.importing.folder import read_corrected_folder
from fastreid_prune.importing.paper import read_paper_lists
from fastreid_prune.importing.plain_pickle import load_plain
from fastreid_prune.importing.published import check_sums, read_published_lists
from fastreid_prune.manifest import Manifest
from fastreid_prune.manifest.decisions import Decisions
from fastreid_prune.trajectory import Samples

SECONDS = 20
FORBIDDEN = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "subprocess.Popen",
    "socket.connect",
)
CHANGING = ("os.remove", "os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.truncate")

Reader = Callable[[bytes], None]


def readers(folder: Path, samples: Samples, files: dict[str, bytes]) -> dict[str, Reader]:
    """A function for each file that reads it, in the place of the good one, as a command would."""
    lists, paper, root = folder / "out" / "market1501", folder / "paper", folder / "data"
    market, output = lists / "market1501", folder / "m.csv"
    paper.mkdir()
    for name in PAPER:
        (paper / name).write_bytes(files[name])

    def in_place(path: Path, use: Callable[[], object]) -> Reader:
        def read(data: bytes) -> None:
            good = path.read_bytes() if path.exists() else None
            path.write_bytes(data)
            try:
                use()
            finally:
                path.unlink() if good is None else path.write_bytes(good)

        return read

    def ours() -> None:
        listed = read_published_lists(lists, samples, None, edited=True)
        from_lists(samples, listed, 0.3, purify=listed.judged).write(output)

    def theirs() -> None:
        from_lists(samples, read_paper_lists(paper, samples), 0.3, purify=True).write(output)

    def corrected(said: Callable[[], Corrected]) -> None:
        from_corrections(samples, said(), None, None).write(output)

    def annotated(name: str) -> Reader:
        path = folder / name
        return in_place(path, lambda: corrected(lambda: read_annotations(path, samples)))

    def manifest(edited: bool) -> None:
        Manifest.read(market / "manifest.csv", edited=edited).check_against(samples.file_name, samples.pid)

    found = {
        "manifest.csv": in_place(market / "manifest.csv", lambda: manifest(True)),
        "manifest.csv (signed)": in_place(market / "manifest.csv", lambda: manifest(False)),
        "manifest.json": in_place(market / "manifest.json", lambda: manifest(False)),
        "scores.csv": in_place(lists / "scores.csv", ours),
        "lists.json": in_place(lists / "lists.json", ours),
        "SHA256SUMS": in_place(lists / "SHA256SUMS", lambda: check_sums(lists)),
        "names.csv": in_place(
            market / "names.csv", lambda: corrected(lambda: read_corrected_folder(market, samples, root))
        ),
        "objects.npy": in_place(paper / "fpath_list.npy", theirs),
        "decisions.csv": in_place(folder / "decisions.csv", lambda: Decisions.read(folder / "decisions.csv")),
        "features.npz": in_place(folder / "features.npz", lambda: load_retrieval(folder / "features.npz")),
    }
    found |= {name: annotated(name) for name in ("annotations.xml", "task.zip", "market.zip")}
    found |= {name: in_place(paper / name, theirs) for name in PAPER}
    pickles = [name for name in files if name.startswith("protocol")]
    return found | dict.fromkeys(pickles, lambda data: load_plain(io.BytesIO(data), "x.pickle"))


class Guard:
    """Notes what reading did beyond reading, as Python's own audit events tell."""

    def __init__(self, folder: Path):
        self.folder, self.watching, self.seen = str(folder), False, []
        sys.addaudithook(self.notice)

    def notice(self, event: str, arguments: tuple) -> None:
        """The hook, of which Python keeps one for good."""
        if not self.watching:
            return
        if event in FORBIDDEN:
            self.seen.append(f"{event}{arguments}"[:200])
        writes = event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (writes or event in CHANGING) and not self.inside(arguments[0]):
            self.seen.append(f"{event}{arguments}"[:200])

    def inside(self, path: object) -> bool:
        """Whether a path is in the readers' folder; what is open already (a number) is."""
        if not isinstance(path, (str, bytes, os.PathLike)):
            return True
        return f"{os.path.abspath(os.fsdecode(path))}{os.sep}".startswith(self.folder + os.sep)


class TooSlow(Exception):
    """The alarm went off."""


def too_slow(*_: object) -> None:
    """The alarm's handler."""
    raise TooSlow(f"more than {SECONDS} seconds")


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
    guard = Guard(folder)
    try:
        samples, table = small_set()
        files = good_files(folder, table)
        read = readers(folder, samples, files)
        contents, names = list(files.values()), sorted(read)
        for name in names:
            read[name](files[name.removesuffix(" (signed)")])
        for number in range(count):
            name = names[number % len(names)]
            data = mutated(files[name.removesuffix(" (signed)")], contents, chance)
            wrong = outcome = None
            guard.watching = True
            signal.alarm(SECONDS)
            try:
                read[name](data)
                outcome = 1
            except FastreidPruneError:
                outcome = 2
            except Exception:
                wrong = traceback.format_exc()
            finally:
                signal.alarm(0)
                guard.watching = False
            outcomes[name][0] += 1
            if guard.seen:
                wrong = f"{wrong or ''}it did {guard.seen}"
                guard.seen = []
            if wrong is None:
                outcomes[name][outcome] += 1
                continue
            bugs += 1
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{seed}-{number}").write_bytes(data)
            report(f"{name}, input {number} (kept in {keep}):\n{wrong}")
    finally:
        shutil.rmtree(folder)
    return dict(outcomes), bugs


def main() -> None:
    """Run, and print how many inputs each reader took and refused."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default="logs/fuzz", help="folder for inputs that show a bug")
    parser.add_argument("--memory", type=int, default=1024, help="MiB that reading may add")
    arguments = parser.parse_args()
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes, bugs = fuzz(arguments.count, arguments.seed, arguments.keep)
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    for name, (inputs, taken, refused) in outcomes.items():
        print(f"{name:36} {inputs:7} inputs: {taken:6} taken, {refused:7} refused")
    seconds = time.perf_counter() - started
    total = {"inputs": arguments.count, "bugs": bugs, "seconds": round(seconds), "MiB added": round(added)}
    print(json.dumps(total))
    sys.exit(1 if bugs or added > arguments.memory else 0)


if __name__ == "__main__":
    main()
