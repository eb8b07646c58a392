"""Training again from published lists alone, with the run that they are from gone."""

import os
import shutil
from pathlib import Path

import pytest
from published_runs import write_verdicts

from fastreid_prune.formats import export_run
from fastreid_prune.manifest import Manifest

STOCK = Path(os.environ.get("FASTREID_CHECKOUT", "fast-reid")) / "tools" / "train_net.py"
OURS = Path(__file__).parents[2] / "tools" / "train_net.py"


@pytest.mark.slow
@pytest.mark.parametrize("script", [STOCK, OURS], ids=["stock script", "our script"])
def test_lists_alone_are_enough_to_train_again(run_command, options, tmp_path, script):
    if not script.is_file():
        pytest.skip(f"no {script}: set FASTREID_CHECKOUT to a checkout of fastreid")
    run = tmp_path / "run"
    options = ["--config-file", "configs/Demo/retrain.yml", *options]
    run_command(OURS, *options, "PRUNE.CAPTURE.ENABLED", "True", "PRUNE.SEED", "0")
    table = write_verdicts(run, mislabelled=[2, 9], outliers=[5])
    export_run(run, tmp_path / "lists")
    shutil.rmtree(run)
    manifest = tmp_path / "manifest.csv"
    lists = ["import", tmp_path / "lists", "-o", manifest, "--ratio", "0.3", "--purify"]
    run_command("-m", "fastreid_prune", *lists)
    start = ["-m", "fastreid_prune", "run", script] if script == STOCK else [script]
    result = run_command(*start, *options, "PRUNE.MANIFEST", manifest)
    found = Manifest.read(manifest)
    assert found.counts["outlier"] == 1 and found.counts["relabel"] >= 1
    assert found.counts["prune"] == int(0.3 * (len(table) - 1))
    assert (run / "model_final.pth").is_file(), result.stdout[-2000:]
