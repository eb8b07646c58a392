"""The judge on runs whose truth is known."""

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic_run import synthetic_run

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify import assess, judge, quality
from fastreid_prune.purify.claims import IN_DOUBT, NAMES, OUTLIERS
from fastreid_prune.purify.summary_text import sentences
from fastreid_prune.trajectory import Samples


def measured(run, judgement):
    return quality(
        judgement.verdicts,
        run.wrong,
        run.outlier,
        run.shown,
        judgement.wrong_probability,
        judgement.outlier_probability,
    )


def test_wrong_labels_are_found_under_the_right_name(noisy):
    run, judgement = noisy
    found = measured(run, judgement)
    assert found.wrong_label_ap > 0.95 and found.outlier_ap > 0.9
    assert found.relabelled > 0.85 and found.relabel_precision >= 0.95
    assert found.errors_mended > 0.9 and found.clean_altered <= 0.003


def test_foreign_samples_are_left_out_not_relabelled(noisy):
    run, judgement = noisy
    told = judgement.verdicts.verdict[run.outlier]
    assert (told == "mislabelled").mean() < 0.05 and (told == "outlier").mean() > 0.8


def test_the_precision_asked_for_is_met_where_most_is_wrong():
    run = synthetic_run(800, 40, wrong=0.3, outliers=0.05, seed=3)
    found = measured(run, assess(run.trajectory))
    assert found.relabel_precision >= 0.95 and found.relabelled > 0.8 and found.clean_altered <= 0.01


def test_a_clean_data_set_stays_as_it_is(spotless):
    run, judgement = spotless
    altered = judgement.verdicts.mislabelled | judgement.verdicts.outlier
    assert altered.mean() <= 0.003 and judgement.summary.wrong_share < 0.005


def test_switched_samples_are_judged_under_the_data_sets_label(noisy):
    """Trained under a wrong label by our doing, and yet as right or wrong as the data set has them."""
    run, judgement = noisy
    fair = run.switched & ~run.wrong & ~run.outlier
    others = ~run.switched & ~run.wrong & ~run.outlier
    assert fair.sum() > 20 and (judgement.verdicts.verdict[fair] == "clean").mean() > 0.9
    assert np.median(judgement.wrong_probability[fair]) < 0.1
    assert (judgement.verdicts.verdict[others] == "clean").mean() > 0.99


def test_nobody_is_suggested_the_label_that_we_switched_to(noisy):
    run, judgement = noisy
    suggested = judgement.verdicts.suggested_pid[run.switched]
    trained = run.trajectory.samples.pid[: len(run.given)][run.switched]
    assert ((suggested == "") | (suggested != trained)).all()
    told = judgement.verdicts.mislabelled
    assert (judgement.verdicts.suggested_pid[told] != run.given[told]).all()


@pytest.mark.parametrize("planted", [True, False])
def test_nothing_is_said_on_pure_noise(planted):
    run = synthetic_run(600, 25, signal=0.0, planted=planted)
    judgement = assess(run.trajectory)
    assert (judgement.verdicts.verdict == "clean").all() and not judgement.verdicts.in_doubt.any()
    assert judgement.summary.believed < 0.5 and not judgement.summary.labels_found
    told = " ".join(sentences(judgement.summary))
    assert ("too weak" if planted else "no errors were injected") in told


@pytest.mark.parametrize("signal", [0.15, 0.25, 0.35])
def test_whatever_the_model_no_claim_is_far_above_the_truth(signal):
    for seed in range(3):
        run = synthetic_run(900, 40, wrong=0.1, signal=signal, seed=seed)
        judgement = assess(run.trajectory)
        verdicts, rightly = judgement.verdicts, run.wrong | run.outlier
        named = verdicts.mislabelled & run.wrong & (verdicts.suggested_pid == run.shown)
        kinds = {
            NAMES: (verdicts.mislabelled, named),
            OUTLIERS: (verdicts.outlier, rightly),
            IN_DOUBT: (verdicts.in_doubt & ~run.switched, rightly),
        }
        for kind, (given, right) in kinds.items():
            claim = judgement.summary.claim(kind)
            assert claim.stands == (given.any() or claim.count > 0)
            assert given.sum() < 20 or right[given].mean() >= claim.low - 0.03, (kind, seed)


