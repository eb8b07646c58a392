"""The grid's file: read, refused with the key named, and expanded into runs known by content."""

from pathlib import Path

import pytest

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.experiments import read_grid
from fastreid_prune.lab.experiments.runs import expand
from fastreid_prune.plugin.recipes import resolve

CONFIGS = Path(__file__).parents[3] / "configs"
GRID = f"""
data: .
score: {{config: {CONFIGS}/Demo/score.yml}}
retrain:
  small: {{config: {CONFIGS}/Demo/retrain.yml, options: {{SOLVER.MAX_EPOCH: 10}}}}
  other: {{config: {CONFIGS}/Demo/retrain.yml, options: {{MODEL.BACKBONE.DEPTH: 34x}}}}
seeds: [0, 1, 2]
score_seeds: [5]
methods: [random, {{method: redundancy_aware, score: el2n, name: ours}}]
ratios: [0.1, 0.3]
budgets: [epochs, iterations]
purify: [false, true]
"""


@pytest.fixture
def read(tmp_path):
    def read(text):
        (tmp_path / "grid.yml").write_text(text)
        return read_grid(tmp_path / "grid.yml")

    return read


def test_every_combination_is_a_run_once(read):
    runs = expand(read(GRID))
    kinds = [(run.kind, run.source is None) for run in runs]
    # one scoring run, as all seeds share it; two recipes unpruned on three seeds
    assert kinds.count(("score", True)) == 1 and kinds.count(("train", True)) == 6
    assert kinds.count(("train", False)) == 3 * 2 * 2 * 2 * 2 * 2
    assert len({run.digest for run in runs}) == len(runs)
    assert kinds.index(("score", True)) == 0


def test_a_run_is_known_by_its_content_not_by_its_names(read):
    before = {run.digest for run in expand(read(GRID))}
    renamed = GRID.replace("small:", "tiny:").replace("name: ours", "name: theirs")
    assert {run.digest for run in expand(read(renamed))} == before
    options = GRID.replace("SOLVER.MAX_EPOCH: 10", "SOLVER.MAX_EPOCH: 11")
    changed = before - {run.digest for run in expand(read(options))}
    assert len(changed) == (len(before) - 1) // 2


def test_the_same_iterations_are_more_epochs_on_fewer_images(read):
    runs = [run for run in expand(read(GRID)) if run.name == "small" and run.source]
    longer = next(run for run in runs if run.budget == "iterations")
    as_many = next(run for run in runs if run.budget == "epochs")
    # 1000 images are 15 batches of 64, 500 are 7
    assert longer.epochs(1000, 500) == round(10 * 15 / 7) and as_many.epochs(1000, 500) == 10


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("ratios:", "ratio:", "ratio: no such key. The nearest one is ratios"),
        ("[0.1, 0.3]", "[30]", "ratios: .* 0.3 prunes 30 %"),
        ("[random,", "[randm,", "methods: 'randm' found, one of .*random"),
        ("score: el2n", "score: best", "methods: 'best' found"),
        ("[epochs, iterations]", "[hours]", "budgets: .*epochs or iterations expected"),
        ("[0, 1, 2]", "[a]", "seeds: .* a list of int expected"),
        ("SOLVER.MAX_EPOCH", "SOLVER.MAXEPOCH", r"retrain\.yml: SOLVER\.MAXEPOCH: no such configuration key"),
        ("Demo/score.yml", "Demo/none.yml", "none.yml: no such config file"),
        ("purify: [false, true]", "purify: [", "no YAML"),
    ],
)
def test_a_mistake_is_named(read, before, after, message):
    with pytest.raises(FastreidPruneError, match=message):
        expand(read(GRID.replace(before, after)))


@pytest.mark.parametrize(
    ("path", "count"),
    [
        # seeds, and for each: scoring, unpruned, methods x ratios x budgets
        ("Demo/grid.yml", 3 * (2 + 3 * 2 * 2)),
        ("CPU/grid_small_images.yml", 3 * (2 + 6 * 3 * 2)),
        ("CPU/grid_market1501.yml", 2 * (2 + 4)),
    ],
)
def test_a_grid_that_is_shipped_can_be_expanded(path, count):
    grid = read_grid(CONFIGS / path)
    assert len(expand(grid)) == count
    assert grid.baseline in {method.name for method in grid.methods}


def test_a_recipe_is_what_differs_from_the_defaults():
    recipe = resolve(CONFIGS / "Demo" / "retrain.yml", ["OUTPUT_DIR", "elsewhere"])
    lines = recipe.text.splitlines()
    assert "SOLVER.MAX_EPOCH: 12" in lines and "MODEL.DEVICE: 'cpu'" in lines
    # at its default, or only where the run writes to
    assert not any(line.startswith(("PRUNE.CAPTURE", "OUTPUT_DIR: 'elsewhere'")) for line in lines)


def test_the_whole_set_and_trainings_that_prune_themselves_need_no_scoring(read):
    methods = "[entropy, whole, rs2, infobatch, {method: auto, in_run: true}]"
    runs = expand(
        read(GRID.replace("[random, {method: redundancy_aware, score: el2n, name: ours}]", methods))
    )
    small = [run for run in runs if run.name == "small" and run.selection and run.seed == 0]
    by_name = {run.selection.name: run for run in small if run.budget == "epochs"}
    assert set(by_name) == {"entropy", "whole", "rs2", "infobatch", "auto in run"}
    assert [name for name, run in by_name.items() if run.scoring] == ["entropy"]
    assert {run.selection.name for run in small if run.budget == "iterations"} == {"entropy"}
    assert {run.selection.name for run in small if run.purify} == {"entropy", "auto in run"}
    unscored = GRID.replace("[random, {method: redundancy_aware, score: el2n, name: ours}]", "[whole, rs2]")
    assert all(run.kind == "train" for run in expand(read(unscored)))
    # 1000 images are 15 batches of 64, 700 are 10: the whole set is trained on for two thirds of the epochs
    assert by_name["whole"].epochs(1000, 700) == round(10 * 10 / 15)


def test_a_method_that_chooses_before_each_epoch_cannot_choose_from_a_scoring_run(read):
    text = GRID.replace("[random,", "[{method: rs2, in_run: false},")
    with pytest.raises(FastreidPruneError, match="methods.in_run: False found for rs2"):
        read(text)
