"""Every layout is found without being named, and gives the same table as fastreid's reader where fastreid has one."""

import pytest
from laid_out import lay, market, rows, write

from fastreid_prune import datasets
from fastreid_prune.errors import FastreidPruneError


def of_fastreid(name, root):
    """split -> (file, pid, camera) as fastreid's own reader has them, its cameras counted from 0."""
    import fastreid_prune

    fastreid_prune.register()
    from fastreid.data.datasets import DATASET_REGISTRY

    data = DATASET_REGISTRY.get(name)(root=str(root))
    plain = {
        "train": [
            (path, str(pid).rpartition("_")[2], str(cam).rpartition("_")[2]) for path, pid, cam in data.train
        ],
        "query": data.query,
        "gallery": data.gallery,
    }
    return {
        split: sorted((str(path).removeprefix(f"{root}/"), str(pid), str(cam)) for path, pid, cam in items)
        for split, items in plain.items()
    }


def same_as_fastreid(name, root, camera_shift=1):
    data = datasets.read(root)
    for split, expected in of_fastreid(name, root).items():
        assert [(f, p, str(int(c) - camera_shift)) for f, p, c in rows(data, split)] == expected, split
    return data


def test_market1501(tmp_path):
    market(tmp_path)
    lay(tmp_path, "Market-1501-v15.09.15/bounding_box_test/-1_c1s1_000001_00.jpg")
    lay(tmp_path, "Market-1501-v15.09.15/bounding_box_test/0000_c1s1_000001_00.jpg")
    data = same_as_fastreid("Market1501", tmp_path)
    assert (data.name, data.layout) == ("market1501", "market1501")
    assert [(skip.count, "junk" in skip.reason) for skip in data.skipped] == [(1, True)]


def test_dukemtmc(tmp_path):
    root = "DukeMTMC-reID"
    lay(
        tmp_path,
        f"{root}/bounding_box_train/0001_c2_f0046182.jpg",
        f"{root}/bounding_box_train/0020_c8_f01.jpg",
    )
    lay(tmp_path, f"{root}/query/0005_c2_f0046985.jpg", f"{root}/bounding_box_test/0005_c5_f0051341.jpg")
    assert same_as_fastreid("DukeMTMC", tmp_path).name == "dukemtmc"


def test_veri(tmp_path):
    lay(tmp_path, "veri/image_train/0001_c001_00016450_0.jpg", "veri/image_train/0002_c020_00016450_0.jpg")
    lay(tmp_path, "veri/image_query/0700_c001_00000001_0.jpg", "veri/image_test/0700_c002_00000001_0.jpg")
    assert same_as_fastreid("VeRi", tmp_path).layout == "veri"


def msmt17(folder, version, train, test):
    for k, (split, place, pid) in enumerate(
        [
            ("train", train, 0),
            ("train", train, 7),
            ("val", train, 7),
            ("query", test, 0),
            ("gallery", test, 0),
        ]
    ):
        file = f"{pid:04}/{pid:04}_{k:03}_{9 + k:02}_0303morning_0008_0.jpg"
        lay(folder / version, f"{place}/{file}")
        with open(folder / version / f"list_{split}.txt", "a") as listed:
            listed.write(f"{file} {pid}\n")
    return folder


@pytest.mark.parametrize(
    ("version", "train", "test"),
    [("MSMT17_V1", "train", "test"), ("MSMT17_V2", "mask_train_v2", "mask_test_v2")],
)
def test_msmt17_with_cameras_of_two_digits(tmp_path, version, train, test):
    data = same_as_fastreid("MSMT17", msmt17(tmp_path, version, train, test))
    assert data.of_split("train").camid.tolist() == ["9", "10"]
    assert [(skip.count, "validation" in skip.reason) for skip in data.skipped] == [(1, True)]


def test_msmt17_nested_once_more_and_repacked(tmp_path):
    msmt17(tmp_path / "a" / "MSMT17_V1", "MSMT17_V1", "train", "test")
    assert datasets.read(tmp_path / "a").layout == "msmt17"
    repacked = lay(
        tmp_path / "b", *(f"MSMT17_V1/bounding_box_train/0000_c{cam}_{cam:04}.jpg" for cam in (1, 14, 15))
    )
    data = datasets.read(repacked)
    assert (data.layout, data.name, sorted(data.camid)) == ("market1501", "msmt17", ["1", "14", "15"])


