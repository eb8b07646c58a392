"""Near-duplicates among clean samples, against copies that were made."""

from dataclasses import replace

import numpy as np
import pytest

from fastreid_prune.purify import assess
from fastreid_prune.purify.near_duplicates import near_duplicates
from fastreid_prune.purify.soft_labels import soft_label_summary
from fastreid_prune.purify.summary_text import sentences
from fastreid_prune.selection.collapse import collapse
from fastreid_prune.selection.regime import is_near, usual_distance


@pytest.fixture(scope="module")
def copied(spotless):
    """A run in which the features of some samples are almost those of another of their identity; the pairs."""
    run = spotless[0]
    trajectory = run.trajectory
    rng = np.random.default_rng(4)
    features, pairs = np.array(trajectory.features), []
    for label in range(0, 20):
        one, other = rng.choice(
            np.flatnonzero((trajectory.labels[: len(run.switched)] == label) & ~run.switched),
            2,
            replace=False,
        )
        features[other] = features[one] + 0.01 * np.abs(features[one]).mean() * rng.normal(
            size=features.shape[1]
        )
        pairs.append((int(one), int(other)))
    return replace(trajectory, features=features), pairs


def test_of_each_pair_the_one_with_lower_entropy_is_named(copied, spotless):
    trajectory, pairs = copied
    everybody = np.ones(trajectory.num_samples, bool)
    by_chance = {row for row, *_ in near_duplicates(spotless[0].trajectory, trajectory.labels, everybody)}
    entropy = soft_label_summary(trajectory).entropy
    found = near_duplicates(trajectory, trajectory.labels, everybody)
    expected = {tuple(sorted(pair, key=lambda row: entropy[row])) for pair in pairs}
    named = {(row, partner) for row, partner, _ in found}
    assert expected <= named and {row for row, _ in named - expected} <= by_chance
    unit = trajectory.features / np.linalg.norm(trajectory.features, axis=1, keepdims=True)
    for row, partner, similarity in found:
        assert similarity == pytest.approx(float(unit[row] @ unit[partner]), abs=1e-5)


def test_they_are_those_that_the_regime_counts(copied):
    trajectory, _ = copied
    everybody = np.ones(trajectory.num_samples, bool)
    found = near_duplicates(trajectory, trajectory.labels, everybody)
    files = np.arange(trajectory.num_samples).astype(str)
    entropy = soft_label_summary(trajectory).entropy
    whole = collapse(trajectory.features, trajectory.labels, entropy, everybody, files)
    near = is_near(whole, usual_distance(trajectory.features, trajectory.labels, everybody))
    assert {row for row, *_ in found} == set(whole.rows[near].tolist())


def test_nobody_is_a_copy_of_who_is_no_candidate(copied):
    trajectory, pairs = copied
    candidates = np.ones(trajectory.num_samples, bool)
    candidates[[one for one, _ in pairs]] = False
    named = {row for row, *_ in near_duplicates(trajectory, trajectory.labels, candidates)}
    assert not named & {other for _, other in pairs}


def test_the_judge_calls_them_so_and_leaves_their_labels(copied):
    trajectory, _ = copied
    judgement = assess(trajectory)
    named = judgement.verdicts.verdict == "near_duplicate"
    assert named.sum() == judgement.summary.near_duplicates > 10
    assert (judgement.verdicts.suggested_pid[named] == "").all()
    assert all("near-duplicate of" in reason for reason in judgement.verdicts.reason[named])
    assert f"{named.sum()} more are near-duplicates" in sentences(judgement.summary)[1]
