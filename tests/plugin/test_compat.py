"""Each compat patch, by what would happen without it."""

import importlib.util
import io
import logging
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.compat.apply import PATCHES


def _imports_torch_six() -> bool:
    """The wheel of fastreid does; its checkout no longer."""
    source = Path(importlib.util.find_spec("fastreid").origin).with_name("data") / "build.py"
    return "string_classes = str" not in source.read_text(encoding="utf-8")


@pytest.mark.needs_patch("collections-mapping")
def test_fastreid_can_be_imported_on_this_python(run_command):
    run_command("-c", "import fastreid_prune; fastreid_prune.register(); import fastreid.evaluation")


@pytest.mark.needs_patch("torch-six")
def test_fastreid_can_be_imported_with_this_torch(run_command):
    run_command("-c", "import fastreid_prune; fastreid_prune.register(); import fastreid.data")


@pytest.mark.needs_patch("gradients")
def test_training_lowers_the_loss_well_below_that_of_guessing(cfg):
    from fastreid.engine import DefaultTrainer

    cfg.MODEL.BACKBONE.NAME, cfg.MODEL.BACKBONE.DEPTH = "build_resnet_backbone", "18x"
    cfg.MODEL.BACKBONE.FEAT_DIM, cfg.MODEL.BACKBONE.LAST_STRIDE = 512, 2
    cfg.INPUT.SIZE_TRAIN = cfg.INPUT.SIZE_TEST = [48, 24]
    cfg.SOLVER.MAX_EPOCH = 4
    cfg.SOLVER.BASE_LR = 1e-3
    cfg.SOLVER.CHECKPOINT_PERIOD = 100
    trainer = DefaultTrainer(cfg)
    trainer.train()
    guessing = math.log(trainer.data_loader.dataset.num_classes)
    assert trainer.storage.history("total_loss").median(20) < 0.6 * guessing


@pytest.mark.needs_patch("models")
def test_a_network_with_channels_last_computes_the_same(cfg):
    from fastreid.modeling import build_model

    cfg.MODEL.BACKBONE.NAME, cfg.MODEL.BACKBONE.DEPTH, cfg.MODEL.BACKBONE.FEAT_DIM = (
        "build_mobilenetv2_backbone", "0.5x", 1280,
    )  # fmt: skip
    cfg.MODEL.HEADS.NUM_CLASSES = 4
    first = build_model(cfg).eval()
    cfg.PRUNE.CHANNELS_LAST = True
    last = build_model(cfg).eval()
    last.load_state_dict(first.state_dict())
    seen = []
    last.backbone.conv.register_forward_hook(lambda _, inputs, output: seen.append(output))
    images = torch.rand(2, 3, 64, 32) * 255
    last({"images": images})
    assert seen[0].is_contiguous(memory_format=torch.channels_last) and not seen[0].is_contiguous()
    torch.testing.assert_close(last({"images": images}), first({"images": images}), rtol=1e-4, atol=1e-5)


@pytest.mark.needs_patch("loader-cpu")
def test_batches_are_loaded_on_cpu(cfg):
    from fastreid.data import build_reid_train_loader

    batch = next(iter(build_reid_train_loader(cfg)))
    assert batch["images"].device.type == "cpu"
    assert batch["images"].shape == (16, 3, 64, 32)


class OnItsWay(torch.Tensor):
    """A tensor that says when it is copied and who reads it, on a machine without a GPU."""

    def to(self, device, non_blocking):
        self.said.append(f"copy {int(self)} on {self.said.current}")
        return self

    def record_stream(self, stream):
        self.said.append(f"{stream.name} reads {int(self)}")


class Recorded(list):
    """What streams and tensors said, in order."""

    current = "compute"


class RecordedStream:
    def __init__(self, name, said):
        self.name, self.said = name, said

    def wait_stream(self, other):
        self.said.append(f"{self.name} waits for {other.name}")

    def __enter__(self):
        self.said.current = self.name

    def __exit__(self, *_):
        self.said.current = "compute"


