"""Whole scripts in processes of their own, as a user runs them."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from fastreid_prune import Manifest, load_trajectory
from fastreid_prune.trajectory.per_epoch_logits import open_epoch

# A training script that knows nothing of us: as fastreid's tools/train_net.py, with a trainer of its own.
SCRIPT = """
import sys
sys.path.append(".")
from fastreid.config import get_cfg
from fastreid.engine import DefaultTrainer, default_argument_parser, default_setup, launch
from fastreid.utils.checkpoint import Checkpointer


class Trainer(DefaultTrainer):
    @classmethod
    def build_train_loader(cls, cfg):
        return super().build_train_loader(cfg)


def main(args):
    cfg = get_cfg()
    cfg.merge_from_list(args.opts)
    cfg.freeze()
    default_setup(cfg, args)
    if args.eval_only:
        model = Trainer.build_model(cfg)
        Checkpointer(model).load(cfg.MODEL.WEIGHTS)
        print("RESULTS", dict(Trainer.test(cfg, model)))
        return
    trainer = Trainer(cfg)
    trainer.resume_or_load(resume=args.resume)
    trainer.train()


if __name__ == "__main__":
    args = default_argument_parser().parse_args()
    launch(main, args.num_gpus, dist_url="auto", args=(args,))
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "their_train_net.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def scoring(options):
    return [
        *options,
        "PRUNE.SEED",
        "0",
        "PRUNE.CAPTURE.ENABLED",
        "True",
        "SOLVER.MAX_EPOCH",
        "2",
        "TEST.EVAL_PERIOD",
        "2",
    ]


@pytest.mark.slow
def test_a_script_that_knows_nothing_of_us_scores_retrains_and_evaluates(
    script, scoring, options, tmp_path, run_command
):
    run_command("-m", "fastreid_prune", "run", script, *scoring)
    manifest = tmp_path / "m.csv"
    run_command("-m", "fastreid_prune", "prune", tmp_path / "run", "--ratio", "0.3", "-o", manifest)
    assert Manifest.read(manifest).counts["prune"] == int(0.3 * len(Manifest.read(manifest)))
    retrain = [*options, "OUTPUT_DIR", tmp_path / "retrained", "PRUNE.MANIFEST", manifest, "PRUNE.SEED", "0"]
    run_command("-m", "fastreid_prune", "run", script, *retrain, "TEST.EVAL_PERIOD", "1")
    record = json.loads((tmp_path / "retrained" / "prune" / "run.json").read_text())
    assert record["images"] == Manifest.read(manifest).kept.sum()
    weights = tmp_path / "retrained" / "model_final.pth"
    classes = ["MODEL.HEADS.NUM_CLASSES", record["identities"]]
    said = run_command(
        "-m", "fastreid_prune", "run", script, "--eval-only", *options, "MODEL.WEIGHTS", weights, *classes
    )
    assert f"'mAP': {record['results']['mAP']:.6}"[:12] in said.stdout.replace("np.float64(", "")


@pytest.mark.slow
def test_two_processes_make_one_trajectory_with_every_visit(script, scoring, tmp_path, run_command):
    scoring = [*scoring, "PRUNE.CAPTURE.KEEP_LOGITS", "True"]
    run_command("-m", "fastreid_prune", "run", script, "--num-gpus", "2", *scoring)
    trajectory = load_trajectory(tmp_path / "run")
    whole = tmp_path / "run" / "prune" / "trajectory" / "logits"
    for epoch, seen in enumerate(trajectory.epochs.visits):
        assert (np.isfinite(open_epoch(whole, epoch)).all(axis=1) == (np.nan_to_num(seen) > 0)).all()
    assert not list((tmp_path / "run" / "prune").glob("state/logits*"))
    record = json.loads((tmp_path / "run" / "prune" / "run.json").read_text())
    visits = np.nan_to_num(trajectory.epochs.visits)
    assert (visits.sum(0) > 0).all()
    assert visits.sum() == record["images_seen"] + trajectory.meta["filled"]
    assert np.isfinite(trajectory.features).all()


