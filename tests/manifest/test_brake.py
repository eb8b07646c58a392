"""What purification may not do unasked."""

import numpy as np
import pytest

from fastreid_prune.manifest.brake import brake
from fastreid_prune.scored_run.verdicts import CLEAN, MISLABELLED, OUTLIER, Verdicts

PIDS = np.repeat(np.array(["a", "b", "c", "d", "e"], object), 20)
NOTHING = np.zeros(100, bool)


def verdicts(outliers=(), relabelled=(), to="b"):
    verdict, suggested = np.full(100, CLEAN, object), np.full(100, "", object)
    verdict[list(outliers)], verdict[list(relabelled)] = OUTLIER, MISLABELLED
    suggested[list(relabelled)] = to
    return Verdicts(verdict, suggested, np.full(100, "", object), np.full(100, 0.9), np.full(100, "", object))


def test_what_does_not_go_far_is_done():
    given = verdicts(outliers=range(0, 10), relabelled=range(20, 25), to="a")
    doubted = NOTHING.copy()
    doubted[50:55] = True
    done = brake(PIDS, given, doubted, NOTHING)
    assert done.verdicts is given and done.in_doubt is doubted and not done.held


def test_no_more_than_a_fifth_is_left_out_unasked():
    """Doubt counts: 15 outliers and 6 in doubt are more than 20 of 100. What is relabelled stays relabelled."""
    given, doubted = verdicts(outliers=range(0, 15), relabelled=[30]), NOTHING.copy()
    doubted[40:46] = True
    done = brake(PIDS, given, doubted, NOTHING)
    assert not done.verdicts.outlier.any() and not done.in_doubt.any() and done.verdicts.mislabelled[30]
    assert "21 of 100" in done.held[0] and "--most-removed 0.21" in done.held[0]
    asked = brake(PIDS, given, doubted, NOTHING, most_removed=0.21)
    assert asked.verdicts.outlier.sum() == 15 and asked.in_doubt.sum() == 6 and not asked.held


@pytest.mark.parametrize("how", ["left out", "relabelled", "both"])
def test_no_identity_goes_as_a_whole_unasked(how):
    gone = {
        "left out": verdicts(outliers=range(20)),
        "relabelled": verdicts(relabelled=range(20)),
        "both": verdicts(outliers=range(5), relabelled=range(5, 20)),
    }[how]
    done = brake(PIDS, gone, NOTHING, NOTHING)
    assert not done.verdicts.against[:20].any() and "1 identities (a)" in done.held[0]
    assert "--lose-identities" in done.held[0] and (done.verdicts.suggested_pid[:20] == "").all()
    asked = brake(PIDS, gone, NOTHING, NOTHING, lose_identities=True)
    assert asked.verdicts is gone and not asked.held


def test_unreadable_images_are_never_held():
    given = verdicts(outliers=range(40))
    done = brake(PIDS, given, NOTHING, given.outlier)
    assert done.verdicts is given and not done.held
