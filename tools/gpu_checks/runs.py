"""Real runs of fastreid's trainer: the same numbers on the device and on the CPU, and the whole way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from fastreid_prune import load_trajectory
from fastreid_prune.lab.demo import write_demo
from gpu_checks.registry import Context, check

REPOSITORY = Path(__file__).resolve().parents[2]
# of the logits' spread, root mean square: float32 (TF32 is switched off for the comparison), and half precision
TOLERANCE = {False: 1e-3, True: 0.05}
SMALL = {
    "MODEL.BACKBONE.NAME": "build_osnet_backbone", "MODEL.BACKBONE.DEPTH": "x0_25", "MODEL.BACKBONE.FEAT_DIM": "128",
    "DATALOADER.NUM_WORKERS": "2", "SOLVER.IMS_PER_BATCH": "32", "SOLVER.MAX_EPOCH": "2", "SOLVER.WARMUP_ITERS": "0",
    "SOLVER.SCHED": "MultiStepLR", "SOLVER.BASE_LR": "0.0", "TEST.EVAL_PERIOD": "2", "PRUNE.SEED": "0",
    "PRUNE.PURIFY.CALIBRATE": "False",
}  # fmt: skip


def data(context: Context) -> Path:
    """A rendered data set, made once."""
    folder = context.folder / "data"
    if not folder.exists():
        write_demo(folder, seed=0, train_ids=40 if context.small else 80, test_ids=20)
    return folder


def start(
    context: Context, config: str, options: dict[str, str], *flags: str, **variables: str
) -> subprocess.Popen:
    """Start a training in a process of its own."""
    command = [sys.executable, "-W", "ignore", str(REPOSITORY / "tools" / "train_net.py"), *flags]
    command += ["--config-file", str(REPOSITORY / "configs" / "Demo" / f"{config}.yml")]
    command += [part for pair in options.items() for part in pair]
    log = open(f"{options['OUTPUT_DIR']}.log", "a")
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env={**environment(context), **variables},
        stdout=log,
        stderr=subprocess.STDOUT,
    )


def environment(context: Context) -> dict[str, str]:
    """For child processes."""
    path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    threads = "2" if context.has_gpu else "1"
    return {
        **os.environ,
        "FASTREID_DATASETS": str(data(context)),
        "OMP_NUM_THREADS": threads,
        "PYTHONPATH": path,
    }


def finish(process: subprocess.Popen, folder: Path) -> None:
    """Wait for a training, which must succeed."""
    if process.wait(timeout=400):
        raise AssertionError(f"{folder.name} ended with {process.returncode}: {tail(folder)}")


def tail(folder: Path) -> str:
    """The end of a training's log."""
    return Path(f"{folder}.log").read_text()[-1500:]


def command(context: Context, *arguments: str, **more: str) -> str:
    """What a command of the package prints."""
    result = subprocess.run(
        [sys.executable, "-m", "fastreid_prune", *arguments],
        cwd=REPOSITORY, env={**environment(context), **more}, capture_output=True, text=True, timeout=400,
    )  # fmt: skip
    if result.returncode:
        raise AssertionError(f"{arguments[0]} ended with {result.returncode}: {result.stderr[-1500:]}")
    return result.stdout


@check("scoring-modes")
def scoring_modes(context: Context) -> str:
    """With a learning rate of 0 the network stands still, so that every visit's logits can be compared."""
    context.needs_gpu()
    data(context)
    modes = {
        "train": {}, "eval": {"PRUNE.CAPTURE.MODE": "eval"},
        "factored": {"PRUNE.CAPTURE.MODE": "eval", "PRUNE.CAPTURE.FACTORED": "True"},
    }  # fmt: skip
    runs = {}
    for mode, options in modes.items():
        for device, amp in (("cpu", False), ("cuda", False), ("cuda", True)):
            folder = context.folder / f"{mode}-{device}-{'amp' if amp else 'full'}"
            given = {"MODEL.DEVICE": device, "SOLVER.AMP.ENABLED": str(amp), "OUTPUT_DIR": str(folder)}
            runs[mode, device, amp] = (
                folder,
                start(context, "score", {**SMALL, **options, **given}, NVIDIA_TF32_OVERRIDE="0"),
            )
    for folder, process in runs.values():
        finish(process, folder)
    worst = {False: 0.0, True: 0.0}
    for mode in modes:
        expected = load_trajectory(runs[mode, "cpu", False][0])
        for amp in (False, True):
            found = load_trajectory(runs[mode, "cuda", amp][0])
            np.testing.assert_array_equal(found.epochs.visits, expected.epochs.visits)
            assert found.samples.file_name.tolist() == expected.samples.file_name.tolist()
            a, b = (np.array(trajectory.mean_logits[:]) for trajectory in (found, expected))
            spread = float(np.sqrt(np.square(b - b.mean(1, keepdims=True)).mean()))
            far = float(np.sqrt(np.square(a - b).mean())) / spread
            farthest = float(np.sqrt(np.square(a - b).mean(1)).max()) / spread
            context.figures[f"{mode}, {'AMP' if amp else 'full precision'}"] = (far, farthest)
            worst[amp] = max(worst[amp], far)
    for amp, far in worst.items():
        assert far <= TOLERANCE[amp], f"AMP {amp}: differs by {far:.2%} of the spread; {context.figures}"
    return (
        f"train, eval and FACTORED: logits differ from the CPU's by {worst[False]:.1e} of their spread in full "
        f"precision (allowed {TOLERANCE[False]:.0e}), {worst[True]:.1e} with AMP ({TOLERANCE[True]:.0e})"
    )


