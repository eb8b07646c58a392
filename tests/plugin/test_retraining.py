"""Training on a manifest, and what is refused before training."""

import numpy as np
import pytest

from fastreid_prune import Manifest, load_trajectory
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.manifest import prune_run


@pytest.fixture
def scored(cfg, tmp_path):
    """The output folder of a scoring run of one short epoch."""
    from fastreid.engine import DefaultTrainer

    cfg.PRUNE.CAPTURE.ENABLED, cfg.PRUNE.SEED = True, 0
    trainer = DefaultTrainer(cfg)
    trainer.iters_per_epoch = 2
    trainer.train()
    cfg.PRUNE.CAPTURE.ENABLED = False
    return tmp_path / "run"


@pytest.mark.parametrize("sampler", ["TrainingSampler", "NaiveIdentitySampler", "BalancedIdentitySampler"])
def test_only_what_is_kept_is_trained_on_with_any_sampler(cfg, scored, sampler):
    from fastreid.engine import DefaultTrainer

    summary = prune_run(scored, 0.5)
    manifest = Manifest.read(summary.manifest.path)
    cfg.PRUNE.MANIFEST, cfg.DATALOADER.SAMPLER_TRAIN = str(summary.manifest.path), sampler
    trainer = DefaultTrainer(cfg)
    kept = set(np.array(manifest.file_name)[manifest.kept])
    dataset = trainer.data_loader.dataset
    assert {item[0].split("Market-1501", 1)[1] for item in dataset.img_items} == {
        name.split("Market-1501", 1)[1] for name in kept
    }
    assert trainer.iters_per_epoch == len(kept) // 16
    assert trainer.cfg.MODEL.HEADS.NUM_CLASSES == dataset.num_classes == summary.identities_left
    batch = next(trainer._trainer._data_loader_iter)
    assert all(any(path.endswith(name) for name in kept) for path in batch["img_paths"])


def test_a_relabelled_sample_carries_its_new_identity(cfg, scored, tmp_path):
    from fastreid.data import build_reid_train_loader

    manifest = Manifest.read(prune_run(scored, 0.0).manifest.path)
    other = next(pid for pid in manifest.pid if pid != manifest.pid[0])
    manifest.new_pid[0], manifest.action[0] = other, "relabel"
    manifest.write(tmp_path / "relabelled.csv")
    cfg.PRUNE.MANIFEST = str(tmp_path / "relabelled.csv")
    dataset = build_reid_train_loader(cfg).dataset
    item = next(item for item in dataset.img_items if item[0].endswith(manifest.file_name[0]))
    assert item[1] == other
    assert dataset[dataset.img_items.index(item)]["targets"] == dataset.pid_dict[other]


def test_a_manifest_of_another_data_set_is_refused(cfg, scored, tmp_path, use_data):
    from fastreid.engine import DefaultTrainer

    from fastreid_prune.lab.demo import write_demo

    cfg.PRUNE.MANIFEST = str(prune_run(scored, 0.3).manifest.path)
    write_demo(tmp_path / "other", seed=2, train_ids=16, test_ids=2)
    use_data(tmp_path / "other")
    with pytest.raises(FastreidPruneError, match="does not fit the data set|none of its"):
        DefaultTrainer(cfg)


def test_an_edited_manifest_is_refused(cfg, scored):
    from fastreid.engine import DefaultTrainer

    path = prune_run(scored, 0.3).manifest.path
    text = path.read_text()
    path.write_text(text.replace(",prune,", ",keep,", 1))
    cfg.PRUNE.MANIFEST = str(path)
    with pytest.raises(FastreidPruneError, match="edited|changed"):
        DefaultTrainer(cfg)


