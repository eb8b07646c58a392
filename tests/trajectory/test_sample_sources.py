"""Who the samples are, from whatever a loop has."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Subset
from torchvision.datasets import ImageFolder

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory.sample_sources import samples_of


@pytest.fixture
def folder(tmp_path):
    for name, count in (("dog", 2), ("cat", 3)):
        (tmp_path / name).mkdir()
        for number in range(count):
            Image.new("RGB", (4, 4)).save(tmp_path / name / f"{number}.png")
    return tmp_path


def test_torchvisions_image_folder(folder):
    data = ImageFolder(folder)
    samples = samples_of(data)
    assert samples.file_name.tolist() == ["cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png", "dog/1.png"]
    assert samples.label.tolist() == data.targets and samples.class_names == tuple(data.classes)
    part = samples_of(Subset(data, [4, 0]))
    assert part.file_name.tolist() == ["dog/1.png", "cat/0.png"] and part.class_names == ("cat", "dog")


def test_a_list_of_paths_has_a_folder_a_class(folder):
    paths = sorted(folder.rglob("*.png"))
    samples = samples_of(paths)
    assert samples.file_name.tolist() == [path.relative_to(folder).as_posix() for path in paths]
    assert samples.pid.tolist() == ["cat"] * 3 + ["dog"] * 2 and not samples.order_is_given


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
def test_class_numbers_are_the_order_of_the_classes(kind):
    samples = samples_of(kind([11, 2, 0]))
    assert samples.label.tolist() == [11, 2, 0] and samples.class_names[11] == "11" and samples.order_is_given


class Column(list):
    pass


class LikeHuggingFace:
    """The parts of a ``datasets.Dataset`` that are read."""

    column_names = ("image", "label")

    def __init__(self, labels, names):
        self.features = {"label": type("ClassLabel", (), {"names": names})()}
        self._labels = Column(labels)

    def __getitem__(self, name):
        return self._labels


def test_a_hugging_face_data_set_names_its_classes():
    samples = samples_of(LikeHuggingFace([1, 0, 1], ["zebra", "ant"]))
    assert samples.pid.tolist() == ["ant", "zebra", "ant"] and samples.class_names == ("zebra", "ant")


def test_what_tells_no_labels_is_refused():
    with pytest.raises(FastreidPruneError, match="a TensorDataset tells no labels"):
        samples_of(torch.utils.data.TensorDataset(torch.zeros(3)))
    with pytest.raises(FastreidPruneError, match="0.5 .float. found"):
        samples_of([0.5, 1.0])
