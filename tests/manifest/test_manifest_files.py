import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.manifest import ACTIONS, COLUMNS, Manifest
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.selection import select
from fastreid_prune.trajectory.samples import Samples

FOLDER = "Market-1501-v15.09.15/bounding_box_train"


def a_manifest(count=40, ratio=0.25, seed=0):
    generator = np.random.default_rng(seed)
    pids = [f"market1501_{number}" for number in generator.integers(1, 8, count)]
    samples = Samples.from_items(
        [f"{FOLDER}/{row:04}_c1s1_000001_00.jpg" for row in generator.permutation(count)],
        pids,
        [f"market1501_{number}" for number in generator.integers(0, 6, count)],
    )
    verdict = np.full(count, "clean", object)
    verdict[:3], verdict[3:5] = "mislabelled", "outlier"
    suggested = np.full(count, "", object)
    suggested[:3] = ["market1501_1" if pid != "market1501_1" else "market1501_2" for pid in pids[:3]]
    reason = np.where(verdict != "clean", "its neighbours, say otherwise", "").astype(object)
    empty = np.full(count, "", object)
    verdicts = Verdicts(verdict, suggested, empty, np.full(count, np.nan), reason)
    scores = generator.random(count)
    scores[3] = np.nan
    keep = select(scores, ratio, file_names=samples.file_name, excluded=verdicts.outlier)
    about = {"thresholds": {"confidence": 0.95}, "source": {"run": "r", "digests": {}}}
    return Manifest.build(samples, scores, keep, verdicts, method="entropy", ratio=ratio, **about), samples


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def write_rows(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        # Python 3.10's writer refuses a NUL
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [[str(c).replace("\0", "\1") for c in row] for row in rows]
        )
        file.write(text.getvalue().replace("\1", "\0"))


def same(one, other):
    assert one.about == other.about
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_every_sample_has_one_row_with_its_action(tmp_path):
    manifest, samples = a_manifest()
    manifest.write(tmp_path / "m.csv")
    rows = rows_of(tmp_path / "m.csv")
    assert tuple(rows[0]) == COLUMNS
    assert [row[0] for row in rows[1:]] == sorted(samples.file_name)
    assert manifest.counts["outlier"] == 2 and manifest.counts["prune"] == 38 // 4
    assert sum(manifest.counts.values()) == 40
    info = json.loads((tmp_path / "m.json").read_text())
    assert info["counts"] == manifest.counts and info["dataset"]["names"] == ["market1501"]
    assert (
        info["method"] == "entropy" and info["ratio"] == 0.25 and info["thresholds"] == {"confidence": 0.95}
    )
    kept = manifest.kept
    assert (
        manifest.new_pid[manifest.action == "relabel"] != manifest.pid[manifest.action == "relabel"]
    ).all()
    assert manifest.rank[kept & ~np.isnan(manifest.score)].max() <= 40
    best = manifest.score[np.argmin(manifest.rank)]
    assert best == np.nanmax(manifest.score)


def test_what_is_written_is_read(tmp_path):
    manifest, _ = a_manifest()
    manifest.write(tmp_path / "m.csv")
    same(Manifest.read(tmp_path / "m.csv"), manifest)


