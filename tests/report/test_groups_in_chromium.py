"""Clips and findings about identities on the page: seen together, decided with one key, obeyed."""

import shutil

import numpy as np
import pytest
from conftest import make_run
from reviewing import Review, with_page

from fastreid_prune.formats import import_lists
from fastreid_prune.manifest import Manifest, prune_run
from fastreid_prune.scored_run.identity_table import MORE, SAME, Finding, read_identities, write_identities
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.verdicts import Verdicts

pytestmark = pytest.mark.browser
CLIP = [0, 18, 36]


@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    """A run with a clip of three images judged wrong, a pair to merge and an identity to part, and its page."""
    made = make_run(tmp_path_factory.mktemp("grouped"), wrong=0)
    table = RunFiles.open(made.run).table
    columns = {
        name: getattr(Verdicts.unjudged(len(table)), name).copy() for name in Verdicts.__dataclass_fields__
    }
    columns["verdict"][:] = "clean"
    columns["verdict"][CLIP], columns["suggested_pid"][CLIP] = "mislabelled", "market1501_2"
    columns["reason"][CLIP], columns["confidence"][CLIP] = (
        "clip of 3 images from a.jpg on, which look like 2",
        0.9,
    )
    columns["verdict"][7], columns["reason"][7], columns["confidence"][7] = "outlier", "nobody", 0.95
    RunFiles.open(made.run).write_table(type(table)(
        table.file_name, table.pid, table.camid, table.scores, Verdicts(**columns), table.about
    ))  # fmt: skip
    part = tuple(table.file_name[[3, 9]].tolist())
    write_identities(made.run / "prune" / "identities.csv", [
        Finding(SAME, "market1501_5", "market1501_6", 8, 4.6, None, "", "", "they look alike"),
        Finding(MORE, "market1501_4", "", 2, 0.3, None, "", "refuse", "two of them", part),
    ])  # fmt: skip
    return with_page(made)


def pids_of(manifest, pid):
    return dict(
        zip(manifest.file_name[manifest.pid == pid], manifest.new_pid[manifest.pid == pid], strict=True)
    )


def test_a_clip_is_one_entry_decided_with_one_key(chromium, grouped):
    review = Review(chromium, grouped[1]).start()
    entries = review.script("return rows.map((entry) => members(entry))")
    assert sorted(entries[1]) == CLIP and review.text("#queue li:nth-child(2) .count") == "3 images"
    assert any(name.startswith("clip of 3 images from") for name in review.heard("option"))
    review.press("ArrowDown")
    assert review.text("#target") == "for the clip of 3 images"
    pictures = review.script(
        "return [...document.querySelectorAll('.clip img')].map((one) => one.naturalWidth > 0)"
    )
    assert pictures == [True] * 3
    review.press("r")
    files = review.script("return [0, 18, 36].map((row) => sample(row).file)")
    rows = review.saved().read_text().splitlines()[1:]
    assert sorted(rows) == sorted(f"{file},market1501_1,relabel,market1501_2" for file in files)
    assert review.text("#tally").startswith("3 of") and chromium.complaints() == []
    review.press("z")
    assert set(review.decisions) == {""}


def test_an_open_clip_is_reviewed_image_by_image(chromium, grouped):
    review = Review(chromium, grouped[1]).start().press("ArrowDown", "g")
    assert sorted(review.script("return rows.slice(1, 4)")) == CLIP and review.current == 1
    review.press("k", "d")
    assert review.decisions[1:4] == ["keep", "drop", ""]
    review.press("g")
    assert review.decisions[1] == "" and "2 of 3 decided" in review.text("#queue li:nth-child(2) .mark")
    review.click("#one-by-one")
    assert sorted(review.script("return rows.slice(1, 4)")) == CLIP


def test_what_was_found_about_identities_is_side_by_side(chromium, grouped):
    review = Review(chromium, grouped[1])
    review.script("byId('list').value = 'identities'; byId('list').dispatchEvent(new Event('change'))")
    assert review.text("#detail-title") == "market1501_5 and market1501_6: one person?"
    assert "How often this is right is not known: they look alike." in review.text("#detail .verdict")
    sides = review.script("return data.findings.map((found) => found.sides.map((side) => side.rows))")
    labels = np.arange(48) % 6
    assert [set(labels[side]) for side in sides[0]] == [{4}, {5}] and min(len(side) for side in sides[0]) == 8
    assert sorted(sides[1][1]) == [3, 9] and set(labels[sides[1][0]]) == {3}
    assert len(review.script("return [...document.querySelectorAll('.sides img')]")) == 16
    assert review.decisions == ["", "refuse"], "what the run's file says is there"
    assert review.heard("option")[1] == "market1501_4, More than one person? one person"
    assert chromium.complaints() == []


def test_decisions_on_identities_are_saved_reopened_and_obeyed(chromium, grouped, tmp_path):
    made, page = grouped
    review = Review(chromium, page)
    review.script("byId('list').value = 'identities'; byId('list').dispatchEvent(new Event('change'))")
    review.start().press("k", "a", "ArrowDown", "a")
    assert review.decisions == ["accept", "accept"] and review.text("#tally") == "2 of 2 findings"
    saved = shutil.copy(review.saved("identities"), tmp_path)
    findings = read_identities(saved)
    assert [(one.kind, one.decision, len(one.files)) for one in findings] == [
        (SAME, "accept", 0),
        (MORE, "accept", 2),
    ]
    again = Review(chromium, page)
    again.driver.find_element("id", "file").send_keys(str(saved))
    again.script("byId('list').value = 'identities'; byId('list').dispatchEvent(new Event('change'))")
    assert again.decisions == ["accept", "accept"]
    again.start().press("Home", "c", "ArrowDown", "x")
    assert again.decisions == ["", "refuse"] and "identities" not in again.text("#save")

    pruned = prune_run(made.run, 0.0, decisions=saved, output=tmp_path / "pruned.csv").manifest
    table = RunFiles.open(made.run).table
    imported = Manifest.read(
        import_lists(saved, tmp_path / "imported.csv", made.samples, made.images).manifest
    )
    for manifest in (pruned, imported):
        assert set(pids_of(manifest, "market1501_6").values()) == {"market1501_5"}
        parted = pids_of(manifest, "market1501_4")
        assert {name for name, new in parted.items() if new != "market1501_4"} == set(table.file_name[[3, 9]])
        assert manifest.about["new_ids"] == ["market1501_7"]
