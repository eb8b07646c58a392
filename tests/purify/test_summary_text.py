from dataclasses import replace

import pytest

from fastreid_prune.purify import Summary
from fastreid_prune.purify.summary_text import sentences

FOUND = Summary(
    samples=1200,
    mislabelled=58,
    outliers=38,
    precision=0.95,
    wrong_share=0.051,
    outlier_share=0.034,
    mislabelled_threshold=0.7,
    outlier_threshold=0.95,
    mislabelled_precision=0.962,
    outlier_precision=0.99,
    planted_switched=31,
    planted_composed=32,
    switched_found=0.84,
    composed_found=0.71,
    name_right=0.97,
    believed=0.93,
    unsure=1.3,
)


def test_what_was_found_is_told_with_what_it_is_worth():
    told = " ".join(sentences(FOUND))
    assert "1200 samples: 58 mislabelled, 38 outliers" in told
    assert "5.1 %" in told and "3.4 %" in told
    assert "31 planted wrong labels, 84 %" in told and "about 96 % is right" in told
    assert "32 planted outliers, 71 %" in told and "about 99 % is right" in told
    assert "weak" not in told


def test_what_is_in_doubt_is_told_where_there_is_any():
    assert "likelier wrong" not in " ".join(sentences(FOUND))
    assert "17 more are likelier wrong than right" in sentences(replace(FOUND, in_doubt=17))[0]


def test_a_weak_model_is_called_weak_with_what_would_help():
    weak = replace(FOUND, mislabelled=0, mislabelled_precision=None, switched_found=0.03)
    told = sentences(weak)
    about = next(line for line in told if "planted wrong labels" in line)
    assert "weak" in about and "More epochs" in about and "95 % precision" in about
    assert not any("weak" in line for line in told if line is not about)


def test_a_model_that_does_not_believe_the_labels_has_no_say():
    none = replace(FOUND, mislabelled=0, outliers=0, believed=0.12)
    told = " ".join(sentences(none))
    assert "12 % of the given labels" in told and "too weak" in told and "More epochs" in told
    assert "is right" not in told


def test_a_model_is_measured_by_the_labels_that_are_right():
    """Half of the labels believed: little where all are right, much where a third is wrong."""
    half = replace(FOUND, believed=0.55, wrong_share=0.02, outlier_share=0.01)
    assert half.is_weak and not replace(half, wrong_share=0.3).is_weak
    assert replace(half, believed=0.2, wrong_share=0.9).is_weak


def test_errors_that_are_not_set_apart_allow_no_verdict():
    told = " ".join(sentences(replace(FOUND, mislabelled=0, outliers=0, unsure=2.4)))
    assert (
        "estimated" not in told
        and "63 planted errors are not set apart" in told
        and "no verdicts" in told
        and "More epochs" in told
    )
    assert "is right" not in told


def test_few_found_though_flags_are_right_is_weak_too():
    told = sentences(replace(FOUND, switched_found=0.1))
    assert any("weak" in line and "10 %" in line for line in told)


def test_a_clean_data_set_does_not_make_the_model_weak():
    clean = replace(FOUND, mislabelled=0, mislabelled_precision=None, switched_found=0.9)
    about = next(line for line in sentences(clean) if "planted wrong labels" in line)
    assert "weak" not in about and "nothing was" in about


def test_where_nothing_was_planted_it_says_so():
    told = sentences(
        replace(FOUND, planted_switched=0, planted_composed=0, switched_found=None, composed_found=None)
    )
    assert any("No errors were planted" in line and "70 %" in line for line in told)
    assert not any("is right" in line for line in told)


def test_without_composed_outliers_nothing_is_said_of_them():
    told = sentences(replace(FOUND, planted_composed=0, composed_found=None))
    assert not any("planted outliers" in line for line in told)


@pytest.mark.parametrize("fixture", ["soiled", "spotless"])
def test_a_strong_model_is_never_called_weak(fixture, request):
    _, judgement = request.getfixturevalue(fixture)
    told = sentences(judgement.summary)
    assert not any("weak" in line for line in told), told
