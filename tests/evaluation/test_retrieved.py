import numpy as np
import pytest

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation import evaluate_ranking
from fastreid_prune.evaluation.retrieved import Retrieved, retrieved


@pytest.fixture
def retrieval():
    rng = np.random.default_rng(3)
    ids, cams = rng.integers(0, 6, 90), rng.integers(0, 3, 90)
    ids[80:] = -1
    ids[0] = 99
    features = rng.normal(size=(90, 8)).astype(np.float32)
    return [part for array in (features, ids, cams) for part in (array[:20], array[20:])]


def test_each_query_s_closest_are_those_of_a_full_sort_without_its_own_camera(retrieval):
    query, gallery, query_ids, gallery_ids, query_cams, gallery_cams = retrieval
    names = [f"q{i}" for i in range(20)], [f"g{i}" for i in range(70)]
    ranking = evaluate_ranking(*retrieval)
    kept = retrieved(ranking, *retrieval, *names, count=7)
    unit = [features / np.linalg.norm(features, axis=1, keepdims=True) for features in (query, gallery)]
    for row, similar in enumerate(unit[0] @ unit[1].T):
        allowed = (gallery_ids != -1) & ~((gallery_ids == query_ids[row]) & (gallery_cams == query_cams[row]))
        expected = [g for g in np.argsort(-similar) if allowed[g]][:7]
        assert kept.gallery[kept.nearest[row]].tolist() == [f"g{g}" for g in expected]
        assert kept.right(row) == (gallery_ids[expected] == query_ids[row]).tolist()
        assert kept.gallery_camera[kept.nearest[row]].tolist() == gallery_cams[expected].tolist()
    assert np.isnan(kept.average_precision[0]) and np.nanmean(kept.average_precision) == pytest.approx(
        ranking.mAP
    )


def test_where_fewer_are_left_the_row_ends_early(retrieval):
    query, gallery, query_ids, gallery_ids, query_cams, gallery_cams = retrieval
    small = [query, gallery[:4], query_ids, np.array([3, 3, 3, 4]), query_cams, np.array([0, 1, 2, 0])]
    query_ids[5], query_cams[5] = 3, 1
    kept = retrieved(evaluate_ranking(*small), *small, [f"q{i}" for i in range(20)], list("abcd"), count=10)
    assert (kept.nearest[5] >= 0).sum() == 3 and "b" not in kept.gallery[kept.nearest[5][:3]]
    assert len(kept.right(5)) == 3


def test_a_file_is_read_as_it_was_written_and_a_damaged_one_is_named(retrieval, tmp_path):
    kept = retrieved(
        evaluate_ranking(*retrieval), *retrieval, ["ä <b>"] * 20, [f"g{i}" for i in range(70)], count=3
    )
    kept.write(tmp_path / "retrieved.npz")
    again = Retrieved.read(tmp_path / "retrieved.npz")
    for name, value in vars(kept).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    data = (tmp_path / "retrieved.npz").read_bytes()
    (tmp_path / "retrieved.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(FastreidPruneError, match=r"retrieved.npz: cannot be read"):
        Retrieved.read(tmp_path / "retrieved.npz")
