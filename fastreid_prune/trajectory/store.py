"""A trajectory and its files."""

import json
import os
import platform
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.files import written_whole
from fastreid_prune.trajectory.blocks import Rows, row_blocks
from fastreid_prune.trajectory.records import EpochRecords
from fastreid_prune.trajectory.samples import Samples
from fastreid_prune.version import __version__

SCHEMA_VERSION = 1
_META, _SAMPLES, _LOGITS, _EPOCHS, _FEATURES = (
    "meta.json",
    "samples.csv",
    "mean_logits.npy",
    "epochs.npz",
    "features.npy",
)


@dataclass
class Trajectory:
    """What one run (or several, merged) recorded of ``N`` samples over ``T`` epochs with ``C`` classes.

    Attributes:
        mean_logits: ``[N, C]`` float32, the mean of the logits over all visits of a sample. With one visit an epoch
            that is the paper's (1/T) sum over the epochs (arXiv 2412.10091). Rows never visited are NaN. May be a
            memory map or computed when read: read it by row slices, as :func:`.blocks.row_blocks` does.
        labels: ``[N]`` int64, the given class; -1 for rows never visited and not named by ``samples``.
        epochs: per-epoch records ``[T, N]``.
        samples: who the rows are, if known.
        features: ``[N, D]`` float32 of each sample's last visit, if recorded; NaN for rows never visited.
        meta: everything else that is known about the run, JSON-able.
    """

    mean_logits: Rows
    labels: np.ndarray
    epochs: EpochRecords
    samples: Samples | None = None
    features: np.ndarray | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def num_samples(self) -> int:
        """N."""
        return self.mean_logits.shape[0]

    @property
    def num_classes(self) -> int:
        """C."""
        return self.mean_logits.shape[1]

    @property
    def num_epochs(self) -> int:
        """T."""
        return self.epochs.visits.shape[0]


def save_trajectory(trajectory: Trajectory, folder: str | os.PathLike) -> Path:
    """Write ``trajectory`` into ``folder``: the previous files stay until all the new ones are complete.

    ``meta.json`` is removed before the first new file takes its place and put back last: a folder with a
    ``meta.json`` is one whole trajectory, whatever killed the process. Same trajectory, same bytes.

    Returns:
        The folder.

    Raises:
        FastreidPruneError: the disk is full or the folder cannot be written to.
    """
    folder = Path(folder)
    with ExitStack() as stack:
        # files take their places in the reverse of this order
        meta = stack.enter_context(written_whole(folder / _META))
        logits = stack.enter_context(written_whole(folder / _LOGITS))
        epochs = stack.enter_context(written_whole(folder / _EPOCHS))
        _write_rows(logits, trajectory.mean_logits)
        with open(epochs, "wb") as file:
            np.savez(file, labels=trajectory.labels, **asdict(trajectory.epochs))
        if trajectory.samples is not None:
            trajectory.samples.write_csv(stack.enter_context(written_whole(folder / _SAMPLES)))
        if trajectory.features is not None:
            _write_rows(stack.enter_context(written_whole(folder / _FEATURES)), trajectory.features)
        text = json.dumps(_complete_meta(trajectory), indent=2, sort_keys=True, ensure_ascii=False)
        meta.write_text(text + "\n", encoding="utf-8")
        for name, absent in (
            (_META, True),
            (_SAMPLES, trajectory.samples is None),
            (_FEATURES, trajectory.features is None),
        ):
            if absent:
                (folder / name).unlink(missing_ok=True)
    return folder


