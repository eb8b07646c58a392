"""The rules of purification by name: what each answers for a run, and what is refused."""

import numpy as np
import pytest
from click.testing import CliRunner

from fastreid_prune.cli import group
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify import RULES, judge_run, paper_rule
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.trajectory import load_trajectory, save_trajectory


def test_the_papers_rule_is_reachable_by_name_from_python_and_the_command_line(scored_run):
    run = scored_run(samples=60)
    judged = judge_run(run, rule="paper")
    expected = paper_rule(load_trajectory(run))
    np.testing.assert_array_equal(RunFiles.open(run).verdicts.verdict, expected.verdict)
    assert expected.outlier.any() and RunFiles.open(run).table.thresholds["rule"] == "paper"
    told = CliRunner().invoke(group, ["judge", str(run), "--rule", "paper"])
    assert told.exit_code == 0 and judged.sentences[0] in told.output


def test_the_papers_rule_judges_the_data_sets_own_samples_under_the_labels_given(noisy, tmp_path):
    """Injected errors are not among the samples, and what was trained under another label is judged under its own."""
    save_trajectory(noisy[0].trajectory, tmp_path / "prune" / "trajectory")
    run = RunFiles.open(tmp_path)
    judge_run(run, rule="paper")
    assert len(run.verdicts) == len(run.samples) < run.trajectory.num_samples
    switched = run.injected.switched[run.dataset_rows]
    suggested = run.verdicts.suggested_pid[switched]
    assert not (suggested == run.samples.pid[switched]).any()


def test_an_unknown_rule_is_named_with_the_nearest(scored_run):
    with pytest.raises(FastreidPruneError, match="'papper' found, one of .*Did you mean 'paper'"):
        judge_run(scored_run(), rule="papper")


def test_every_rule_says_where_it_is_from():
    assert {"judge", "paper"} <= set(RULES) and all(rule.source and rule.direction for rule in RULES.values())
