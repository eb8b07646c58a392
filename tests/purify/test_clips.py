"""Clips of images, and what other clips say of them."""

import numpy as np
import pytest

from fastreid_prune.purify.clip_evidence import weigh_clips
from fastreid_prune.purify.clips import find_clips, recordings


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def people(seed=0, persons=12, cameras=4, images=5, size=24, noise=0.25):
    """Features of persons seen in cameras; person and camera of each image."""
    rng = np.random.default_rng(seed)
    face = unit(rng.normal(size=(persons, size)))
    person, camera = (np.repeat(grid.ravel(), images) for grid in np.mgrid[:persons, :cameras])
    look = unit(rng.normal(size=(persons * cameras, size)))[person * cameras + camera]
    features = face[person] + 0.4 * look + noise * unit(rng.normal(size=(len(person), size)))
    return unit(features), person, camera


def test_images_of_another_person_under_the_same_label_and_camera_are_a_clip_of_their_own():
    features, person, camera = people()
    label = person.copy()
    label[(person == 1) & (camera == 0)] = 0
    clip = find_clips(features, label, camera)
    for number in range(clip.max() + 1):
        rows = clip == number
        assert len(set(person[rows])) == len(set(label[rows])) == len(set(camera[rows])) == 1
    assert len(set(clip[(label == 0) & (camera == 0)])) == 2


def test_recordings_and_gaps_in_names_part_clips_and_other_names_do_not():
    names = [f"0001_c1s{s}_{frame:06d}_00.jpg" for s, frame in ((1, 10), (1, 60), (1, 9000), (2, 10))]
    assert recordings(names).tolist() == [0, 0, 1, 2]
    features = np.tile(np.array([[1.0, 0.0]], np.float32), (4, 1))
    assert len(set(find_clips(features, np.zeros(4), np.zeros(4), names))) == 3
    assert len(set(find_clips(features, np.zeros(4), np.zeros(4), [f"{n}.jpg" for n in "abcd"]))) == 1


def judged(features, label, camera):
    clip = find_clips(features, label, camera)
    first = np.unique(clip, return_index=True)[1]
    return clip, weigh_clips(features, label, camera, clip, label[first], num_classes=int(label.max()) + 1)


def test_a_whole_wrong_tracklet_is_named_though_its_images_vote_for_each_other():
    features, person, camera = people()
    label = person.copy()
    moved = (person == 3) & (camera == 2)
    label[moved] = 7
    clip, evidence = judged(features, label, camera)
    (number,) = set(clip[moved])
    assert evidence.named[number] == evidence.named.max() > 0
    assert evidence.suggested[number] == 3 and evidence.decidable[number] and evidence.other_cameras[number]
    assert (np.delete(evidence.named, number) < 0).all()


def test_a_clip_says_nothing_of_itself():
    features, person, camera = people()
    alone = features[person == 3][:5]
    label = person.copy()
    _, before = judged(features, label, camera)
    # a hundred more copies of a clip change its size, not what it is like
    more = np.concatenate([features, np.repeat(alone, 20, axis=0)])
    label, camera = np.r_[label, np.full(100, 3)], np.r_[camera, np.zeros(100, int)]
    clip, after = judged(more, label, camera)
    number = clip[np.flatnonzero(person == 3)[0]]
    assert after.likeness_given[number] == pytest.approx(before.likeness_given[number], abs=0.05)


def test_an_identity_of_one_clip_is_not_decidable():
    features, person, camera = people()
    keep = (person != 5) | (camera == 1)
    clip, evidence = judged(features[keep], person[keep], camera[keep])
    (number,) = set(clip[person[keep] == 5])
    assert not evidence.decidable[number] and evidence.named[number] < 0


def test_without_cameras_clips_are_held_against_other_clips_by_features_alone():
    features, person, camera = people(noise=0.1)
    label = person.copy()
    moved = (person == 3) & (camera == 2)
    label[moved] = 7
    clip = np.unique(np.c_[label, person, camera], axis=0, return_inverse=True)[1].ravel()
    first = np.unique(clip, return_index=True)[1]
    none = np.zeros(len(label), int)
    evidence = weigh_clips(features, label, none, clip, label[first], num_classes=12)
    assert not evidence.other_cameras.any()
    (number,) = set(clip[moved])
    assert evidence.named.argmax() == number and evidence.suggested[number] == 3


def test_a_barred_identity_is_never_suggested():
    features, person, camera = people()
    clip = find_clips(features, person, camera)
    first = np.unique(clip, return_index=True)[1]
    other = (person[first] + 1) % 12
    free = weigh_clips(features, person, camera, clip, other, num_classes=12)
    barred = weigh_clips(features, person, camera, clip, other, num_classes=12, barred=person[first])
    assert (free.suggested == person[first]).all() and (barred.suggested != person[first]).all()
