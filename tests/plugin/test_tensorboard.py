"""What TensorBoard shows of a scored run, read back from the event file with TensorBoard's own reader."""

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fastreid_prune.plugin.tensorboard import SUSPECTS, suspects
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts


@pytest.fixture
def events(cfg, tmp_path):
    """Train and score for an epoch; the events of the run."""
    from fastreid.engine import DefaultTrainer

    cfg.PRUNE.CAPTURE.ENABLED = True
    trainer = DefaultTrainer(cfg)
    trainer.iters_per_epoch = 2
    trainer.train()
    accumulator = EventAccumulator(str(tmp_path / "run"), size_guidance={"images": 0, "histograms": 0})
    accumulator.Reload()
    return accumulator


def test_histograms_and_suspects_are_in_the_event_file_of_the_run(events, tmp_path):
    table = RunFiles.open(tmp_path / "run").table
    tags = events.Tags()
    assert set(tags["histograms"]) == {f"scores/{name}" for name in table.scores}
    histogram = events.Histograms("scores/entropy")[0].histogram_value
    entropy = table.scores["entropy"]
    assert histogram.num == len(entropy) and np.isclose(histogram.sum, entropy.sum(), rtol=1e-4)
    assert sum(histogram.bucket) == len(entropy)
    rows = suspects(table)[:SUSPECTS]
    assert len(rows) and [tag.split("_", 1)[1] for tag in sorted(tags["images"])] == table.pid[rows].tolist()
    picture = events.Images(sorted(tags["images"])[0])[0]
    assert (picture.width, picture.height) == (64, 128)
    assert "total_loss" in tags["scalars"]


def table_of(verdict, confidence, aum):
    count = len(verdict)
    columns = [np.array([f"{text}{i}" for i in range(count)], object) for text in ("file", "pid", "cam")]
    suggested = np.where(np.array(verdict) == "mislabelled", "other", "").astype(object)
    empty = np.full(count, "", object)
    verdicts = Verdicts(np.array(verdict, object), suggested, empty, np.array(confidence), empty)
    return ScoreTable(*columns, {"aum": np.array(aum)}, verdicts)


def test_suspects_come_by_confidence_or_unjudged_by_the_aum():
    judged = table_of(["mislabelled", "clean", "outlier", "mislabelled"], [0.7, 0.99, 0.9, 0.9], [0.0] * 4)
    assert suspects(judged).tolist() == [2, 3, 0]
    unjudged = table_of([""] * 4, [np.nan] * 4, [-3.0, 2.0, np.nan, 5.0])
    assert suspects(unjudged).tolist() == [3, 1]
