"""``fastreid-prune evaluate``: what it prints, and what it says about files that do not fit."""

import json

import numpy as np
import pytest

from fastreid_prune.cli import main
from fastreid_prune.evaluation import evaluate_ranking
from fastreid_prune.evaluation.archive import ARRAYS


def retrieval(num_queries=20, num_gallery=90):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(8, 6))
    ids = rng.integers(8, size=num_queries), rng.integers(8, size=num_gallery)
    features = [(centres[i] + rng.normal(size=(len(i), 6))).astype(np.float32) for i in ids]
    cams = rng.integers(3, size=num_queries), rng.integers(3, size=num_gallery)
    names = (np.array([f"person_{i}" for i in part]) for part in ids)
    return dict(zip(ARRAYS, (*features, *names, *cams), strict=True))


@pytest.fixture
def archive(tmp_path):
    def write(**changes):
        arrays = {name: array for name, array in {**retrieval(), **changes}.items() if array is not None}
        np.savez(tmp_path / "features.npz", **arrays)
        return tmp_path / "features.npz"

    return write


def run(capsys, *arguments):
    """Exit status, standard output and standard error."""
    try:
        status = main([str(argument) for argument in arguments]) or 0
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_json_holds_the_fractions(archive, capsys):
    status, out, _ = run(capsys, "evaluate", archive(), "--json", "--ranks", "1,3", "--metric", "euclidean")
    expected = evaluate_ranking(**retrieval(), ranks=(1, 3), metric="euclidean")
    assert status == 0
    assert json.loads(out) == {**expected.summary(), "num_queries": 20, "num_skipped": expected.num_skipped}


def test_table_holds_percent(archive, capsys):
    status, out, _ = run(capsys, "evaluate", archive(), "--protocol", "veri", "--rerank")
    assert status == 0
    assert "mAP" in out and "%" in out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gallery_cams": None, "query_ids": None}, "no array query_ids, gallery_cams; found query_features"),
        (
            {"query_ids": np.arange(19)},
            "query_ids: expected one entry for each of the 20 rows of query_features",
        ),
        ({"gallery_features": np.ones((90, 5))}, "query_features have width 6, gallery_features 5"),
        ({"query_features": np.ones(20)}, "query_features: expected a matrix of numbers"),
        ({"query_cams": np.full(20, 0.5)}, "query_cams: expected integers or strings, found float64"),
        ({"gallery_ids": np.array([{}] * 90, dtype=object)}, "array gallery_ids cannot be read"),
        ({"gallery_features": np.full((90, 6), np.nan)}, "gallery_features: row 0 holds NaN"),
    ],
)
def test_says_what_does_not_fit(archive, capsys, changes, message):
    path = archive(**changes)
    status, _, err = run(capsys, "evaluate", path)
    assert status == 2
    assert str(path) in err and message in err and "Traceback" not in err


def test_says_that_a_file_is_no_archive(tmp_path, capsys):
    assert "no such file" in run(capsys, "evaluate", tmp_path / "none.npz")[2]
    np.save(tmp_path / "one.npy", np.ones(3))
    assert "not a NumPy archive" in run(capsys, "evaluate", tmp_path / "one.npy")[2]


def test_says_that_a_file_is_cut_off(archive, capsys):
    path = archive()
    path.write_bytes(path.read_bytes()[:-200])
    status, _, err = run(capsys, "evaluate", path)
    assert (status, "cut-off" in err) == (2, True)


def test_refuses_ranks_that_are_no_numbers(archive, capsys):
    status, _, err = run(capsys, "evaluate", archive(), "--ranks", "1,first")
    assert status == 2 and "whole numbers and commas" in err


@pytest.mark.parametrize("mark", [b"PK\x01\x02", b"\x93NUMPY"], ids=["list of members", "first array"])
def test_a_damaged_archive_is_said_to_be_damaged(archive, capsys, mark):
    path = archive()
    data = bytearray(path.read_bytes())
    place = data.index(mark)
    data[place : place + 8] = b"\xff" * 8
    path.write_bytes(data)
    status, _, err = run(capsys, "evaluate", path)
    assert status == 2 and str(path) in err and ("damaged" in err or "cannot be read" in err)


def test_control_characters_in_a_message_are_spelled_out(archive, capsys):
    path = archive(query_ids=None, **{"evil\x1b[2J": np.zeros(1)})
    status, _, err = run(capsys, "evaluate", path)
    assert status == 2 and "\x1b[2J" not in err and "evil\\x1b[2J" in err
