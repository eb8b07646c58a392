"""Errors injected into any loop: labels, and outliers where images can be composed."""

import numpy as np
import pytest
from PIL import Image

from fastreid_prune import IndexedDataset, inject_label_noise
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify.synthetic_outliers import KINDS
from fastreid_prune.trajectory import Samples


@pytest.mark.parametrize("names", [False, True])
def test_the_share_is_trained_under_another_class_and_the_rest_stays(names):
    labels = np.arange(3000) % 7
    labels = [f"c{label}" for label in labels] if names else labels
    injected = inject_label_noise(labels, share=0.05, seed=3)
    changed = injected.labels != injected.given
    assert changed.sum() == 150 and np.flatnonzero(changed).tolist() == injected.rows.tolist()
    assert injected.given.tolist() == list(labels) and set(injected.labels) == set(labels)
    again = inject_label_noise(labels, share=0.05, seed=3)
    assert (again.labels == injected.labels).all()
    assert (inject_label_noise(labels, share=0.05, seed=4).labels != injected.labels).any()


def test_a_data_set_gives_index_and_label_to_train_with_and_outliers_after_the_last_sample():
    rng = np.random.default_rng(0)
    images = [Image.fromarray(rng.integers(0, 255, (16, 8, 3), dtype=np.uint8)) for _ in range(300)]
    labels = (np.arange(300) % 5).tolist()
    injected = inject_label_noise(labels, outliers=0.1)
    data = IndexedDataset(list(zip(images, labels, strict=True)), injected, transform=np.asarray)
    assert len(data) == 330 and len(injected.outliers) == 30
    assert [data[row][0] for row in (0, 7, 329)] == [0, 7, 329]
    assert [data[row][2] for row in range(300)] == injected.labels.tolist()
    index, made, label = data[310]
    assert made.shape == (16, 8, 3) and label == injected.outlier_labels[10]
    assert not any(np.array_equal(made, np.asarray(image)) for image in images)
    with pytest.raises(IndexError):
        data[330]


def test_the_record_names_what_was_done():
    labels = (np.arange(400) % 4).tolist()
    injected = inject_label_noise(labels, outliers=0.05)
    samples = Samples.from_items([f"{row}.png" for row in range(400)], [f"id{label}" for label in labels])
    trained, record = injected.trained(samples)
    assert len(trained) == 400 + len(injected.outliers)
    assert record["switched"] == {f"{row}.png": f"id{labels[row]}" for row in injected.rows}
    assert set(record["composed"].values()) <= set(KINDS)
    assert [trained.pid[row] for row in injected.rows] == [
        f"id{injected.labels[row]}" for row in injected.rows
    ]


def test_what_cannot_be_injected_is_refused():
    with pytest.raises(FastreidPruneError, match="at least 3"):
        inject_label_noise([0, 1] * 50)
    with pytest.raises(FastreidPruneError, match="before any transform; found float"):
        data = list(zip(np.zeros(300), np.arange(300) % 3, strict=True))
        IndexedDataset(data, inject_label_noise(np.arange(300) % 3, outliers=0.1))[300]
    with pytest.raises(FastreidPruneError, match="300 labels, and the data set has 3 items"):
        IndexedDataset([1, 2, 3], inject_label_noise(np.arange(300) % 3))
