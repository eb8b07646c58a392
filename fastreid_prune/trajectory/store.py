"""A trajectory and its files."""

import json
import os
import platform
import shutil
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import written_whole
from fastreid_prune.trajectory.blocks import Rows, write_rows
from fastreid_prune.trajectory.factors import FactoredLogits, epoch_shares
from fastreid_prune.trajectory.per_epoch_logits import epoch_path
from fastreid_prune.trajectory.records import EpochRecords
from fastreid_prune.trajectory.samples import Samples
from fastreid_prune.version import __version__

# 2: the classes may have any order, which meta.json tells
SCHEMA_VERSION = 2
FACTORS = "factors"
_WHOLE = "logits"
_META, _SAMPLES = "meta.json", "samples.csv"
_LOGITS, _EPOCHS, _FEATURES = "mean_logits.npy", "epochs.npz", "features.npy"


@dataclass
class Trajectory:
    """What a run (or several, merged) recorded of ``N`` samples over ``T`` epochs with ``C`` classes.

    Attributes:
        mean_logits: ``[N, C]`` float32, the mean of the logits over all visits of a sample. With one visit an
            epoch that is the paper's (1/T) sum over the epochs (arXiv 2412.10091). Rows never visited are
            NaN. May be a memory map or computed when read: read slices of rows, as :func:`.blocks.row_blocks`
            does.
        labels: ``[N]`` int64, the given class; -1 for samples never visited and not named by ``samples``.
        epochs: per-epoch records ``[T, N]``; of several runs, one run after another.
        samples: who the rows are, if known.
        features: ``[N, D]`` float32, if recorded: of each sample's last visit, to which those of the training
            forwards are added where they were given (:class:`.mean_rows.FeatureSum`); of several runs, side by side.
        meta: everything else that is known about the run, JSON-able.
        whole: the folder of the logits of every epoch (:mod:`.per_epoch_logits`); None where they were not kept, and of
            merged runs.
    """

    mean_logits: Rows
    labels: np.ndarray
    epochs: EpochRecords
    samples: Samples | None = None
    features: np.ndarray | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    whole: Path | None = None

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
        """T, over all runs."""
        return self.epochs.visits.shape[0]

    def runs(self) -> list["Trajectory"]:
        """The merged runs one by one: epochs and features of each, the mean logits of all."""
        parts = self.meta.get("runs")
        if not parts:
            return [self]
        runs, epoch, column = [], 0, 0
        for part in parts:
            epochs = slice(epoch, epoch := epoch + part["num_epochs"])
            columns = slice(column, column := column + part["feature_size"])
            runs.append(
                replace(
                    self,
                    epochs=EpochRecords(**{name: array[epochs] for name, array in vars(self.epochs).items()}),
                    features=None if self.features is None else self.features[:, columns],
                    meta={key: value for key, value in self.meta.items() if key != "runs"},
                    whole=None,
                )
            )
        return runs


def save_trajectory(trajectory: Trajectory, folder: str | os.PathLike) -> Path:
    """Write ``trajectory`` into ``folder``: the previous files stay until all the new ones are complete.

    ``meta.json`` is removed before the first new file takes its place and comes back last: a folder with a
    ``meta.json`` is one whole trajectory, whatever killed the process. Same trajectory, same bytes.

    Returns:
        The folder.

    Raises:
        FastreidPruneError: the disk is full or the folder cannot be written to.
    """
    folder = Path(folder)
    factors = trajectory.mean_logits if isinstance(trajectory.mean_logits, FactoredLogits) else None
    new = [_META, _EPOCHS]
    if factors is not None:
        _copy_factors(factors, folder / FACTORS)
    else:
        new.append(_LOGITS)
    if trajectory.samples is not None:
        new.append(_SAMPLES)
    if trajectory.features is not None:
        new.append(_FEATURES)
    with ExitStack() as stack:
        # the files take their places in the reverse of this order: meta.json last
        parts = {name: stack.enter_context(written_whole(folder / name)) for name in new}
        if factors is None:
            write_rows(parts[_LOGITS], trajectory.mean_logits)
        if trajectory.features is not None:
            write_rows(parts[_FEATURES], trajectory.features)
        if trajectory.samples is not None:
            trajectory.samples.write_csv(parts[_SAMPLES])
        with open(parts[_EPOCHS], "wb") as file:
            np.savez(file, labels=trajectory.labels, **asdict(trajectory.epochs))
        text = json.dumps(_complete_meta(trajectory), indent=2, sort_keys=True, ensure_ascii=False)
        parts[_META].write_text(text + "\n", encoding="utf-8")
        (folder / _META).unlink(missing_ok=True)
        for name in {_SAMPLES, _LOGITS, _FEATURES} - set(new):
            (folder / name).unlink(missing_ok=True)
    return folder