@pytest.mark.needs_patch("loader-streams")
def test_a_batch_is_copied_only_when_earlier_ones_are_read(monkeypatch):
    """Streams that record what they are told: the copy of a batch waits for the kernels of those before it."""
    from fastreid.data.data_utils import DataLoaderX

    said = Recorded()
    compute, copy = RecordedStream("compute", said), RecordedStream("copy", said)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device=None: compute)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: stream)
    loader = DataLoaderX.__new__(DataLoaderX)
    vars(loader).update(stream=copy, local_rank=0)
    batches = [torch.tensor(float(number)).as_subclass(OnItsWay) for number in range(3)]
    for batch in batches:
        batch.said = said
    loader.iter = iter([{"images": batch, "img_paths": ["a"]} for batch in batches])
    loader.preload()
    for number, _ in enumerate(iter(lambda: next(loader, None), None)):
        said.append(f"kernels of {number}")
    assert said == [
        "copy waits for compute",
        "copy 0 on copy",
        "compute waits for copy",
        "compute reads 0",
        "copy waits for compute",
        "copy 1 on copy",
        "kernels of 0",
        "compute waits for copy",
        "compute reads 1",
        "copy waits for compute",
        "copy 2 on copy",
        "kernels of 1",
        "compute waits for copy",
        "compute reads 2",
        "kernels of 2",
        "compute waits for copy",
    ]


@pytest.mark.needs_patch("loader-errors")
@pytest.mark.timeout(60)
def test_an_image_that_cannot_be_read_ends_the_run_with_its_error(cfg, tmp_path, use_data, demo_root):
    import shutil

    from fastreid.data import build_reid_train_loader

    shutil.copytree(demo_root, tmp_path / "data")
    for path in (tmp_path / "data").glob("*/bounding_box_train/*.jpg"):
        path.write_bytes(b"not an image")
    use_data(tmp_path / "data")
    with pytest.raises(Exception, match="cannot identify image file"):
        next(iter(build_reid_train_loader(cfg)))


@pytest.mark.needs_patch("affine")
def test_images_are_turned_and_stretched_where_the_config_says_so(cfg):
    from fastreid.data.transforms import build_transforms
    from PIL import Image

    image = Image.fromarray(np.random.default_rng(0).integers(1, 256, (64, 32, 3), dtype=np.uint8))
    assert (build_transforms(cfg, is_train=True)(image) > 0).all()
    cfg.INPUT.AFFINE.ENABLED = True
    seen = [build_transforms(cfg, is_train=True)(image) for _ in range(8)]
    # what comes from outside the image is black
    assert all(tensor.shape == (3, 64, 32) for tensor in seen) and any((tensor == 0).any() for tensor in seen)


@pytest.mark.needs_patch("image-tensor")
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_images_become_tensors_without_a_warning(mode):
    from fastreid.data.transforms import ToTensor
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    tensor = ToTensor()(image)
    expected = np.asarray(image, np.float32).reshape(6, 4, -1).transpose(2, 0, 1)
    assert tensor.dtype == torch.float32
    np.testing.assert_array_equal(tensor, expected)


@pytest.mark.needs_patch("worker-count")
def test_no_more_workers_than_cores_are_started(cfg):
    from fastreid.data import build_reid_test_loader, build_reid_train_loader

    from fastreid_prune.io.cores import usable_cores

    cfg.DATALOADER.NUM_WORKERS = 1000
    assert build_reid_train_loader(cfg).num_workers == usable_cores()
    assert build_reid_test_loader(cfg, dataset_name="Market1501")[0].num_workers <= usable_cores()
    cfg.DATALOADER.NUM_WORKERS = 0
    assert build_reid_train_loader(cfg).num_workers == 0


