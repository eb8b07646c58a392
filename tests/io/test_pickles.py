import base64
import io
import os
import pickle
import struct

import numpy as np
import pytest

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.pickles import load_plain, read_plain_pickle

PLAIN = [
    {"mislabelled": np.arange(12).reshape(6, 2), "outliers": np.array([1, 2, 3])},
    [np.array(["x", "é漢𝄞"]), np.array([b"ab"]), np.array(["a", 1, None], dtype=object)],
    {"s": {1, 2}, "f": frozenset([3]), "t": (1, (2, [None, True, 1.5, b"", b"x\xff", 10**30, "é"]))},
    [np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.zeros((0, 2), np.int64), np.array(5)],
    [np.array([1, 2], dtype=">i4"), np.array([True]), np.array([1], np.float16), bytearray(b"abc")],
    [np.float32(1.5), np.int64(3), np.str_("text")],
]


def equal(one, other):
    if isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
        # numpy turns bytes round that are in the other order, when it reads some protocols
        assert one.dtype.newbyteorder("=") == other.dtype.newbyteorder("=")
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            equal(one[key], other[key])
    elif isinstance(one, (list, tuple)):
        assert type(one) is type(other) and len(one) == len(other)
        for pair in zip(one, other, strict=True):
            equal(*pair)
    else:
        assert one == other


def load(data):
    return load_plain(io.BytesIO(data), "x.pickle")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("thing", PLAIN)
def test_arrays_and_plain_containers_read_as_pickle_reads_them(thing, protocol):
    equal(load(pickle.dumps(thing, protocol=protocol)), thing)


# as numpy 1.26 pickles {"mislabeled": np.array([[3, 940], [7, 2]]), "outlier": np.array([5])}
NUMPY_1 = {
    2: (
        "gAJ9cQAoWAoAAABtaXNsYWJlbGVkcQFjbnVtcHkuY29yZS5tdWx0aWFycmF5Cl9yZWNvbnN0cnVjdApxAmNudW1weQpuZGFy"
        "cmF5CnEDSwCFcQRjX2NvZGVjcwplbmNvZGUKcQVYAQAAAGJxBlgGAAAAbGF0aW4xcQeGcQhScQmHcQpScQsoSwFLAksChnEM"
        "Y251bXB5CmR0eXBlCnENWAIAAABpOHEOiYiHcQ9ScRAoSwNYAQAAADxxEU5OTkr/////Sv////9LAHRxEmKJaAVYIQAAAAMA"
        "AAAAAAAAwqwDAAAAAAAABwAAAAAAAAACAAAAAAAAAHETaAeGcRRScRV0cRZiWAcAAABvdXRsaWVycRdoAmgDSwCFcRhoCYdx"
        "GVJxGihLAUsBhXEbaBCJaAVYCAAAAAUAAAAAAAAAcRxoB4ZxHVJxHnRxH2J1Lg=="
    ),
    3: (
        "gAN9cQAoWAoAAABtaXNsYWJlbGVkcQFjbnVtcHkuY29yZS5tdWx0aWFycmF5Cl9yZWNvbnN0cnVjdApxAmNudW1weQpuZGFy"
        "cmF5CnEDSwCFcQRDAWJxBYdxBlJxByhLAUsCSwKGcQhjbnVtcHkKZHR5cGUKcQlYAgAAAGk4cQqJiIdxC1JxDChLA1gBAAAA"
        "PHENTk5OSv////9K/////0sAdHEOYolDIAMAAAAAAAAArAMAAAAAAAAHAAAAAAAAAAIAAAAAAAAAcQ90cRBiWAcAAABvdXRs"
        "aWVycRFoAmgDSwCFcRJoBYdxE1JxFChLAUsBhXEVaAyJQwgFAAAAAAAAAHEWdHEXYnUu"
    ),
    4: (
        "gASV6wAAAAAAAAB9lCiMCm1pc2xhYmVsZWSUjBVudW1weS5jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51"
        "bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsCSwKGlGgFjAVkdHlwZZSTlIwCaTiUiYiHlFKUKEsDjAE8lE5OTkr/"
        "////Sv////9LAHSUYolDIAMAAAAAAAAArAMAAAAAAAAHAAAAAAAAAAIAAAAAAAAAlHSUYowHb3V0bGllcpRoBGgHSwCFlGgJ"
        "h5RSlChLAUsBhZRoEYlDCAUAAAAAAAAAlHSUYnUu"
    ),
    5: (
        "gAWV0QAAAAAAAAB9lCiMCm1pc2xhYmVsZWSUjBJudW1weS5jb3JlLm51bWVyaWOUjAtfZnJvbWJ1ZmZlcpSTlCiWIAAAAAAA"
        "AAADAAAAAAAAAKwDAAAAAAAABwAAAAAAAAACAAAAAAAAAJSMBW51bXB5lIwFZHR5cGWUk5SMAmk4lImIh5RSlChLA4wBPJRO"
        "Tk5K/////0r/////SwB0lGJLAksChpSMAUOUdJRSlIwHb3V0bGllcpRoBCiWCAAAAAAAAAAFAAAAAAAAAJRoC0sBhZRoD3SU"
        "UpR1Lg=="
    ),
}


