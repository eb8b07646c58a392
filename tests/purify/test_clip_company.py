"""The most similar clip of an identity, in another camera."""

import numpy as np

from fastreid_prune.purify import clip_evidence
from fastreid_prune.purify.clip_classes import Clips, company
from fastreid_prune.purify.clip_evidence import weigh_clips


def test_company_is_what_comparing_all_pairs_says():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((200, 8)).astype(np.float32)
    clip = rng.permutation(np.r_[np.arange(60), rng.integers(60, size=140)])
    label, camera = np.arange(60) % 7, rng.integers(3, size=60)
    wanted = np.where(np.arange(60) % 5 == 0, rng.integers(8, size=60), label)
    camera[label == 3] = 0
    means = np.stack([features[clip == one].sum(0) for one in range(60)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    expected = [
        max(
            (
                float(means[one] @ means[k])
                for k in range(60)
                if label[k] == wanted[one] and camera[k] != camera[one]
            ),
            default=-1.0,
        )
        for one in range(60)
    ]
    clips = Clips.of(label[clip], camera[clip], clip)
    np.testing.assert_allclose(company(features, clips, clip, wanted), expected, atol=1e-6)
    assert -1.0 in expected


def test_a_part_of_an_identity_is_doubted_less_for_its_company_and_a_lone_clip_more(monkeypatch):
    """Identity 0 holds two persons, three clips each, and one clip of identity 1, who looks like the second of them."""
    first, second, other = np.eye(3, dtype=np.float32)
    like_second = 0.7 * second + 0.51**0.5 * other
    features = np.repeat(np.stack([first, second, like_second, other]), [3, 3, 4, 3], axis=0)
    label, camera = np.repeat([0, 0, 1, 0, 2], [3, 3, 3, 1, 3]), np.r_[np.tile([0, 1, 2], 3), 3, 0, 1, 2]

    def doubt() -> np.ndarray:
        clip = np.arange(len(label))
        return weigh_clips(features, label, camera, clip, label, num_classes=3).wrong

    found = doubt()
    assert found.argmax() == 9 and found[9] > 0
    monkeypatch.setattr(clip_evidence, "COMPANY", 0.0)
    assert (found[3:6] < doubt()[3:6] - 1).all() and found[9] > doubt()[9]
