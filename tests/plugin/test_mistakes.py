"""A user's mistakes, each answered before training with what to do."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from fastreid_prune.errors import FastreidPruneError


@pytest.mark.needs_patch("config-mistakes")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["SOLVER.MAX_EPOCHS", "3"], r"SOLVER.MAX_EPOCHS: no such .* The nearest one is SOLVER.MAX_EPOCH\."),
        (["SOLVER.MAX_EPOCH"], "SOLVER.MAX_EPOCH: no value is given"),
        (["out/model_final.pth", "SOLVER.MAX_EPOCH", "3"], "'out/model_final.pth': a conf.* takes no path"),
        (["SOLVER.MAX_EPOCH", "ten"], r"SOLVER.MAX_EPOCH: ten \(str\) found, int expected"),
        (["DATASETS.NAMES", "('Market1501')"], r"tuple expected.*A tuple of one has a comma: \('Market1501',\)"),
        (["PRUNE.RATOI", "0.3"], "nearest one is PRUNE.RATIO"),
    ],
)  # fmt: skip
def test_an_option_that_fastreid_does_not_take_is_answered_with_what_it_takes(cfg, options, message):
    with pytest.raises(FastreidPruneError, match=message):
        cfg.merge_from_list(options)


@pytest.mark.needs_patch("config-mistakes")
def test_no_configuration_file_is_explained_where_a_path_after_resume_swallowed_it(cfg):
    with pytest.raises(FastreidPruneError, match="--config-file: none was read.*--resume takes no path"):
        cfg.merge_from_file("")


@pytest.mark.needs_patch("weights")
def test_weights_that_are_not_there_are_named_and_a_random_model_is_not_evaluated(tmp_path):
    from fastreid.utils.checkpoint import Checkpointer

    checkpointer = Checkpointer(torch.nn.Linear(2, 2), str(tmp_path))
    with pytest.raises(FastreidPruneError, match="MODEL.WEIGHTS: no weights are given"):
        checkpointer.load("")
    with pytest.raises(FastreidPruneError, match=r"nowhere\.pth: no such checkpoint"):
        checkpointer.load(str(tmp_path / "nowhere.pth"))
    checkpointer.save("model_final")
    with pytest.raises(FastreidPruneError, match=r"a folder, it holds model_final\.pth"):
        checkpointer.load(str(tmp_path))
    assert Checkpointer(torch.nn.Linear(2, 2), str(tmp_path / "new")).resume_or_load("", resume=True) == {}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("market1501", "Did you mean Market1501?"),
        ("InShop", "fastreid knows no data set 'InShop'"),
        ("MSMT17", "MSMT17: no such data set in"),
    ],
)
@pytest.mark.parametrize("key", ["DATASETS.NAMES", "DATASETS.TESTS"])
def test_a_data_set_that_cannot_be_had_is_named_before_training(cfg, name, message, key):
    from fastreid.engine import DefaultTrainer

    cfg.PRUNE.SEED = 0
    cfg.merge_from_list([key, (name,)])
    with pytest.raises(FastreidPruneError, match=message.replace("?", r"\?")):
        DefaultTrainer(cfg).train()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{}['a']", r"at '.*\.jpg': `.*` gives KeyError: 'a'"),
        ("re.search('x{9}', path).groups()", r"at '.*\.jpg': `.*` finds no match"),
        ("int('seven')", r"at '.*\.jpg': `.*` gives ValueError: invalid literal"),
        ("[][1]", r"at '.*\.jpg': `.*` gives IndexError"),
    ],
)
def test_whatever_a_reader_stumbles_over_is_told_with_data_set_and_file(cfg, body, message, tmp_path):
    from fastreid.data import build_reid_train_loader
    from fastreid.data.datasets import DATASET_REGISTRY

    source = tmp_path / "their_reader.py"
    source.write_text(
        "import glob, re\n"
        "from fastreid.data.datasets.bases import ImageDataset\n"
        "class Theirs(ImageDataset):\n"
        "    def __init__(self, root, **kwargs):\n"
        "        for path in glob.glob(root + '/*/bounding_box_train/*.jpg'):\n"
        f"            {body}\n"
    )
    scope = {"__file__": str(source)}
    exec(compile(source.read_text(), str(source), "exec"), scope)
    DATASET_REGISTRY._obj_map["Theirs"] = scope["Theirs"]
    try:
        cfg.DATASETS.NAMES = ("Theirs",)
        with pytest.raises(FastreidPruneError, match=f"(?s)^Theirs: its reader cannot read .*{message}"):
            build_reid_train_loader(cfg)
    finally:
        del DATASET_REGISTRY._obj_map["Theirs"]


def test_a_test_set_in_one_camera_or_with_a_broken_image_is_refused_before_training(
    cfg, use_data, demo_root, tmp_path
):
    import shutil

    from fastreid.engine import DefaultTrainer

    shutil.copytree(demo_root, tmp_path / "data")
    use_data(tmp_path / "data")
    cfg.PRUNE.SEED = 0
    gallery = sorted((tmp_path / "data").glob("*/bounding_box_test/*.jpg"))
    whole = gallery[3].read_bytes()
    gallery[3].write_bytes(whole[: len(whole) // 3])
    with pytest.raises(
        FastreidPruneError, match=rf"1 of \d+ images of Market1501 cannot be read: .*{gallery[3].name}"
    ):
        DefaultTrainer(cfg).train()
    gallery[3].write_bytes(whole)
    for image in (tmp_path / "data").glob("*/bounding_box_test/*.jpg"):
        if "_c1" not in image.name:
            image.unlink()
    for image in (tmp_path / "data").glob("*/query/*.jpg"):
        if "_c1" not in image.name:
            image.unlink()
    with pytest.raises(FastreidPruneError, match=r"in another camera \(1 in all\)|has no query image"):
        DefaultTrainer(cfg).train()


@pytest.mark.needs_patch("no-tests")
@pytest.mark.needs_patch("save-first")
def test_a_training_without_test_sets_ends_with_its_weights(cfg, tmp_path):
    from fastreid.engine import DefaultTrainer

    cfg.DATASETS.TESTS, cfg.TEST.EVAL_PERIOD = (), 0
    trainer = DefaultTrainer(cfg)
    trainer.iters_per_epoch = 1
    trainer.train()
    assert (tmp_path / "run" / "model_final.pth").exists()


@pytest.mark.needs_patch("save-first")
def test_weights_are_on_disk_before_an_evaluation_that_fails(cfg, tmp_path):
    from fastreid.engine import DefaultTrainer

    cfg.TEST.EVAL_PERIOD = 1
    trainer = DefaultTrainer(cfg)
    trainer.iters_per_epoch = 1

    def fail(cfg, model):
        raise MemoryError("the evaluation was too large")

    trainer.test = fail
    with pytest.raises(MemoryError):
        trainer.train()
    assert torch.load(tmp_path / "run" / "model_final.pth", weights_only=False)["epoch"] == 0


@pytest.mark.needs_patch("infinite-loss")
def test_a_loss_that_is_no_number_is_one_message(cfg):
    from fastreid.engine import DefaultTrainer

    cfg.DATASETS.TESTS = ()
    trainer = DefaultTrainer(cfg)
    with torch.no_grad():
        trainer.model.heads.weight.fill_(torch.nan)
    with pytest.raises(
        FastreidPruneError, match=r"infinite or NaN at iteration 0 \(.*loss_cls.*Lower SOLVER.BASE_LR"
    ):
        trainer.train()


@pytest.mark.needs_patch("printing")
def test_a_training_of_two_iterations_ends_well(cfg, tmp_path):
    from fastreid.engine import DefaultTrainer

    cfg.DATASETS.TESTS, cfg.SOLVER.MAX_EPOCH, cfg.SOLVER.WARMUP_ITERS = (), 2, 0
    trainer = DefaultTrainer(cfg)
    trainer.iters_per_epoch, trainer.max_iter = 1, 2
    trainer.train()
    assert (tmp_path / "run" / "model_final.pth").exists()


@pytest.mark.needs_patch("loading-at-exit")
def test_no_loading_thread_is_left_when_python_ends(options, run_command, tmp_path):
    script = tmp_path / "exit.py"
    script.write_text(
        "import atexit, sys, threading\n"
        "names = lambda: [type(thread).__name__ for thread in threading.enumerate()]\n"
        "atexit.register(lambda: print('at the end', names()))\n"  # what is registered first runs last
        "import fastreid_prune; fastreid_prune.register()\n"
        "from fastreid.config import get_cfg\n"
        "from fastreid.data import build_reid_train_loader\n"
        "cfg = get_cfg(); cfg.merge_from_list(sys.argv[1:])\n"
        "loader = iter(build_reid_train_loader(cfg))\n"
        "next(loader)\n"
        "print('before', names())\n"
        "sys.exit(2)\n"
    )
    result = run_command(script, *options, "DATALOADER.NUM_WORKERS", "0", check=False)
    assert result.returncode == 2
    assert "BackgroundGenerator" in result.stdout.split("at the end")[0]
    assert "BackgroundGenerator" not in result.stdout.split("at the end")[1]


@pytest.mark.needs_patch("resume-scaler")
def test_a_resumed_run_goes_on_with_the_scale_of_its_gradients(cfg, tmp_path):
    from fastreid.engine import DefaultTrainer

    cfg.DATASETS.TESTS = ()

    def build():
        trainer = DefaultTrainer(cfg)
        trainer._trainer.grad_scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
        trainer.resume_or_load(resume=True)
        return trainer

    first = build()
    first._trainer.grad_scaler.load_state_dict({**first.grad_scaler.state_dict(), "scale": 8.0})
    first.checkpointer.save("model_0000", epoch=0)
    assert build().grad_scaler.state_dict()["scale"] == 8.0


HOLD = """
import sys, time
from fastreid_prune.plugin.output_lock import lock_output
file = lock_output(sys.argv[1])
print("held", flush=True)
time.sleep(600)
"""


def test_a_second_training_into_the_same_folder_is_refused_and_a_killed_one_is_in_nobody_s_way(tmp_path):
    from fastreid_prune.plugin.output_lock import lock_output

    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(
            FastreidPruneError, match=f"OUTPUT_DIR: another training.*process {other.pid} on "
        ):
            lock_output(tmp_path)
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
    file = lock_output(tmp_path)
    assert json.loads((tmp_path / "training.lock").read_text())["pid"] != other.pid
    file.close()


def test_augmentation_is_a_function_of_seed_and_epoch_and_workers_go_on(cfg):
    from fastreid.engine import DefaultTrainer

    cfg.PRUNE.SEED, cfg.SOLVER.MAX_EPOCH, cfg.DATASETS.TESTS = 0, 3, ()
    cfg.INPUT.DO_PAD = cfg.INPUT.DO_FLIP = True

    def batches(workers, start):
        cfg.DATALOADER.NUM_WORKERS = workers
        trainer = DefaultTrainer(cfg)
        trainer.start_epoch = start
        seen, started = {}, []

        def run_step():
            batch = next(trainer._trainer._data_loader_iter)
            seen.setdefault(trainer.epoch, []).append(batch["images"].numpy().copy())
            started.append(trainer._trainer._data_loader_iter.iter)

        trainer._trainer.run_step = run_step
        trainer.test = lambda cfg, model: {}
        trainer.train()
        return {epoch: np.concatenate(images) for epoch, images in seen.items()}, len(set(map(id, started)))

    whole, starts = batches(1, 0)
    again, _ = batches(2, 1)
    assert starts == 1
    for epoch in (1, 2):
        np.testing.assert_array_equal(again[epoch], whole[epoch])
    assert not np.array_equal(whole[1], whole[2])