def test_of_the_labels_that_were_switched_the_most_doubted_are_left_out_no_more_than_are_wrong_by_estimate():
    run = synthetic_run(wrong=0.2, seed=1)
    judgement = assess(run.trajectory)
    changed, bad = judgement.verdicts.in_doubt & run.switched, run.wrong | run.outlier
    assert judgement.summary.injected_in_doubt == changed.sum() > 0.5 * (bad & run.switched).sum()
    assert bad[changed].mean() > 0.8 and not judgement.verdicts.against[run.switched].any()


def test_in_a_clean_set_no_label_that_was_switched_is_in_doubt(spotless):
    assert spotless[1].summary.injected_in_doubt == 0


def test_without_injected_errors_there_are_no_verdicts_unless_at_your_own_word():
    run = synthetic_run(planted=False)
    silent = assess(run.trajectory, precision=0.9)
    assert not (silent.verdicts.mislabelled | silent.verdicts.outlier | silent.verdicts.in_doubt).any()
    assert all(claim.refused and "--uncalibrated" in claim.remedy for claim in silent.summary.claims)
    judgement = assess(run.trajectory, precision=0.9, uncalibrated=True)
    told = judgement.verdicts.mislabelled | judgement.verdicts.outlier
    assert told.sum() > 20 and judgement.verdicts.confidence[told].min() >= 0.9
    assert judgement.summary.uncalibrated and judgement.summary.labels_found is None
    assert "at your own word" in " ".join(sentences(judgement.summary))
    found = measured(run, judgement)
    assert found.wrong_label_ap > 0.95 and found.clean_altered <= 0.003


def test_at_your_own_word_changes_nothing_where_errors_were_injected(noisy):
    run, judgement = noisy
    again = assess(run.trajectory, uncalibrated=True)
    np.testing.assert_array_equal(again.verdicts.verdict, judgement.verdicts.verdict)
    assert again.summary == judgement.summary


def test_the_same_run_gets_the_same_verdicts(noisy):
    run, judgement = noisy
    again = assess(run.trajectory)
    for name in ("verdict", "suggested_pid", "runner_up_pid", "confidence", "reason"):
        np.testing.assert_array_equal(getattr(again.verdicts, name), getattr(judgement.verdicts, name))
    np.testing.assert_array_equal(again.wrong_probability, judgement.wrong_probability)
    assert again.summary == judgement.summary
    np.testing.assert_array_equal(judge(run.trajectory).verdict, judgement.verdicts.verdict)


def test_confidence_is_a_probability_and_every_verdict_has_a_reason(noisy):
    run, judgement = noisy
    verdicts = judgement.verdicts
    assert len(verdicts) == len(run.given) == judgement.summary.samples
    for values in (verdicts.confidence, judgement.wrong_probability, judgement.outlier_probability):
        assert np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all()
    told = verdicts.mislabelled | verdicts.outlier
    assert all(verdicts.reason[told]) and not any(verdicts.reason[~told])
    named = verdicts.mislabelled
    pairs = zip(verdicts.suggested_pid[named], verdicts.reason[named], strict=True)
    assert all(name in reason for name, reason in pairs)
    assert (verdicts.runner_up_pid[named] != verdicts.suggested_pid[named]).all()
    assert (verdicts.suggested_pid[~named] == "").all()


def test_the_summary_counts_and_estimates(noisy):
    run, judgement = noisy
    summary = judgement.summary
    assert summary.mislabelled == judgement.verdicts.mislabelled.sum()
    assert summary.outliers == judgement.verdicts.outlier.sum()
    assert summary.in_doubt == judgement.verdicts.in_doubt.sum()
    assert summary.wrong_share == pytest.approx(run.wrong.mean(), abs=0.02)
    assert summary.outlier_share == pytest.approx(run.outlier.mean(), abs=0.02)
    assert run.wrong.mean() - 0.01 <= summary.most_wrong < 0.12
    assert (summary.injected_labels, summary.injected_outliers) == (60, 30)
    assert summary.labels_found > 0.8 and summary.outliers_found > 0.8 and summary.name_right > 0.8
    assert summary.claim(NAMES).precision >= 0.95 and summary.believed > 0.8 and summary.good
    assert type(summary).from_json(json.loads(json.dumps(summary.to_json()))).to_json() == summary.to_json()


def test_more_precision_means_fewer_verdicts(noisy):
    told = []
    for precision in (0.6, 0.95, 0.999):
        verdicts = judge(noisy[0].trajectory, precision=precision)
        told.append(int((verdicts.mislabelled | verdicts.outlier).sum()))
    assert told[0] >= told[1] > told[2]