@pytest.mark.slow
def test_features_and_weights_of_two_processes_make_one_trajectory(script, scoring, tmp_path, run_command):
    scoring = [*scoring, "PRUNE.CAPTURE.MODE", "eval"]
    found = []
    for factored in (False, True):
        output = tmp_path / f"factored-{factored}"
        arguments = ["PRUNE.CAPTURE.FACTORED", factored, "OUTPUT_DIR", output]
        run_command("-m", "fastreid_prune", "run", script, "--num-gpus", "2", *scoring, *arguments)
        found.append(load_trajectory(output))
        assert not (output / "prune" / "state").exists()
    logits, factors = found
    assert (factors.epochs.visits == 1).all()
    np.testing.assert_allclose(factors.mean_logits[:], logits.mean_logits, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(factors.epochs.given_logit, logits.epochs.given_logit)


@pytest.mark.slow
@pytest.mark.parametrize("options", [["eval"], ["train"], ["eval", "--set", "PRUNE.CAPTURE.FACTORED=True"]])
def test_killed_runs_resume_to_the_trajectory_of_an_unbroken_one(options, run_command):
    said = run_command("benchmarks/kill_and_resume.py", "--kills", "3", "--mode", *options, timeout=900)
    assert "3 of 3 resumed runs equal the unbroken one." in said.stdout


def test_a_users_mistake_ends_in_one_message_without_a_traceback(script, options, run_command):
    result = run_command("-m", "fastreid_prune", "run", script, *options, "PRUNE.RATOI", "0.3", check=False)
    assert result.returncode == 2
    assert "PRUNE.RATOI: no such configuration key. The nearest one is PRUNE.RATIO." in result.stderr
    assert "Traceback" not in result.stderr


def test_ctrl_c_says_how_to_go_on(script, scoring, demo_root):
    command = [sys.executable, "-W", "ignore", "-m", "fastreid_prune", "run", str(script), *map(str, scoring)]
    process = subprocess.Popen(
        [*command, "SOLVER.MAX_EPOCH", "1000"],
        env={**os.environ, "FASTREID_DATASETS": str(demo_root), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # a shell starts what is in its background with the signal ignored, and that is inherited
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if "model_0000.pth" in line:
            # As a terminal does: to the script and to its loading workers.
            os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=120) == 130
    assert said[-1].strip() == "fastreid-prune: interrupted; go on from the last checkpoint with --resume."
    assert "Traceback" not in "".join(said)


def test_a_mistake_in_a_spawned_process_ends_in_the_same_message(script, options, run_command):
    arguments = ["--num-gpus", "2", *options, "SOLVER.IMS_PER_BATCH", "18"]
    result = run_command("-m", "fastreid_prune", "run", script, *arguments, check=False)
    assert result.returncode == 2
    assert "NaiveIdentitySampler would wait for ever" in result.stderr
    assert "Traceback" not in result.stderr.split("fastreid-prune:")[-1]


def test_our_own_script_needs_no_run(options, run_command, tmp_path):
    run_command(
        "tools/train_net.py",
        "--config-file",
        "configs/Demo/retrain.yml",
        *options,
        "SOLVER.IMS_PER_BATCH",
        "64",
    )
    assert (tmp_path / "run" / "model_final.pth").exists()


def test_doctor_finds_all_that_is_needed_and_says_which_patches_are_active(run_command):
    said = run_command("-m", "fastreid_prune", "doctor").stdout
    assert "All that is needed is here." in said
    assert "patch gradients" in said


def test_doctor_says_what_installs_a_missing_faiss(run_command, tmp_path):
    """A module path that ends before faiss: as where it is not installed."""
    (tmp_path / "doctor.py").write_text(
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'faiss' else find(name, *rest)\n"
        "from fastreid_prune.cli import main\n"
        "main(['doctor'])\n"
    )
    result = run_command(tmp_path / "doctor.py", check=False, PATH="/nowhere")
    assert result.returncode == 1
    assert "run: pip install faiss-cpu" in result.stdout


def test_doctor_tells_a_checkout_of_fastreid_from_the_wheel(run_command, tmp_path):
    import importlib.util
    import shutil
    from pathlib import Path

    source = Path(importlib.util.find_spec("fastreid").origin).parent
    shutil.copytree(source, tmp_path / "fast-reid" / "fastreid", ignore=shutil.ignore_patterns("__pycache__"))
    path = os.pathsep.join([str(tmp_path / "fast-reid"), os.environ.get("PYTHONPATH", "")])
    said = run_command("-m", "fastreid_prune", "doctor", PYTHONPATH=path, COLUMNS="300").stdout
    assert f"a checkout on the path in {tmp_path}" in said
