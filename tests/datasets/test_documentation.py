"""The guide names every layout, every image's ending, and nothing else."""

import re
from pathlib import Path

from fastreid_prune import datasets
from fastreid_prune.io.images import ENDINGS

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "datasets.md").read_text(encoding="utf-8")


def test_every_layout_is_in_the_table():
    assert set(re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)) == {one.name for one in datasets.layouts()}


def test_every_ending_is_listed():
    listed = GUIDE[GUIDE.index("They may end in") : GUIDE.index("in small or capital")]
    assert set(re.findall(r"`(\.\w+)`", listed)) == set(ENDINGS)
