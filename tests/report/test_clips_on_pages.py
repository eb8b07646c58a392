"""A clip stays together: in the order of the suspects, and where they are parted into pages."""

import numpy as np

from fastreid_prune.report.choosing import pages
from fastreid_prune.scored_run.verdicts import Verdicts


def test_no_page_ends_within_a_clip():
    count = 12
    columns = {name: getattr(Verdicts.unjudged(count), name).copy() for name in Verdicts.__dataclass_fields__}
    columns["verdict"][:], columns["suggested_pid"][:] = "mislabelled", "m_1"
    columns["reason"][[2, 3, 4]], columns["reason"][[8, 9]] = (
        "clip of 3 images from a on",
        "clip of 2 images from b on",
    )
    verdicts = Verdicts(**columns)
    assert [rows.tolist() for rows in verdicts.clips] == [[2, 3, 4], [8, 9]]
    rows = np.arange(count)
    assert [part.tolist() for part in pages(rows, verdicts, 3)] == [
        [0, 1, 2, 3, 4],
        [5, 6, 7],
        [8, 9, 10],
        [11],
    ]
    assert [len(part) for part in pages(rows[::-1], verdicts, 4)] == [4, 6, 2]
    assert [len(part) for part in pages(rows[:0], verdicts, 4)] == [0]
