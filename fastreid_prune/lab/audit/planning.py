"""What an audit will do: known, and checked, before anything is trained."""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastreid_prune import datasets
from fastreid_prune.datasets import Dataset
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import written_whole
from fastreid_prune.io.images import read_rgb
from fastreid_prune.lab.audit.machine import look
from fastreid_prune.lab.audit.recipe import (
    AUTO,
    RECIPES,
    Facts,
    Machine,
    Schedule,
    as_pairs,
    choose_recipe,
    fit,
    median,
)
from fastreid_prune.lab.audit.training import Job
from fastreid_prune.plugin.recipes import resolve
from fastreid_prune.plugin.shipped import CONFIGS

SETTINGS = "audit.json"
_LOOKED_AT = 24  # images whose size is looked at
_SMALL_LOGITS = 1 << 24  # images x identities up to which each epoch's logits are kept: 32 MiB an epoch


@dataclass(frozen=True)
class Plan:
    """What an audit will do.

    Attributes:
        data: the data set.
        path: what ``DATASETS.NAMES`` will say: the data set's path, or the table of a test split made on request.
        output: the folder of the results.
        recipe: its name.
        reasons: why this recipe and what was fitted, a sentence each.
        machine: what there is to train with.
        options: of the scoring run and of retraining.
        seconds: step -> how long it took to get here.
    """

    data: Dataset
    path: Path
    output: Path
    recipe: str
    reasons: list[str]
    machine: Machine
    options: tuple[list[str], list[str]]
    seconds: dict[str, float]

    @property
    def can_be_tested(self) -> bool:
        """Whether some query has a match."""
        query, gallery = (set(self.data.of_split(split).pid) for split in ("query", "gallery"))
        return bool(query & gallery)

    def scoring(self) -> Job:
        """The scoring run."""
        config = CONFIGS / RECIPES[self.recipe][0]
        return Job("scoring", config, self.options[0], self.output / "score", needs_scores=True)

    def retraining(self, name: str, manifest: Path | None) -> Job:
        """A training on what a manifest keeps, or on everything; for the page it keeps what each query retrieved."""
        config = CONFIGS / RECIPES[self.recipe][1]
        more = ["PRUNE.KEEP_RETRIEVED", "10", *(["PRUNE.MANIFEST", str(manifest)] if manifest else [])]
        return Job(f"training on {name}", config, [*self.options[1], *more], self.output / name)


def plan_audit(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    recipe: str = AUTO,
    layout: str = datasets.reading.AUTO,
    pattern: str | None = None,
    hold_out: float | None = None,
    options: Sequence[str] = (),
) -> Plan:
    """Read the data set, look at the machine and choose.

    Args:
        path: the data set.
        output: a new folder, or that of an earlier call with the same arguments, which goes on.
        recipe: ``auto`` or one of :data:`.recipe.RECIPES`.
        layout, pattern: as for :func:`.datasets.read`.
        hold_out: share of the identities to test on instead of the query and gallery there are.
        options: ``KEY, value, …`` of fastreid's configuration; they hold over what is chosen here.

    Raises:
        FastreidPruneError: no data set, too few images or identities, or ``output`` holds something else.
    """
    began = time.perf_counter()
    output = Path(output).absolute()
    data = datasets.read(path, layout, pattern)
    source = Path(path).expanduser().absolute()
    if hold_out is not None:
        data = datasets.hold_out(data, hold_out)
    train = data.of_split("train")
    identities = len(set(train.pid))
    if len(train) < 8 or identities < 2 or identities == len(train):
        raise FastreidPruneError(
            f"{path}: {len(train)} training images of {identities} identities; at least 8 images of 2 identities are "
            f"needed to train on, and identities with several images. {' '.join(data.report())}"
        )
    machine = look(recipe)
    name, why = choose_recipe(machine, recipe)
    facts = Facts(len(train), identities, *_median_size(train))
    # before the folder is claimed: an option that is mended makes it no other audit's
    fits = [fit(_schedule(CONFIGS / config, options), facts, given=options[::2]) for config in RECIPES[name]]
    _claim(output, _settings(data, source, recipe, options))
    if hold_out is not None:
        source, data = _write_held_out(data, output)
    reasons = [f"recipe {name}: {why}."]
    both: list[list[str]] = []
    # judged here, where its sentences are shown, and not in the run too
    scoring = ["PRUNE.CAPTURE.KEEP_LOGITS", str(_is_small(facts)), "PRUNE.PURIFY.RULE", "none"]
    for fitted, more in zip(fits, (scoring, []), strict=True):
        reasons += [reason for reason in fitted.reasons if not both and reason not in reasons]
        chosen = [*_data_options(data, source, pattern, machine, name), *as_pairs(fitted.options), *more]
        both.append([*chosen, *options])
    seconds = {"reading and choosing": time.perf_counter() - began}
    return Plan(data, source, output, name, reasons, machine, (both[0], both[1]), seconds)


