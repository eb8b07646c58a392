import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastreid_prune.purify.synthetic_outliers import (
    CHIMERA,
    COVERED,
    KINDS,
    RECOLOURED,
    TWO_PEOPLE,
    compose,
    resized,
)


def picture(seed, height=64, width=32):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def made(kind, first, second, seed=0):
    return compose(kind, first, second, np.random.default_rng(seed))


@settings(max_examples=60)
@given(st.sampled_from(KINDS), st.tuples(*[st.integers(6, 80)] * 4), st.integers(0, 10**6))
def test_an_outlier_has_the_firsts_size_whatever_the_seconds(kind, sizes, seed):
    first, second = picture(1, *sizes[:2]), picture(2, *sizes[2:])
    before = first.copy(), second.copy()
    image = made(kind, first, second, seed)
    assert image.shape == first.shape and image.dtype == np.uint8
    np.testing.assert_array_equal(image, made(kind, first, second, seed))
    assert not np.array_equal(image, first)
    np.testing.assert_array_equal(first, before[0])
    np.testing.assert_array_equal(second, before[1])


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {RECOLOURED}))
def test_chance_decides_how(kind):
    first, second = picture(1), picture(2)
    assert len({made(kind, first, second, seed).tobytes() for seed in range(12)}) > 1


def test_a_chimera_is_the_upper_half_of_one_on_the_lower_half_of_the_other():
    first, second = picture(1), picture(2)
    image = made(CHIMERA, first, second)
    of_first, of_second = (image == first).all((1, 2)), (image == second).all((1, 2))
    cut = of_first.sum()
    assert 0.4 * 64 <= cut <= 0.6 * 64 and of_first[:cut].all() and of_second[cut:].all()


def test_two_people_stand_beside_each_other():
    red, blue = np.zeros((2, 64, 32, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    for seed in range(8):
        image = made(TWO_PEOPLE, red, blue, seed)
        left = (image == red).all((0, 2)).sum()
        assert 0.4 * 32 <= left <= 0.6 * 32 and (image[:, left:] == blue[:, left:]).all()


def test_half_of_the_pairs_are_squeezed_and_half_are_cut():
    first, second = picture(1), picture(2)
    cut = [(made(TWO_PEOPLE, first, second, seed)[:, :12] == first[:, :12]).all() for seed in range(60)]
    assert 15 < sum(cut) < 45


def test_a_recoloured_image_has_the_pixels_mirrored_with_other_channels():
    first, second = picture(1), picture(2)
    image = made(RECOLOURED, first, second)
    mirrored = first[:, ::-1]
    assert sorted(image[..., channel].tobytes() for channel in range(3)) == sorted(
        mirrored[..., channel].tobytes() for channel in range(3)
    )


def test_a_grey_image_takes_part_of_the_second_instead():
    grey = np.repeat(picture(1)[..., :1], 3, axis=2)
    other = np.repeat(picture(2)[..., :1], 3, axis=2)
    image = made(RECOLOURED, grey, other)
    assert (image[..., 0] == image[..., 2]).all()
    assert not any(np.array_equal(image, one[:, ::-1]) for one in (grey, other))


def test_a_covered_image_is_mostly_hidden_at_one_end():
    first, second = picture(1), picture(2)
    starts = set()
    for seed in range(20):
        left = (made(COVERED, first, second, seed) == first).all((1, 2))
        assert 0.08 * 64 <= left.sum() <= 0.32 * 64
        starts.add(bool(left[0]))
        # what is left is one piece
        assert np.abs(np.diff(left.astype(int))).sum() == 1
    assert starts == {True, False}


@given(st.tuples(*[st.integers(1, 30)] * 4))
def test_resizing_takes_the_nearest_pixel(sizes):
    height, width, new_height, new_width = sizes
    image = picture(3, height, width)
    result = resized(image, new_height, new_width)
    for y in (0, new_height // 2, new_height - 1):
        for x in (0, new_width // 2, new_width - 1):
            centre = int((y + 0.5) * height / new_height), int((x + 0.5) * width / new_width)
            np.testing.assert_array_equal(result[y, x], image[centre])


@pytest.mark.parametrize("height", [1, 2])
def test_an_image_of_a_pixel_or_two_can_be_covered(height):
    first, second = np.zeros((height, 4, 3), np.uint8), np.full((5, 5, 3), 9, np.uint8)
    assert compose("covered", first, second, np.random.default_rng(0)).max() == 9
