"""What a person corrected comes back: folders, CVAT exports, archives, manifests edited by hand."""

import csv
import io
import os
import shutil
import struct
import zipfile

import pytest
from published_lists import Published, same_decisions
from published_runs import rows_of

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats import import_lists
from fastreid_prune.manifest import COLUMNS
from fastreid_prune.trajectory import Samples


class Corrected(Published):
    """A purified Market-1501 folder, as a person gets it."""

    def __init__(self, scored_run, folder, copy=True):
        super().__init__(scored_run, folder, ["market1501"], copy=copy)
        self.lists = self.lists / "market1501"
        self.images = self.lists / "bounding_box_train"

    def correct(self):
        """Rename one image to another person, one to a new person, delete one; what the manifest should be."""
        names = sorted(os.listdir(self.images))
        table = {row["name"]: row["file_name"] for row in rows_of(self.lists / "names.csv")}
        other = f"{int(names[0][:4]) % 6 + 1:04}{names[0][4:]}"
        os.rename(self.images / names[0], self.images / other)
        os.rename(self.images / names[1], self.images / f"0777{names[1][4:]}")
        os.remove(self.images / names[2])
        return {
            table[names[0]]: ("relabel", f"market1501_{int(other[:4])}"),
            table[names[1]]: ("relabel", "market1501_777"),
            table[names[2]]: ("outlier", ""),
        }


def decisions(manifest):
    return dict(zip(manifest.file_name, zip(manifest.action, manifest.new_pid, strict=True), strict=True))


@pytest.mark.parametrize("copy", [True, False], ids=["copies", "links"])
@pytest.mark.parametrize("names_file", [True, False], ids=["names.csv", "no names.csv"])
def test_a_folder_that_a_person_corrected_comes_back(scored_run, tmp_path, copy, names_file):
    corrected = Corrected(scored_run, tmp_path, copy)
    same_decisions(corrected.read(), corrected.purified)
    expected = corrected.correct()
    if not names_file:
        (corrected.lists / "names.csv").unlink()
    manifest = corrected.read(remove_missing=True)
    before, after = decisions(corrected.purified), decisions(manifest)
    assert {name: after[name] for name in after if after[name] != before[name]} == expected
    assert corrected.summary.new_ids == ["market1501_777"] and not corrected.summary.tally.problems
    manifest.check_against(corrected.samples.file_name, corrected.samples.pid)
    # what is no longer there keeps its label, unless it is said to have been taken out
    by_default = decisions(corrected.read())
    kept = {name: said for name, said in expected.items() if said[0] == "relabel"}
    assert {name: by_default[name] for name in by_default if by_default[name] != before[name]} == kept
    assert corrected.summary.missing == 1


def test_a_corrected_folder_of_a_whole_data_set_needs_nothing_else(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path)
    shutil.rmtree(corrected.lists)
    mine = tmp_path / "mine" / "bounding_box_train"
    shutil.copytree(corrected.root / "Market-1501-v15.09.15" / "bounding_box_train", mine)
    name = sorted(os.listdir(mine))[0]
    os.rename(mine / name, mine / f"0003{name[4:]}")
    os.remove(mine / sorted(os.listdir(mine))[-1])
    manifest = corrected.read(tmp_path / "mine", remove_missing=True)
    assert manifest.counts == {"keep": 58, "prune": 0, "relabel": 1, "outlier": 1}
    assert manifest.about["method"] == "by hand"
    with pytest.raises(FastreidPruneError, match="nothing ranks the images"):
        corrected.read(tmp_path / "mine", ratio=0.2)


def test_corrections_can_be_pruned_again(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path)
    corrected.correct()
    manifest = corrected.read(ratio=0.5, remove_missing=True)
    assert manifest.counts["outlier"] == 3 and manifest.counts["prune"] == 28


def test_links_that_lead_out_of_the_data_set_are_not_followed(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path, copy=False)
    secret = tmp_path / "secret"
    secret.write_bytes((corrected.root / corrected.samples.file_name[0]).read_bytes())
    for number, target in enumerate([secret, "/etc/passwd", "../../../../../../etc/passwd", "."]):
        os.symlink(target, corrected.images / f"0001_c1s1_77777{number}_00.jpg")
    os.mkfifo(corrected.images / "0001_c1s1_888888_00.jpg")
    same_decisions(corrected.read(), corrected.purified)
    assert corrected.summary.tally.problems == {"are links that lead out of the data set": 4}


def cvat_xml(entries):
    images = "".join(
        f'<image id="{number}" name="{name}" width="64" height="128">'
        f'<tag label="{label}" source="manual"><attribute name="camera_id">0</attribute>{attribute}</tag></image>\n'
        for number, (name, label, attribute) in enumerate(entries)
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>{images}</annotations>\n'
    )


@pytest.mark.parametrize("zipped", [False, True])
def test_what_a_person_did_in_cvat_comes_back(scored_run, tmp_path, zipped):
    corrected = Corrected(scored_run, tmp_path)
    table = {row["name"]: row for row in rows_of(corrected.lists / "names.csv")}
    names = sorted(table)
    person = {name: row["new_pid"].split("_")[1] for name, row in table.items()}
    person[names[0]], person[names[1]] = str(int(person[names[0]]) % 6 + 1), "777"
    entries = [
        (
            f"bounding_box_train/{name}",
            "market-1501",
            f'<attribute name="person_id">{person[name]}</attribute>',
        )
        for name in names
    ]
    entries[2] = (entries[2][0], "outlier", entries[2][2])
    path = tmp_path / "annotations.xml"
    path.write_text(cvat_xml(entries))
    if zipped:
        with zipfile.ZipFile(tmp_path / "task.zip", "w") as archive:
            archive.write(path, "annotations.xml")
            archive.writestr("../../evil.txt", "x")
        path = tmp_path / "task.zip"
    manifest = corrected.read(path, base=corrected.lists / "manifest.csv")
    before, after = decisions(corrected.purified), decisions(manifest)
    files = [table[name]["file_name"] for name in names]
    assert {name: after[name] for name in after if after[name] != before[name]} == {
        files[0]: ("relabel", f"market1501_{person[names[0]]}"),
        files[1]: ("relabel", "market1501_777"),
        files[2]: ("outlier", ""),
    }
    assert not corrected.summary.tally.problems