def _data_options(
    data: Dataset, source: Path, pattern: str | None, machine: Machine, recipe: str
) -> list[str]:
    tested = set(data.of_split("query").pid) & set(data.of_split("gallery").pid)
    names = f"({str(source)!r},)"
    options: dict[str, object] = {
        "DATASETS.NAMES": names,
        "DATASETS.TESTS": names if tested else "()",
        "MODEL.DEVICE": "cuda" if machine.gpu else "cpu",
    }
    if pattern:
        options["PRUNE.DATA.PATTERN"] = pattern
    if recipe == "cpu" and machine.weights:
        options["MODEL.BACKBONE.PRETRAIN_PATH"] = str(machine.weights)
    return as_pairs(options)


def _schedule(config: Path, options: Sequence[str]) -> Schedule:
    recipe = resolve(config, options)
    return Schedule(recipe.epochs, recipe.batch, recipe.warmup, recipe.steps, recipe.size)


def _is_small(facts: Facts) -> bool:
    """Whether the logits of every epoch are kept too: some scores and the page's curves are made of them."""
    return facts.images * facts.identities <= _SMALL_LOGITS


def _median_size(data: Dataset) -> tuple[int, int]:
    """Median height and width of some images.

    Raises:
        FastreidPruneError: none of them can be read.
    """
    rows = np.unique(np.linspace(0, len(data) - 1, _LOOKED_AT).astype(int))
    sizes, error = [], None
    for row in rows:
        try:
            sizes.append(read_rgb(data.root / data.file_name[row]).size)
        except FastreidPruneError as unreadable:
            error = unreadable
    if not sizes:
        raise FastreidPruneError(
            f"{data.root}: none of {len(rows)} images that were tried can be read. {error}"
        )
    return median([height for _, height in sizes]), median([width for width, _ in sizes])


def _settings(data: Dataset, source: Path, recipe: str, options: Sequence[str]) -> dict[str, object]:
    table = "\n".join(
        "\t".join(row) for row in zip(data.file_name, data.pid, data.camid, data.split, strict=True)
    )
    digest = hashlib.sha256(table.encode("utf-8", "surrogateescape")).hexdigest()
    return {
        "data": str(source),
        "table": digest,
        "recipe": recipe,
        "options": [str(option) for option in options],
    }


def _claim(output: Path, settings: dict[str, object]) -> None:
    """Make the folder, or find that it is of an earlier call with the same settings.

    Raises:
        FastreidPruneError: it is not.
    """
    path = output / SETTINGS
    if path.is_file():
        try:
            earlier = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FastreidPruneError(f"{path}: cannot be read ({error}). Give another -o.") from error
        changed = [name for name in settings if settings[name] != earlier.get(name)]
        if changed:
            what = "the data set's images or labels" if changed == ["table"] else ", ".join(changed)
            raise FastreidPruneError(
                f"{output}: holds an audit with another choice of {what}. Give another -o, or remove the folder."
            )
        return
    if output.is_dir() and any(output.iterdir()):
        raise FastreidPruneError(f"{output}: is not empty, and not of an audit. Give a new folder with -o.")
    with written_whole(path) as part:
        part.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def _write_held_out(data: Dataset, output: Path) -> tuple[Path, Dataset]:
    """The table of a test split made on request, with whole paths, and the data set as it is read from there."""
    from dataclasses import replace

    whole = np.array([str(data.root / name) for name in data.file_name], dtype=object)
    path = output / f"{data.name}.csv"  # the run and its lists are called after the table
    replace(data, file_name=whole).write_csv(path)
    again = datasets.read(path)
    return path, replace(again, name=data.name, layout=data.layout, skipped=data.skipped, notes=data.notes)
