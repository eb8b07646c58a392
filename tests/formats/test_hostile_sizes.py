"""Files that are large, or small and ask for much: memory stays bounded."""

import io
import pickle
import struct
import subprocess
import sys

import numpy as np
import pytest

READ = """
import resource, sys
import numpy as np
from pathlib import Path
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats import lists, paper, fiftyone
from fastreid_prune.formats.registry import Request
from fastreid_prune.io.pickles import read_plain_pickle
from fastreid_prune.manifest import Manifest
from fastreid_prune.trajectory import Samples
samples = Samples.from_items([f"s/{n}.jpg" for n in range(1000)], ["m_1"] * 1000, ["c"] * 1000)
folder = Path(sys.argv[1])
request = Request(samples, folder, edited=True)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    {call}
except FastreidPruneError as error:
    print(str(error)[:300].encode("ascii", "replace").decode())
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""

# each file is read in a process of its own; seconds where nothing else runs, minutes beside trainings
pytestmark = pytest.mark.slow


def read_apart(folder, call):
    """Run in a process of its own: what it printed, and the MiB that it took."""
    done = subprocess.run(
        [sys.executable, "-c", READ.replace("{call}", call), folder],
        capture_output=True,
        text=True,
        check=True,
    )
    *said, memory = done.stdout.splitlines()
    return "\n".join(said), int(memory)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [10_000_000])
def test_ten_million_rows_of_garbage_take_bounded_memory(tmp_path, rows):
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "lists.json").write_text('{"schema_version": 1, "method": "entropy"}')
    garbage = "".join(f"../x/{n}.jpg,m_1,c,?,keep,{n}e,-1,no\n" for n in range(1000)).encode() + b"a,b\n"
    named = "".join(f"s/{n}.jpg,m_1,c,1.5\n" for n in range(1000)).encode()
    with open(folder / "scores.csv", "wb") as scores, open(tmp_path / "manifest.csv", "wb") as manifest:
        scores.write(b"file_name,pid,camid,entropy\n")
        manifest.write(b"file_name,pid,camid,new_pid,action,score,rank,reason\n")
        for _ in range(rows // 1000):
            scores.write(named)
            manifest.write(garbage)
    said, memory = read_apart(tmp_path, "print(lists.read(folder / 'lists', request).tally.problems)")
    assert f"'name an image again': {rows - 1000}" in said and memory < 300
    said, memory = read_apart(tmp_path, "Manifest.read(folder / 'manifest.csv', edited=True)")
    assert f"{rows} rows have a file name that is no path inside the root" in said and memory < 300
    with open(tmp_path / "Ranking_list.npy", "wb") as file:
        header = f"{{'descr': '<U12', 'fortran_order': False, 'shape': ({rows},), }}\n".encode()
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
        for _ in range(rows // 100_000):
            file.write(b"x\0\0\0" * 12 * 100_000)
    said, memory = read_apart(tmp_path, "print(paper.read(folder, request).tally.problems)")
    # the file is mapped into memory, 480 MB of it, and given back as the system likes
    assert f"'name no image of the data set': {rows}" in said and memory < 900


def test_a_deep_or_endless_row_takes_bounded_memory(tmp_path):
    with open(tmp_path / "manifest.csv", "wb") as file:
        file.write(b'file_name,pid,camid,new_pid,action,score,rank,reason\n"')
        for _ in range(200):
            file.write(b"x" * (1 << 20))
    said, memory = read_apart(tmp_path, "Manifest.read(folder / 'manifest.csv', edited=True)")
    assert "no readable CSV" in said and memory < 200


TEXT = b"X" + struct.pack("<I", 1 << 20) + b"x" * (1 << 20)
BOMBS = {
    "sets": b"\x80\x04(" + b"\x8f" * 2_000_000 + b"t.",
    "lists of one": b"\x80\x04(" + b"]Na" * 1_000_000 + b"t.",
    "tuples in tuples": b"\x80\x04N" + b"\x85" * 2_000_000 + b".",
    "a place far out in the memo": b"]r\xff\xff\xff\x7f.",
    "a text encoded again and again": b"\x80\x02]q\x01("
    + TEXT
    + b"q\x02c_codecs\nencode\nq\x03"
    + b"h\x03h\x02\x85R" * 2000
    + b"e.",
    "a claim of 2**40 bytes": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"x.",
    "an array of 2**40": pickle.dumps(np.zeros(3)).replace(b"K\x03\x85", b"\x8a\x06\0\0\0\0\0\1\x85"),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_a_small_pickle_takes_little_memory(tmp_path, data):
    (tmp_path / "x.pickle").write_bytes(data)
    said, memory = read_apart(tmp_path, "read_plain_pickle(folder / 'x.pickle')")
    assert "x.pickle: " in said and memory < 200


@pytest.mark.slow
def test_the_largest_pickle_takes_no_more_memory_than_the_cap(tmp_path):
    """Of what is taken, the worst of each kind: the file is 64 MiB at most, what it makes 512 MiB."""
    most = 63 << 20
    wide = b"\x80\x02X" + struct.pack("<I", most) + b"x" * (most - 4) + "𝄞".encode() + b"."
    places = b"\x80\x04N" + b"\x94" * 4_900_000 + b"."
    for data in (wide, places, pickle.dumps(np.zeros(most, np.int8), 4)):
        (tmp_path / "x.pickle").write_bytes(data)
        said, memory = read_apart(tmp_path, "read_plain_pickle(folder / 'x.pickle')")
        assert said == "" and memory < 64 + 512


JSON = {
    "deep": b'{"sample_fields": {}, "samples": ' + b"[" * 3_000_000,
    "one text without an end": b'{"samples": [{"filepath": "' + b"x" * (40 << 20),
    "one sample without an end": b'{"samples": [{"filepath": [' + b'"a",' * 5_000_000,
    "a number of a million digits": b'{"samples": [{"filepath": ' + b"9" * 1_000_000 + b"}]}",
}


@pytest.mark.parametrize("data", JSON.values(), ids=JSON)
def test_json_takes_bounded_memory(tmp_path, data):
    (tmp_path / "fiftyone.json").write_bytes(data)
    said, memory = read_apart(tmp_path, "fiftyone.read(folder / 'fiftyone.json', request)")
    assert "fiftyone.json: " in said and memory < 150


def test_logits_of_many_classes_are_not_kept(tmp_path):
    with open(tmp_path / "fiftyone.json", "w") as file:
        file.write('{"sample_fields": {}, "samples": [')
        for number in range(500):
            logits = ",".join(["0.25"] * 10_000)
            file.write(
                f'{"," if number else ""}{{"filepath": "s/{number}.jpg", "l": {{"logits": [{logits}]}}}}'
            )
        file.write("]}")
    said, memory = read_apart(tmp_path, "print(fiftyone.read(folder, request).tally.matched)")
    assert said == "500" and memory < 50


def test_many_names_as_objects_are_read(tmp_path):
    file = io.BytesIO()
    np.save(file, np.array([f"s/{n}.jpg" for n in range(200_000)], object), allow_pickle=True)
    (tmp_path / "Ranking_list.npy").write_bytes(file.getvalue())
    said, _ = read_apart(tmp_path, "print(paper.read(folder, request).tally.matched)")
    assert said == "1000"
