"""Each kind of verdict against the truth."""

import numpy as np

from fastreid_prune.purify.kind_quality import TrueIdentities, of_each_kind
from fastreid_prune.scored_run.identity_table import MORE, SAME, Finding
from fastreid_prune.scored_run.verdicts import CLEAN, MISLABELLED, OUTLIER, Verdicts

# identity, camera, who is shown: m_9 is person 1 under a second number, m_3 holds person 4 too, -1 is nobody
ROWS = [
    ("m_1", "a", 1), ("m_1", "b", 1), ("m_1", "b", 2), ("m_1", "c", 2), ("m_1", "c", 2),
    ("m_2", "a", 2), ("m_2", "b", 2), ("m_2", "b", -1),
    ("m_3", "a", 3), ("m_3", "b", 3), ("m_3", "a", 4), ("m_3", "b", 4),
    ("m_4", "a", 4), ("m_9", "c", 1), ("m_9", "c", 1),
]  # fmt: skip


def truth():
    pid, camera, person = zip(*ROWS, strict=True)
    return TrueIdentities(np.array(pid, object), np.array(camera, object), np.array(person))


def verdicts(said):
    columns = {
        name: getattr(Verdicts.unjudged(len(ROWS)), name).copy() for name in Verdicts.__dataclass_fields__
    }
    for row, (verdict, suggested, reason) in said.items():
        columns["verdict"][row], columns["suggested_pid"][row], columns["reason"][row] = (
            verdict,
            suggested,
            reason,
        )
    return Verdicts(**columns)


def same(one, other):
    return Finding(SAME, one, other, 2, 4.0, None, "", "", "")


def test_identities_are_whom_their_images_show():
    known = truth()
    assert known.main == {"m_1": 1, "m_2": 2, "m_3": 3, "m_4": 4, "m_9": 1}
    assert np.flatnonzero(known.wrong).tolist() == [2, 3, 4, 10, 11]
    assert np.flatnonzero(known.in_groups).tolist() == [3, 4], "of one label, camera and person"
    assert known.pairs == {frozenset(("m_1", "m_9"))} and known.mixed == {"m_1", "m_3"}


def test_kinds_are_measured_apart():
    clip = "clip of 2 images from x on"
    said = verdicts({
        2: (MISLABELLED, "m_2", "alone"), 5: (MISLABELLED, "m_9", "alone"), 13: (MISLABELLED, "m_1", "alone"),
        3: (MISLABELLED, "m_2", clip), 4: (MISLABELLED, "m_2", clip),
        7: (OUTLIER, "", ""), 0: (OUTLIER, "", ""),
    })  # fmt: skip
    findings = [same("m_2", "m_4"), same("m_9", "m_1"), Finding(MORE, "m_3", "", 2, 0.3, None, "", "", "")]
    natural = np.ones(len(ROWS), bool)
    kinds = {one.kind: one for one in of_each_kind(truth(), natural, said, findings)}
    numbers = {kind: (one.given, one.right, one.errors, one.found) for kind, one in kinds.items()}
    assert numbers == {
        "single labels": (3, 1, 3, 1), "clips": (2, 2, 2, 2), "left out": (2, 1, 1, 1), "clips left out": (0, 0, 2, 0),
        "in doubt": (0, 0, 2, 0), SAME: (2, 1, 1, 1), MORE: (1, 1, 2, 1),
    }  # fmt: skip
    assert kinds[SAME].precision == 0.5 and kinds[SAME].found_surely == 0 and kinds[MORE].recall == 0.5
    assert kinds["clips"].row() == ("clips", "2", "2", "100 %", "2", "2", "100 %", "")
    doubted = verdicts({10: (CLEAN, "", ""), 11: (CLEAN, "", ""), 12: (CLEAN, "", ""), 3: (OUTLIER, "", "")})
    doubted.confidence[[10, 12]] = 0.4
    found = {one.kind: one for one in of_each_kind(truth(), natural, doubted, [])}["in doubt"]
    assert (found.given, found.right, found.errors, found.found) == (2, 1, 5, 1), (
        "2, 4, 7, 10 and 11 are open"
    )
    natural[[2, 3, 4]] = False
    kinds = {one.kind: one for one in of_each_kind(truth(), natural, said, findings)}
    assert (kinds["single labels"].errors, kinds["clips"].given, kinds["clips"].errors) == (2, 0, 0)
