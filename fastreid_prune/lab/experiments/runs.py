"""A sweep's runs, each known by the content of its configuration."""

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property

from fastreid_prune.lab.experiments.grid import EPOCHS, ITERATIONS, WHOLE, Grid, Selection
from fastreid_prune.plugin.recipes import Recipe, resolve
from fastreid_prune.selection.dynamic import DYNAMIC

SCORE, TRAIN = "score", "train"


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        kind: ``score``, or ``train`` on everything or on what was chosen.
        name: of its recipe in the grid.
        recipe: its configuration.
        seed: ``PRUNE.SEED``.
        data: the folder of the data sets.
        script: the training script; "" for the package's own.
        source: the scoring run of the grid that this run is compared within, and that its choice is made from where it
            needs one; None where nothing is pruned.
        selection, ratio, purify: the choice; None, 0 and False where nothing is pruned.
        budget: ``epochs``: as many as the recipe says; ``iterations``: as many as on the whole set.
    """

    kind: str
    name: str
    recipe: Recipe
    seed: int
    data: str
    script: str = ""
    source: "Run | None" = None
    selection: Selection | None = None
    ratio: float = 0.0
    purify: bool = False
    budget: str = EPOCHS

    @cached_property
    def digest(self) -> str:
        """64 hexadecimal digits of all that determines the outcome, and of nothing else: no name, no place."""
        choice = asdict(self.selection) if self.selection else {}
        choice.pop("name", None)
        if choice and not self.selection_in_run:
            choice.pop("in_run")
        content = {
            "kind": self.kind,
            "config": self.recipe.digest,
            "seed": self.seed,
            "data": self.data,
            "script": self.script,
            "source": self.scoring.digest if self.scoring else "",
            "choice": choice,
            "ratio": self.ratio,
            "purify": self.purify,
            "budget": self.budget,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def scoring(self) -> "Run | None":
        """The scoring run that has to be done before; None where nothing is chosen from one."""
        return self.source if self.selection is not None and self.selection.needs_scoring else None

    @property
    def selection_in_run(self) -> bool:
        """Whether the training prunes itself."""
        return self.selection is not None and self.selection.in_run

    @property
    def label(self) -> str:
        """For people."""
        if self.kind == SCORE:
            return f"score {self.name} seed {self.seed}"
        if self.selection is None:
            return f"{self.name} unpruned seed {self.seed}"
        purified = " purified" if self.purify else ""
        same = ", same iterations" if self.budget == ITERATIONS else ""
        return f"{self.name} {self.selection.name} {100 * self.ratio:g} %{purified} seed {self.seed}{same}"

    def epochs(self, whole: int, left: int) -> int:
        """How many epochs the budget is: on ``left`` of ``whole`` images, or on all for as many as are left."""
        if self.selection is not None and self.selection.method == WHOLE:
            batch = self.recipe.batch
            return max(1, round(self.recipe.epochs * (left // batch) / max(whole // batch, 1)))
        return self.recipe.epochs if self.budget == EPOCHS else epochs_of_iterations(self.recipe, whole, left)


def epochs_of_iterations(recipe: Recipe, whole: int, left: int) -> int:
    """How many epochs on ``left`` images have as many iterations as the recipe's on ``whole``.

    fastreid's epoch is ``images // batch`` iterations.
    """
    iterations = recipe.epochs * max(whole // recipe.batch, 1)
    return max(1, round(iterations / max(left // recipe.batch, 1)))


def schedule(recipe: Recipe, epochs: int) -> dict[str, object]:
    """The options under which the recipe's schedule takes ``epochs`` epochs, its steps moved along."""
    longer = epochs / recipe.epochs
    return {
        "SOLVER.MAX_EPOCH": epochs,
        "SOLVER.STEPS": str([max(1, round(step * longer)) for step in recipe.steps]),
        "SOLVER.DELAY_EPOCHS": round(recipe.delay * longer),
    }


def expand(grid: Grid) -> list[Run]:
    """Every run of a grid, scoring runs before those that need them, no run twice."""
    seen: dict[str, Run] = {}
    for run in _runs(grid):
        seen.setdefault(run.digest, run)
    return list(seen.values())


def _runs(grid: Grid) -> Iterator[Run]:
    scoring = {name: resolve(source.config, source.options) for name, source in grid.score.items()}
    retraining = {name: resolve(source.config, source.options) for name, source in grid.retrain.items()}
    # seed by seed, so that what is there early can be compared
    for index, seed in enumerate(grid.seeds):
        sources = []
        if grid.methods:
            score_seed = grid.score_seeds[index % len(grid.score_seeds)]
            sources = [
                Run(SCORE, name, recipe, score_seed, grid.data, grid.script)
                for name, recipe in scoring.items()
            ]
        if any(selection.needs_scoring for selection in grid.methods):
            yield from sources
        if grid.unpruned:
            for name, recipe in retraining.items():
                yield Run(TRAIN, name, recipe, seed, grid.data, grid.script)
        choices = itertools.product(
            grid.ratios, sources, retraining.items(), grid.budgets, grid.purify, grid.methods
        )
        for ratio, source, (name, recipe), budget, purify, selection in choices:
            run = Run(TRAIN, name, recipe, seed, grid.data, grid.script)
            if budget == ITERATIONS and not selection.needs_scoring:
                # the whole set for as many iterations is the unpruned run; a run that prunes itself saves them
                continue
            if purify and (selection.method == WHOLE or selection.method in DYNAMIC):
                continue
            yield replace(run, source=source, selection=selection, ratio=ratio, purify=purify, budget=budget)
