"""What annotation tools give back: what is not said, or not understood, keeps its label."""

import json
import zipfile

import pytest

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats import import_lists
from fastreid_prune.manifest import Manifest
from fastreid_prune.trajectory import Samples

COUNT = 40
NAMES = [f"{n % 5 + 1:04}_c{n % 3 + 1}s1_{n:06}_00.jpg" for n in range(COUNT)]
GIVEN = {name: int(name[:4]) for name in NAMES}
# two images are corrected by hand
RIGHT = {NAMES[7]: 1, NAMES[20]: 5}


@pytest.fixture
def samples(tmp_path):
    for number, name in enumerate(NAMES):
        path = tmp_path / "data" / "m" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"image %d" % number)
    return Samples.from_items(
        [f"m/{name}" for name in NAMES],
        [f"market1501_{GIVEN[name]}" for name in NAMES],
        [f"market1501_{n % 3}" for n in range(COUNT)],
    )


def person_of(name):
    return RIGHT.get(name, GIVEN[name])


def tag(person, label="market-1501"):
    return f'<tag label="{label}"><attribute name="person_id">{person}</attribute></tag>'


def xml(entries):
    images = "".join(f'<image id="0" name="{name}">{content}</image>' for name, content in entries)
    return f"<annotations><version>1.1</version>{images}</annotations>"


def brought_back(tmp_path, samples, path, **options):
    summary = import_lists(path, tmp_path / "m.csv", samples, tmp_path / "data", **options)
    manifest = Manifest.read(tmp_path / "m.csv")
    changed = {
        name.removeprefix("m/"): action if action != "relabel" else int(pid.split("_")[1])
        for name, action, pid in zip(manifest.file_name, manifest.action, manifest.new_pid, strict=True)
        if action != "keep"
    }
    return changed, summary


XMLS = {
    "every image": [(name, tag(person_of(name))) for name in NAMES],
    "only the suspects": [(name, tag(person_of(name))) for name in NAMES[:9] + NAMES[20:21]],
    "a job half done": [(name, tag(person_of(name)) if name in RIGHT else "") for name in NAMES],
    "an attribute that nobody filled in": [
        (name, tag(RIGHT[name]) if name in RIGHT else tag(" ")) for name in NAMES
    ],
    "an attribute that is still 0": [(name, tag(RIGHT.get(name, 0))) for name in NAMES],
    "padded numbers": [(name, tag(f"{person_of(name):07}")) for name in NAMES],
    "numbers with a fraction": [(name, tag(f"{person_of(name)}.0")) for name in NAMES],
    "full names of identities": [(name, tag(f"market1501_{person_of(name)}")) for name in NAMES],
    "no endings": [(name[:-4], tag(person_of(name))) for name in NAMES],
    "endings in capitals": [(name.replace(".jpg", ".JPG"), tag(person_of(name))) for name in NAMES],
    "folders of another machine": [(f"C:\\job\\{name}", tag(person_of(name))) for name in NAMES],
    "a number behind the names of one task": [
        (name.replace(".jpg", "_1.jpg") if n % 2 else name, tag(person_of(name)))
        for n, name in enumerate(NAMES)
    ],
    "boxes": [
        (name, f'<box label="person" xtl="0"><attribute name="person_id">{person_of(name)}</attribute></box>')
        for name in NAMES
    ],
    "tags called after the identity": [(name, f'<tag label="{person_of(name)}"/>') for name in NAMES],
    "other attributes beside it": [
        (name, tag(person_of(name)) + '<tag label="x"><attribute name="camera_id">4</attribute></tag>')
        for name in NAMES
    ],
}


@pytest.mark.parametrize("entries", XMLS.values(), ids=XMLS)
def test_two_corrections_in_cvats_xml_come_back_and_nothing_else_changes(tmp_path, samples, entries):
    (tmp_path / "a.xml").write_text(xml(entries))
    changed, _ = brought_back(tmp_path, samples, tmp_path / "a.xml")
    assert changed == RIGHT


def test_what_is_not_understood_keeps_its_label_and_is_told(tmp_path, samples):
    entries = [(name, tag(person_of(name))) for name in NAMES]
    entries[1] = (NAMES[1], tag("the man in red"))
    entries[2] = (NAMES[2], tag(1) + tag(2))
    entries[3] = (NAMES[3], "")
    entries += [(NAMES[4], tag(1)), ("elsewhere.jpg", tag(3))]
    (tmp_path / "a.xml").write_text(xml(entries))
    changed, summary = brought_back(tmp_path, samples, tmp_path / "a.xml")
    assert changed == RIGHT
    lines = "\n".join(summary.tally.lines())
    for line in (
        "1 rows name a person who is no identity and no number: 'the man in red'",
        f"1 rows name several persons, and keep their label: '{NAMES[2]}'",
        f"1 rows are images without a tag, and keep their label: '{NAMES[3]}'",
        f"1 rows contradict another about the same image: 'm/{NAMES[4]}'",
        "1 rows name no image of the data set: 'elsewhere.jpg'",
    ):
        assert line in lines


@pytest.mark.parametrize("label", ["outlier", "Junk", "DELETE", "distractor"])
def test_a_tag_removes_an_image_whatever_identity_it_came_with(tmp_path, samples, label):
    entries = [(name, tag(GIVEN[name])) for name in NAMES[:10]]
    entries[4] = (NAMES[4], tag(GIVEN[NAMES[4]]) + f'<tag label="{label}"/>')
    (tmp_path / "a.xml").write_text(xml(entries))
    assert brought_back(tmp_path, samples, tmp_path / "a.xml")[0] == {NAMES[4]: "outlier"}


