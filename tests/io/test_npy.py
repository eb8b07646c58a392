import io
import struct

import numpy as np
import pytest

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.npy import read_names


def names_in(path):
    return [name for block in read_names(path) for name in block.to_pylist()]


@pytest.mark.parametrize("names", [[], ["a"], ["é漢𝄞", "", "a,b\n\"c'"], ["x" * 4000, "y"]])
def test_names_are_read_however_numpy_saved_them(tmp_path, names):
    arrays = {
        "text": np.array(names, "U"),
        "swapped": np.array(names, "U").astype(f">U{max(map(len, names), default=1) or 1}"),
        "bytes": np.array([name.encode() for name in names], "S"),
        "objects": np.array([*names, None], object)[:-1],
    }
    for kind, array in arrays.items():
        np.save(tmp_path / "names.npy", array, allow_pickle=True)
        if (
            array.dtype.itemsize > 4000
            and kind != "objects"
            and kind == "bytes"
            and max(map(len, array)) > 4096
        ):
            continue
        assert names_in(tmp_path / "names.npy") == names, kind


def npy(header, data=b"", version=1):
    header = header.encode() + b" " * 7 + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + data


def saved(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


HEADER = "{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }"
REFUSED = {
    "an empty file": b"",
    "no npy": b"names\n",
    "numbers": saved(np.arange(3)),
    "two dimensions": saved(np.array([["a"]])),
    "no dimension": saved(np.array("a")),
    "fields": saved(np.array([("a", 1)], dtype=[("x", "U1"), ("y", "i4")])),
    "more names than bytes": npy(HEADER % ("<U9", 1000), b"\0" * 36),
    "fewer names than bytes": npy(HEADER % ("<U1", 1), b"\0" * 8),
    "a million million names": npy(HEADER % ("<U9", 10**12)),
    "a million million names of no size": npy(HEADER % ("<U0", 10**12)),
    "one very long name": npy(HEADER % ("<U999999", 1), b"\0" * 4 * 999999),
    "a negative count": npy(HEADER % ("<U1", -1)),
    "code in the header": npy("{'descr': __import__('os').system('true'), 'shape': (1,)}"),
    "a header that ends in a string": npy("{'descr': '''<U1"),
    "a header that is nested": npy("[" * 900),
    "a header of 4 GB": npy(HEADER % ("<U1", 1), version=2)[:8] + b"\xff\xff\xff\xff",
    "characters that do not exist": npy(HEADER % ("<U1", 1), struct.pack("<I", 0x110000)),
    "half of a surrogate pair": npy(HEADER % ("<U1", 1), struct.pack("<I", 0xD800)),
    "bytes that are not UTF-8": npy(HEADER % ("|S2", 1), b"\xff\xfe"),
    "objects that are no text": saved(np.array([1, {}], object)),
    "objects of another number": npy(HEADER % ("|O", 3), saved(np.array(["a"], object))[128:]),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_is_no_list_of_names_is_refused(tmp_path, data):
    (tmp_path / "names.npy").write_bytes(data)
    with pytest.raises(FastreidPruneError, match="names.npy: "):
        names_in(tmp_path / "names.npy")
