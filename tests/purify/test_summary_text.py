from dataclasses import replace

import pytest

from fastreid_prune.purify import Claim, Summary
from fastreid_prune.purify.claims import CLIPS, CLIPS_IN_DOUBT, IN_DOUBT, NAMES, OUTLIERS
from fastreid_prune.purify.refusals import Facts, not_calibrated, refusal
from fastreid_prune.purify.summary_text import headline, sentences

NAMED = Claim(NAMES, 0.95, 58, 0.962, 0.91, 0.99, 2.0, 1.0)
LEFT_OUT = Claim(OUTLIERS, 0.95, 38, 0.981, 0.93, 1.0, 3.0)
DOUBTED = Claim(IN_DOUBT, 0.5, 9, 0.8, 0.6, 0.95, 0.5)
FOUND = Summary(
    samples=1200,
    mislabelled=58,
    outliers=38,
    precision=0.95,
    claims=(NAMED, LEFT_OUT, DOUBTED),
    wrong_share=0.051,
    outlier_share=0.034,
    believed=0.93,
    in_doubt=9,
    most_wrong=0.064,
    injected_labels=61,
    injected_outliers=32,
    labels_found=0.84,
    outliers_found=0.71,
    name_right=0.97,
    name_first=0.93,
    separation=0.98,
)
FACTS = Facts(
    samples=1200, injected=61, visits=12, separation=0.97, name_first=0.9, errors=0.1, most_errors=0.12
)


def refused(summary, reason, remedy, *kinds):
    claims = tuple(
        replace(claim, count=0, precision=None, low=None, threshold=None, refused=reason, remedy=remedy)
        if claim.kind in (kinds or (NAMES, OUTLIERS, IN_DOUBT))
        else claim
        for claim in summary.claims
    )
    return replace(summary, claims=claims)


def test_each_kind_is_told_with_what_it_is_worth():
    told = " ".join(sentences(FOUND))
    assert "1200 samples: 58 mislabelled, 38 outliers" in told and "about 6.4 % of the labels" in told
    assert "58 relabelled: about 96 % rightly, and at least 91 %" in told
    assert "38 left out as wrong or as an outlier: about 98 % rightly, and at least 93 %" in told
    assert "9 left out for doubt: about 80 % rightly" in told
    assert "good enough" in headline(FOUND) and "weak" not in told and "What would help" not in told


def test_a_refusal_is_told_once_with_its_reason_and_its_remedy():
    told = sentences(refused(FOUND, "the model is too weak here", "a better model"))
    assert (
        "Nothing is relabelled, left out as wrong or as an outlier or left out for doubt: the model is too weak here."
        in told
    )
    assert told.count("What would help: a better model.") == 1
    one = " ".join(sentences(refused(FOUND, "too few names", "inject more", NAMES)))
    assert (
        "Nothing is relabelled: too few names." in one
        and "38 left out as wrong or as an outlier: about 98 %" in one
    )


def test_what_is_refused_image_by_image_does_not_deny_what_is_said_of_clips():
    clips = (Claim(CLIPS, 0.95, 12, 0.97, 0.9, 1.0, 2.0), Claim(CLIPS_IN_DOUBT, 0.5, 7))
    told = " ".join(
        sentences(
            replace(refused(FOUND, "so", "that"), claims=(*refused(FOUND, "so", "that").claims, *clips))
        )
    )
    assert "12 clips relabelled: about 97 % rightly" in told and "7 clips left out for doubt" in told
    assert "Image by image, nothing is relabelled, left out" in told and "Nothing" not in told
    assert "What would help" not in told, "more epochs help single labels, and not clips"


def test_a_model_that_vouches_for_nothing_is_not_called_good():
    no = refused(FOUND, "so", "that")
    assert "is shown to be right" in headline(no)
    assert "too weak" in headline(replace(no, separation=0.7)) and "too weak" in headline(
        replace(no, name_first=0.1)
    )
    assert "not known" in headline(replace(no, injected_labels=0))


def test_a_model_that_finds_hardly_anything_wrong_is_good():
    no = replace(refused(FOUND, "so", "that"), mislabelled=0, outliers=0, in_doubt=0, most_wrong=0.005)
    assert no.good and "hardly any label can be wrong" in headline(no)
    assert not replace(no, most_wrong=0.05).good and not replace(no, name_first=0.2).good


def test_verdicts_at_your_own_word_are_told_to_be_worth_nothing_known():
    told = " ".join(sentences(replace(FOUND, uncalibrated=True, injected_labels=0)))
    assert "--uncalibrated" in told and "rightly" not in told and "not known" in told


def test_the_reason_is_the_true_one():
    def reason(kind=NAMES, best=None, found=50, right=50, **facts):
        return " ".join(refusal(kind, 0.95, best, replace(FACTS, **facts), found, right))

    from fastreid_prune.purify.claims import Worth

    best = Worth(1.0, 80, 0.9, 0.7, 0.95, 5.0)
    assert "too weak" in reason(best=best, separation=0.7) and "10 %" in reason(best=best, name_first=0.1)
    assert "about 40 epochs (each image was seen 12 times" in reason(best=best, separation=0.7)
    assert "epochs" not in reason(best=best, separation=0.7, samples=12000)
    assert "too few to be distinguished" in reason(best=best, errors=0.003)
    assert "only 40 got their right name" in reason(best=best, right=40)
    wide = replace(best, precision=0.97, low=0.8)
    assert "inject more: about" in reason(best=wide, found=20, right=20)
    assert "overlap" in reason(best=best, found=20, right=20), "more would not help: false alarms"
    assert "overlap" in reason(OUTLIERS, best) and "70 %" in reason(OUTLIERS, best)
    sure = Worth(1.0, 80, 0.9, 0.91, 0.95, 8.0)
    assert "about 90 % of 80 verdicts are right (95 % asked for), and about 8 right" in reason(OUTLIERS, sure)
    assert "no other label" in reason(IN_DOUBT)
    assert "--uncalibrated" in not_calibrated()[1]


@pytest.mark.parametrize("fixture", ["noisy", "spotless"])
def test_a_strong_model_is_never_called_weak(fixture, request):
    _, judgement = request.getfixturevalue(fixture)
    told = sentences(judgement.summary)
    assert not any("weak" in line for line in told), told