@pytest.mark.needs_patch("ddp-cpu")
@pytest.mark.needs_patch("launch-cpu")
def test_two_processes_train_on_cpu_and_end_with_the_same_weights(tmp_path, options, run_command):
    script = tmp_path / "train.py"
    script.write_text(
        "import fastreid_prune; fastreid_prune.register()\n"
        "import os, sys, torch\n"
        "from fastreid.config import get_cfg\n"
        "from fastreid.engine import DefaultTrainer, launch\n"
        "from fastreid.utils import comm\n"
        "def main(options):\n"
        "    cfg = get_cfg(); cfg.merge_from_list(options)\n"
        "    trainer = DefaultTrainer(cfg)\n"
        "    trainer.iters_per_epoch = 3\n"
        "    trainer.train()\n"
        "    torch.save(trainer.model.module.state_dict(), f'{cfg.OUTPUT_DIR}/rank{comm.get_rank()}.pt')\n"
        "if __name__ == '__main__':\n"
        "    os.makedirs(sys.argv[1], exist_ok=True)\n"
        "    launch(main, 2, dist_url='auto', args=(sys.argv[2:],))\n"
    )
    run_command(script, tmp_path / "run", *options)
    first, second = (torch.load(tmp_path / "run" / f"rank{rank}.pt") for rank in (0, 1))
    weights = [name for name in first if "running" not in name and "num_batches" not in name]
    assert all(torch.equal(first[name], second[name]) for name in weights)


@pytest.mark.needs_patch("worker-fork")
@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
def test_spawned_ranks_fork_their_loading_workers(tmp_path, options, run_command):
    """A spawned worker would import the main module, and say so."""
    script = tmp_path / "load.py"
    script.write_text(
        "import multiprocessing, os\n"
        "print('imported by', multiprocessing.current_process().name)\n"
        "import fastreid_prune; fastreid_prune.register()\n"
        "import sys\n"
        "from fastreid.config import get_cfg\n"
        "from fastreid.data import build_reid_train_loader\n"
        "def load(rank, options):\n"
        "    cfg = get_cfg(); cfg.merge_from_list(options)\n"
        "    print('loaded', len(next(iter(build_reid_train_loader(cfg)))['img_paths']), flush=True)\n"
        "    os._exit(0)\n"
        "if __name__ == '__main__':\n"
        "    import torch.multiprocessing as mp\n"
        "    mp.spawn(load, nprocs=1, args=(sys.argv[1:],))\n"
    )
    said = run_command(script, *options).stdout
    assert "loaded 16" in said
    assert said.count("imported by") == 2


@pytest.mark.needs_patch("amp-cpu")
def test_mixed_precision_falls_back_to_full_precision_on_cpu(cfg):
    from fastreid.engine import DefaultTrainer

    cfg.SOLVER.AMP.ENABLED = True
    trainer = DefaultTrainer(cfg)
    trainer.iters_per_epoch = 1
    trainer.train()
    assert trainer.iter == 1


@pytest.mark.needs_patch("evaluator")
def test_evaluation_needs_no_compiler_and_the_last_checkpoint_is_written(cfg, monkeypatch, tmp_path):
    from fastreid.engine import DefaultTrainer

    monkeypatch.setenv("PATH", "")
    cfg.TEST.EVAL_PERIOD = 1
    trainer = DefaultTrainer(cfg)
    trainer.iters_per_epoch = 1
    results = trainer.train()
    assert 0 < results["mAP"] <= 100
    assert (tmp_path / "run" / "model_final.pth").exists()