def load_trajectory(path: str | os.PathLike) -> Trajectory:
    """Read a trajectory; the mean logits and the features stay on disk, memory-mapped.

    Args:
        path: the trajectory's folder, or that of the run it belongs to (``OUTPUT_DIR`` or ``OUTPUT_DIR/prune``).

    Raises:
        FastreidPruneError: there is none, it is incomplete or damaged (which file), or newer than this version.
    """
    folder = find_trajectory(path)
    meta = _read_meta(folder / _META)
    n, c, t = (meta[key] for key in ("num_samples", "num_classes", "num_epochs"))
    arrays = _read_epochs(folder / _EPOCHS)
    labels = arrays.pop("labels")
    _expect(folder / _EPOCHS, arrays["visits"].shape, (t, n))
    _expect(folder / _EPOCHS, labels.shape, (n,))
    samples = None
    if meta["has_samples"]:
        samples = Samples.read_csv(folder / _SAMPLES)
        _expect(folder / _SAMPLES, (len(samples),), (n,))
    features = None
    if meta["feature_size"]:
        features = _read_rows(folder / _FEATURES, (n, meta["feature_size"]))
    return Trajectory(
        _read_rows(folder / _LOGITS, (n, c)), labels, EpochRecords(**arrays), samples, features, meta
    )


def find_trajectory(path: str | os.PathLike) -> Path:
    """The folder of the trajectory at ``path`` (itself, ``path/trajectory`` or ``path/prune/trajectory``)."""
    path = Path(path)
    places = [path, path / "trajectory", path / "prune" / "trajectory"]
    for folder in places:
        if (folder / _META).is_file():
            return folder
    for folder in places:
        if any((folder / name).exists() for name in (_LOGITS, _EPOCHS)):
            raise FastreidPruneError(
                f"{folder}: no {_META}, so the trajectory is incomplete: the run was stopped while writing it. "
                "Resume the run (--resume), or score again."
            )
    raise FastreidPruneError(
        f"{path}: no trajectory here (looked for {', '.join(str(place / _META) for place in places)}). "
        "Give the output folder of a run with PRUNE.CAPTURE.ENABLED True."
    )


def _complete_meta(trajectory: Trajectory) -> dict[str, Any]:
    import torch

    meta = dict(trajectory.meta)
    meta.update(
        schema_version=SCHEMA_VERSION,
        num_samples=trajectory.num_samples,
        num_classes=trajectory.num_classes,
        num_epochs=trajectory.num_epochs,
        has_samples=trajectory.samples is not None,
        feature_size=0 if trajectory.features is None else trajectory.features.shape[1],
    )
    if trajectory.samples is not None:
        meta["class_names"] = list(trajectory.samples.class_names)
    versions: Mapping[str, str] = meta.get("versions", {})
    own = {
        "fastreid_prune": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }
    meta["versions"] = {**own, **versions}
    return meta


def _write_rows(path: Path, rows: Rows) -> None:
    """Write an ``[N, C]`` float32 .npy block by block; a full disk is then an OSError, not a bus error."""
    header = {"descr": "<f4", "fortran_order": False, "shape": tuple(int(size) for size in rows.shape)}
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for _, block in row_blocks(rows):
            file.write(np.ascontiguousarray(block, dtype="<f4").data)


def _read_meta(path: Path) -> dict[str, Any]:
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
        version = meta["schema_version"]
        if version > SCHEMA_VERSION:
            raise FastreidPruneError(
                f"{path}: schema version {version}, and this fastreid_prune {__version__} reads up to "
                f"{SCHEMA_VERSION}. Install a newer fastreid_prune."
            )
        for key in ("num_samples", "num_classes", "num_epochs", "has_samples", "feature_size"):
            meta[key]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(path, error) from error
    return meta


def _read_epochs(path: Path) -> dict[str, np.ndarray]:
    names = ["labels", *EpochRecords.__dataclass_fields__]
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except Exception as error:  # a damaged zip raises many kinds: BadZipFile, zlib.error, EOFError, ...
        raise _damaged(path, error) from error


def _read_rows(path: Path, shape: tuple[int, int]) -> np.ndarray:
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(path, error) from error
    _expect(path, rows.shape, shape)
    return rows


def _expect(path: Path, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found != expected:
        raise FastreidPruneError(
            f"{path}: shape {list(found)}, and {_META} beside it says {list(expected)}. The files are not of one run: "
            "copy the whole folder again."
        )


def _damaged(path: Path, error: Exception) -> FastreidPruneError:
    reason = "it is missing" if isinstance(error, FileNotFoundError) else f"{type(error).__name__}: {error}"
    return FastreidPruneError(
        f"{path}: cannot be read ({reason}). Copy the trajectory's folder again, or score again."
    )