def test_what_would_remove_most_of_a_set_is_refused(tmp_path, samples):
    (tmp_path / "a.xml").write_text(xml([(name, tag(-1)) for name in NAMES[:30]]))
    with pytest.raises(FastreidPruneError, match="30 of the data set's 40 images would be removed"):
        brought_back(tmp_path, samples, tmp_path / "a.xml")
    (tmp_path / "b.xml").write_text(xml([(name, tag(person_of(name))) for name in NAMES[:9]]))
    with pytest.raises(FastreidPruneError, match=r"31 of .* would be removed \(31 that are missing\)"):
        brought_back(tmp_path, samples, tmp_path / "b.xml", remove_missing=True)
    assert not (tmp_path / "m.csv").exists()


def test_names_that_match_nothing_are_shown_beside_one_that_is_there(tmp_path, samples):
    (tmp_path / "a.xml").write_text(xml([("frame_000001.PNG", tag(3))]))
    with pytest.raises(FastreidPruneError, match=rf"'frame_000001.PNG', one of these: 'm/{NAMES[0]}'"):
        brought_back(tmp_path, samples, tmp_path / "a.xml")


def test_tracks_of_a_video_are_refused_with_what_to_do(tmp_path, samples):
    (tmp_path / "a.xml").write_text(
        '<annotations><track id="0" label="person"><box frame="0"/></track></annotations>'
    )
    with pytest.raises(FastreidPruneError, match="CVAT for images 1.1"):
        brought_back(tmp_path, samples, tmp_path / "a.xml")


def market_zip(tmp_path, rename, keep=lambda name: True, content=True):
    path = tmp_path / "task.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in filter(keep, NAMES):
            data = (tmp_path / "data" / "m" / name).read_bytes() if content else b"encoded anew"
            archive.writestr(f"bounding_box_default/{rename(name)}", data)
        archive.writestr("images_default.txt", "")
    return path


RENAMED = {
    "padded": lambda name: f"{person_of(name):04}{name[4:]}",
    "not padded": lambda name: f"{person_of(name)}{name[4:]}",
    "frames numbered anew": lambda name: f"{person_of(name)}_c1s1_{NAMES.index(name) + 3:06}_00.jpg",
}


@pytest.mark.parametrize("rename", RENAMED.values(), ids=RENAMED)
def test_a_market_archive_comes_back_by_content(tmp_path, samples, rename):
    assert brought_back(tmp_path, samples, market_zip(tmp_path, rename))[0] == RIGHT


def test_a_market_archive_of_images_encoded_anew_comes_back_by_name(tmp_path, samples):
    path = market_zip(tmp_path, RENAMED["not padded"], content=False)
    assert brought_back(tmp_path, samples, path)[0] == RIGHT


def test_a_market_archive_of_a_part_changes_that_part_alone(tmp_path, samples):
    path = market_zip(tmp_path, RENAMED["padded"], keep=lambda name: name in NAMES[:9])
    changed, summary = brought_back(tmp_path, samples, path)
    assert changed == {NAMES[7]: 1} and summary.unlisted == 31


def datumaro(attributes=True, ending=False):
    labels = ["person", "1", "2", "3", "4", "5", "outlier"]
    items = []
    for name in NAMES:
        number = {"attributes": {"person_id": float(person_of(name))}, "label_id": 0}
        label = {"label_id": person_of(name), "attributes": {"occluded": False}}
        annotation = {"id": 0, "type": "label", **(number if attributes else label)}
        item = {"id": name[:-4], "annotations": [annotation], "attr": {"frame": 0}}
        items.append(item | ({"image": {"path": name, "size": [128, 64]}} if ending else {}))
    items[0]["annotations"] = [{"type": "label", "label_id": 6}]
    items[1]["annotations"] = []
    categories = {"label": {"labels": [{"name": name, "parent": "", "attributes": []} for name in labels]}}
    return json.dumps({"info": {}, "categories": categories, "items": items})


@pytest.mark.parametrize("attributes", [True, False], ids=["attributes", "labels"])
@pytest.mark.parametrize("ending", [True, False], ids=["paths", "ids"])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "json"])
def test_datumaros_json_comes_back(tmp_path, samples, attributes, ending, zipped):
    path = tmp_path / "default.json"
    path.write_text(datumaro(attributes, ending))
    if zipped:
        with zipfile.ZipFile(tmp_path / "task.zip", "w") as archive:
            archive.write(path, "annotations/default.json")
        path = tmp_path / "task.zip"
    assert brought_back(tmp_path, samples, path)[0] == RIGHT | {NAMES[0]: "outlier"}


def test_a_folder_an_identity_comes_back(tmp_path, samples):
    for name in NAMES[:30]:
        path = tmp_path / "sorted" / f"market1501_{person_of(name)}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((tmp_path / "data" / "m" / name).read_bytes())
    folder = tmp_path / "sorted"
    (folder / "junk").mkdir()
    (folder / "market1501_1" / NAMES[0]).rename(folder / "junk" / "0001.jpg")
    changed, summary = brought_back(tmp_path, samples, folder)
    assert changed == RIGHT | {NAMES[0]: "outlier"} and summary.kind == "imagefolder"
