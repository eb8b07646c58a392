"""A training that prunes itself."""

import io
import json
import logging

import numpy as np
import pytest
import torch

from fastreid_prune import Manifest, load_trajectory
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.in_run_plan import InRunPlan


@pytest.fixture
def pruning(cfg):
    """A seeded training of four epochs that prunes 40 % of itself after the second."""
    cfg.merge_from_list(
        ["PRUNE.SEED", 0, "PRUNE.IN_RUN.ENABLED", True, "PRUNE.IN_RUN.START", 2, "PRUNE.RATIO", 0.4]
        + ["SOLVER.MAX_EPOCH", 4, "SOLVER.CHECKPOINT_PERIOD", 1, "DATASETS.TESTS", ()]
        + ["INPUT.SIZE_TRAIN", [32, 16], "INPUT.SIZE_TEST", [32, 16], "DATALOADER.NUM_WORKERS", 0]
    )
    return cfg


def build(cfg):
    from fastreid.engine import DefaultTrainer

    trainer = DefaultTrainer(cfg)
    trainer.resume_or_load(resume=True)
    return trainer


def in_run_pruning(trainer):
    from fastreid_prune.plugin.trainer import in_run_pruning as find

    return find(trainer)


def watch(trainer):
    """The rows of each epoch's batches, as the trainer is given them."""
    seen = {}
    original = trainer._trainer.run_step

    def run_step():
        def see(module, arguments):
            seen.setdefault(trainer.epoch, []).extend(arguments[0]["sample_index"].tolist())

        handle = trainer.model.register_forward_pre_hook(see)
        original()
        handle.remove()

    trainer._trainer.run_step = run_step
    return seen


