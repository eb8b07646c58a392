"""What a scoring run captures, and what the samples of its trajectory are."""

import io
import json
import logging

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fastreid_prune import load_trajectory
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.heads import clean_logits, find_head
from fastreid_prune.trajectory.per_epoch_logits import open_epoch


def train(cfg, iterations=None):
    from fastreid.engine import DefaultTrainer

    trainer = DefaultTrainer(cfg)
    if iterations:
        trainer.iters_per_epoch = iterations
    trainer.train()
    return trainer


@pytest.fixture
def scoring(cfg):
    cfg.PRUNE.CAPTURE.ENABLED = True
    cfg.PRUNE.SEED = 0
    cfg.SOLVER.MAX_EPOCH = 2
    return cfg


def test_train_mode_counts_every_visit_and_observes_every_sample(scoring, tmp_path):
    trainer = train(scoring, iterations=4)
    trajectory = load_trajectory(tmp_path / "run")
    visits = np.nan_to_num(trajectory.epochs.visits)
    filled = trajectory.meta["filled"]
    assert visits.sum() == 2 * 4 * scoring.SOLVER.IMS_PER_BATCH + filled
    assert (visits.sum(0) > 0).all()
    assert filled > 0
    assert trajectory.num_samples == len(trainer.data_loader.dataset)
    assert np.isfinite(trajectory.mean_logits).all()
    assert np.isfinite(trajectory.features).all()


def test_eval_mode_observes_every_sample_once_an_epoch(scoring, tmp_path):
    scoring.PRUNE.CAPTURE.MODE = "eval"
    train(scoring, iterations=2)
    trajectory = load_trajectory(tmp_path / "run")
    assert (trajectory.epochs.visits == 1).all()
    assert trajectory.epochs.visits.shape[0] == 2
    assert trajectory.meta["filled"] == 0


def test_clean_passes_in_half_precision_see_nearly_the_same_and_train_the_same(scoring, tmp_path):
    scoring.merge_from_list(["PRUNE.CAPTURE.MODE", "eval", "PRUNE.SEED", 0])
    found = []
    for amp in (False, True):
        scoring.PRUNE.CAPTURE.AMP = amp
        scoring.OUTPUT_DIR = str(tmp_path / f"amp_{amp}")
        train(scoring, iterations=2)
        weights = torch.load(tmp_path / f"amp_{amp}" / "model_final.pth", weights_only=False)["model"]
        found.append((np.array(load_trajectory(scoring.OUTPUT_DIR).mean_logits, float), weights))
    (full, weights), (half, others) = found
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    assert 0 < np.abs(full - half).max() < 0.05 * full.std() + 0.02


def test_whole_trajectories_are_kept_on_request_and_an_earlier_run_s_are_not(scoring, tmp_path):
    whole = tmp_path / "run" / "prune" / "trajectory" / "logits"
    whole.mkdir(parents=True)
    (whole / "epoch_0007.npy").write_bytes(b"an earlier run's")
    scoring.PRUNE.CAPTURE.MODE = "eval"
    scoring.PRUNE.CAPTURE.KEEP_LOGITS = True
    train(scoring, iterations=2)
    trajectory = load_trajectory(tmp_path / "run")
    assert [path.name for path in sorted(whole.iterdir())] == ["epoch_0000.npy", "epoch_0001.npy"]
    kept = np.array([open_epoch(whole, epoch) for epoch in range(2)], np.float32)
    np.testing.assert_allclose(kept.mean(axis=0), trajectory.mean_logits, atol=0.01)


