from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify import plan_calibration
from fastreid_prune.purify.synthetic_outliers import KINDS

PIDS = np.array([f"m_{number % 40}" for number in range(2000)], object)
given_pids = st.lists(st.integers(0, 12), min_size=30, max_size=300).filter(lambda ids: len(set(ids)) >= 3)


@given(given_pids, st.floats(0, 0.5), st.floats(0, 0.5), st.integers(0, 9))
def test_whatever_the_data_set_nobody_is_taken_away(ids, switched, composed, seed):
    pids = np.array([f"m_{one}" for one in ids], object)
    plan = plan_calibration(pids, switched=switched, composed=composed, seed=seed)
    assert all(pid != pids[row] and pid in set(pids) for row, pid in plan.switched.items())
    before = Counter(pids)
    left = Counter(pid for row, pid in enumerate(pids) if row not in plan.trained_as)
    assert all(left[pid] >= min(count, 2) for pid, count in before.items())
    assert len(plan.switched) <= len(pids) // 10 and len(plan.composed) <= len(pids) // 10
    for one in plan.composed:
        assert pids[one.first] != pids[one.second] != one.pid and one.pid in before


def test_the_shares_are_as_asked_for():
    plan = plan_calibration(PIDS, switched=0.05, composed=0.03)
    assert len(plan.switched) == 100 and len(plan.composed) == 60
    assert {one.kind for one in plan.composed} == set(KINDS)


def test_there_are_enough_to_prove_something_but_never_more_than_a_tenth():
    assert len(plan_calibration(np.tile(PIDS, 2), switched=0.001, composed=0.001).switched) == 150
    assert len(plan_calibration(PIDS, switched=0.001, composed=0.001).switched) == 100
    assert len(plan_calibration(PIDS[:1200], switched=0.02).switched) == 60
    few = plan_calibration(PIDS[:120], switched=0.4, composed=0.4)
    assert len(few.switched) == 12 and len(few.composed) == 12


def test_a_share_of_zero_plants_nothing():
    plan = plan_calibration(PIDS, switched=0, composed=0, clips=0)
    assert plan.switched == {} and plan.composed == () and plan.clips == ()


def test_half_the_outliers_are_labelled_as_what_they_are_partly_made_of():
    plan = plan_calibration(PIDS, switched=0, composed=0.5)
    own = np.mean([one.pid == PIDS[one.first] for one in plan.composed])
    assert 0.35 < own < 0.65


def test_the_same_seed_plants_the_same_and_another_one_something_else():
    one, again, other = (plan_calibration(PIDS, seed=seed) for seed in (3, 3, 4))
    assert one == again and one != other


@pytest.mark.parametrize("name", ["switched", "composed", "clips"])
@pytest.mark.parametrize("share", [-0.01, 0.51, float("nan")])
def test_shares_out_of_range_are_refused(name, share):
    with pytest.raises(FastreidPruneError, match=name):
        plan_calibration(PIDS, **{name: share})


def test_two_identities_are_too_few():
    with pytest.raises(FastreidPruneError, match="2 identities"):
        plan_calibration(np.array(["a", "b"] * 50, object))


CAMERAS = np.array([f"c_{number // 40 % 6}" for number in range(2000)], object)


def test_a_clip_is_all_of_an_identity_in_a_camera_and_none_of_it_is_switched():
    plan = plan_calibration(PIDS, CAMERAS)
    assert len(plan.clips) == 15, "36 of them would be more than a fifteenth of the samples"
    for clip in plan.clips:
        rows = np.array(clip.rows)
        (name,), (camera,) = set(PIDS[rows]), set(CAMERAS[rows])
        assert len(rows) == ((PIDS == name) & (CAMERAS == camera)).sum()
        assert clip.pid != name and not set(clip.rows) & set(plan.switched)
    assert len({PIDS[clip.rows[0]] for clip in plan.clips}) == len(plan.clips)


def test_without_cameras_a_clip_is_a_third_of_an_identity_in_its_order():
    plan = plan_calibration(PIDS)
    assert plan.clips
    for clip in plan.clips:
        rows = np.flatnonzero(PIDS == PIDS[clip.rows[0]])
        assert clip.rows == tuple(rows[: len(rows) // 3])