@pytest.mark.parametrize("sampler", ["TrainingSampler", "NaiveIdentitySampler", "BalancedIdentitySampler"])
def test_after_the_switch_only_what_is_kept_is_trained_on(pruning, sampler, tmp_path):
    pruning.DATALOADER.SAMPLER_TRAIN = sampler
    trainer = build(pruning)
    whole, classes = trainer.iters_per_epoch, trainer.cfg.MODEL.HEADS.NUM_CLASSES
    images = len(trainer.data_loader.dataset)
    seen = watch(trainer)
    trainer.train()
    manifest = Manifest.read(tmp_path / "run" / "prune" / "manifest.csv")
    names = trainer.data_loader.dataset.samples().file_name
    kept = set(np.flatnonzero(np.isin(names, manifest.file_name[manifest.kept])).tolist())
    assert len(kept) == images - int(0.4 * images)
    assert set(seen[2]) | set(seen[3]) <= kept
    assert not set(seen[0]) | set(seen[1]) <= kept
    iterations = [whole, whole, len(kept) // 16, len(kept) // 16]
    assert [len(seen[epoch]) // 16 for epoch in range(4)] == iterations
    record = json.loads((tmp_path / "run" / "prune" / "run.json").read_text())
    assert record["iterations"] == iterations and record["complete"]
    assert record["images_seen"] == 16 * sum(iterations)
    assert record["images_whole"] == 16 * 4 * whole
    assert trainer.model.heads.weight.shape[0] == classes
    assert load_trajectory(tmp_path / "run").num_epochs == 2


@pytest.mark.parametrize("stop", [1, 2, 3])
@pytest.mark.parametrize("method", ["entropy", "infobatch"])
def test_a_run_stopped_before_at_and_after_the_switch_resumes_to_the_same_weights(
    pruning, method, stop, tmp_path
):
    if method == "infobatch":
        pruning.merge_from_list(["PRUNE.METHOD", method, "PRUNE.IN_RUN.START", 0])
    unbroken = build(pruning)
    unbroken.train()
    expected = {name: tensor.clone() for name, tensor in unbroken.model.state_dict().items()}
    pruning.OUTPUT_DIR = str(tmp_path / "broken")
    (tmp_path / "broken").mkdir()
    broken = build(pruning)
    original = broken._trainer.run_step

    def run_step():
        if broken.epoch == stop:
            raise KeyboardInterrupt
        original()

    broken._trainer.run_step = run_step
    with pytest.raises(KeyboardInterrupt):
        broken.train()
    # a process that ended has no loading thread left that draws from numpy's generator
    broken.data_loader.shutdown()
    resumed = build(pruning)
    assert resumed.start_epoch == stop
    resumed.train()
    for name, tensor in resumed.model.state_dict().items():
        assert torch.equal(tensor, expected[name]), name
    records = [json.loads((tmp_path / run / "prune" / "run.json").read_text()) for run in ("run", "broken")]
    assert records[0]["iterations"] == records[1]["iterations"]


def test_planted_errors_leave_at_the_switch_and_switched_labels_are_mended(pruning, tmp_path):
    pruning.merge_from_list(["PRUNE.PURIFY.CALIBRATE", True, "PRUNE.PURIFY.ENABLED", True])
    trainer = build(pruning)
    seen = watch(trainer)
    given = {item[0]: item[1] for item in trainer.data_loader.dataset.dataset.img_items}
    trainer.train()
    dataset = trainer.data_loader.dataset
    injected = load_trajectory(tmp_path / "run").meta["calibration"]
    composed = {row for row, item in enumerate(dataset.img_items) if "fastreid_prune" in item[0]}
    assert injected and not composed & (set(seen[2]) | set(seen[3]))
    manifest = Manifest.read(tmp_path / "run" / "prune" / "manifest.csv")
    names = dataset.samples().file_name.tolist()
    new = dict(zip(manifest.file_name.tolist(), manifest.new_pid.tolist(), strict=True))
    for row in set(seen[2]) | set(seen[3]):
        assert dataset.img_items[row][1] == new[names[row]]
    assert any(given[item[0]] != item[1] for item in dataset.img_items)


def test_what_was_pruned_can_come_back_and_the_last_epochs_are_of_everything(pruning, tmp_path):
    pruning.merge_from_list(
        ["PRUNE.IN_RUN.START", 1, "PRUNE.IN_RUN.EVERY", 1, "PRUNE.IN_RUN.LAST_EPOCHS_ON_ALL", 1]
    )
    trainer = build(pruning)
    choices = []
    original = in_run_pruning(trainer)._go_on

    def go_on():
        original()
        choices.append(in_run_pruning(trainer).rows.copy())

    in_run_pruning(trainer)._go_on = go_on
    trainer.train()
    first, second, last = choices
    assert len(first) == len(second) < len(last) == len(trainer.data_loader.dataset)
    assert set(second.tolist()) - set(first.tolist())
    assert load_trajectory(tmp_path / "run").num_epochs == 4


def test_where_what_would_be_kept_fills_no_batch_the_run_goes_on_with_everything(pruning, tmp_path):
    # 16 images of 16 identities a batch, and 17 images left
    pruning.merge_from_list(["PRUNE.RATIO", 0.93, "DATALOADER.NUM_INSTANCE", 1])
    trainer = build(pruning)
    whole = trainer.iters_per_epoch
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logging.getLogger("fastreid.prune").addHandler(handler)
    trainer.train()
    logging.getLogger("fastreid.prune").removeHandler(handler)
    assert "from epoch 2 on: what would be kept fills no batch. NaiveIdentitySampler" in said.getvalue()
    record = json.loads((tmp_path / "run" / "prune" / "run.json").read_text())
    assert record["iterations"] == [whole] * 4


@pytest.mark.parametrize("method", ["rs2", "infobatch"])
def test_dynamic_methods_choose_anew_before_each_epoch(pruning, method, tmp_path):
    pruning.merge_from_list(["PRUNE.METHOD", method, "PRUNE.IN_RUN.START", 0])
    pruning.PRUNE.IN_RUN.LAST_EPOCHS_ON_ALL = 1
    trainer = build(pruning)
    seen = watch(trainer)
    trainer.train()
    chosen = [set(seen[epoch]) for epoch in range(4)]
    assert chosen[1] != chosen[2]
    record = json.loads((tmp_path / "run" / "prune" / "run.json").read_text())
    assert record["iterations"][1] < record["iterations"][3]
    assert record["method"] == method
    assert not (tmp_path / "run" / "prune" / "manifest.csv").exists()


def test_weighted_samples_have_the_gradient_of_a_weighted_loss(pruning):
    from fastreid.utils.events import EventStorage

    from fastreid_prune.plugin.rescaling import Rescaling

    pruning.MODEL.LOSSES.NAME = ("CrossEntropyLoss",)
    pruning.MODEL.LOSSES.CE.EPSILON = 0.0
    pruning.PRUNE.IN_RUN.ENABLED, pruning.PRUNE.RATIO = False, 0.0
    pruning.PRUNE.CAPTURE.ENABLED = True
    trainer = build(pruning)
    batch = next(trainer._trainer._data_loader_iter)
    model = trainer.model

    def fresh():
        # the model normalises its images in place
        return {**batch, "images": batch["images"].clone()}

    rescaling = Rescaling(model)
    weight = torch.rand(len(trainer.data_loader.dataset)) + 0.5
    rescaling.weight = weight
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]

    def gradient(loss):
        return torch.cat([part.flatten() for part in torch.autograd.grad(loss, learnt)])

    with EventStorage(0):
        scaled = gradient(sum(model(fresh()).values()))
    model.load_state_dict(state)
    rescaling.close()
    heard = []
    handle = model.heads.register_forward_hook(lambda _, inputs, output: heard.append(output["cls_outputs"]))
    with EventStorage(0):
        model(fresh())
    handle.remove()
    each = torch.nn.functional.cross_entropy(heard[0], batch["targets"], reduction="none")
    expected = gradient((weight[batch["sample_index"]] * each).mean())
    torch.testing.assert_close(scaled, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["PRUNE.IN_RUN.START", 4], r"PRUNE.IN_RUN.START: 4 epochs .* of SOLVER.MAX_EPOCH 4"),
        (["PRUNE.MANIFEST", "m.csv"], "PRUNE.IN_RUN.ENABLED together with PRUNE.MANIFEST m.csv"),
        (["PRUNE.RATIO", 0.0], r"PRUNE.RATIO: 0.0 found, a fraction in \(0, 1\)"),
        (["PRUNE.RATIO", 0.999], "PRUNE.RATIO: 0.999 leaves .* images, and a batch needs"),
        (["PRUNE.METHOD", "rs2", "PRUNE.PURIFY.ENABLED", True], "PRUNE.PURIFY in a run that chooses several"),
        (
            ["PRUNE.IN_RUN.ENABLED", False, "PRUNE.METHOD", "rs2", "PRUNE.RATIO", 0.0],
            "set PRUNE.IN_RUN.ENABLED",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_training(pruning, options, message):
    pruning.merge_from_list(options)
    with pytest.raises(FastreidPruneError, match=message):
        build(pruning)


def test_a_sampler_that_cannot_follow_is_refused(pruning):
    from fastreid.data import build_reid_train_loader
    from torch.utils.data import RandomSampler

    pruning.PRUNE.CAPTURE.ENABLED = True
    with pytest.raises(FastreidPruneError, match="a sampler of its own"):
        build_reid_train_loader(pruning, sampler=RandomSampler(range(100)))


def test_by_default_a_tenth_of_the_epochs_is_scored_and_infobatch_ends_on_everything(pruning):
    pruning.merge_from_list(["SOLVER.MAX_EPOCH", 120, "PRUNE.IN_RUN.START", 0])
    assert InRunPlan.of(pruning).start == 12
    pruning.merge_from_list(["SOLVER.MAX_EPOCH", 20])
    assert InRunPlan.of(pruning).start == 5
    judging = pruning.clone()
    judging.merge_from_list(["PRUNE.PURIFY.ENABLED", True])
    assert InRunPlan.of(judging).start == 12
    pruning.merge_from_list(["SOLVER.MAX_EPOCH", 40, "PRUNE.METHOD", "infobatch"])
    plan = InRunPlan.of(pruning)
    assert (plan.start, plan.on_all) == (0, 5)
    assert plan.chooses(34) and not plan.chooses(35) and plan.returns(35)
