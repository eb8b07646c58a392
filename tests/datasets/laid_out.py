"""Files of data sets as they lie on disk; readers open no image, so that empty files will do."""

from pathlib import Path


def lay(folder: Path, *files: str) -> Path:
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def market(
    folder: Path, cameras=(1, 2, 6), ending=".jpg", train=("0002", "0007"), root="Market-1501-v15.09.15"
):
    """Market-1501's layout: each training identity once in each camera; identity 9 in query and gallery."""
    for pid in train:
        lay(folder, *(f"{root}/bounding_box_train/{pid}_c{cam}s1_{cam:06}_01{ending}" for cam in cameras))
    lay(folder, f"{root}/query/0009_c{cameras[0]}s1_000001_00{ending}")
    lay(folder, *(f"{root}/bounding_box_test/0009_c{cam}s1_000002_00{ending}" for cam in cameras))
    return folder


def rows(data, split="train"):
    """(file, pid, camid) of a split."""
    part = data.of_split(split)
    return list(zip(part.file_name, part.pid, part.camid, strict=True))
