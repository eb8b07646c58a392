"""What a run says of itself, with types: what it did not say is None, or empty."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import written_whole


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class RunMeta:
    """What the ``meta.json`` of a trajectory says of its run. Any training loop may have written it.

    Attributes:
        dataset: names of the data sets as the training calls them.
        mode: ``eval`` where each epoch was recorded in a pass of its own, ``train`` where the training forwards were.
        seed: of the run.
        run: a name that no other run has.
        config_digest: of the training's configuration.
        unreadable: of each image that could not be read: ``file_name``, ``pid``, ``camid``, ``error``.
        runs: of a merged run, one entry a run.
        versions: library -> version.
        num_samples, num_classes, num_epochs: of the trajectory.
        calibration: the record of injected errors; see :class:`.InjectedErrors`.
    """

    dataset: tuple[str, ...] = ()
    mode: str | None = None
    seed: int | None = None
    run: str | None = None
    config_digest: str | None = None
    unreadable: tuple[Mapping[str, str], ...] = ()
    runs: tuple[Mapping[str, Any], ...] = ()
    versions: Mapping[str, str] = field(default_factory=_nothing)
    num_samples: int | None = None
    num_classes: int | None = None
    num_epochs: int | None = None
    calibration: Mapping[str, Any] = field(default_factory=_nothing)

    @classmethod
    def of(cls, meta: Mapping[str, Any], where: str = "meta.json") -> "RunMeta":
        """The metadata in plain values; keys that are not known here are left out.

        Args:
            meta: as a trajectory holds it.
            where: the file, for messages.

        Raises:
            FastreidPruneError: a value of another type than its key takes.

        >>> RunMeta.of({"seed": 3}).seed, RunMeta.of({}).mode
        (3, None)
        """
        values: dict[str, Any] = {}
        for name, (kind, what) in _EXPECTED.items():
            value = meta.get(name)
            if value is None:
                continue
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                raise FastreidPruneError(
                    f"{where}: {name} is {value!r:.80}, expected {what}. Copy the trajectory's folder again."
                )
            values[name] = tuple(meta[name]) if kind is list else value
        return cls(**values)

    def provenance(self) -> dict[str, str]:
        """The entries that tell one run from another, as text."""
        named = {key: getattr(self, key) for key in ("run", "mode", "seed", "config_digest")}
        return {key: str(value) for key, value in named.items() if value is not None}


_EXPECTED: dict[str, tuple[type, str]] = {
    "dataset": (list, "a list of names"),
    "mode": (str, "a text"),
    "seed": (int, "a whole number"),
    "run": (str, "a text"),
    "config_digest": (str, "a text"),
    "unreadable": (list, "a list"),
    "runs": (list, "a list"),
    "versions": (dict, "names with versions"),
    "num_samples": (int, "a whole number"),
    "num_classes": (int, "a whole number"),
    "num_epochs": (int, "a whole number"),
    "calibration": (dict, "a record"),
}


@dataclass(frozen=True)
class TrainingRecord:
    """``run.json``: what a training cost and what came of it; None where it does not say.

    Attributes:
        images, identities: what was trained on.
        epochs: completed.
        images_seen: with repetitions.
        training_seconds, wall_seconds, cpu_seconds: of training alone, in all, and of processor time.
        processes: how many trained.
        device: what they trained on.
        seed: of the training.
        manifest: what it was trained on; "" for the whole data set.
        complete: whether it came to its last epoch.
        results: of the last evaluation: name -> percent; of several data sets, one such dictionary each.
    """

    images: int | None = None
    identities: int | None = None
    epochs: int | None = None
    images_seen: int | None = None
    training_seconds: float | None = None
    wall_seconds: float | None = None
    cpu_seconds: float | None = None
    processes: int | None = None
    device: str | None = None
    seed: int | None = None
    manifest: str | None = None
    complete: bool | None = None
    results: Mapping[str, Any] = field(default_factory=_nothing)

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return self != TrainingRecord()

    @property
    def evaluation(self) -> dict[str, float]:
        """Name -> percent; the first data set's where there are several."""
        nested = [value for value in self.results.values() if isinstance(value, dict)]
        results = nested[0] if nested else self.results
        return {name: float(value) for name, value in results.items() if isinstance(value, (int, float))}

    @classmethod
    def read(cls, path: Path) -> "TrainingRecord":
        """Read a ``run.json``; nothing is known where there is none.

        Raises:
            FastreidPruneError: the file is damaged.
        """
        if not path.is_file():
            return cls()
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FastreidPruneError(
                f"{path}: cannot be read ({error}). Copy it again, or remove it."
            ) from error
        if not isinstance(record, dict):
            raise FastreidPruneError(f"{path}: no record of a training. Copy it again, or remove it.")
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in record.items() if key in known and value is not None})


def note(path: Path, key: str, value: Any) -> None:
    """Say in a ``run.json`` what became of the run later; nothing where that is empty and the file does not say it.

    Raises:
        FastreidPruneError: the file is damaged.
    """
    TrainingRecord.read(path)
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if record.get(key) == value or not (value or key in record):
        return
    with written_whole(path) as part:
        part.write_text(json.dumps(record | {key: value}, indent=1) + "\n", encoding="utf-8")
