"""Before and after: queries that two runs answer differently."""

import json

import numpy as np
import pytest
from conftest import make_run

from fastreid_prune.evaluation.retrieved import Retrieved
from fastreid_prune.report import write_report
from fastreid_prune.report.retrieval import CHANGES, comparisons


def keep(folder, made, precision, *, shift=0, names=None):
    """What a run might have kept of as many queries as there are precisions, over the images of ``made``."""
    files = np.array(made.samples.file_name, dtype=np.str_)
    query = files[: len(precision)] if names is None else np.array(names)
    nearest = (np.arange(len(precision))[:, None] + np.arange(1, 6) + shift) % len(files)
    ids = made.samples.label
    one = Retrieved(query, ids[: len(precision)], np.array(precision), nearest, files, ids, ids * 0)
    one.write(folder / "prune" / "retrieved.npz")
    (folder / "prune" / "run.json").write_text(
        json.dumps({"images": 8, "results": {"Rank-1": 50.0, "mAP": 40.0}})
    )
    return folder


def test_the_largest_changes_come_first_and_queries_without_a_match_do_not_count(pictured_run, tmp_path):
    made = pictured_run()
    first = keep(tmp_path / "a", made, [0.5, 0.5, 0.5, 0.5, np.nan, 0.5, 0.5])
    second = keep(tmp_path / "b", made, [0.6, 0.9, 0.1, 0.5, 0.9, 0.55, 0.8], shift=3)
    (one,) = comparisons({"all": first, "kept": second, "kept nothing": tmp_path / "c"})
    files = made.samples.file_name
    assert (one.before, one.after, one.queries, one.better, one.worse) == ("all", "kept", 6, 4, 1)
    assert [change.query for change in one.rose] == [files[1], files[6], files[0], files[5]][:CHANGES]
    assert [change.query for change in one.fell] == [files[2]]
    change = one.rose[0]
    assert (change.before.precision, change.after.precision) == (0.5, 0.9)
    assert [name for name, _ in change.before.found] == list(files[2:7])
    assert [name for name, _ in change.after.found] == list(files[5:10])
    assert [right for _, right in change.after.found] == (
        made.samples.label[5:10] == made.samples.label[1]
    ).tolist()


def test_runs_on_other_queries_or_with_nothing_kept_are_not_compared(pictured_run, tmp_path):
    made = pictured_run()
    first = keep(tmp_path / "a", made, [0.5] * 3)
    other = keep(tmp_path / "b", made, [0.6] * 3, names=["x", "y", "z"])
    assert comparisons({"all": first, "kept": other}) == []
    assert comparisons({"all": first, "kept": tmp_path / "nothing"}) == []


@pytest.mark.browser
def test_changed_answers_are_on_the_page(chromium, tmp_path):
    made = make_run(tmp_path)
    runs = {
        "<b>all</b>": keep(tmp_path / "a", made, [0.5] * 6),
        "kept": keep(tmp_path / "b", made, [0.9, 0.2] * 3, shift=3),
    }
    write_report(made.run, tmp_path / "report.html", images=made.images, retrained=runs)
    driver = chromium.open(tmp_path / "report.html")
    place = driver.find_element("css selector", "#retrieval")
    assert place.text.startswith("Of 6 queries, kept answers 3 better and 3 worse than <b>all</b>.")
    assert len(place.find_elements("css selector", ".changes > li")) == 6
    assert driver.execute_script(
        "return [...document.querySelectorAll('#retrieval img')].map((one) => one.naturalWidth > 0).every(Boolean)"
    )
    marks = driver.execute_script(
        "return [...document.querySelectorAll('#retrieval .strip li')].map((one) => one.className)"
    )
    assert len(marks) == 6 * 2 * 5 and set(marks) == {"right", "wrong"}
    assert chromium.complaints() == []