@pytest.mark.parametrize("protocol", NUMPY_1)
def test_arrays_that_numpy_1_pickled_are_read(protocol):
    found = load(base64.b64decode(NUMPY_1[protocol]))
    equal(found, {"mislabeled": np.array([[3, 940], [7, 2]]), "outlier": np.array([5])})


class Bomb:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_pickle_does_nothing_and_is_reported(tmp_path, protocol):
    target = tmp_path / "executed"
    path = tmp_path / "Mislabeled_outlier_samples.pickle"
    with open(path, "wb") as file:
        pickle.dump({"a": np.zeros(3), "b": Bomb(os.system, f"touch {target}")}, file, protocol=protocol)
    with pytest.raises(FastreidPruneError, match=r"posix\.system|nt\.system") as caught:
        read_plain_pickle(path)
    assert "nothing was executed" in str(caught.value) and not target.exists()


def array_pickle(
    shape=b"K\x03\x85", dtype=b"X\x02\x00\x00\x00i8", state=b"X\x01\x00\x00\x00<NNN", raw=b"\0" * 24
):
    """A pickled array, protocol 3, with its parts as given."""
    return (
        b"\x80\x03cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01"
        + shape
        + b"cnumpy\ndtype\n"
        + dtype
        + b"\x89\x88\x87R(K\x03"
        + state
        + b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89B"
        + struct.pack("<I", len(raw))
        + raw
        + b"tb."
    )


def test_the_hand_made_array_is_what_pickle_reads():
    np.testing.assert_array_equal(pickle.loads(array_pickle()), np.zeros(3, np.int64))
    equal(load(array_pickle()), np.zeros(3, np.int64))


TEXT = b"X" + struct.pack("<I", 1 << 20) + b"x" * (1 << 20)
ENCODE = b"c_codecs\nencode\nq\x03"

REFUSED = {
    "a shape beyond the bytes": array_pickle(shape=b"\x8a\x05\x00\x00\x00\x00\x01\x85"),
    "a negative shape": array_pickle(shape=b"J\xff\xff\xff\xff\x85"),
    "an object array from bytes": array_pickle(dtype=b"X\x02\x00\x00\x00O8"),
    "a dtype with fields": array_pickle(state=b"X\x01\x00\x00\x00<N(X\x01\x00\x00\x00at}"),
    "a dtype of void": array_pickle(dtype=b"X\x02\x00\x00\x00V8"),
    "elements of no size": array_pickle(dtype=b"X\x02\x00\x00\x00U0", raw=b""),
    "a call of ndarray": b"\x80\x03cnumpy\nndarray\nK\x05\x85R.",
    "eval": b"cbuiltins\neval\n(X\x04\x00\x00\x001+1+tR.",
    "getattr": b"cbuiltins\ngetattr\n(X\x01\x00\x00\x00aX\x01\x00\x00\x00btR.",
    "an object with a class": b"(i__main__\nX\n.",
    "a persistent id": b"Pid\n.",
    "an extension": b"\x80\x02\x82\x01.",
    "a state for a dictionary": b"}}(X\x01\x00\x00\x00aK\x01ub.",
    "nested tuples as key": b"}(" + b"K\x01\x85" + b"2\x86" * 60 + b"K\x01u.",
    "a memo of 2**31 places, then nothing": b"]r\xff\xff\xff\x7f",
    "text of 2**62 bytes": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"x.",
    "a bytearray of 2**40 bytes": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"x.",
    "text encoded again and again": b"\x80\x02]q\x01("
    + TEXT
    + b"q\x02"
    + ENCODE
    + b"h\x03h\x02\x85R" * 200
    + b"e.",
    "sets of the same again and again": b"\x80\x02("
    + b"N" * 1000
    + b"lq\x01cbuiltins\nset\nq\x02"
    + b"h\x02h\x01\x85R" * 2000
    + b"t.",
    "more empty sets than a list has use for": b"\x80\x04(" + b"\x8f" * 2_000_000 + b"t.",
    "an array of characters that do not exist": array_pickle(dtype=b"X\x02\x00\x00\x00U2", raw=b"\xff" * 24),
    "an empty stack": b".",
    "an empty file": b"",
    "an open mark": b"(K\x01.",
    "a global alone": b"cnumpy\ndtype\n.",
    "a million digits": b"I" + b"9" * 1_000_000 + b"\n.",
    "truncated": pickle.dumps(PLAIN[0])[:-20],
    "text": b"not a pickle at all",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_is_no_plain_pickle_is_refused_with_the_documented_error(data):
    with pytest.raises(FastreidPruneError, match="x.pickle: "):
        load(data)


@pytest.mark.parametrize(
    "deep", [b"\x80\x02)" + b"\x85" * 100_000 + b".", b"]" * 100_000 + b"a" * 99_999 + b"."]
)
def test_deep_nesting_is_read_without_recursion(deep):
    value, depth = load(deep), 0
    while value:
        value, depth = value[0], depth + 1
    assert depth in (100_000, 99_999)


def test_control_characters_of_a_hostile_name_are_not_printed():
    with pytest.raises(FastreidPruneError) as caught:
        load(b"c\x1b[2Jos\nsystem\n.")
    assert "\x1b" not in str(caught.value) and "system" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FastreidPruneError, match="gone.pickle: cannot be read"):
        read_plain_pickle(tmp_path / "gone.pickle")
