"""How a test bed lies on disk: as its source does, where that writes identities as numbers; else as Market-1501."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastreid_prune import datasets
from fastreid_prune.datasets import SPLITS, Dataset
from fastreid_prune.datasets.splits import split_of

MARKET_ROOT = "Market-1501-v15.09.15"
_MARKET_FOLDERS = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}

Triples = list[tuple[str, int, str]]


@dataclass(frozen=True)
class LaidImage:
    """An image, and where the test bed has it.

    Attributes:
        source: the image of the data set.
        file: path relative to the test bed's own data set folder, with forward slashes.
        pid: the person's number.
        camera: number from 1.
        split: train, query or gallery.
        is_person: False for a gallery's distractors.
    """

    source: Path
    file: str
    pid: int
    camera: int
    split: str
    is_person: bool = True


@dataclass(frozen=True)
class Layout:
    """How a test bed is written.

    Attributes:
        name: for messages.
        root: name of the data set's own folder in the test bed.
        rename: the file of an image under another person's number, where the layout writes the number into names.
        most_pid: the highest number that fastreid's reader takes; None where it takes any.
        write_lists: writes the list files of a layout that has them, from (new file, new number, split) triples.
    """

    name: str
    root: str
    rename: Callable[[str, int], str]
    most_pid: int | None
    write_lists: Callable[[Path, Triples], None]


def read_source(folder: Path) -> tuple[Layout, list[LaidImage]]:
    """Read a data set in any layout, and say how a test bed of it is written.

    Raises:
        FastreidPruneError: as for :func:`.datasets.read`.
    """
    data = datasets.read(folder)
    numbered = all(pid.isdigit() for pid in data.pid) and all(cam.isdigit() for cam in data.camid)
    if data.layout in ("market1501", "veri") and numbered:
        return _as_it_lies(data)
    if data.layout == "msmt17":
        return _as_msmt17(data)
    return _as_market(data)


def _as_it_lies(data: Dataset) -> tuple[Layout, list[LaidImage]]:
    """Market-1501's and VeRi's layout: the number begins each name."""
    bases = {_above_split(file) for file in data.file_name}
    base = bases.pop()
    images = [
        LaidImage(data.root / file, file[len(base) + 1 if base else 0 :], int(pid), int(camera), split)
        for file, pid, camera, split in zip(data.file_name, data.pid, data.camid, data.split, strict=True)
    ]
    veri = data.layout == "veri"
    root = base.rpartition("/")[2] or ("veri" if veri else MARKET_ROOT)
    name, most = ("VeRi", 776) if veri else ("Market-1501", 1501)
    return Layout(name, root, _renamed, most, _no_lists), _with_distractors(images)


def _as_msmt17(data: Dataset) -> tuple[Layout, list[LaidImage]]:
    """MSMT17: lists say the numbers, which start again at 0 for testing."""
    base = _above_split(data.file_name[0])
    first_test = len(set(data.of_split("train").pid))
    images = [
        LaidImage(
            data.root / file,
            file[len(base) + 1 if base else 0 :],
            int(pid) - (0 if split == "train" else first_test),
            int(camera),
            split,
        )
        for file, pid, camera, split in zip(data.file_name, data.pid, data.camid, data.split, strict=True)
    ]
    root = base.rpartition("/")[2] or "MSMT17_V1"
    return Layout("MSMT17", root, lambda file, pid: file, None, _write_msmt17_lists), images


def _as_market(data: Dataset) -> tuple[Layout, list[LaidImage]]:
    """Any other data set in Market-1501's layout: identities and cameras numbered in their order, from 1."""
    pids = {pid: number for number, pid in enumerate(sorted(set(data.pid)), 1)}
    cameras = {camera: number for number, camera in enumerate(sorted(set(data.camid)), 1)}
    images = []
    for row, (file, split) in enumerate(zip(data.file_name, data.split, strict=True)):
        pid, camera = pids[data.pid[row]], cameras[data.camid[row]]
        ending = Path(file).suffix.lower()
        name = f"{_MARKET_FOLDERS[split]}/{pid:04}_c{camera}s1_{row + 1:06}_00{ending}"
        images.append(LaidImage(data.root / file, name, pid, camera, split))
    return Layout("Market-1501", MARKET_ROOT, _renamed, None, _no_lists), images


def _above_split(file: str) -> str:
    """The part of a path above its split's folder."""
    parts = file.split("/")
    return "/".join(parts[: next(k for k, part in enumerate(parts) if split_of(part))])


def _with_distractors(images: list[LaidImage]) -> list[LaidImage]:
    """Number 0 in a gallery is no person where no query asks for it: Market-1501's distractors."""
    asked = {image.pid for image in images if image.split == "query"}
    return [
        LaidImage(**{**vars(image), "is_person": False})
        if image.split == "gallery" and image.pid == 0 and 0 not in asked
        else image
        for image in images
    ]


def _renamed(file: str, pid: int) -> str:
    folder, name = file.rsplit("/", 1)
    return f"{folder}/{pid:04d}{name[name.index('_') :]}"


def _write_msmt17_lists(root: Path, images: Triples) -> None:
    for split in SPLITS:
        lines = [f"{file.split('/', 1)[1]} {pid}\n" for file, pid, where in images if where == split]
        (root / f"list_{split}.txt").write_text("".join(lines), encoding="utf-8")
    # fastreid opens it whether it is used or not
    (root / "list_val.txt").write_text("", encoding="utf-8")


def _no_lists(root: Path, images: Triples) -> None:
    """Nothing: the layout has no lists."""
