"""The file of a sweep: which runs there shall be."""

import difflib
import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fastreid_prune import scores
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.selection import STRATEGIES
from fastreid_prune.selection.dynamic import DYNAMIC

BUDGETS = EPOCHS, ITERATIONS = ("epochs", "iterations")
_KEYS = (
    "data", "score", "retrain", "seeds", "score_seeds", "methods", "ratios", "purify", "budgets", "unpruned", "retries",
    "script", "baseline", "resources", "keep_checkpoints", "environment",
)  # fmt: skip
_METHOD_KEYS = ("method", "name", "score", "keep_per_identity", "keep_per_camera", "in_run")
# nothing is pruned, and as many images are processed as at the ratio's pruning
WHOLE = "whole"


@dataclass(frozen=True)
class Source:
    """A config file with options of fastreid's configuration."""

    config: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selection:
    """How samples are chosen.

    Attributes:
        name: as tables and figures name it.
        method: a score, a strategy of ``selection``, one of its dynamic methods, or ``whole``: everything, for as many
            iterations as the ratio leaves.
        score: what a strategy ranks by.
        keep_per_identity, keep_per_camera: floors.
        in_run: the training prunes itself, without a scoring run before it; so do the dynamic methods.
    """

    name: str
    method: str
    score: str = "entropy"
    keep_per_identity: int = 0
    keep_per_camera: int = 0
    in_run: bool = False

    @property
    def needs_scoring(self) -> bool:
        """Whether the choice is made from a scoring run."""
        return not self.in_run and self.method != WHOLE


@dataclass(frozen=True)
class Grid:
    """What a grid file asks for.

    Attributes:
        score: name -> recipe of scoring.
        retrain: name -> recipe of retraining; each is trained on what each scoring recipe chose.
        data: the folder that holds the data sets.
        seeds: of retraining; runs of one seed are compared with each other.
        score_seeds: of scoring; the i-th retraining seed uses the i-th of them, in turn.
        methods, ratios, purify, budgets: every combination is a run.
        unpruned: whether there is a run on everything, for each retraining recipe and seed.
        baseline: the name of the method that the others are compared with.
        retries: how often a run that failed is tried again.
        script: the training script.
        resources: of one run, for a cluster: ``cpus``, ``gpus``.
        keep_checkpoints: keep the weights of finished runs.
        environment: variables of the runs' processes.
    """

    score: dict[str, Source]
    retrain: dict[str, Source]
    data: str
    seeds: tuple[int, ...] = (0,)
    score_seeds: tuple[int, ...] = (0,)
    methods: tuple[Selection, ...] = ()
    ratios: tuple[float, ...] = (0.3,)
    purify: tuple[bool, ...] = (False,)
    budgets: tuple[str, ...] = (EPOCHS,)
    unpruned: bool = True
    baseline: str = "random"
    retries: int = 1
    script: str = ""
    resources: dict[str, float] = field(default_factory=dict)
    keep_checkpoints: bool = False
    environment: dict[str, str] = field(default_factory=dict)


