"""The page as a person uses it: a real browser, the network off."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import HOSTILE_NAME, HOSTILE_PID, make_run
from reviewing import QUEUE, Review, with_page

from fastreid_prune.cli import group
from fastreid_prune.manifest import Manifest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A judged run of 48 samples, 4 mislabelled and 2 outliers, with its page."""
    return with_page(make_run(tmp_path_factory.mktemp("judged"), judged=True))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The same with HTML, quotes and script in a file name, an identity, a camera and the reasons."""
    return with_page(make_run(tmp_path_factory.mktemp("hostile"), judged=True, hostile=True))


def test_the_page_opens_from_disk_with_the_network_off(chromium, judged):
    review = Review(chromium, judged[1])
    assert review.text("h1") == "Market1501" and review.decisions[:6] == [""] * 6
    assert review.script("return [...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    assert chromium.requests() <= {"file", "data"}
    assert chromium.complaints() == []


def test_every_key_of_the_review(chromium, judged):
    review = Review(chromium, judged[1]).start()
    assert review.script("return document.activeElement.id") == "queue"
    review.press("k", "r", "d", "u")
    assert review.decisions[:5] == ["keep", "relabel", "drop", "unsure", ""] and review.current == 4
    assert review.text("#tally").startswith("4 of")
    review.press("ArrowUp", "c")
    assert review.decisions[3] == ""
    review.press("z", "z")
    assert review.decisions[:4] == ["keep", "relabel", "drop", ""]
    review.press("Home", "2")
    second = review.script("return data.identities[candidates(rows[0])[1]]")
    assert review.script("return decisions.get(sample(rows[0]).file).newPid") == second
    review.press("z", "z", "z", "z", "z")
    assert set(review.decisions) == {""} and "nothing to undo" in review.text("#status")
    assert chromium.complaints() == []


def test_a_selection_is_decided_and_undone_at_once(chromium, judged):
    review = Review(chromium, judged[1]).start()
    review.press("ArrowDown", "shift+ArrowDown", "shift+ArrowDown")
    assert review.text("#target") == "for 3 selected samples"
    review.press("d")
    assert review.decisions[:5] == ["", "drop", "drop", "drop", ""]
    review.press("z")
    assert set(review.decisions) == {""}
    review.press("ctrl+a", "u")
    assert set(review.decisions) == {"unsure"}
    review.press("z", "Home", " ", "ArrowDown", " ")
    assert review.text("#target") == "for 2 selected samples"
    review.press("Escape", "k")
    assert review.decisions[:3] == ["", "keep", ""]


def test_the_mouse_does_the_same(chromium, judged):
    review = Review(chromium, judged[1])
    review.click(f"{QUEUE}:nth-child(2)").click(".actions [data-decision=drop]")
    review.click("#detail [data-decision=relabel]")
    assert review.decisions[:4] == ["", "drop", "relabel", ""]
    review.click("#undo").click("#undo")
    assert set(review.decisions) == {""}
    review.click("#hardest button")
    assert review.script("return [byId('list').value, document.activeElement.id]") == ["hardest", "queue"]
    review.click("[data-exemplar] button")
    shown = review.text("#detail-title")
    assert shown == review.text("[data-exemplar] .pid")
    box = review.script(
        "const r = byId('bench').getBoundingClientRect(); return [r.top, innerHeight - r.bottom]"
    )
    assert min(box) >= 0, "all of the review is in view"
    review.click("#help")
    assert review.script("return byId('keys').open")
    review.press("Escape")
    assert not review.script("return byId('keys').open")


def test_decisions_survive_a_reload_and_can_still_be_undone(chromium, judged):
    Review(chromium, judged[1]).start().press("k", "d")
    again = Review(chromium, judged[1], keep=True)
    assert again.decisions[:3] == ["keep", "drop", ""] and "2 decisions of an earlier sitting" in again.text(
        "#status"
    )
    again.start().press("z")
    assert again.decisions[:3] == ["keep", "", ""]
    fresh = Review(chromium, judged[1])
    assert set(fresh.decisions) == {""}


def test_where_the_browser_has_no_room_that_is_said(chromium, judged):
    review = Review(chromium, judged[1])
    fill = "for (let size = 1 << 22; size >= 1; size >>= 1) for (let i = 0; i < 3; i++) try { localStorage.setItem("
    review.script(fill + "'fill' + size + i, 'x'.repeat(size)) } catch {}")
    review.start().press("k", "d")
    assert review.text("#status").endswith("save the decisions before you close it.")
    assert review.saved().read_text(encoding="utf-8").count("\n") == 3
    kept = review.script("return localStorage.getItem(storageKey)")
    review.script(
        "localStorage.clear(); if (arguments[0]) localStorage.setItem(storageKey, arguments[0])", kept
    )
    review.press("u")
    assert "before you close it" not in review.text("#status")
    assert Review(chromium, judged[1], keep=True).decisions[:3] == ["keep", "drop", "unsure"]


def test_the_saved_file_changes_the_manifest(chromium, judged, tmp_path):
    made, page = judged
    review = Review(chromium, page).start().press("k", "r", "d", "u")
    suggested = review.script("return data.identities[candidates(rows[1])[0]]")
    files = review.script("return rows.slice(0, 4).map((row) => sample(row).file)")
    saved = review.saved()
    arguments = ["prune", made.run, "--ratio", 0.5, "--decisions", saved, "-o"]
    for name, more in (("with.csv", []), ("over.csv", ["--purify"])):
        result = CliRunner().invoke(group, [str(one) for one in [*arguments, tmp_path / name, *more]])
        assert result.exit_code == 0, result.output
        manifest = Manifest.read(tmp_path / name)
        rows = [manifest.file_name.tolist().index(file) for file in files]
        assert manifest.action[rows[:3]].tolist() == ["keep", "relabel", "outlier"]
        assert manifest.new_pid[rows[1]] == suggested
        assert manifest.action[rows[3]] in ("keep", "prune")
        reasons = [reason.split(" (verdict")[0] for reason in manifest.reason[rows]]
        assert reasons[0] == "kept by hand" and reasons[1].startswith("relabelled by hand from")
        assert reasons[2] == "dropped by hand" and reasons[3].startswith("unsure after review")


def test_a_saved_file_opens_in_another_browser(chromium, judged):
    saved = Review(chromium, judged[1]).start().press("k", "r", "d").saved()
    text = saved.read_text(encoding="utf-8")
    again = Review(chromium, judged[1])
    copy = chromium.downloads / "from elsewhere.csv"
    copy.write_text(text + "no,such,decision,\n", encoding="utf-8")
    again.driver.find_element("css selector", "#file").send_keys(str(copy))
    assert again.decisions[:4] == ["keep", "relabel", "drop", ""]
    assert again.text("#status") == "Opened 3 decisions from from elsewhere.csv; 1 row made no sense."
    again.click("#undo")
    assert set(again.decisions) == {""}


def test_hostile_names_are_text_and_run_nothing(chromium, hostile, tmp_path):
    made, page = hostile
    review = Review(chromium, page)
    assert review.text("#detail-title") == HOSTILE_NAME.rpartition("/")[2]
    assert HOSTILE_PID.replace("\u2028", "") in review.script("return byId('detail').textContent").replace(
        "\u2028", ""
    )
    assert review.script("return document.querySelectorAll('#detail b, #queue b, #queue script').length") == 0
    review.start().press("r", "k", "d")
    review.click("#hardest button").click("#easiest button")
    review.click("#ratio").press("End")
    review.script("byId('another').value = data.identities[1]")
    review.click("#another-go")
    saved = review.saved()
    assert review.script("return window.hacked") is None and chromium.complaints() == []
    with open(saved, encoding="utf-8", newline="") as file:
        rows = {row["file_name"]: row for row in csv.DictReader(file)}
    assert HOSTILE_NAME in rows and HOSTILE_PID in {row["pid"] for row in rows.values()} | {
        row["new_pid"] for row in rows.values()
    }
    result = CliRunner().invoke(
        group,
        ["prune", str(made.run), "--ratio", "0.5", "--decisions", str(saved), "-o", str(tmp_path / "m.csv")],
    )
    assert result.exit_code == 0, result.output
    manifest = Manifest.read(tmp_path / "m.csv")
    assert manifest.action[manifest.file_name.tolist().index(HOSTILE_NAME)] == "relabel"


def test_a_script_that_got_into_the_page_would_not_run(chromium, hostile, tmp_path):
    text = hostile[1].read_text(encoding="utf-8")
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(
        text.replace("<main>", "<main><img src=x onerror='hacked=1'><script>hacked=1</script>"), "utf-8"
    )
    review = Review(chromium, spoilt)
    assert review.script("return window.hacked") is None
    assert any("Content Security Policy" in complaint for complaint in chromium.complaints())


def test_the_ratio_is_chosen_by_keyboard(chromium, judged):
    review = Review(chromium, judged[1])
    review.script("byId('ratio').focus()")
    before = review.text("#cut")
    review.press("End")
    assert review.text("#ratio-shown").replace("\u00a0", " ") == "90 %" and review.text("#cut") != before
    assert review.script("return document.querySelectorAll('.figure .cut').length") > 10
    review.press("Home")
    assert review.text("#cut").startswith("Nothing is pruned")


def test_a_screen_reader_is_told_what_is_shown_and_what_was_decided(chromium, judged):
    review = Review(chromium, judged[1]).start()
    assert "mislabelled, 99" in review.heard("option")[0] and "undecided" in review.heard("option")[0]
    assert review.heard("listbox") == ["Samples to review"]
    review.press("r")
    suggested = review.script("return decisions.get(sample(rows[0]).file).newPid")
    assert review.heard("option")[0].endswith(f"relabel to {suggested}")
    assert review.script("return byId(queue.getAttribute('aria-activedescendant')).matches('.current')")
    assert f"relabel to {suggested}" in review.text("#status") and review.heard("status") != []
    assert {"Keep as market1501_3", "Relabel to market1501_2"} <= set(review.heard("button"))
    assert all(review.heard("image")) and all(review.heard("button")) and all(review.heard("combobox"))


@pytest.mark.parametrize(
    "window", [{}, {"dark": True}, {"width": 380, "height": 800}], ids=["wide", "dark", "narrow"]
)
def test_axe_finds_nothing_that_shuts_people_out(chromium, judged, window):
    import axe_core_python

    review = Review(chromium, judged[1], **window)
    review.script((Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = review.driver.execute_async_script("axe.run().then(arguments[0])")
    told = [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
    assert not told, "\n".join(told)


@pytest.mark.parametrize("width", [320, 380, 600, 820, 1000])
def test_a_narrow_window_needs_no_sideways_scrolling(chromium, judged, width):
    review = Review(chromium, judged[1], width=width, height=760)
    assert review.script("return document.documentElement.scrollWidth") <= width
    review.start().press("k")
    assert review.decisions[0] == "keep"
