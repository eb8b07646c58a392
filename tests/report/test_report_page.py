import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from fastreid_prune.cli import group
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.report import write_report
from fastreid_prune.report.retrained import outcome
from fastreid_prune.scored_run.score_table import ScoreTable

VOID = {"meta", "link", "input", "img", "br", "hr"}


class Page(HTMLParser):
    """A page's elements, with what is wrong with them."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.ids, self.problems, self.texts = [], [], [], [], []
        self.references, self.addresses, self.scripts = set(), [], {}
        self.feed(text)
        self.close()
        if self.open:
            self.problems.append(f"never closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if len(attributes) != len(attrs):
            self.problems.append(f"{tag} repeats an attribute")
        self.ids += [attributes["id"]] if "id" in attributes else []
        for name in ("for", "aria-labelledby", "aria-describedby", "list"):
            if name in attributes:
                self.references |= set(attributes[name].split())
        self.addresses += [attributes[name] for name in ("src", "href", "action") if name in attributes]
        self.problems += [f"{tag} {name}" for name in attributes if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)
            self.texts.append("")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> in {self.open[-3:]}")
            return
        self.open.pop()
        text = self.texts.pop()
        if tag == "script":
            self.scripts[self.tags_of_scripts()[len(self.scripts)].get("id", "code")] = text

    def tags_of_scripts(self):
        return [attributes for tag, attributes in self.tags if tag == "script"]

    def handle_data(self, text):
        if self.texts:
            self.texts[-1] += text


def make(made, output, **options):
    summary = write_report(made.run, output, images=made.images, **options)
    return summary, output.read_text(encoding="utf-8")


def check(text):
    page = Page(text)
    assert not page.problems
    repeated = {name for name in page.ids if page.ids.count(name) > 1}
    assert not repeated
    # this one is made by the page's script
    assert page.references - set(page.ids) <= {"identities-list"}
    return page


@pytest.mark.parametrize("judged", [False, True])
def test_the_page_is_whole_html_that_fetches_nothing(pictured_run, tmp_path, judged):
    summary, text = make(pictured_run(judged=judged), tmp_path / "report.html")
    page = check(text)
    assert all(address.startswith("#") for address in page.addresses)
    code = re.sub(r"http://www\.w3\.org/2000/svg", "", text)
    assert not re.search(r"(?i)https?:|//[a-z0-9.-]+\.[a-z]{2,}/|@import|\burl\((?!#)", code)
    assert summary.missing == 0 and summary.flagged == (6 if judged else 0)
    policy = next(tag["content"] for name, tag in page.tags if tag.get("http-equiv"))
    assert policy.startswith("default-src 'none'") and "script-src 'sha256-" in policy


def test_landmarks_headings_and_names_are_there(pictured_run, tmp_path):
    _, text = make(pictured_run(), tmp_path / "report.html")
    page = check(text)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("main") == tags.count("h1") == tags.count("footer") == 1 and "nav" in tags
    for tag, attributes in page.tags:
        if tag == "section":
            assert "aria-labelledby" in attributes
        if tag == "svg":
            assert attributes["role"] == "img" and attributes["aria-label"]
    assert ("html", {"lang": "en"}) in page.tags


def test_hostile_names_are_data_and_nothing_else(pictured_run, tmp_path):
    made = pictured_run(judged=True, hostile=True)
    _, text = make(made, tmp_path / "report.html", retrained={})
    page = check(text)
    assert [tag for tag, _ in page.tags].count("script") == 3
    assert not any(tag == "img" for tag, _ in page.tags)
    data = json.loads(page.scripts["data"])
    assert {row[0] for row in data["samples"].values()} <= set(made.samples.file_name)
    assert data["identities"] == list(made.samples.class_names)
    assert made.samples.file_name[0] in {row[0] for row in data["samples"].values()}


def test_each_picture_is_embedded_once_and_small(pictured_run, tmp_path):
    made = pictured_run(size=(300, 600))
    _, text = make(made, tmp_path / "report.html")
    pictures = json.loads(check(text).scripts["pictures"])
    uris = [uri for _, _, uri in pictures.values()]
    assert len(set(uris)) == len(uris) and all(text.count(uri) == 1 for uri in uris)
    assert all(max(width, height) <= 176 for width, height, _ in pictures.values())


def test_the_same_run_gives_the_same_bytes(pictured_run, tmp_path):
    made = pictured_run(judged=True)
    first, second = (make(made, tmp_path / name)[1] for name in ("a.html", "b.html"))
    assert first.replace("a.html", "b.html") == second


def test_more_suspects_go_to_more_pages(pictured_run, tmp_path):
    made = pictured_run(judged=True)
    summary, text = make(made, tmp_path / "report.html", suspects=4, pages=0)
    pages = [check(path.read_text(encoding="utf-8")) for path in summary.pages]
    lists = [json.loads(page.scripts["data"])["lists"]["suspects"] for page in pages]
    shown = [row for rows in lists for row in rows]
    assert len(pages) > 1 and max(map(len, lists)) == 4
    assert summary.shown == summary.suspects == len(shown) == len(set(shown))
    assert lists[0] == [0, 1, 2, 3], "judged, by falling confidence"
    assert len({json.loads(page.scripts["data"])["key"] for page in pages}) == 1
    assert all(path.name in text for path in summary.pages)


def test_unjudged_suspects_come_by_margin(pictured_run, tmp_path):
    made = pictured_run(wrong=5)
    _, text = make(made, tmp_path / "report.html")
    data = json.loads(check(text).scripts["data"])
    margins = [data["cases"][str(row)]["margin"] for row in data["lists"]["suspects"]]
    assert set(range(5)) <= set(data["lists"]["suspects"])
    assert margins == sorted(margins, reverse=True) and min(margins) > 0


def test_missing_images_are_said_not_fatal(pictured_run, tmp_path):
    made = pictured_run()
    summary = write_report(made.run, tmp_path / "report.html", images=tmp_path / "nowhere")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert summary.pictures == 0 and summary.missing > 0
    assert "No image of the data set was found" in text
    check(text)


def test_a_damaged_image_is_left_out(pictured_run, tmp_path):
    made = pictured_run()
    (made.images / made.samples.file_name[0]).write_bytes(b"no image")
    summary, text = make(made, tmp_path / "report.html")
    assert summary.missing == 1 and "0" not in json.loads(check(text).scripts["pictures"])


def test_the_data_set_s_own_folder_will_do(pictured_run, tmp_path):
    made = pictured_run()
    summary = write_report(
        made.run, tmp_path / "r.html", images=made.images / made.samples.file_name[0].split("/")[0]
    )
    assert summary.missing == 0


def test_a_retrained_run_is_compared(pictured_run, tmp_path):
    made = pictured_run()
    for name, rank1 in (("run", 40.0), ("kept", 61.5)):
        folder = tmp_path / name / "prune"
        folder.mkdir(parents=True, exist_ok=True)
        record = {"images": 36, "identities": 6, "images_seen": 960, "training_seconds": 61.4}
        record["results"] = {"Rank-1": rank1, "mAP": rank1 / 2, "metric": 0.75 * rank1}
        (folder / "run.json").write_text(json.dumps(record))
    lines = [{"iteration": i, "metric": 10.0 * i} for i in (1, 2, 2, 3)]
    (tmp_path / "kept" / "metrics.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    _, text = make(made, tmp_path / "report.html", retrained={"<i>kept</i> $x_1$": tmp_path / "kept"})
    check(text)
    assert "&lt;i&gt;kept&lt;/i&gt; $x_1$" in text and "61.5" in text and "1 min 01 s" in text
    assert 'id="comparison-figure_1"' in text
    with pytest.raises(FastreidPruneError, match=r"nobody: no prune/run\.json"):
        make(made, tmp_path / "report.html", retrained={"x": tmp_path / "nobody"})


def test_the_curves_end_with_the_last_evaluation_which_fastreid_does_not_log(tmp_path):
    folder = tmp_path / "run" / "prune"
    folder.mkdir(parents=True)
    lines = [
        {"iteration": 9, "metric": 10.0},
        {"iteration": 19, "metric": 10.0},
        {"iteration": 29, "loss": 1.0},
    ]
    (tmp_path / "run" / "metrics.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for final, expected in ((12.5, ([9, 29], [10.0, 12.5])), (10.0, ([9], [10.0]))):
        (folder / "run.json").write_text(
            json.dumps({"results": {"Rank-1": 15.0, "mAP": 10.0, "metric": final}})
        )
        assert outcome("kept", tmp_path / "run").history == expected


def test_a_sample_nobody_visited_and_an_identity_of_one_do_no_harm(scored_run, tmp_path):
    run = scored_run(samples=7, identities=7)
    summary = write_report(run, tmp_path / "report.html", images=tmp_path)
    check((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert summary.suspects <= 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "entropi"], "Did you mean 'entropy'"),
        (["--ratio", "1.5"], r"ratio in \[0, 1\)"),
        (["--retrained", "nameless"], "expected NAME=RUN"),
    ],
)
def test_a_mistake_ends_in_a_message(pictured_run, arguments, message):
    made = pictured_run()
    result = CliRunner().invoke(group, ["report", str(made.run), *arguments])
    assert result.exit_code and re.search(message, str(result.exception) + result.output)


def test_verdicts_of_another_version_are_said_to_be(pictured_run, tmp_path):
    made = pictured_run(judged=True)
    table = ScoreTable.read(made.run / "prune")
    about = {**table.about, "thresholds": json.dumps({"a number that this version": "does not know"})}
    replace(table, about=about).write(made.run / "prune")
    _, text = make(made, tmp_path / "report.html")
    assert "made by another version" in text


def test_the_command_says_what_it_wrote(pictured_run, tmp_path):
    made, output = pictured_run(judged=True), tmp_path / "page.html"
    arguments = ["report", str(made.run), "-o", str(output), "--images", str(made.images)]
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 0, result.output
    assert str(output) in result.output and "judged wrong" in result.output and "--decisions" in result.output
    assert np.isclose(
        output.stat().st_size / 1e6, float(re.search(r"\(([\d.]+) MB\)", result.output)[1]), atol=0.06
    )


def test_pictures_of_any_kind_become_rgb(tmp_path):
    from fastreid_prune.report.thumbnails import thumbnails

    for name, mode in (("grey.png", "L"), ("alpha.png", "RGBA"), ("palette.gif", "P"), ("cmyk.jpg", "CMYK")):
        Image.new(mode, (50, 20)).save(tmp_path / name)
    names = np.array(["grey.png", "alpha.png", "palette.gif", "cmyk.jpg"], object)
    made = thumbnails(tmp_path, names, range(4), dict.fromkeys(range(4), 25))
    assert {(one.width, one.height) for one in made.values()} == {(25, 10)} and len(made) == 4