def test_a_market_archive_comes_back(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path)
    expected = corrected.correct()
    with zipfile.ZipFile(tmp_path / "market.zip", "w") as archive:
        for name in sorted(os.listdir(corrected.images)):
            archive.write(corrected.images / name, f"bounding_box_train/{name}")
    manifest = corrected.read(
        tmp_path / "market.zip", base=corrected.lists / "manifest.csv", remove_missing=True
    )
    before, after = decisions(corrected.purified), decisions(manifest)
    assert {name: after[name] for name in after if after[name] != before[name]} == expected


def test_an_archive_of_names_alone_comes_back(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path)
    expected = corrected.correct()
    names = "".join(f"bounding_box_default/{name}\n" for name in sorted(os.listdir(corrected.images)))
    with zipfile.ZipFile(tmp_path / "market.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images_default.txt", names)
    manifest = corrected.read(
        tmp_path / "market.zip", base=corrected.lists / "manifest.csv", remove_missing=True
    )
    before, after = decisions(corrected.purified), decisions(manifest)
    assert {name: after[name] for name in after if after[name] != before[name]} == expected


def test_test_images_beside_the_training_images_are_none_of_it(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path)
    with zipfile.ZipFile(tmp_path / "market.zip", "w") as archive:
        for name in sorted(os.listdir(corrected.images)):
            archive.write(corrected.images / name, f"m/bounding_box_train/{name}")
            archive.writestr(f"m/bounding_box_test/9{name[1:]}", "x")
            archive.writestr(f"m/query/9{name[1:]}", "x")
    same_decisions(
        corrected.read(tmp_path / "market.zip", base=corrected.lists / "manifest.csv"), corrected.purified
    )
    assert not corrected.summary.tally.problems


def test_a_folder_that_cvat_named_after_its_subset_comes_back(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path)
    (corrected.lists / "bounding_box_test").mkdir()
    (corrected.lists / "bounding_box_test" / "0009_c1s1_000000_00.jpg").write_bytes(b"x")
    corrected.images.rename(corrected.lists / "bounding_box_default")
    same_decisions(corrected.read(), corrected.purified)


ENTITY = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><annotations>&b;</annotations>'


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("annotations.xml", content)
    return file.getvalue()


def broken():
    """A ZIP whose first member is no deflated stream."""
    data = bytearray(zipped(b"<annotations>" * 50))
    data[45:60] = b"\xff" * 15
    return bytes(data)


def crowded(size):
    """The end of a ZIP that says its list of members has ``size`` bytes, as ZIP64 where it must."""
    if size < 1 << 32:
        return struct.pack("<4s8xII2x", b"PK\x05\x06", size, 0)
    record = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, 0)
    end = struct.pack("<4s8xII2x", b"PK\x05\x06", 0xFFFFFFFF, 0xFFFFFFFF)
    return record + struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1) + end


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xml", ENTITY.encode(), "declares a document type"),
        ("a.xml", b"<annotations><image", "no well-formed XML"),
        ("a.xml", b"", "no well-formed XML"),
        ("a.xml", b"<annotations></annotations>", "no annotated image"),
        ("a.xml", b"\xff\xfe\x00", "no well-formed XML"),
        ("a.zip", b"PK\x05\x06" + b"\0" * 18, "no annotated image"),
        ("a.zip", b"PK\x03\x04garbage", "no whole XML or ZIP"),
        ("a.zip", zipped(b"<annotations>" + b"<a>" * 10_000_000), "nested more than 100 deep"),
        ("a.zip", zipped(b"<annotations><image name='" + b"x" * (40 << 20)), "a tag of more than 16 MiB"),
        ("a.zip", zipped(b"<annotations/>" * 9)[:60] + b"\xff" * 60, "no whole XML or ZIP"),
        ("a.zip", broken(), "no whole XML or ZIP.*decompress"),
        ("a.zip", crowded(1 << 31), "2048 MiB of names of members"),
        ("a.zip", crowded(1 << 40), "1048576 MiB of names of members"),
        ("a.npz", b"", "in no format that is read"),
    ],
)
def test_annotations_that_are_none_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    samples = Samples.from_items(["s/1.jpg"], ["m_1"], ["c"])
    with pytest.raises(FastreidPruneError, match=message):
        import_lists(tmp_path / name, tmp_path / "m.csv", samples, tmp_path)


def test_a_manifest_edited_by_hand_comes_back(scored_run, tmp_path):
    published = Published(scored_run, tmp_path)
    rows = rows_of(tmp_path / "pruned.csv")
    chosen = next(row for row in rows if row["action"] == "keep")
    chosen["action"], chosen["new_pid"] = "relabel", "market1501_new"
    with open(tmp_path / "pruned.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(FastreidPruneError, match="1 of 60 rows were edited .*--edited"):
        published.read(tmp_path / "pruned.csv")
    manifest = published.read(tmp_path / "pruned.csv", edited=True)
    assert decisions(manifest)[chosen["file_name"]] == ("relabel", "market1501_new")
    assert published.summary.new_ids == ["market1501_new"]
    manifest.check_against(published.samples.file_name, published.samples.pid)