def test_train_mode_logits_are_the_heads_without_margin_and_after_the_scale(scoring, tmp_path):
    from fastreid.engine import DefaultTrainer

    scoring.MODEL.HEADS.CLS_LAYER, scoring.MODEL.HEADS.SCALE, scoring.MODEL.HEADS.MARGIN = (
        "ArcSoftmax",
        30,
        0.3,
    )
    scoring.SOLVER.MAX_EPOCH = 1
    trainer = DefaultTrainer(scoring)
    trainer.iters_per_epoch = 3
    seen = {}

    def listen(module, arguments, output):
        if trainer.model.training:
            seen.setdefault("logits", []).append(output["pred_class_logits"].detach().clone())

    trainer.model.heads.register_forward_hook(listen)
    rows = []
    trainer.model.register_forward_pre_hook(
        lambda module, arguments: rows.append(arguments[0]["sample_index"]) if module.training else None
    )
    trainer.train()
    logits = torch.cat(seen["logits"][:3])
    expected = {}
    for row, value in zip(torch.cat(rows).tolist(), logits, strict=True):
        expected.setdefault(row, []).append(value)
    trajectory = load_trajectory(tmp_path / "run")
    for row, values in expected.items():
        np.testing.assert_allclose(
            trajectory.mean_logits[row], torch.stack(values).mean(0), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("layer", ["Linear", "ArcSoftmax", "CosSoftmax", "CircleSoftmax"])
@pytest.mark.parametrize("head_name", ["EmbeddingHead", "ClasHead"])
def test_clean_logits_are_those_of_the_heads_own_weights(cfg, layer, head_name):
    from fastreid.engine import DefaultTrainer

    heads = cfg.MODEL.HEADS
    heads.NAME, heads.CLS_LAYER, heads.NUM_CLASSES, heads.SCALE, heads.MARGIN = head_name, layer, 16, 8, 0.2
    model = DefaultTrainer.build_model(cfg)
    name, head = find_head(model)
    assert name == "heads"
    batch = {
        "images": torch.rand(5, 3, 64, 32) * 255,
        "targets": torch.arange(5),
        "sample_index": torch.arange(5),
    }
    got = {}

    def keep(sample_index, logits, labels, features):
        got.update(logits=logits.clone(), features=features.clone())

    with clean_logits(model.train(), head, keep) as run:
        run({key: value.clone() for key, value in batch.items()})
    assert model.training
    assert head.training
    model.eval()
    with torch.no_grad():
        neck = head.bottleneck(head.pool_layer(model.backbone(model.preprocess_image(dict(batch)))))[
            ..., 0, 0
        ]
    normalise = (lambda x: x) if layer == "Linear" else F.normalize
    torch.testing.assert_close(got["logits"], 8 * F.linear(normalise(neck), normalise(head.weight)))
    torch.testing.assert_close(got["features"], neck)


def test_a_model_with_several_heads_asks_which_one_before_training(cfg):
    from fastreid.modeling.meta_arch import build_model

    cfg.MODEL.META_ARCHITECTURE = "MGN"
    cfg.MODEL.BACKBONE.NAME, cfg.MODEL.BACKBONE.DEPTH = "build_resnet_backbone", "50x"
    cfg.MODEL.BACKBONE.FEAT_DIM, cfg.MODEL.HEADS.NUM_CLASSES, cfg.MODEL.HEADS.EMBEDDING_DIM = 2048, 16, 32
    model = build_model(cfg)
    with pytest.raises(FastreidPruneError, match=r"PRUNE\.CAPTURE\.HEAD.*several heads \(b1_head, b2_head"):
        find_head(model)
    with pytest.raises(FastreidPruneError, match="no head 'heads' in the model; its heads are: b1_head"):
        find_head(model, "heads")
    name, head = find_head(model, "b2_head")
    assert head is model.b2_head
    got = []
    batch = {"images": torch.rand(2, 3, 96, 32), "targets": torch.arange(2), "sample_index": torch.arange(2)}
    with clean_logits(model, head, lambda *arguments: got.append(arguments)) as run:
        run(batch)
    assert got[0][1].shape == (2, 16)


def mgn(cfg):
    cfg.MODEL.META_ARCHITECTURE = "MGN"
    cfg.MODEL.BACKBONE.NAME, cfg.MODEL.BACKBONE.DEPTH = "build_resnet_backbone", "50x"
    cfg.MODEL.BACKBONE.FEAT_DIM, cfg.MODEL.HEADS.EMBEDDING_DIM = 2048, 32
    cfg.INPUT.SIZE_TRAIN = cfg.INPUT.SIZE_TEST = [96, 32]
    cfg.SOLVER.MAX_EPOCH = 1
    return cfg


@pytest.mark.parametrize("head, message", [("", "several heads"), ("heads", "no head 'heads'")])
def test_a_run_with_several_heads_stops_before_its_first_step_unless_one_is_chosen(scoring, head, message):
    from fastreid.engine import DefaultTrainer

    mgn(scoring).PRUNE.CAPTURE.HEAD = head
    trainer = DefaultTrainer(scoring)
    trainer.run_step = lambda: pytest.fail("a step was trained")
    with pytest.raises(FastreidPruneError, match=rf"PRUNE\.CAPTURE\.HEAD.*{message}"):
        trainer.train()


@pytest.mark.slow
def test_of_several_heads_the_chosen_one_is_captured(scoring, tmp_path):
    from fastreid.engine import DefaultTrainer

    mgn(scoring).PRUNE.CAPTURE.HEAD = "b2_head"
    trainer = DefaultTrainer(scoring)
    trainer.iters_per_epoch = 1
    trained = []
    trainer.model.register_forward_pre_hook(
        lambda model, arguments: (
            trained.extend(arguments[0]["sample_index"].tolist()) if model.training else None
        )
    )
    trainer.train()
    trajectory = load_trajectory(tmp_path / "run")
    assert trajectory.meta["head"] == "b2_head" and len(trained) == 16
    # the others were seen in the closing pass, with the weights as they are now, and features kept at length 1
    others = np.setdiff1d(np.arange(trajectory.num_samples), trained)
    features = torch.from_numpy(np.array(trajectory.features))[others]
    expected = F.linear(features, trainer.model.b2_head.weight.detach())
    logits = torch.from_numpy(np.array(trajectory.mean_logits[others]))
    np.testing.assert_allclose(F.normalize(logits), F.normalize(expected), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(features.norm(dim=1), 1, rtol=1e-4)


def test_a_head_without_logits_stops_the_run_before_its_first_step(scoring):
    from fastreid.engine import DefaultTrainer

    trainer = DefaultTrainer(scoring)
    trainer.run_step = lambda: pytest.fail("a step was trained")
    forward = trainer.model.heads.forward
    trainer.model.heads.forward = lambda *arguments: {"logits": forward(*arguments)}
    with pytest.raises(FastreidPruneError, match="EmbeddingHead gives no `pred_class_logits` in training"):
        trainer.train()


def test_a_nan_in_training_names_sample_epoch_and_head(scoring):
    from fastreid.engine import DefaultTrainer

    trainer = DefaultTrainer(scoring)
    trainer.iters_per_epoch = 1
    spoil = trainer.model.heads.register_forward_hook(
        lambda module, arguments, output: (
            output["pred_class_logits"].__setitem__((3, 0), torch.nan)
            if getattr(trainer, "epoch", 0) == 1 and isinstance(output, dict)
            else None
        )
    )
    with pytest.raises(
        FastreidPruneError, match=r"logits of head heads in epoch 1: sample \d+ \(Market-1501.*jpg\)"
    ):
        trainer.train()
    spoil.remove()


@pytest.mark.parametrize("layer", ["Linear", "CosSoftmax"])
def test_features_and_weights_kept_instead_of_logits_give_the_same_run(scoring, layer, tmp_path):
    scoring.PRUNE.CAPTURE.MODE = "eval"
    scoring.PRUNE.RATIO = 0.3
    scoring.MODEL.HEADS.CLS_LAYER, scoring.MODEL.HEADS.SCALE = layer, 16
    found = []
    for factored in (False, True):
        scoring.PRUNE.CAPTURE.FACTORED = factored
        scoring.OUTPUT_DIR = str(tmp_path / str(factored))
        (tmp_path / str(factored)).mkdir()
        train(scoring, iterations=2)
        found.append(load_trajectory(scoring.OUTPUT_DIR))
        assert (tmp_path / str(factored) / "prune" / "trajectory" / "mean_logits.npy").exists() != factored
    logits, factors = found
    np.testing.assert_allclose(factors.mean_logits[:], logits.mean_logits, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(factors.epochs.loss, logits.epochs.loss)
    tables = [
        (tmp_path / name / "prune" / "scores.csv").read_text().splitlines() for name in ("False", "True")
    ]
    assert tables[0][0] == tables[1][0] and len(tables[0]) == len(tables[1])


def test_features_and_weights_are_refused_in_training(scoring):
    from fastreid.engine import DefaultTrainer

    scoring.PRUNE.CAPTURE.FACTORED = True
    with pytest.raises(FastreidPruneError, match="PRUNE.CAPTURE.FACTORED needs PRUNE.CAPTURE.MODE eval"):
        DefaultTrainer(scoring)


def test_a_run_killed_after_its_last_file_is_complete_when_resumed(scoring, tmp_path):
    from fastreid.engine import DefaultTrainer

    scoring.PRUNE.CAPTURE.MODE = "eval"
    train(scoring, iterations=1)
    before = {path: path.read_bytes() for path in (tmp_path / "run" / "prune" / "trajectory").iterdir()}
    again = DefaultTrainer(scoring)
    again.resume_or_load(resume=True)
    again.train()
    assert {path: path.read_bytes() for path in before} == before


def test_a_checkpoint_and_a_capture_that_do_not_match_are_refused(scoring, tmp_path):
    from fastreid.engine import DefaultTrainer

    scoring.SOLVER.MAX_EPOCH = 3

    def interrupted():
        trainer = DefaultTrainer(scoring)
        trainer.iters_per_epoch = 1
        trainer.resume_or_load(resume=True)
        return trainer

    stopping = interrupted()
    run_step = stopping._trainer.run_step
    stopping.run_step = lambda: run_step() if stopping.epoch < 2 else (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        stopping.train()
    states = tmp_path / "run" / "prune" / "state"
    newest = states / "epoch_0001.rank0.pt"
    whole = newest.read_bytes()
    for damage, message in (
        (lambda: newest.write_bytes(whole[: len(whole) // 2]), "epoch_0001.rank0.pt.*cannot be read"),
        (
            lambda: newest.write_bytes((states / "epoch_0000.rank0.pt").read_bytes()),
            "holds 1 recorded epochs",
        ),
        (newest.unlink, "capture of epoch 1 is needed, but there is no .*epoch_0001.rank0.pt"),
    ):
        damage()
        with pytest.raises(FastreidPruneError, match=message):
            interrupted().train()
    newest.write_bytes(whole)
    scoring.PRUNE.CAPTURE.MODE = "eval"
    with pytest.raises(FastreidPruneError, match="recorded with mode train, this run has eval"):
        interrupted().train()


def test_samples_are_named_relative_to_the_data_sets_root_in_the_same_order_everywhere(scoring, demo_root):
    from fastreid.data import build_reid_train_loader

    samples = build_reid_train_loader(scoring).dataset.samples()
    assert list(samples.file_name) == sorted(samples.file_name)
    assert (demo_root / samples.file_name[0]).is_file()
    assert samples.file_name[0].startswith("Market-1501-v15.09.15/bounding_box_train/")


def test_several_data_sets_are_captured_at_once(scoring, demo_root, tmp_path, use_data):
    """VeRi's layout beside Market-1501's, from the same images."""
    import shutil

    source = demo_root / "Market-1501-v15.09.15"
    shutil.copytree(source, tmp_path / "data" / source.name)
    for split, target in {
        "bounding_box_train": "train",
        "query": "query",
        "bounding_box_test": "test",
    }.items():
        folder = tmp_path / "data" / "veri" / f"image_{target}"
        folder.mkdir(parents=True)
        for image in (source / split).glob("*.jpg"):
            pid, camera = int(image.name[:4]), int(image.name[6])
            shutil.copy(image, folder / f"{pid % 777:04}_c{camera:03}_{image.stem}.jpg")
    use_data(tmp_path / "data")
    scoring.DATASETS.NAMES = ("Market1501", "VeRi")
    train(scoring, iterations=2)
    trajectory = load_trajectory(tmp_path / "run")
    prefixes = {pid.rsplit("_", 1)[0] for pid in trajectory.samples.pid}
    assert prefixes == {"market1501", "veri"}
    assert trajectory.meta["dataset"] == ["Market1501", "VeRi"]
    assert len(set(trajectory.samples.file_name)) == trajectory.num_samples


def test_an_unreadable_image_is_named_and_becomes_an_outlier_of_the_manifest(
    scoring, demo_root, tmp_path, use_data
):
    import shutil

    from fastreid_prune.manifest import Manifest

    shutil.copytree(demo_root, tmp_path / "data")
    broken = sorted((tmp_path / "data").glob("*/bounding_box_train/*.jpg"))[3]
    broken.write_bytes(broken.read_bytes()[:200])
    use_data(tmp_path / "data")
    scoring.PRUNE.RATIO = 0.25
    scoring.SOLVER.MAX_EPOCH = 1
    messages = io.StringIO()
    handler = logging.StreamHandler(messages)
    logging.getLogger("fastreid.prune").addHandler(handler)
    trainer = train(scoring, iterations=2)
    logging.getLogger("fastreid.prune").removeHandler(handler)
    name = f"Market-1501-v15.09.15/bounding_box_train/{broken.name}"
    assert f"1 images cannot be read and are left out: {name}" in messages.getvalue()
    manifest = Manifest.read(tmp_path / "run" / "prune" / "manifest.csv")
    row = [name.endswith(broken.name) for name in manifest.file_name].index(True)
    assert manifest.action[row] == "outlier"
    assert manifest.reason[row].startswith("unreadable")
    assert len(manifest) == len(trainer.data_loader.dataset) + 1
    retrained = manifest_training(scoring, tmp_path / "run" / "prune" / "manifest.csv")
    assert broken.name not in {item[0].rsplit("/", 1)[-1] for item in retrained.dataset.img_items}


def manifest_training(cfg, manifest):
    from fastreid.data import build_reid_train_loader

    cfg.PRUNE.CAPTURE.ENABLED, cfg.PRUNE.RATIO, cfg.PRUNE.MANIFEST = False, 0.0, str(manifest)
    return build_reid_train_loader(cfg)


def test_the_same_seed_gives_the_same_manifest_byte_for_byte(scoring, tmp_path):
    scoring.PRUNE.RATIO = 0.3
    manifests = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        scoring.OUTPUT_DIR = str(tmp_path / name)
        train(scoring, iterations=3)
        manifests.append((tmp_path / name / "prune" / "manifest.csv").read_bytes())
    assert manifests[0] == manifests[1]


def test_capturing_the_training_forwards_changes_nothing_in_training(scoring, tmp_path):
    from fastreid.engine import DefaultTrainer

    losses, weights = [], []
    for capturing in (True, False):
        scoring.PRUNE.CAPTURE.ENABLED = capturing
        scoring.OUTPUT_DIR = str(tmp_path / f"capturing_{capturing}")
        (tmp_path / f"capturing_{capturing}").mkdir()
        trainer = DefaultTrainer(scoring)
        trainer.iters_per_epoch = 3
        trainer.train()
        losses.append([value for value, _ in trainer.storage.history("total_loss").values()])
        weights.append(trainer.model.state_dict())
    assert losses[0] == losses[1]
    assert len(losses[0]) == 6
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_configuration_without_prune_keys_writes_nothing_of_ours(cfg, tmp_path):
    train(cfg, iterations=1)
    assert not (tmp_path / "run" / "prune").exists()


def test_the_run_records_what_it_cost(scoring, tmp_path):
    train(scoring, iterations=2)
    record = json.loads((tmp_path / "run" / "prune" / "run.json").read_text())
    assert record["complete"]
    assert record["images_seen"] == 2 * 2 * 16
    assert 0 < record["training_seconds"] <= record["wall_seconds"]
    assert 0 < record["results"]["mAP"] <= 100
