"""A test split made on request."""

import numpy as np
import pytest
from laid_out import lay, market

from fastreid_prune import datasets
from fastreid_prune.errors import FastreidPruneError


@pytest.fixture
def people(tmp_path):
    lay(tmp_path, *(f"{pid:04}_c{cam}s1_{k}.jpg" for pid in range(1, 11) for cam in (1, 2) for k in range(3)))
    return datasets.read(lay(tmp_path, "0011_c1s1_0.jpg"))


def test_identities_are_in_one_split_and_every_query_has_a_match_in_another_camera(people):
    held = datasets.hold_out(people, 0.2, seed=3)
    train, query, gallery = (held.of_split(split) for split in datasets.SPLITS)
    assert len(set(query.pid)) == 2 and not set(train.pid) & set(query.pid)
    assert set(gallery.pid) == set(query.pid) and "11" in set(train.pid)
    assert len(held) == len(people) and len(query) == 4
    for pid, cam in zip(query.pid, query.camid, strict=True):
        assert np.any((gallery.pid == pid) & (gallery.camid != cam))


def test_the_seed_decides_and_the_rule_is_told(people):
    first, again, other = (datasets.hold_out(people, 0.3, seed=seed) for seed in (0, 0, 1))
    assert (
        first.split.tolist() == again.split.tolist() and first.file_name.tolist() == again.file_name.tolist()
    )
    assert set(first.of_split("query").pid) != set(other.of_split("query").pid)
    assert any("Held out: 3 of 11 identities (seed 0)" in note for note in first.notes)


def test_without_cameras_one_image_an_identity_is_the_query(tmp_path):
    data = datasets.read(lay(tmp_path, *(f"{who}/{k}.jpg" for who in "abcdef" for k in range(3))))
    held = datasets.hold_out(data, 0.34)
    assert [(split, count) for split, count, *_ in held.counts()] == [
        ("train", 12),
        ("query", 2),
        ("gallery", 4),
    ]


def test_a_share_that_cannot_be_held_out_is_refused(tmp_path):
    data = datasets.read(market(tmp_path))
    for share in (0.0, 1.0, 0.5):
        with pytest.raises(FastreidPruneError, match="--hold-out"):
            datasets.hold_out(data, share)