def read_grid(path: str | os.PathLike) -> Grid:
    """Read a grid file.

    Raises:
        FastreidPruneError: it cannot be read, a key is unknown, or a value makes no sense; naming it.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FastreidPruneError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FastreidPruneError(f"{path}: this is no YAML ({error!s:.200}).") from None
    if not isinstance(content, dict):
        raise FastreidPruneError(f"{path}: expected keys such as score, retrain and methods.")
    return _Reader(path, content).grid()


class _Reader:
    """Reads the keys, with errors that name the file and the key."""

    def __init__(self, path: Path, content: dict):
        self.path, self.content = path, content
        self._known(content, _KEYS, "")

    def grid(self) -> Grid:
        seeds = tuple(self._list("seeds", int, [0]))
        retrain = self._sources("retrain")
        methods = tuple(
            self._selection(entry) for entry in self._list("methods", None, ["random", "entropy"])
        )
        names = [method.name for method in methods]
        if len(set(names)) < len(names):
            raise self._refusal("methods", f"{names} found: two have one name. Give `name:` to one of them")
        retries = self.content.get("retries", 1)
        if not isinstance(retries, int) or not 0 <= retries <= 10:
            raise self._refusal("retries", f"{retries!r} found, a number from 0 to 10 expected")
        budgets = tuple(self._list("budgets", str, [EPOCHS]))
        if set(budgets) - set(BUDGETS):
            raise self._refusal("budgets", f"{list(budgets)} found, {' or '.join(BUDGETS)} expected")
        ratios = tuple(float(ratio) for ratio in self._list("ratios", (int, float), [0.3]))
        if not all(0 < ratio < 1 for ratio in ratios):
            raise self._refusal(
                "ratios", f"{list(ratios)} found, fractions between 0 and 1 expected: 0.3 prunes 30 %"
            )
        script = self.content.get("script", "")
        return Grid(
            score=self._sources("score"),
            retrain=retrain,
            data=str(self._place(self.content.get("data", os.environ.get("FASTREID_DATASETS", "datasets")))),
            seeds=seeds,
            score_seeds=tuple(self._list("score_seeds", int, list(seeds))),
            methods=methods,
            ratios=ratios,
            purify=tuple(self._list("purify", bool, [False])),
            budgets=budgets,
            unpruned=bool(self.content.get("unpruned", True)),
            baseline=str(self.content.get("baseline", "random")),
            retries=retries,
            script=str(self._place(script)) if script else "",
            resources={str(key): float(value) for key, value in self._mapping("resources").items()},
            keep_checkpoints=bool(self.content.get("keep_checkpoints", False)),
            environment={str(key): str(value) for key, value in self._mapping("environment").items()},
        )

    def _sources(self, key: str) -> dict[str, Source]:
        value = self.content.get(key)
        if not isinstance(value, Mapping) or not value:
            raise self._refusal(
                key, f"{value!r} found, `config: FILE` (and `options:`), or several by name, expected"
            )
        named = {Path(str(value["config"])).stem: value} if "config" in value else value
        return {str(name): self._source(f"{key}.{name}", entry) for name, entry in named.items()}

    def _source(self, key: str, entry: Any) -> Source:
        if not isinstance(entry, Mapping) or "config" not in entry:
            raise self._refusal(key, f"{entry!r} found, `config: FILE` expected")
        self._known(entry, ("config", "options"), f"{key}.")
        options = entry.get("options") or {}
        if not isinstance(options, Mapping):
            raise self._refusal(
                f"{key}.options", f"{options!r} found, a mapping such as SOLVER.MAX_EPOCH: 24 expected"
            )
        pairs = itertools.chain.from_iterable((str(name), str(value)) for name, value in options.items())
        return Source(str(self._place(entry["config"])), tuple(pairs))

    def _selection(self, entry: Any) -> Selection:
        entry = {"method": entry} if isinstance(entry, str) else entry
        if not isinstance(entry, Mapping) or "method" not in entry:
            raise self._refusal("methods", f"{entry!r} found, a method's name expected")
        self._known(entry, _METHOD_KEYS, "methods.")
        method = entry["method"]
        for name, known in (
            (method, (*scores.available(), *STRATEGIES, *DYNAMIC, WHOLE)),
            (entry.get("score"), scores.available()),
        ):
            if name is not None and name not in known:
                raise self._refusal("methods", f"{name!r} found, one of {', '.join(known)} expected")
        in_run = entry.get("in_run", method in DYNAMIC)
        if not isinstance(in_run, bool) or (in_run and method == WHOLE) or (not in_run and method in DYNAMIC):
            raise self._refusal(
                "methods.in_run",
                f"{in_run!r} found for {method}; true or false expected, and nothing for whole",
            )
        name = f"{method} in run" if in_run and method not in DYNAMIC else method
        return Selection(**{"name": name, **entry, "in_run": in_run})

    def _list(self, key: str, kind: Any, default: list) -> list:
        value = self.content.get(key, default)
        value = value if isinstance(value, list) else [value]
        wrong = [
            entry for entry in value
            if kind is not None and (not isinstance(entry, kind) or (isinstance(entry, bool) and kind is not bool))
        ]  # fmt: skip
        if not value or wrong:
            raise self._refusal(
                key, f"{value!r} found, a list of {getattr(kind, '__name__', 'numbers')} expected"
            )
        return list(dict.fromkeys(value)) if kind is not None else value

    def _mapping(self, key: str) -> Mapping:
        value = self.content.get(key) or {}
        if not isinstance(value, Mapping):
            raise self._refusal(key, f"{value!r} found, a mapping expected")
        return value

    def _place(self, name: Any) -> Path:
        """A path relative to the grid's own folder, else to the current one."""
        beside = self.path.parent / str(name)
        return (beside if beside.exists() else Path(str(name))).resolve()

    def _known(self, entry: Mapping, known: Sequence[str], prefix: str) -> None:
        for key in entry:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.0)[0]
                raise FastreidPruneError(
                    f"{self.path}: {prefix}{key}: no such key. The nearest one is {prefix}{near}."
                )

    def _refusal(self, key: str, what: str) -> FastreidPruneError:
        return FastreidPruneError(f"{self.path}: {key}: {what}.")
