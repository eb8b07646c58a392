import os

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from fastreid_prune.formats.corrected import Corrected
from fastreid_prune.formats.matching import NameIndex, Tally
from fastreid_prune.trajectory import Samples

part = st.sampled_from(
    ["a", "b", "é", "1.jpg", "1.png", "1", "2.JPEG", "2.jpg", "0001_c1_x.jpg", "0002_c1_x.jpg", ".."]
)
names = st.lists(part, min_size=1, max_size=4).map("/".join)
clean = names.filter(lambda name: ".." not in name.split("/"))


def without_ending(name):
    stem, ending = os.path.splitext(name)
    return stem if ending.lower() in (".jpg", ".jpeg", ".png") else name


def brute_force(own, listed):
    """Row of each listed name: equal, else the only one with its last two parts or one; then without endings."""
    seen, rows = set(), []
    for name in listed:
        row = -1
        if ".." not in name.split("/"):
            row = own.index(name) if name in own else -1
            for form in (str, without_ending):
                for depth in (2, 1):
                    tail = form(name).split("/")[-depth:]
                    same = [
                        place for place, other in enumerate(own) if form(other).split("/")[-depth:] == tail
                    ]
                    if row < 0 and len(tail) == depth and len(same) == 1:
                        row = same[0]
        rows.append(-1 if row in seen else row)
        seen.add(row)
    return rows


@settings(max_examples=300, deadline=None)
@given(st.lists(clean, max_size=8, unique=True), st.lists(names, max_size=12), st.integers(1, 12))
def test_names_match_as_by_hand_in_any_blocks(own, listed, size):
    index, tally = NameIndex(np.array([*own, None], object)[:-1]), Tally()
    blocks = [listed[start : start + size] for start in range(0, len(listed), size)]
    rows = [row for block in blocks for row in index.rows(pa.array(block, pa.string()), tally).tolist()]
    assert rows == brute_force(own, listed)
    assert tally.rows == len(listed) and tally.matched == sum(row >= 0 for row in rows)
    assert tally.rows == tally.matched + sum(tally.problems.values())


def test_a_renamed_image_is_known_by_what_follows_the_person():
    index, tally = (
        NameIndex(np.array(["s/0001_c1s1_000001_00.jpg", "s/0002_c1s1_000002_00.jpg"], object), renamed=True),
        Tally(),
    )
    listed = pa.array(["t/0009_c1s1_000002_00.jpg", "-1_c1s1_000001_00.jpg", "0001_c9s1_000001_00.jpg"])
    assert index.rows(listed, tally).tolist() == [1, 0, -1]


def test_an_identity_whose_name_is_a_blank_is_found_as_it_stands():
    samples = Samples.from_items(["a", "b", "c"], [" ", "x", "x "], ["c0"] * 3)
    corrected = Corrected(samples, {})
    for row, person in enumerate([" ", " x", "x "]):
        corrected.take(row, person)
    assert corrected.pid.tolist() == [" ", "x", "x "]