@pytest.mark.needs_patch("samplers")
@pytest.mark.timeout(60)
@pytest.mark.parametrize("sampler", ["NaiveIdentitySampler", "BalancedIdentitySampler"])
@pytest.mark.parametrize(
    ("batch", "instances"), [(80, 4), (18, 4)], ids=["too few identities", "no multiple"]
)
def test_a_batch_that_a_sampler_could_never_fill_is_refused(cfg, sampler, batch, instances):
    from fastreid.data import build_reid_train_loader

    cfg.DATALOADER.SAMPLER_TRAIN = sampler
    cfg.SOLVER.IMS_PER_BATCH, cfg.DATALOADER.NUM_INSTANCE = batch, instances
    with pytest.raises(
        FastreidPruneError, match=f"wait for ever.*{batch}.*NUM_INSTANCE {instances}"
    ) as caught:
        next(iter(build_reid_train_loader(cfg)))
    if batch == 80:
        assert "16 identities" in str(caught.value)
        assert "takes 20" in str(caught.value)


@pytest.mark.needs_patch("checkpoint-write")
def test_a_failed_save_leaves_the_previous_checkpoint_whole(tmp_path, monkeypatch):
    from fastreid.utils.checkpoint import Checkpointer

    model = torch.nn.Linear(2, 2)
    checkpointer = Checkpointer(model, str(tmp_path))
    checkpointer.save("model_best")
    before = (tmp_path / "model_best.pth").read_bytes()

    def disk_fills(data, target, *args, **kwargs):
        target.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", disk_fills)
    with pytest.raises(FastreidPruneError, match="disk is full; the previous file is unchanged"):
        checkpointer.save("model_best")
    assert (tmp_path / "model_best.pth").read_bytes() == before


@pytest.mark.needs_patch("mistakes")
def test_what_a_person_can_mend_is_not_logged_with_a_traceback():
    from fastreid.engine.train_loop import TrainerBase

    messages = io.StringIO()
    handler = logging.StreamHandler(messages)
    logger = logging.getLogger("fastreid.engine.train_loop")
    logger.addHandler(handler)
    for error in (FastreidPruneError("the disk is full"), ValueError("a bug")):
        trainer = TrainerBase()

        def fail(error=error):
            raise error

        trainer.run_step = fail
        with pytest.raises(type(error)):
            trainer.train(0, 1, 1)
    logger.removeHandler(handler)
    assert "the disk is full" not in messages.getvalue()
    assert "ValueError: a bug" in messages.getvalue()


@pytest.mark.needs_patch("checkpoint-read")
def test_a_checkpoint_with_fastreids_metric_can_be_loaded(tmp_path):
    from fastreid.utils.checkpoint import Checkpointer

    model = torch.nn.Linear(2, 2)
    Checkpointer(model, str(tmp_path)).save("model_final", metric=np.float64(12.5), epoch=3)
    loaded = Checkpointer(model, str(tmp_path)).load(str(tmp_path / "model_final.pth"))
    assert loaded["metric"] == 12.5
    assert loaded["epoch"] == 3


@pytest.mark.needs_patch("resume-finished")
def test_resuming_a_finished_run_gives_its_results(cfg):
    from fastreid.engine import DefaultTrainer

    cfg.TEST.EVAL_PERIOD = 1
    trainer = DefaultTrainer(cfg)
    trainer.iters_per_epoch = 1
    results = trainer.train()
    again = DefaultTrainer(cfg)
    again.resume_or_load(resume=True)
    assert again.train()["mAP"] == pytest.approx(results["mAP"])


@pytest.mark.needs_patch("pretrained")
def test_missing_pretrained_weights_are_named_with_their_source_and_folder(cfg, monkeypatch, tmp_path):
    from fastreid.engine import DefaultTrainer

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    # No network: the downloader finds no proxy where this points.
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    cfg.MODEL.BACKBONE.NAME, cfg.MODEL.BACKBONE.DEPTH = "build_resnet_backbone", "18x"
    cfg.MODEL.BACKBONE.PRETRAIN = True
    with pytest.raises(FastreidPruneError) as caught:
        DefaultTrainer.build_model(cfg)
    assert "resnet18-5c106cde.pth" in str(caught.value)
    assert str(tmp_path / "torch" / "checkpoints") in str(caught.value)
    assert "PRETRAIN False" in str(caught.value)


