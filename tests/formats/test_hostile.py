"""Files that nobody means well with: each is taken or refused with one error, and nothing else happens."""

import io
import os
import random
import sys

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from mutated_files import PAPER, good_files, mutated
from published_runs import write_verdicts

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.archive import load_retrieval
from fastreid_prune.formats import import_lists
from fastreid_prune.formats.lists import check_sums
from fastreid_prune.formats.sample_table import read_samples
from fastreid_prune.io.pickles import load_plain
from fastreid_prune.manifest import Manifest
from fastreid_prune.manifest.decisions import Decisions
from fastreid_prune.trajectory import load_trajectory

FORBIDDEN = (
    *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "subprocess.Popen"),
    "socket.connect",
)
CHANGING = ("os.remove", "os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.truncate")


class Guard:
    """Notes what reading did beyond reading, as Python's own audit events tell."""

    def __init__(self, folder):
        self.folder, self.watching, self.seen = str(folder), False, []
        sys.addaudithook(self.notice)

    def notice(self, event, arguments):
        """The hook, of which Python keeps one for good."""
        if not self.watching:
            return
        if event in FORBIDDEN:
            self.seen.append(f"{event}{arguments}"[:200])
        writes = event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (writes or event in CHANGING) and not self.inside(arguments[0]):
            self.seen.append(f"{event}{arguments}"[:200])

    def inside(self, path):
        """Whether a path is in the readers' folder; what is open already (a number) is."""
        if not isinstance(path, (str, bytes, os.PathLike)):
            return True
        return f"{os.path.abspath(os.fsdecode(path))}{os.sep}".startswith(self.folder + os.sep)


class Readers:
    """A function for each file that reads it, in the place of the good one, as a command would."""

    def __init__(self, folder, run):
        write_verdicts(run, mislabelled=[1, 6], outliers=[9])
        self.samples = samples = load_trajectory(run).samples
        self.files = good_files(folder, run, samples)
        self.root, self.output, self.guard = folder / "data", folder / "m.csv", Guard(folder)
        lists, paper = folder / "out" / "Market1501", folder / "paper"
        market, table = lists / "market1501", lists / "imagefolder"
        paper.mkdir()
        for name in PAPER:
            (paper / name).write_bytes(self.files[name])
        self.read = {
            "manifest.csv": self.at(market / "manifest.csv", lambda: self.manifest(market, True)),
            "manifest.csv (signed)": self.at(market / "manifest.csv", lambda: self.manifest(market, False)),
            "manifest.json": self.at(market / "manifest.json", lambda: self.manifest(market, False)),
            "scores.csv": self.imports(lists / "scores.csv", lists, "lists", purify=True),
            "lists.json": self.imports(lists / "lists.json", lists, "lists", purify=True),
            "SHA256SUMS": self.at(lists / "SHA256SUMS", lambda: check_sums(lists)),
            "names.csv": self.imports(market / "names.csv", market, "market1501"),
            "metadata.csv": self.imports(table / "train" / "metadata.csv", table, "imagefolder"),
            "label_issues.csv": self.imports(lists / "label_issues.csv", lists, "cleanlab", purify=True),
            "fiftyone.json": self.imports(lists / "fiftyone.json", lists, "fiftyone"),
            "default.json": self.imports(folder / "default.json", folder / "default.json", "datumaro"),
            "objects.npy": self.imports(paper / "fpath_list.npy", paper, "paper", purify=True),
            "decisions.csv": self.at(
                folder / "decisions.csv", lambda: Decisions.read(folder / "decisions.csv")
            ),
            "features.npz": self.at(folder / "features.npz", lambda: load_retrieval(folder / "features.npz")),
            "samples.csv": self.at(folder / "samples.csv", lambda: read_samples(folder / "samples.csv")),
        }
        for name in ("annotations.xml", "task.zip", "market.zip", "datumaro.zip"):
            self.read[name] = self.imports(folder / name, folder / name, "cvat")
        for name in PAPER:
            self.read[name] = self.imports(paper / name, paper, "paper", purify=True)
        for name in self.files:
            if name.startswith("protocol"):
                self.read[name] = lambda data: load_plain(io.BytesIO(data), "x.pickle")

    def at(self, path, use):
        def read(data):
            good = path.read_bytes() if path.exists() else None
            path.write_bytes(data)
            try:
                use()
            finally:
                path.unlink() if good is None else path.write_bytes(good)

        return read

    def imports(self, path, lists, form, **options):
        def use():
            import_lists(lists, self.output, self.samples, self.root, format=form, edited=True, **options)

        return self.at(path, use)

    def manifest(self, folder, edited):
        manifest = Manifest.read(folder / "manifest.csv", edited=edited)
        manifest.check_against(self.samples.file_name, self.samples.pid)

    def good(self, name):
        return self.files[name.removesuffix(" (signed)")]

    def check(self, name, data):
        """Read it; whether it was taken."""
        self.guard.seen, self.guard.watching = [], True
        try:
            self.read[name](data)
            return True
        except FastreidPruneError:
            return False
        finally:
            self.guard.watching = False
            if self.guard.seen:
                raise AssertionError(f"{name}: reading did {self.guard.seen}")


@pytest.fixture(scope="module")
def readers(tmp_path_factory, scored_run_in):
    folder = tmp_path_factory.mktemp("hostile")
    return Readers(folder, scored_run_in(folder, samples=24, identities=5))


def test_good_files_are_taken(readers):
    assert len(readers.read) == 28
    for name in readers.read:
        assert readers.check(name, readers.good(name)), name


# a reader that takes 20 seconds hangs
@settings(max_examples=300, deadline=20_000, database=None, phases=[Phase.generate])
@given(place=st.integers(0, 10_000), seed=st.integers(0, 1 << 32))
def test_mutated_files_are_taken_or_refused_and_nothing_else(readers, place, seed):
    name = sorted(readers.read)[place % len(readers.read)]
    readers.check(name, mutated(readers.good(name), list(readers.files.values()), random.Random(seed)))


@pytest.mark.slow
def test_many_mutated_files_are_taken_or_refused_and_nothing_else(readers):
    contents, names = list(readers.files.values()), sorted(readers.read)
    for number in range(30_000):
        name = names[number % len(names)]
        data = mutated(readers.good(name), contents, random.Random(number))
        try:
            readers.check(name, data)
        except BaseException as error:
            raise AssertionError(f"{name}, input {number}") from error


def test_what_a_reader_does_besides_reading_is_noticed(readers, tmp_path, monkeypatch):
    def evil(_):
        os.system("true")
        (tmp_path / "outside").write_text("x")

    monkeypatch.setitem(readers.read, "evil", evil)
    with pytest.raises(AssertionError, match=r"os.system.*outside"):
        readers.check("evil", b"")
