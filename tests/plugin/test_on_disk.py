"""Paths as names of data sets: our readers behind fastreid's registry."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastreid_prune import datasets
from fastreid_prune.errors import FastreidPruneError


def lay(folder: Path, *files: str) -> Path:
    for number, file in enumerate(files):
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 4, 3), number * 9 % 256, np.uint8)).save(path)
    return folder


def read(cfg, name, root="datasets", pattern=""):
    from fastreid.data.datasets import DATASET_REGISTRY

    from fastreid_prune.plugin.on_disk import register_paths

    cfg.DATASETS.NAMES, cfg.DATASETS.TESTS, cfg.PRUNE.DATA.PATTERN = (str(name),), (), pattern
    register_paths(cfg)
    return DATASET_REGISTRY.get(str(name))(root=str(root))


def test_a_path_gives_what_fastreid_s_own_reader_gives(cfg, demo_root):
    from fastreid.data.datasets import DATASET_REGISTRY

    theirs, ours = DATASET_REGISTRY.get("Market1501")(root=str(demo_root)), read(cfg, demo_root)
    for split in ("train", "query", "gallery"):
        assert sorted(getattr(ours, split)) == sorted(getattr(theirs, split)), split


def test_cameras_of_two_digits_and_identities_of_any_kind(cfg, tmp_path):
    names = (
        f"bounding_box_train/{who}_c{camera}s1_0.png" for who in ("anna", "1502") for camera in (1, 10, 12)
    )
    data = read(cfg, lay(tmp_path / "set", *names))
    assert sorted({camera for _, _, camera in data.train}) == ["set_0", "set_11", "set_9"]
    assert sorted({pid for _, pid, _ in data.train}) == ["set_1502", "set_anna"]


def test_without_cameras_every_match_of_a_query_counts(cfg, tmp_path):
    data = read(cfg, lay(tmp_path, "train/a/0.png", "train/b/0.png", "query/c/1.png", "gallery/c/2.png"))
    assert {camera for *_, camera in data.train} == {""}
    (_, asked, camera), (_, found, other) = data.query[0], data.gallery[0]
    assert asked == found and camera != other


def test_a_pattern_says_what_names_mean(cfg, tmp_path):
    data = read(cfg, lay(tmp_path, "x7-k2.png", "x8-k3.png"), pattern=r"x(?P<pid>\d+)-k(?P<camid>\d+)")
    assert sorted(pid.rpartition("_")[2] for _, pid, _ in data.train) == ["7", "8"]


def test_a_path_in_the_folder_of_the_data_sets_is_found_there(cfg, tmp_path):
    lay(tmp_path, "mine/a/0.png", "mine/b/0.png")
    assert len(read(cfg, "mine/", root=tmp_path).train) == 2


def test_a_path_where_nothing_is_says_so(cfg, tmp_path):
    with pytest.raises(FastreidPruneError, match="no such file or folder"):
        read(cfg, tmp_path / "nothing.csv")


def test_a_table_is_trained_on_through_the_loader(cfg, tmp_path, use_data):
    from fastreid.data import build_reid_train_loader

    lay(tmp_path, *(f"images/{number:02}.png" for number in range(32)))
    table = tmp_path / "people.csv"
    table.write_text("file_name,pid\n" + "".join(f"images/{k:02}.png,p_{k % 8}\n" for k in range(32)))
    use_data(tmp_path)
    cfg.DATASETS.NAMES, cfg.PRUNE.CAPTURE.ENABLED = (str(table),), True
    loader = build_reid_train_loader(cfg)
    samples = loader.dataset.samples()
    assert samples.file_name.tolist() == datasets.read(table).file_name.tolist()
    assert samples.class_names == tuple(f"people_p_{k}" for k in range(8))
    assert next(iter(loader))["images"].shape == (16, 3, 64, 32)


def test_what_fastreid_s_reader_would_lose_in_silence_is_refused_and_the_way_out_works(
    cfg, tmp_path, use_data
):
    from fastreid_prune.plugin.samples import training_samples

    root, train = tmp_path / "Market-1501-v15.09.15", "bounding_box_train"
    for folder in ("query", "bounding_box_test"):
        (root / folder).mkdir(parents=True)
    lay(root, *(f"{train}/000{pid}_c{camera}s1_0.jpg" for pid in (1, 2) for camera in (1, 2)))
    assert len(training_samples(["Market1501"], tmp_path)) == 4
    lay(root, *(f"{train}/000{pid}_c{camera}s1_1.jpg" for pid in (1, 2) for camera in (10, 12)))
    lay(root, f"{train}/0001_c1s1_2.png", f"{train}/0001_c2s1_2.JPG")
    with pytest.raises(
        FastreidPruneError, match=r"leaves out 2 of 10 training images.*takes the cameras 1, 10, 12 for one"
    ):
        training_samples(["Market1501"], tmp_path)
    assert len(read(cfg, root).train) == 10
