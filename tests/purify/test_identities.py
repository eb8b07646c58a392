"""Identities that are one person, and identities that hold more than one."""

from collections import Counter
from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from test_clips import people

from fastreid_prune.purify import identity_pairs
from fastreid_prune.purify.clips import find_clips
from fastreid_prune.purify.identities import more_than_one_person, same_identity


def test_a_person_under_two_numbers_is_the_first_pair():
    features, person, camera = people(persons=20)
    label = person.copy()
    label[(person == 4) & (camera > 1)] = 20
    pairs = same_identity(features, label, camera, np.ones(len(label)), 21)
    assert {pairs[0].first, pairs[0].second} == {4, 20} and pairs[0].shared_cameras == 0
    assert pairs[0].score > pairs[1].score + 1


def test_of_a_pair_the_one_with_more_images_comes_first_and_each_identity_is_in_one_pair():
    features, person, camera = people(persons=20)
    label = person.copy()
    label[(person == 4) & (camera > 0)] = 20
    pairs = same_identity(features, label, camera, np.ones(len(label)), 21)
    assert (pairs[0].first, pairs[0].second) == (20, 4)
    named = [label for pair in pairs for label in (pair.first, pair.second)]
    assert len(named) == len(set(named))


def test_where_one_camera_saw_all_sharing_it_says_nothing():
    features, person, camera = people(persons=20)
    label = np.where((person == 4) & (camera > 1), 20, person)
    one = same_identity(features, label, np.zeros(len(label), int), np.ones(len(label)), 21)
    many = same_identity(features, label, camera, np.ones(len(label)), 21)
    assert one[0].shared_cameras == 1 and one[0].score < many[0].score


def test_cameras_are_weighed_as_counting_all_ways_does():
    """All sets of three cameras, drawn as two persons' and as one person's under two numbers."""
    number, both = np.array([1, 2, 2, 3, 3, 3]), identity_pairs._BOTH
    size = (np.bincount(number, minlength=4) + 1) / (len(number) + 4)
    same, apart = Counter(), Counter()
    sets = [frozenset(some) for few in range(4) for some in combinations(range(3), few)]
    for a, b in product(sets, sets):
        key, seen = (len(a), len(b), len(a & b)), a | b
        same[key] += (
            size[len(seen)] / comb(3, len(seen)) * both ** len(a & b) * ((1 - both) / 2) ** len(a ^ b)
        )
        apart[key] += size[len(a)] / comb(3, len(a)) * size[len(b)] / comb(3, len(b))
    for (one, other, shared), chance in apart.items():
        found = identity_pairs.camera_score(np.array(one), np.array(other), np.array(shared), number, 3)
        nats = np.log(same[one, other, shared] / chance)
        assert found == pytest.approx(identity_pairs._SCORE_OF_NAT * nats)


def test_two_persons_under_one_number_are_parted_rightly_and_the_others_score_less():
    features, person, camera = people(persons=12)
    label = np.where(person == 11, 4, person)
    clip = find_clips(features, label, camera)
    found = more_than_one_person(features, label, camera, clip, 12)
    assert found[0].label == 4 and found[0].decidable and found[0].known_as == -1
    assert len(set(person[found[0].smaller])) == 1 and len(found[0].smaller) == 20
    assert all(other.score < found[0].score / 2 for other in found[1:])


def test_a_part_that_a_known_identity_looks_like_gets_its_name():
    features, person, camera = people(persons=12)
    label = np.where((person == 7) & (camera < 2), 4, person)
    clip = find_clips(features, label, camera)
    found = more_than_one_person(features, label, camera, clip, 12)[0]
    assert found.label == 4 and found.known_as == 7


def test_a_part_of_one_camera_is_not_decidable():
    features, person, camera = people(persons=12)
    label = np.where((person == 7) & (camera == 0), 4, person)
    clip = np.unique(np.c_[label, person, camera, np.arange(len(label)) % 2], axis=0, return_inverse=True)[1]
    found = more_than_one_person(features, label, camera, clip.ravel(), 12)
    assert [one.decidable for one in found if one.label == 4] == [False]


@pytest.mark.parametrize("persons", [1, 3])
def test_too_few_identities_have_no_pairs(persons):
    features, person, camera = people(persons=persons)
    assert same_identity(features, person, camera, np.ones(len(person)), persons) == []
