"""Verdicts on whole clips, and what is said where none can be given."""

import re
from dataclasses import replace

import numpy as np
import pytest
from synthetic_run import synthetic_run

from fastreid_prune.purify.claims import CLIPS_IN_DOUBT
from fastreid_prune.purify.clip_verdicts import judge_clips
from fastreid_prune.scored_run.verdicts import CLEAN, MISLABELLED, OUTLIER, Verdicts


@pytest.fixture(scope="module")
def tracklets():
    run = synthetic_run(2400, 60, wrong=0.0, outliers=0.0, tracklets=0.1, clips=True, seed=3)
    return run, judge_clips(run.trajectory, 0.9)


def test_wrong_tracklets_are_named_as_surely_as_the_claim_says(tracklets):
    run, judgement = tracklets
    verdicts = judgement.apply(Verdicts.unjudged(len(run.given)))
    flagged = verdicts.mislabelled
    right = verdicts.suggested_pid[flagged] == run.shown[flagged]
    assert judgement.claims[0].stands and judgement.claims[0].low <= right.mean()
    assert (flagged & run.wrong).sum() > 0.6 * run.wrong.sum()


def test_a_clip_has_one_verdict_with_one_reason(tracklets):
    run, judgement = tracklets
    verdicts = judgement.apply(Verdicts.unjudged(len(run.given)))
    for number in np.flatnonzero(judgement.named):
        rows = judgement.clip == number
        assert rows.sum() == judgement.evidence.size[number] > 1
        assert len(set(verdicts.suggested_pid[rows])) == len(set(verdicts.reason[rows])) == 1
        assert f"clip of {rows.sum()} images" in verdicts.reason[rows][0]


def test_what_was_moved_on_purpose_gets_no_verdict(tracklets):
    run, judgement = tracklets
    assert not judgement.apply(Verdicts.unjudged(len(run.given))).mislabelled[run.switched].any()


def test_images_with_a_verdict_of_their_own_keep_it(tracklets):
    run, judgement = tracklets
    columns = {name: column.copy() for name, column in vars(Verdicts.unjudged(len(run.given))).items()}
    first, second = np.flatnonzero(judgement.named[judgement.clip])[:2]
    columns["verdict"][first], columns["verdict"][second] = OUTLIER, MISLABELLED
    columns["suggested_pid"][second] = "market1501_1"
    done = judgement.apply(Verdicts(**columns))
    assert done.verdict[first] == OUTLIER and done.suggested_pid[second] == "market1501_1"


def test_where_names_are_not_sure_wrong_clips_are_left_out_as_a_whole():
    """At 95 % some twenty right names of as many moved clips do not show enough; that clips are wrong is shown."""
    run = synthetic_run(2400, 60, wrong=0.0, outliers=0.0, tracklets=0.1, clips=True, seed=3)
    judgement = judge_clips(run.trajectory, 0.95)
    verdicts = judgement.apply(Verdicts.unjudged(len(run.given)))
    names, wrong, *_ = judgement.claims
    assert not names.stands and wrong.stands
    assert re.match(r"of (2\d) clips .* the right identity comes first for \1; ", names.refused)
    out = verdicts.outlier
    assert (
        not verdicts.mislabelled.any() and run.wrong[out].mean() > 0.95 and out.sum() > 0.6 * run.wrong.sum()
    )
    rows = judgement.clip == int(np.flatnonzero(judgement.unnamed)[0])
    assert len(set(verdicts.reason[rows])) == 1 and "whom they show is not sure" in verdicts.reason[rows][0]
    assert any(set(np.flatnonzero(rows)) == set(clip) for clip in verdicts.clips)


def test_clips_that_are_more_likely_wrong_than_right_are_in_doubt_though_no_verdict_says_so():
    run = synthetic_run(2400, 60, wrong=0.0, outliers=0.0, tracklets=0.2, clips=True, seed=3)
    judgement = judge_clips(run.trajectory, 0.99)
    clean = np.full(len(run.given), CLEAN, object)
    verdicts = judgement.apply(replace(Verdicts.unjudged(len(run.given)), verdict=clean))
    doubted = verdicts.in_doubt & ~run.switched
    claim = judgement.claims[-1]
    assert claim.kind == CLIPS_IN_DOUBT and claim.precision is None
    assert claim.count == len(set(judgement.clip[doubted].tolist()))
    assert doubted.sum() > 20 and run.wrong[doubted].mean() > 0.8 and not (doubted & verdicts.against).any()
    assert not judgement.apply(Verdicts.unjudged(len(run.given))).in_doubt.any()
    changed = verdicts.in_doubt & run.switched
    assert (
        0.1 * run.switched.sum() < changed.sum() < 0.3 * run.switched.sum()
        and run.wrong[changed].mean() > 0.8
    )


def test_a_clean_set_has_no_wrong_clip():
    run = synthetic_run(2400, 60, wrong=0.0, outliers=0.0, clips=True, seed=4)
    judgement = judge_clips(run.trajectory, 0.9)
    assert judgement.named.sum() + judgement.unnamed.sum() <= 1 and not judgement.in_doubt.any()


def test_an_image_that_is_a_clip_by_itself_is_in_doubt_where_no_verdict_speaks_against_it():
    run = synthetic_run(2400, 60, wrong=0.1, outliers=0.0, clips=True, seed=3)
    clean = replace(Verdicts.unjudged(len(run.given)), verdict=np.full(len(run.given), CLEAN, object))
    doubted = judge_clips(run.trajectory, 0.9, clean).apply(clean).in_doubt & ~run.switched
    assert doubted.sum() > 0.5 * run.wrong.sum() and run.wrong[doubted].mean() > 0.9
    verdict = np.where(run.wrong, OUTLIER, CLEAN).astype(object)
    told = replace(clean, verdict=verdict)
    assert judge_clips(run.trajectory, 0.9, told).in_doubt.sum() < 0.05 * doubted.sum()


def test_without_moved_clips_verdicts_are_refused_with_that_reason():
    run = synthetic_run(2400, 60, wrong=0.0, outliers=0.0, tracklets=0.1, seed=3)
    judgement = judge_clips(run.trajectory, 0.9)
    assert not judgement.named.any() and judgement.claims[0].refused.startswith(
        "0 clips were moved on purpose"
    )
    assert "clips moved on purpose" in judgement.claims[0].remedy


def test_a_set_without_cameras_says_so_once():
    run = synthetic_run(600, 30, wrong=0.0, outliers=0.0, seed=4)
    samples = replace(run.trajectory.samples, camid=np.full(run.trajectory.num_samples, "", object))
    judgement = judge_clips(replace(run.trajectory, samples=samples), 0.95)
    said = [*{claim.refused for claim in judgement.claims}, *judgement.sentences]
    assert sum("one camera, or none that is known" in line for line in said) == len(said) == 1
    assert not any(claim.remedy for claim in judgement.claims)
