import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

from fastreid_prune.purify.features import comparable


@pytest.fixture
def taken():
    """Features of 300 images whose camera adds something to all of its own, and the cameras."""
    rng = np.random.default_rng(0)
    camera = np.arange(300) % 3
    offset = rng.normal(size=(3, 20)) * 2
    return (rng.normal(size=(300, 20)) + offset[camera]).astype(np.float32), camera.astype(str)


def test_every_camera_has_the_same_mean(taken):
    features, camera = taken
    result = comparable(features, camera)
    assert result.shape == features.shape and result.dtype == np.float32
    for one in np.unique(camera):
        np.testing.assert_allclose(result[camera == one].mean(0), 0, atol=1e-5)


def test_within_a_camera_distances_of_directions_stay(taken):
    features, camera = taken
    result = comparable(features, camera)
    directions = features / np.linalg.norm(features, axis=1, keepdims=True)
    own = camera == "1"
    np.testing.assert_allclose(pdist(result[own]), pdist(directions[own]), atol=1e-5)


def test_lengths_do_not_matter(taken):
    features, camera = taken
    lengths = np.random.default_rng(1).uniform(0.1, 10, (300, 1)).astype(np.float32)
    np.testing.assert_allclose(
        comparable(features * lengths, camera), comparable(features, camera), atol=1e-5
    )


def test_a_camera_of_few_images_is_compared_with_all():
    features = np.random.default_rng(2).normal(size=(100, 4)).astype(np.float32)
    camera = np.where(np.arange(100) < 10, "few", "many")
    directions = features / np.linalg.norm(features, axis=1, keepdims=True)
    result = comparable(features, camera)
    np.testing.assert_allclose(result[:10], directions[:10] - directions.mean(0), atol=1e-5)
    np.testing.assert_allclose(result[10:], directions[10:] - directions[10:].mean(0), atol=1e-5)


def test_fewer_axes_are_the_principal_ones(taken):
    features, _ = taken
    one_camera = np.full(300, "0")
    result = comparable(features, one_camera, max_dimensions=5)
    directions = features / np.linalg.norm(features, axis=1, keepdims=True)
    expected = PCA(5).fit_transform(directions)
    np.testing.assert_allclose(pdist(result), pdist(expected), atol=1e-4)


def test_axes_that_hold_everything_lose_nothing():
    rng = np.random.default_rng(3)
    features = (rng.normal(size=(200, 6)) @ rng.normal(size=(6, 40))).astype(np.float32)
    camera = np.array(["a", "b"])[np.arange(200) % 2]
    few, all_of_them = (comparable(features, camera, size) for size in (7, 40))
    assert few.shape == (200, 7)
    np.testing.assert_allclose(pdist(few), pdist(all_of_them), atol=1e-4)


@pytest.mark.parametrize("size", [5, 64])
def test_rows_without_features_stay_so_and_disturb_nobody(taken, size):
    features, camera = taken
    holes = features.copy()
    holes[::50] = np.nan
    seen = np.isfinite(holes).all(1)
    result = comparable(holes, camera, size)
    assert np.isnan(result[~seen]).all()
    np.testing.assert_allclose(
        pdist(result[seen]), pdist(comparable(features[seen], camera[seen], size)), atol=1e-4
    )


def test_a_memory_map_will_do(taken, tmp_path):
    features, camera = taken
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    np.testing.assert_array_equal(comparable(mapped, camera), comparable(features, camera))