@check("whole-way")
def whole_way(context: Context) -> str:
    """Score, be killed, resume; judge here and on the CPU; prune, retrain, evaluate."""
    score, again = context.folder / "score", context.folder / "retrain"
    common = {
        "MODEL.DEVICE": context.device, "SOLVER.AMP.ENABLED": str(context.has_gpu), "DATALOADER.NUM_WORKERS": "4",
        "SOLVER.CHECKPOINT_PERIOD": "2", "SOLVER.MAX_EPOCH": "4" if context.small else "12",
        "SOLVER.STEPS": "[2, 3]" if context.small else "[7, 10]", "TEST.EVAL_PERIOD": "4" if context.small else "12",
    }  # fmt: skip
    data(context)
    began = time.perf_counter()
    process = start(context, "score", {**common, "OUTPUT_DIR": str(score)})
    while not (score / "last_checkpoint").exists():
        assert process.poll() is None, f"the scoring run ended early: {tail(score)}"
        assert time.perf_counter() - began < 300, "no checkpoint in 300 s"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (score / "prune" / "trajectory" / "meta.json").exists(), "it was complete before it was killed"
    finish(start(context, "score", {**common, "OUTPUT_DIR": str(score)}, "--resume"), score)
    trajectory = load_trajectory(score)
    assert trajectory.num_epochs == int(common["SOLVER.MAX_EPOCH"]), trajectory.num_epochs
    learned = np.nansum(trajectory.epochs.correct, 1) / np.maximum(np.nansum(trajectory.epochs.visits, 1), 1)
    assert learned[-1] > 2 * learned[0] and learned[-1] > 0.15, (
        f"correct by epoch: {learned.round(3).tolist()}"
    )
    command(context, "judge", str(score))
    here = (score / "prune" / "scores.csv").read_text()
    same = "not compared with the CPU"
    if context.has_gpu:
        command(context, "judge", str(score), CUDA_VISIBLE_DEVICES="")
        there = (score / "prune" / "scores.csv").read_text()
        lines = sum(a != b for a, b in zip(here.splitlines(), there.splitlines(), strict=True))
        context.figures["score lines that differ on the CPU"] = lines
        verdicts = [_verdicts(text) for text in (here, there)]
        assert verdicts[0] == verdicts[1], "verdicts differ between GPU and CPU"
        same = f"verdicts the same on the CPU ({lines} lines of {len(here.splitlines())} differ in a digit)"
    manifest = context.folder / "manifest.csv"
    command(context, "prune", str(score), "--ratio", "0.3", "--method", "auto", "-o", str(manifest))
    options = {**common, "OUTPUT_DIR": str(again), "PRUNE.MANIFEST": str(manifest)}
    finish(start(context, "retrain", options), again)
    trained = json.loads((again / "prune" / "run.json").read_text())["results"]
    weights = {"MODEL.WEIGHTS": str(again / "model_best.pth")} if (again / "model_best.pth").exists() else {}
    weights = weights or {"MODEL.WEIGHTS": str(again / "model_final.pth")}
    finish(start(context, "retrain", {**options, **weights}, "--eval-only"), again)
    context.figures.update(learned=learned.round(4).tolist(), results=trained)
    return (
        f"killed and resumed; correct {learned[0]:.0%} to {learned[-1]:.0%} over the epochs; {same}; retrained on "
        f"70 % and evaluated: {json.dumps(trained)[:300]}"
    )


def _verdicts(table: str) -> list[tuple[str, ...]]:
    header, *rows = (line.split(",") for line in table.splitlines())
    wanted = [header.index(name) for name in ("file_name", "verdict", "suggested_pid")]
    return [tuple(row[place] for place in wanted) for row in rows]