def load_trajectory(path: str | os.PathLike) -> Trajectory:
    """Read a trajectory; the mean logits and the features stay on disk, memory-mapped.

    Args:
        path: the trajectory's folder, or that of the run it belongs to (``OUTPUT_DIR`` or
            ``OUTPUT_DIR/prune``).

    Raises:
        FastreidPruneError: there is none, it is incomplete or damaged (which file), or newer than this
            version.

    Example:
        >>> import torch
        >>> from fastreid_prune.trajectory import LogitRecorder
        >>> recorder = LogitRecorder(2, 2)
        >>> recorder.update(torch.arange(2), torch.tensor([[9.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
        >>> recorder.end_epoch()
        >>> folder = recorder.save("run")
        >>> load_trajectory("run").mean_logits.tolist()
        [[9.0, 0.0], [1.0, 0.0]]
    """
    folder = find_trajectory(path)
    meta = _read_meta(folder / _META)
    n, c, t = (meta[key] for key in ("num_samples", "num_classes", "num_epochs"))
    arrays = _read_epochs(folder / _EPOCHS)
    labels = arrays.pop("labels")
    _expect(folder / _EPOCHS, labels.shape, (n,))
    _expect(folder / _EPOCHS, arrays["visits"].shape, (t, n))
    samples = features = None
    if meta["has_samples"]:
        samples = Samples.read_csv(folder / _SAMPLES, meta.get("class_names"))
        _expect(folder / _SAMPLES, (len(samples),), (n,))
    if meta["feature_size"]:
        features = _read_rows(folder / _FEATURES, (n, meta["feature_size"]))
    if meta["mean_logits"] == FACTORS:
        lengths = [run["num_epochs"] for run in meta.get("runs", [])] or [t]
        folders = [folder / FACTORS / f"epoch_{epoch:04d}" for epoch in range(t)]
        logits: Rows = FactoredLogits.open(folders, epoch_shares(arrays["visits"], lengths))
        _expect(folder / FACTORS, logits.shape, (n, c))
    else:
        logits = _read_rows(folder / _LOGITS, (n, c))
    whole = folder / _WHOLE if t and epoch_path(folder / _WHOLE, t - 1).exists() else None
    return Trajectory(logits, labels, EpochRecords(**arrays), samples, features, meta, whole)


def find_trajectory(path: str | os.PathLike) -> Path:
    """The folder of the trajectory at ``path`` (itself, ``path/trajectory`` or ``path/prune/trajectory``).

    Raises:
        FastreidPruneError: there is none, or it is incomplete.
    """
    path = Path(path)
    places = [path, path / "trajectory", path / "prune" / "trajectory"]
    for folder in places:
        if (folder / _META).is_file():
            return folder
    for folder in places:
        if any((folder / name).exists() for name in (_LOGITS, _EPOCHS, FACTORS)):
            raise FastreidPruneError(
                f"{folder}: no {_META}, so this trajectory is incomplete: its run was stopped before the "
                "end. Resume the run, or score again."
            )
    raise FastreidPruneError(
        f"{path}: no trajectory here (looked for {_META} in {', '.join(map(str, places))}). "
        "Give the output folder of a scored run."
    )


def _copy_factors(logits: FactoredLogits, target: Path) -> None:
    for epoch, source in enumerate(logits.folders):
        final = target / f"epoch_{epoch:04d}"
        if source.resolve() != final.resolve():
            part = target / "epoch.part"
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(source, part)
            shutil.rmtree(final, ignore_errors=True)
            os.replace(part, final)


def _complete_meta(trajectory: Trajectory) -> dict[str, Any]:
    meta = dict(trajectory.meta)
    meta.update(
        schema_version=SCHEMA_VERSION,
        num_samples=trajectory.num_samples,
        num_classes=trajectory.num_classes,
        num_epochs=trajectory.num_epochs,
        mean_logits=FACTORS if isinstance(trajectory.mean_logits, FactoredLogits) else _LOGITS,
        has_samples=trajectory.samples is not None,
        feature_size=0 if trajectory.features is None else trajectory.features.shape[1],
    )
    if trajectory.samples is not None:
        meta["class_names"] = list(trajectory.samples.class_names)
    own = {
        "fastreid_prune": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }
    meta["versions"] = {**own, **meta.get("versions", {})}
    return meta


def _read_meta(path: Path) -> dict[str, Any]:
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
        version = meta["schema_version"]
        if version > SCHEMA_VERSION:
            raise FastreidPruneError(
                f"{path}: schema version {version}, and fastreid_prune {__version__} reads up to "
                f"{SCHEMA_VERSION}. Install a newer fastreid_prune."
            )
        for key in ("num_samples", "num_classes", "num_epochs", "mean_logits", "has_samples", "feature_size"):
            meta[key]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(path, error) from error
    return meta


def _read_epochs(path: Path) -> dict[str, np.ndarray]:
    names = ["labels", *(field.name for field in fields(EpochRecords))]
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
    if tuple(found) != tuple(expected):
        raise FastreidPruneError(
            f"{path}: shape {list(found)}, and {_META} beside it says {list(expected)}. The files are not of "
            "one run: copy the whole folder again."
        )


def _damaged(path: Path, error: Exception) -> FastreidPruneError:
    reason = "it is missing" if isinstance(error, FileNotFoundError) else f"{type(error).__name__}: {error}"
    return FastreidPruneError(
        f"{path}: cannot be read ({reason}). Copy the trajectory's folder again, or score again."
    )
