"""The layouts of data sets that a test bed can be made from."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError

SPLITS = ("train", "query", "gallery")


@dataclass(frozen=True)
class LaidImage:
    """An image where its data set has it.

    Attributes:
        file: path relative to the data set's own folder, with forward slashes.
        pid: the person's number.
        camera: number from 1.
        split: train, query or gallery.
        is_person: False for a gallery's distractors and junk.
    """

    file: str
    pid: int
    camera: int
    split: str
    is_person: bool = True


@dataclass(frozen=True)
class Layout:
    """How a data set lies on disk.

    Attributes:
        name: for messages.
        root: name of the data set's own folder in the data sets' root folder.
        read: from the data set's own folder to its images, in the order of their files.
        rename: the file of an image under another person's number, where the layout writes the number into names.
        most_pid: the highest number that fastreid's reader takes; None where it takes any.
        write_lists: writes the list files of a layout that has them, from (new file, new number, split) triples.
    """

    name: str
    root: str
    read: Callable[[Path], list[LaidImage]]
    rename: Callable[[str, int], str]
    most_pid: int | None
    write_lists: Callable[[Path, list[tuple[str, int, str]]], None]


def find_layout(folder: Path) -> tuple[Layout, Path]:
    """The layout of the data set in ``folder`` (the data sets' root folder), and the data set's own folder.

    Raises:
        FastreidPruneError: none, or more than one, of the known layouts is there.
    """
    found = [(layout, folder / layout.root) for layout in LAYOUTS if (folder / layout.root).is_dir()]
    if not found and (folder / "bounding_box_train").is_dir():
        found = [(LAYOUTS[0], folder)]
    if len(found) != 1:
        known = ", ".join(f"{layout.root} ({layout.name})" for layout in LAYOUTS)
        what = "none" if not found else " and ".join(path.name for _, path in found)
        raise FastreidPruneError(
            f"{folder}: a data set in a known layout was expected and {what} found. "
            f"Give the folder that holds one of {known}."
        )
    return found[0]


def _named(folders: Mapping[str, str], pattern: str, pid_width: int) -> tuple[Callable, Callable]:
    """Reading and renaming for layouts that write everything into the file's name."""
    name_pattern = re.compile(pattern)

    def read(root: Path) -> list[LaidImage]:
        images = []
        for split in SPLITS:
            folder = root / folders[split]
            if not folder.is_dir():
                raise FastreidPruneError(
                    f"{folder}: the folder is missing. The layout needs it; see the data set's page."
                )
            for path in sorted(folder.glob("*.jpg")):
                match = name_pattern.match(path.name)
                if not match:
                    raise FastreidPruneError(
                        f"{path}: the name does not say who and which camera; remove or rename it."
                    )
                pid, camera = int(match[1]), int(match[2])
                images.append(LaidImage(f"{folders[split]}/{path.name}", pid, camera, split, pid > 0))
        return images

    def rename(file: str, pid: int) -> str:
        folder, name = file.rsplit("/", 1)
        return f"{folder}/{pid:0{pid_width}d}{name[name.index('_') :]}"

    return read, rename


def _read_msmt17(root: Path) -> list[LaidImage]:
    images = []
    train, test = _msmt17_folders(root)
    for split, folder in (("train", train), ("query", test), ("gallery", test)):
        path = root / f"list_{split}.txt"
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except OSError as error:
            raise FastreidPruneError(
                f"{path}: cannot be read ({error.strerror}). MSMT17 comes with it."
            ) from error
        for number, line in enumerate(filter(None, lines), 1):
            try:
                file, pid = line.split(" ")
                image = LaidImage(f"{folder}/{file}", int(pid), int(file.split("_")[2]), split)
            except (ValueError, IndexError) as error:
                raise FastreidPruneError(
                    f"{path}, line {number}: found {line!r}, expected 'folder/id_number_camera_….jpg id'."
                ) from error
            images.append(image)
    return images


def _write_msmt17_lists(root: Path, images: list[tuple[str, int, str]]) -> None:
    for split in SPLITS:
        lines = [f"{file.split('/', 1)[1]} {pid}\n" for file, pid, where in images if where == split]
        (root / f"list_{split}.txt").write_text("".join(lines), encoding="utf-8")
    # fastreid opens it whether it is used or not
    (root / "list_val.txt").write_text("", encoding="utf-8")


def _msmt17_folders(root: Path) -> tuple[str, str]:
    return ("train", "test") if root.name == "MSMT17_V1" else ("mask_train_v2", "mask_test_v2")


def _no_lists(root: Path, images: list[tuple[str, int, str]]) -> None:
    """Nothing: the layout has no lists."""


_MARKET = _named(
    {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}, r"(-?\d+)_c(\d)", 4
)
_VERI = _named(
    {"train": "image_train", "query": "image_query", "gallery": "image_test"}, r"(\d+)_c(\d\d\d)", 4
)
LAYOUTS = (
    Layout("Market-1501", "Market-1501-v15.09.15", *_MARKET, 1501, _no_lists),
    Layout("VeRi", "veri", *_VERI, 776, _no_lists),
    Layout("MSMT17", "MSMT17_V1", _read_msmt17, lambda file, pid: file, None, _write_msmt17_lists),
    Layout("MSMT17", "MSMT17_V2", _read_msmt17, lambda file, pid: file, None, _write_msmt17_lists),
)
