"""Files that nobody means well with: in numbers, and in size."""

import importlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def fuzz_readers(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module("fuzz_readers")


def test_mutated_files_are_taken_or_refused_and_nothing_else(tmp_path, fuzz_readers):
    reports = []
    outcomes, bugs = fuzz_readers.fuzz(880, seed=7, keep=tmp_path, report=reports.append)
    assert bugs == 0, reports[0]
    assert sum(inputs for inputs, _, _ in outcomes.values()) == 880
    assert all(taken + refused == inputs for inputs, taken, refused in outcomes.values())


def test_what_a_reader_does_besides_reading_is_noticed(tmp_path, fuzz_readers, monkeypatch):
    def evil(*_):
        os.system("true")
        (tmp_path / "outside").write_text("x")

    monkeypatch.setattr(fuzz_readers, "load_plain", evil)
    reports = []
    _, bugs = fuzz_readers.fuzz(22, seed=0, keep=tmp_path / "kept", report=reports.append)
    assert bugs == 6
    assert all("os.system" in report and "outside" in report for report in reports)


READ = """
import resource, sys
import numpy as np
from pathlib import Path
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.importing.paper import read_paper_lists
from fastreid_prune.importing.published import read_published_lists
from fastreid_prune.manifest import Manifest
from fastreid_prune.trajectory import Samples
samples = Samples.from_items([f"s/{n}.jpg" for n in range(1000)], ["m_1"] * 1000, ["c"] * 1000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
folder = Path(sys.argv[1])
try:
    {call}
except FastreidPruneError as error:
    print(str(error)[:300].encode("ascii", "replace").decode())
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def read_apart(folder, call):
    """Run in a process of its own: what it printed, and the MiB that it took."""
    done = subprocess.run(
        [sys.executable, "-c", READ.replace("{call}", call), folder],
        capture_output=True,
        text=True,
        check=True,
    )
    *lines, memory = done.stdout.splitlines()
    return "\n".join(lines), int(memory)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [10_000_000])
def test_ten_million_rows_of_garbage_take_bounded_memory(tmp_path, rows):
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "lists.json").write_text('{"schema_version": 1, "method": "entropy"}')
    garbage = "".join(f"../x/{n}.jpg,m_1,c,?,keep,{n}e,-1,no\n" for n in range(1000)).encode() + b"a,b\n"
    named = "".join(f"s/{n}.jpg,m_1,c,1.5\n" for n in range(1000)).encode()
    with open(lists / "scores.csv", "wb") as scores, open(tmp_path / "manifest.csv", "wb") as manifest:
        scores.write(b"file_name,pid,camid,entropy\n")
        manifest.write(b"file_name,pid,camid,new_pid,action,score,rank,reason\n")
        for _ in range(rows // 1000):
            scores.write(named)
            manifest.write(garbage)
    call = (
        "listed = read_published_lists(folder / 'lists', samples, None, True); print(listed.tally.problems)"
    )
    said, memory = read_apart(tmp_path, call)
    assert f"'name an image again': {rows - 1000}" in said and memory < 300
    said, memory = read_apart(tmp_path, "Manifest.read(folder / 'manifest.csv', edited=True)")
    assert f"{rows} rows have a file name that is no path inside the root" in said and memory < 300
    with open(tmp_path / "fpath_list.npy", "wb") as file:
        header = f"{{'descr': '<U12', 'fortran_order': False, 'shape': ({rows},), }}\n".encode()
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
        for _ in range(rows // 100_000):
            file.write(b"x\0\0\0" * 12 * 100_000)
    (tmp_path / "fpath_list.npy").rename(tmp_path / "Ranking_list.npy")
    said, memory = read_apart(tmp_path, "print(read_paper_lists(folder, samples).tally.problems)")
    # the file is mapped into memory, 480 MB of it, and given back as the system likes
    assert f"'name no image of the data set': {rows}" in said and memory < 900


def test_a_deep_or_endless_row_takes_bounded_memory(tmp_path):
    with open(tmp_path / "manifest.csv", "wb") as file:
        file.write(b'file_name,pid,camid,new_pid,action,score,rank,reason\n"')
        for _ in range(200):
            file.write(b"x" * (1 << 20))
    said, memory = read_apart(tmp_path, "Manifest.read(folder / 'manifest.csv', edited=True)")
    assert "no readable CSV" in said and memory < 200
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