@pytest.mark.parametrize("header", [True, False], ids=["header", "no header"])
def test_veriwild_with_and_without_a_header(tmp_path, header):
    root = tmp_path / "VERI-Wild"
    images = [
        ("00001", "000001"),
        ("00001", "000002"),
        ("00002", "000003"),
        ("00003", "000004"),
        ("00003", "000005"),
    ]
    lay(root, *(f"images/{vehicle}/{image}.jpg" for vehicle, image in images))
    info = [
        f"{vehicle}/{image};{k + 8};2018-03-11 10:00:00;Sedan;Make;white"
        for k, (vehicle, image) in enumerate(images)
    ]
    first = ["id/image;Camera ID;Time;Type;Model;Color"] if header else []
    write(root / "train_test_split/vehicle_info.txt", *first, *info)
    for name, part in (
        ("train_list", images[:3]),
        ("test_10000_query", images[3:4]),
        ("test_10000", images[4:]),
    ):
        write(root / f"train_test_split/{name}.txt", *("/".join(one) + ".jpg" for one in part))
    data = datasets.read(tmp_path)
    assert data.of_split("train").camid.tolist() == ["8", "9", "10"]
    assert data.counts() == [("train", 3, 2, 3), ("query", 1, 1, 1), ("gallery", 1, 1, 1)]
    if header:
        same_as_fastreid("VeRiWild", tmp_path, camera_shift=0)


def test_veriwild_names_the_line_that_it_cannot_read(tmp_path):
    lay(tmp_path, "images/1/1.jpg")
    write(tmp_path / "train_test_split/train_list.txt", "1/1.jpg")
    write(tmp_path / "train_test_split/vehicle_info.txt", "1/1;3;a", "1/2,3,b")
    with pytest.raises(FastreidPruneError, match=r"vehicle_info\.txt, line 2: found '1/2,3,b', expected"):
        datasets.read(tmp_path)


def test_vehicleid(tmp_path):
    lay(tmp_path, *(f"image/{number:07}.jpg" for number in range(1, 6)))
    write(tmp_path / "train_test_split/train_list.txt", "0000001 10", "0000002 11")
    write(tmp_path / "train_test_split/test_list_800.txt", "0000003 12")
    write(tmp_path / "train_test_split/test_list_1600.txt", "0000003 12", "0000004 12", "0000005 12")
    data = datasets.read(tmp_path)
    assert data.layout == "vehicleid"
    assert data.counts() == [("train", 2, 2, 0), ("query", 2, 1, 0), ("gallery", 1, 1, 0)]


def test_cuhk03_np_comes_twice_and_one_has_to_be_given(tmp_path):
    for kind in ("detected", "labeled"):
        lay(tmp_path, f"{kind}/bounding_box_train/0001_c1_1.png", f"{kind}/bounding_box_train/0002_c2_1.png")
    with pytest.raises(FastreidPruneError, match="2 data sets.*'detected', 'labeled'"):
        datasets.read(tmp_path)
    assert len(datasets.read(tmp_path / "labeled")) == 2


@pytest.mark.parametrize("above", ["", "train/", "pytorch/train/", "data/images/"])
def test_a_folder_an_identity(tmp_path, above):
    lay(tmp_path, f"{above}anna/1.JPG", f"{above}anna/deep/2.png", f"{above}007/1.webp")
    data = datasets.read(tmp_path)
    assert data.layout == "identity_folders"
    assert [(pid, cam) for _, pid, cam in rows(data)] == [("007", ""), ("anna", ""), ("anna", "")]
    assert sum("No cameras" in note for note in data.notes) == 1


def test_identity_folders_take_cameras_from_names_or_folders_that_say_them(tmp_path):
    lay(
        tmp_path / "names",
        "train/0002/0002_c1s1_1.jpg",
        "train/0007/0007_c12s1_1.jpg",
        "query/9/0009_c3s1_1.jpg",
    )
    assert datasets.read(tmp_path / "names").camid.tolist() == ["1", "12", "3"]
    lay(tmp_path / "folders", "a/cam03/x.jpg", "b/cam11/y.jpg")
    assert datasets.read(tmp_path / "folders").camid.tolist() == ["3", "11"]
    lay(tmp_path / "other", "a/b_c3.jpg", "b/x_c4.jpg")  # the names speak of somebody else
    assert datasets.read(tmp_path / "other").camid.tolist() == ["", ""]


def test_flat_names_of_trackers_and_of_one_s_own(tmp_path):
    lay(
        tmp_path / "mot",
        "0000003_MOT17-02-FRCNN_000001_acc_data.bmp",
        "0000004_MOT17-11-FRCNN_000001_acc_data.bmp",
    )
    assert [row[1:] for row in rows(datasets.read(tmp_path / "mot"))] == [
        ("3", "MOT17-02"),
        ("4", "MOT17-11"),
    ]
    lay(tmp_path / "own", "img-7@k12.jpg", "img-8@k3.jpg", "plan.jpg")
    data = datasets.read(tmp_path / "own", pattern=r"img-(?P<pid>\d+)@k(?P<camid>\d+)")
    assert [row[1:] for row in rows(data)] == [("7", "12"), ("8", "3")]
    assert [(skip.count, skip.examples) for skip in data.skipped] == [(1, ("plan.jpg",))]
    lay(tmp_path / "paths", "kitchen/anna/1.jpg", "hall/anna/2.jpg")
    data = datasets.read(tmp_path / "paths", pattern="(?P<camid>[^/]+)/(?P<pid>[^/]+)/")
    assert [row[1:] for row in rows(data)] == [("anna", "hall"), ("anna", "kitchen")]