def test_the_order_of_the_samples_changes_no_byte(tmp_path):
    manifest, samples = a_manifest()
    manifest.write(tmp_path / "one.csv")
    order = np.random.default_rng(1).permutation(len(samples))
    back = np.argsort(manifest.file_name)[np.argsort(np.argsort(samples.file_name))]
    shuffled = Samples.from_items(*(getattr(samples, n)[order] for n in ("file_name", "pid", "camid")))
    columns = {name: getattr(manifest, name)[back][order] for name in COLUMNS}
    verdict = np.where(columns["action"] == "outlier", "outlier", "clean").astype(object)
    verdict[(columns["new_pid"] != columns["pid"]) & (verdict == "clean")] = "mislabelled"
    reason = np.where(verdict == "clean", "", columns["reason"]).astype(object)
    verdicts = Verdicts(verdict, columns["new_pid"], columns["new_pid"], columns["score"], reason)
    keep = (columns["action"] == "keep") | (columns["action"] == "relabel")
    again = Manifest.build(
        shuffled,
        columns["score"],
        keep,
        verdicts,
        **{k: v for k, v in manifest.about.items() if k != "new_ids"},
    )
    again.write(tmp_path / "two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    one, two = (json.loads((tmp_path / name).read_text()) for name in ("one.json", "two.json"))
    assert one["csv"].pop("name") != two["csv"].pop("name") and one == two


odd_text = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30)
odd_names = st.text(
    st.one_of(st.sampled_from(" ,\"'\n\r\té漢𝄞;="), st.characters(categories=["L", "N"])),
    min_size=1,
    max_size=300,
).map(lambda text: f"set/{text}")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_odd_names_come_back_as_they_were(tmp_path_factory, data):
    names = data.draw(st.lists(odd_names, max_size=12, unique=True))
    size = len(names)
    pids = data.draw(st.lists(odd_text.filter(bool), min_size=size, max_size=size))
    camids = data.draw(st.lists(odd_text, min_size=size, max_size=size))
    scores = np.array(
        data.draw(st.lists(st.floats(allow_nan=False), min_size=size, max_size=size)), np.float64
    )
    samples = Samples.from_items(names, pids, camids)
    manifest = Manifest.build(samples, scores, select(scores, 0.3, file_names=names), method="m", ratio=0.3)
    path = tmp_path_factory.mktemp("odd") / "m.csv"
    manifest.write(path)
    same(Manifest.read(path), manifest)


def test_an_edited_row_is_refused_with_its_number_until_it_is_accepted(tmp_path):
    manifest, _ = a_manifest()
    path = tmp_path / "m.csv"
    manifest.write(path)
    rows = rows_of(path)
    place = next(number for number, row in enumerate(rows) if row[4] == "keep")
    rows[place][4] = "prune"
    write_rows(path, rows)
    with pytest.raises(FastreidPruneError, match=rf"1 of 40 rows were edited .*\(rows {place}\)"):
        Manifest.read(path)
    accepted = Manifest.read(path, edited=True)
    assert accepted.counts["prune"] == manifest.counts["prune"] + 1
    accepted.write(tmp_path / "again.csv")
    same(Manifest.read(tmp_path / "again.csv"), accepted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:-3], "37 rows, but 40 were written"),
        (lambda rows: rows[:1] + rows[2:] + rows[1:2], "40 of 40 rows were edited"),
        (lambda rows: [*rows[:5], rows[5][:3], *rows[6:]], "1 of 40 rows are cut"),
        (lambda rows: [rows[0][:-1], *[row[:-1] for row in rows[1:]]], "expected the columns"),
    ],
)
def test_a_changed_file_is_refused_with_how_many_rows(tmp_path, change, message):
    path = tmp_path / "m.csv"
    a_manifest()[0].write(path)
    write_rows(path, change(rows_of(path)))
    with pytest.raises(FastreidPruneError, match=message):
        Manifest.read(path)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("action", "delete", "1 rows have an action other than"),
        ("file_name", "../../etc/passwd", "1 rows have a file name that is no path inside"),
        ("file_name", "/etc/passwd", "no path inside"),
        ("file_name", "C:\\x.jpg", "no path inside"),
        ("file_name", "set/a\0.jpg", "no path inside"),
        ("file_name", "", "no path inside"),
        ("file_name", "set/../../x", "no path inside"),
        ("file_name", "set/" + "x" * 5000, "no path inside"),
        ("score", "high", "1 rows have no number as score"),
        ("score", "nan", "no number as score"),
        ("rank", "0", "no whole number from 1"),
        ("rank", "99999999999999999999", "no whole number from 1"),
        ("pid", "", "1 rows have no pid"),
        ("reason", "\0", "NUL byte in reason"),
    ],
)
def test_an_accepted_edit_must_still_make_sense(tmp_path, column, value, message):
    path = tmp_path / "m.csv"
    a_manifest()[0].write(path)
    rows = rows_of(path)
    rows[7][COLUMNS.index(column)] = value
    write_rows(path, rows)
    with pytest.raises(FastreidPruneError, match=message):
        Manifest.read(path, edited=True)