def test_scores_of_the_run_are_the_entropy_of_its_mean_logits(scored):
    from scipy.special import softmax
    from scipy.stats import entropy

    from fastreid_prune import scores

    trajectory = load_trajectory(scored)
    expected = entropy(softmax(np.asarray(trajectory.mean_logits, np.float64), axis=1), axis=1)
    np.testing.assert_allclose(scores.compute(trajectory, "entropy"), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("seed", [-1, 0], ids=["fastreid's own configuration", "with a PRUNE key"])
def test_no_data_set_at_the_path_is_said_with_the_path_and_the_variable(cfg, tmp_path, use_data, seed):
    from fastreid.engine import DefaultTrainer

    use_data(tmp_path / "nowhere")
    cfg.PRUNE.SEED = seed
    with pytest.raises(
        FastreidPruneError, match=f"(?s)Market1501: no such data set in {tmp_path}/nowhere.*FASTREID_DATASETS"
    ):
        DefaultTrainer(cfg)


def test_a_file_name_that_the_reader_refuses_is_explained_by_its_rule(cfg, tmp_path, use_data, demo_root):
    import shutil

    from fastreid.engine import DefaultTrainer

    shutil.copytree(demo_root, tmp_path / "data")
    image = next((tmp_path / "data").glob("*/bounding_box_train/*.jpg"))
    image.rename(image.with_name("1999_c1s1_000001_00.jpg"))
    use_data(tmp_path / "data")
    with pytest.raises(FastreidPruneError, match="1999_c1s1_000001_00.jpg'.*`assert 0 <= pid <= 1501"):
        DefaultTrainer(cfg)


def test_a_test_set_without_images_is_named(cfg, tmp_path, use_data, demo_root):
    import shutil

    from fastreid.data import build_reid_test_loader

    shutil.copytree(demo_root, tmp_path / "data")
    for image in (tmp_path / "data").glob("*/*/*.jpg"):
        if image.parent.name != "bounding_box_train":
            image.unlink()
    use_data(tmp_path / "data")
    with pytest.raises(
        FastreidPruneError, match=r"Market1501: no query and no gallery image in .*DATASETS\.TESTS"
    ):
        build_reid_test_loader(cfg, dataset_name="Market1501")


def test_a_manifest_that_is_not_there_is_named_as_it_was_given(cfg, tmp_path):
    from fastreid.engine import DefaultTrainer

    cfg.PRUNE.MANIFEST = str(tmp_path / "m.csv")
    with pytest.raises(FastreidPruneError, match=r"m\.csv: no such manifest"):
        DefaultTrainer(cfg)


def test_a_head_with_too_few_classes_is_refused_before_training(cfg):
    from fastreid.engine import DefaultTrainer

    cfg.PRUNE.SEED, cfg.MODEL.HEADS.NUM_CLASSES = 0, 2
    with pytest.raises(FastreidPruneError, match=r"NUM_CLASSES: 2 found, but the training set has 16"):
        DefaultTrainer(cfg).train()


def test_a_warm_up_that_leaves_the_cosine_no_epoch_is_named_before_training(cfg):
    from fastreid.engine import DefaultTrainer

    cfg.PRUNE.SEED, cfg.SOLVER.SCHED, cfg.SOLVER.MAX_EPOCH = 0, "CosineAnnealingLR", 2
    epoch = len(DefaultTrainer(cfg).data_loader.dataset) // cfg.SOLVER.IMS_PER_BATCH
    cfg.SOLVER.WARMUP_ITERS = epoch + 1
    with pytest.raises(
        FastreidPruneError, match=rf"WARMUP_ITERS: {epoch + 1} found.* after 2 epochs, of .* 2\."
    ):
        DefaultTrainer(cfg).train()
    cfg.SOLVER.WARMUP_ITERS = epoch
    DefaultTrainer(cfg).train()


def test_a_training_set_smaller_than_a_batch_is_refused(cfg):
    from fastreid.engine import DefaultTrainer

    cfg.PRUNE.SEED = 0
    cfg.SOLVER.IMS_PER_BATCH = 100_000
    cfg.DATALOADER.SAMPLER_TRAIN = "TrainingSampler"
    with pytest.raises(FastreidPruneError, match="fewer than one batch .*100000"):
        DefaultTrainer(cfg)


def test_an_identity_with_one_image_is_trained_on(cfg, scored, tmp_path):
    from fastreid.engine import DefaultTrainer

    manifest = Manifest.read(prune_run(scored, 0.0).manifest.path)
    rows = np.flatnonzero(manifest.pid == manifest.pid[0])[1:]
    manifest.action[rows] = "prune"
    manifest.write(tmp_path / "one.csv")
    cfg.PRUNE.MANIFEST = str(tmp_path / "one.csv")
    for sampler in ("NaiveIdentitySampler", "BalancedIdentitySampler"):
        cfg.DATALOADER.SAMPLER_TRAIN = sampler
        trainer = DefaultTrainer(cfg)
        trainer.iters_per_epoch = 4
        trainer.train()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("PRUNE.METHOD", "entrophy", "PRUNE.METHOD.*'entrophy' found, .*entropy"),
        ("PRUNE.CAPTURE.MODE", "test", "'train' or 'eval' expected"),
        ("PRUNE.RATIO", 1.5, "PRUNE.RATIO: 1.5 found"),
        ("MODEL.BACKBONE.PRETRAIN_PATH", "nowhere.pth", "no file 'nowhere.pth'"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_before_anything_is_built(cfg, key, value, message):
    from fastreid.engine import DefaultTrainer

    cfg.MODEL.BACKBONE.PRETRAIN = True
    cfg.merge_from_list([key, value])
    with pytest.raises(FastreidPruneError, match=message):
        DefaultTrainer(cfg)