@pytest.mark.needs_patch("config")
@pytest.mark.parametrize("way", ["options", "file"])
def test_an_unknown_prune_key_is_answered_with_the_nearest_one(cfg, tmp_path, way):
    with pytest.raises(FastreidPruneError, match=r"PRUNE\.RATOI.*PRUNE\.RATIO"):
        if way == "options":
            cfg.merge_from_list(["PRUNE.RATOI", "0.3"])
        else:
            (tmp_path / "run.yml").write_text("PRUNE:\n  RATOI: 0.3\n")
            cfg.merge_from_file(str(tmp_path / "run.yml"))


@pytest.mark.needs_patch("config")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["PRUN.MANIFEST", "m.csv"], r"PRUN\.MANIFEST: no such .* nearest one is PRUNE\.MANIFEST\."),
        (["PRUNE.SEED", "zero"], r"PRUNE\.SEED: zero \(str\) found, int expected"),
    ],
)
def test_a_slip_in_a_prune_option_is_named(cfg, options, message):
    with pytest.raises(FastreidPruneError, match=message):
        cfg.merge_from_list(options)


@pytest.mark.needs_patch("config-mistakes")
def test_a_configuration_file_that_is_not_there_is_named(cfg, tmp_path):
    with pytest.raises(FastreidPruneError, match="nowhere.yml: no such configuration file"):
        cfg.merge_from_file(str(tmp_path / "nowhere.yml"))


@pytest.mark.needs_patch("loaders")
def test_batches_tell_the_rows_of_their_samples(cfg):
    from fastreid.data import build_reid_train_loader

    cfg.PRUNE.CAPTURE.ENABLED = True
    loader = build_reid_train_loader(cfg)
    batch = next(iter(loader))
    samples = loader.dataset.samples()
    for row, path, target in zip(batch["sample_index"], batch["img_paths"], batch["targets"], strict=True):
        assert path.endswith(samples.file_name[row])
        assert samples.label[row] == target


@pytest.mark.needs_patch("trainer")
def test_a_scoring_run_writes_its_trajectory(cfg, tmp_path):
    from fastreid.engine import DefaultTrainer

    cfg.PRUNE.CAPTURE.ENABLED = True
    DefaultTrainer(cfg).train()
    assert (tmp_path / "run" / "prune" / "trajectory" / "meta.json").exists()


def test_a_switched_off_patch_that_does_not_exist_is_named(registered):
    result = subprocess.run(
        [sys.executable, "-c", "import fastreid_prune; fastreid_prune.register()"],
        env={**os.environ, "FASTREID_PRUNE_WITHOUT": "no-such-patch"},
        capture_output=True,
        text=True,
    )
    assert "no patch no-such-patch; the patches are collections-mapping" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "patch", [patch.name for patch in PATCHES if patch.name != "torch-six" or _imports_torch_six()]
)
def test_without_the_patch_its_test_fails(patch):
    arguments = [str(Path(__file__).parent), "-x", "-q", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        env={**os.environ, "FASTREID_PRUNE_WITHOUT": patch},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1 or "Timeout" in result.stdout + result.stderr, result.stdout


@pytest.mark.needs_patch("image-modes")
def test_images_of_every_mode_are_trained_on_as_they_are_shown(tmp_path):
    from fastreid.data.data_utils import read_image
    from PIL import Image

    from fastreid_prune.io.images import read_rgb

    pixels = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    for mode, kind in (("P", "PNG"), ("RGBA", "PNG"), ("CMYK", "JPEG"), ("L", "PNG"), ("I;16", "PNG")):
        image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 200) if mode == "I;16" else None
        (image or Image.fromarray(pixels).convert(mode)).save(tmp_path / "a.png", kind)
        read = read_image(str(tmp_path / "a.png"))
        assert read.mode == "RGB" and read.tobytes() == read_rgb(tmp_path / "a.png").tobytes()