def test_a_keep_row_with_another_identity_and_a_repeated_file_are_refused(tmp_path):
    path = tmp_path / "m.csv"
    a_manifest()[0].write(path)
    rows = rows_of(path)
    place = next(number for number, row in enumerate(rows) if row[4] == "keep")
    changed = [list(row) for row in rows]
    changed[place][3] = "market1501_77"
    write_rows(path, changed)
    with pytest.raises(FastreidPruneError, match="1 rows say keep with another new_pid"):
        Manifest.read(path, edited=True)
    write_rows(path, [*rows, rows[3]])
    with pytest.raises(FastreidPruneError, match="1 rows repeat a file name"):
        Manifest.read(path, edited=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "two files"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no schema_version"),
        ('{"schema_version": 99}', "schema version 99 is newer than this package knows"),
        ('{"schema_version": 1}', "missing or damaged"),
        ('{"schema_version": true}', "no schema_version"),
    ],
)
def test_a_json_that_does_not_vouch_for_the_rows_is_refused(tmp_path, text, message):
    path = tmp_path / "m.csv"
    a_manifest()[0].write(path)
    if text is None:
        (tmp_path / "m.json").unlink()
    else:
        (tmp_path / "m.json").write_text(text)
    with pytest.raises(FastreidPruneError, match=message):
        Manifest.read(path)


def test_a_manifest_fits_its_data_set_in_any_order():
    manifest, samples = a_manifest()
    order = np.random.default_rng(3).permutation(len(samples))
    rows = manifest.check_against(samples.file_name[order], samples.pid[order])
    assert manifest.file_name[rows].tolist() == samples.file_name[order].tolist()


def test_a_manifest_that_does_not_fit_says_what_and_how_many():
    manifest, samples = a_manifest()
    names, pids = samples.file_name.tolist(), samples.pid.tolist()
    with pytest.raises(FastreidPruneError, match="2 images of the data set have no row: 'new/a.jpg'"):
        manifest.check_against([*names, "new/a.jpg", "new/b.jpg"], [*pids, pids[0], pids[0]])
    with pytest.raises(FastreidPruneError, match="5 rows name images that the data set does not have"):
        manifest.check_against(names[5:], pids[5:])
    with pytest.raises(FastreidPruneError, match="1 rows give another identity .* is 'market1501_9' there"):
        manifest.check_against(names, ["market1501_9", *pids[1:]])
    with pytest.raises(FastreidPruneError, match="none of its 40 images .*made for another data set"):
        manifest.check_against([f"msmt17/{name}" for name in names], pids)
    manifest.new_pid[np.flatnonzero(manifest.kept)[:2]] = "market1501_1502"
    with pytest.raises(
        FastreidPruneError, match="2 rows train with identities that the data set does not have"
    ):
        manifest.check_against(names, pids)
    manifest.about["new_ids"] = ["market1501_1502"]
    manifest.check_against(names, pids)


def test_contradictions_are_not_written(tmp_path):
    manifest, _ = a_manifest()
    manifest.action[0] = "delete"
    with pytest.raises(FastreidPruneError, match="contradicts itself: 1 rows have an action other"):
        manifest.write(tmp_path / "m.csv")
    assert not list(tmp_path.iterdir())
    assert set(ACTIONS) == {"keep", "prune", "relabel", "outlier"}


def test_a_name_that_is_no_unicode_is_refused():
    samples = Samples.from_items(["set/\udcff.jpg"], ["a"], ["c"])
    with pytest.raises(FastreidPruneError, match="not valid Unicode"):
        Manifest.build(samples, np.zeros(1), np.ones(1, bool), method="m", ratio=0)