def test_what_is_in_doubt_has_no_verdict_and_is_mostly_wrong():
    rightly = []
    for seed in (5, 6):
        weak = synthetic_run(900, 25, seed=seed, signal=0.3, wrong=0.1)
        judgement = assess(weak.trajectory)
        in_doubt = judgement.verdicts.in_doubt
        assert judgement.summary.in_doubt == in_doubt.sum()
        assert not (in_doubt & (judgement.verdicts.mislabelled | judgement.verdicts.outlier)).any()
        rightly += (weak.wrong | weak.outlier)[in_doubt].tolist()
    assert not rightly or np.mean(rightly) > 0.5


def test_of_a_sample_never_seen_nothing_is_said(noisy):
    trajectory = noisy[0].trajectory
    features = trajectory.features.copy()
    features[:7] = np.nan
    judgement = assess(replace(trajectory, features=features))
    assert (judgement.verdicts.verdict[:7] == "").all() and np.isnan(judgement.verdicts.confidence[:7]).all()
    assert np.isnan(judgement.wrong_probability[:7]).all()
    assert (judgement.verdicts.verdict[7:] != "").all()


def test_names_of_identities_do_not_matter(noisy):
    run, judgement = noisy
    samples = run.trajectory.samples
    renamed = Samples(
        samples.file_name, np.array([f"x{pid}" for pid in samples.pid], object), samples.camid, samples.label
    )
    record = run.trajectory.meta["calibration"]
    switched = {name: f"x{pid}" for name, pid in record["switched"].items()}
    meta = run.trajectory.meta | {"calibration": record | {"switched": switched}}
    again = assess(replace(run.trajectory, samples=renamed, meta=meta))
    np.testing.assert_array_equal(again.verdicts.verdict, judgement.verdicts.verdict)
    told = again.verdicts.mislabelled
    assert (again.verdicts.suggested_pid[told] == "x" + judgement.verdicts.suggested_pid[told]).all()


@pytest.mark.parametrize("precision", [0.49, 1.0, -1, float("nan")])
def test_a_precision_out_of_range_is_refused(noisy, precision):
    with pytest.raises(FastreidPruneError, match="precision"):
        assess(noisy[0].trajectory, precision=precision)


def test_without_features_there_is_no_judging(noisy):
    with pytest.raises(FastreidPruneError, match="no features"):
        assess(replace(noisy[0].trajectory, features=None))


@pytest.mark.parametrize(("samples", "identities"), [(40, 5), (60, 2)])
def test_too_few_to_tell_what_is_usual_are_refused(samples, identities):
    small = synthetic_run(samples, identities, wrong=0, outliers=0, planted=False)
    with pytest.raises(FastreidPruneError, match=f"{samples} samples of {identities} identities"):
        assess(small.trajectory)


def test_the_same_image_under_two_identities_is_named():
    """A wrong label whose image is there a second time, under the right identity and from the same camera."""
    run = synthetic_run(800, 40, wrong=0.1, planted=False, seed=5)
    trajectory, samples = run.trajectory, run.trajectory.samples
    known = trajectory.features.copy()
    twins = {}
    for row in np.flatnonzero(run.wrong)[:20]:
        same = (run.given == run.shown[row]) & ~run.wrong & (samples.camid == samples.camid[row])
        if same.any():
            twins[int(row)] = int(np.flatnonzero(same)[0])
            known[row] = known[twins[int(row)]] + 0.001
    verdicts = assess(replace(trajectory, features=known), uncalibrated=True).verdicts
    found = [row for row in twins if verdicts.verdict[row] == "mislabelled"]
    assert len(found) >= 5
    for row in found:
        file = samples.file_name[twins[row]].rsplit("/", 1)[-1]
        assert verdicts.reason[row].endswith(f"near-duplicate of {file} under {run.shown[row]}")
    others = np.setdiff1d(np.arange(len(verdicts)), [*twins, *twins.values()])
    told = [reason for reason in verdicts.reason[others] if "near-duplicate" in reason]
    assert not any(" under " in reason for reason in told)


def test_where_verdicts_are_refused_the_most_doubted_are_known_all_the_same(noisy):
    run, _ = noisy
    refused = assess(run.trajectory, precision=0.9999)
    verdicts, summary = refused.verdicts, refused.summary
    assert not verdicts.against.any()
    error = run.wrong | run.outlier
    first = np.argsort(verdicts.confidence, kind="stable")[: summary.suspects]
    assert error[first].mean() > 0.9 and error[first].sum() > 0.7 * error.sum()
