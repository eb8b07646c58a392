"""Judging by candidates and lists instead of all classes and all samples: the same, but for what is missed."""

from dataclasses import replace

import numpy as np
import pytest

from fastreid_prune.evaluation import inverted_lists
from fastreid_prune.purify import clip_evidence, identities
from fastreid_prune.purify.candidate_classes import most_similar, place_of, similarities, together, votes_for
from fastreid_prune.purify.clip_verdicts import judge_clips
from fastreid_prune.purify.judge import assess
from fastreid_prune.purify.neighbours import votes
from fastreid_prune.scores import top_classes
from fastreid_prune.trajectory.factors import Factor, FactoredLogits
from tests.synthetic_run import synthetic_run


@pytest.fixture
def many(monkeypatch):
    """Every set is a large one."""
    monkeypatch.setattr(top_classes, "EXACT_LOGITS", 0)
    monkeypatch.setattr(inverted_lists, "EXACT_ROWS", 200)
    monkeypatch.setattr(inverted_lists, "EXACT_CLASSES", 20)
    monkeypatch.setattr(clip_evidence, "EXACT_PAIRS", 0)


def factored(trajectory):
    """The same trajectory with its logits as features times the identity matrix."""
    logits = np.asarray(trajectory.mean_logits, np.float32)
    factor = Factor(logits, np.eye(logits.shape[1], dtype=np.float32), np.zeros(logits.shape[1], np.float32))
    rows = FactoredLogits([factor], np.ones((1, len(logits))), [], "cpu")
    return replace(trajectory, mean_logits=rows)


def test_verdicts_are_nearly_those_of_the_exact_judge_and_say_what_is_not_exact(noisy, many):
    run, exact = noisy
    judged = assess(factored(run.trajectory))
    assert (judged.verdicts.verdict == exact.verdicts.verdict).mean() > 0.98
    apart = np.abs(judged.wrong_probability - exact.wrong_probability)
    assert np.nanmean(apart) < 0.01
    first, second = judged.summary.approximations
    assert "nearest neighbours" in first and "entropy is estimated" in second
    assert exact.summary.approximations == ()


def test_clips_by_candidates_are_nearly_those_of_all_classes(many, monkeypatch):
    trajectory = synthetic_run(samples=1500, identities=60, clips=True, tracklets=0.05).trajectory
    found = judge_clips(trajectory, 0.9).evidence
    for module, name in ((clip_evidence, "EXACT_PAIRS"), (inverted_lists, "EXACT_ROWS")):
        monkeypatch.setattr(module, name, 10**9)
    exact = judge_clips(trajectory, 0.9).evidence
    assert (found.suggested == exact.suggested).mean() > 0.9
    assert np.corrcoef(found.named, exact.named)[0, 1] > 0.98
    np.testing.assert_array_equal(found.decidable, exact.decidable)
    assert exact.exact and not found.exact


def test_pairs_among_nearest_identities_are_those_among_all(monkeypatch):
    rng = np.random.default_rng(0)
    label, camera = rng.integers(80, size=1600), rng.integers(5, size=1600)
    face = rng.normal(size=(80, 24))
    face[1::4] = face[::4] + 0.4 * face[1::4]
    features = face[label] + 0.5 * rng.normal(size=(1600, 24))
    features = (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)
    weight = rng.random(1600)
    exact = identities.same_identity(features, label, camera, weight, 80)
    monkeypatch.setattr(identities, "EXACT_PAIRS", 0)
    found = identities.same_identity(features, label, camera, weight, 80)
    assert [(one.first, one.second) for one in found[:15]] == [(one.first, one.second) for one in exact[:15]]
    for one, other in zip(found[:15], exact[:15], strict=True):
        numbers = one.score, one.similarity, one.next_best, one.shared_cameras
        assert numbers == pytest.approx(
            (other.score, other.similarity, other.next_best, other.shared_cameras), abs=1e-4
        )


def test_candidates_are_named_once_and_their_numbers_are_those_of_all_classes():
    rng = np.random.default_rng(0)
    rows, prototypes = (
        rng.normal(size=(20, 8)).astype(np.float32),
        rng.normal(size=(15, 8)).astype(np.float32),
    )
    voted, weights = rng.integers(15, size=(20, 6)), rng.random((20, 6)).astype(np.float32)
    nearest = most_similar(rows, prototypes, 3)
    classes = together(voted, nearest, np.full((20, 1), -1))
    for one, given, near in zip(classes, voted, nearest, strict=True):
        there = one[one >= 0].tolist()
        assert sorted(there) == sorted(set(given.tolist()) | set(near.tolist()))
    every, there = rows @ prototypes.T, classes >= 0
    found = similarities(rows, prototypes, classes)
    np.testing.assert_allclose(
        found[there], np.take_along_axis(every, np.maximum(classes, 0), 1)[there], atol=1e-5
    )
    share = votes_for(weights, voted, classes)
    counted = votes(weights, np.arange(15)[voted], np.arange(15), 15)
    np.testing.assert_allclose(
        share[there], np.take_along_axis(counted, np.maximum(classes, 0), 1)[there], atol=1e-5
    )
    np.testing.assert_array_equal(classes[np.arange(20), place_of(classes, voted[:, 0])], voted[:, 0])
