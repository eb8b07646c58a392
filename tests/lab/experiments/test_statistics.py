"""Means, paired differences, how far one can prune: against numbers worked out by hand and by scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from fastreid_prune.lab.experiments.costs import costs
from fastreid_prune.lab.experiments.statistics import (
    Setting,
    difference,
    furthest,
    mean,
    of_method,
    settings,
    unpruned,
)
from fastreid_prune.lab.experiments.summary import as_html, as_markdown, blocks
from fastreid_prune.lab.experiments.table import UNPRUNED

SETTING = Setting("net", "net", "epochs", "no")


def row(method, ratio, seed, metric, **more):
    plain = {
        "kind": "train", "status": "done", "scored_with": "net" if ratio else None, "recipe": "net", "method": method,
        "ratio": ratio, "purified": "no", "budget": "epochs", "seed": seed, "metric": metric, "Rank-1": metric + 10,
        "mAP": metric - 10, "mINP": None, "images": 100 * (1 - ratio), "images_seen": 1000 * (1 - ratio),
        "wall_seconds": 50 * (1 - ratio), "cpu_seconds": 40 * (1 - ratio), "training_seconds": 45 * (1 - ratio),
        "folder": "runs/x", "error": "",
    }  # fmt: skip
    return plain | more


@pytest.fixture
def table():
    rows = [row(UNPRUNED, 0.0, seed, 50 + seed) for seed in range(3)]
    for ratio, loss in ((0.1, 0.05), (0.3, 0.6), (0.5, 0.0)):
        rows += [row("entropy", ratio, seed, 50 + seed - loss) for seed in range(3)]
        rows += [row("random", ratio, seed, 49.5 + seed - loss + 0.1 * seed) for seed in range(3)]
    rows.append(row("entropy", 0.3, 3, 99.0, status="failed", error="out of memory"))
    scoring = row("", 0.0, 0, 40.0, kind="score", images_seen=100, wall_seconds=5, cpu_seconds=4)
    return [scoring, *rows]


def test_differences_are_of_the_same_seed_and_agree_with_scipy():
    rng = np.random.default_rng(0)
    one, other = ({seed: float(value) for seed, value in enumerate(rng.normal(size=6))} for _ in range(2))
    found = difference(one, other | {99: 1e9})
    reference = stats.ttest_rel(list(one.values()), list(other.values())).confidence_interval(0.95)
    assert found.seeds == 6 and (found.low, found.high) == pytest.approx((reference.low, reference.high))
    assert math.isnan(difference({0: 1.0}, {0: 0.5}).low) and difference({0: 1.0}, {1: 0.5}).seeds == 0


def test_failed_runs_do_not_count(table):
    assert of_method(table, SETTING, "entropy", 0.3) == pytest.approx({0: 49.4, 1: 50.4, 2: 51.4})
    assert mean(unpruned(table, SETTING)).mean == 51 and mean(unpruned(table, SETTING)).std == 1


def test_how_far_ends_at_the_first_ratio_that_loses_more(table):
    found = furthest(table, SETTING, "entropy")
    # 30 % loses 0.6 points, so the 50 % that lose nothing do not count; one standard deviation is 1 point
    assert (found.points, found.std) == (0.1, 0.5)


def test_costs_compare_scoring_and_pruned_training_with_a_full_one(table):
    images = costs(table, SETTING)[0]
    assert images.cheaper == 10
    assert images.saved(0.3, False) == pytest.approx(0.3) and images.saved(0.3, True) == pytest.approx(0.2)


def test_the_page_says_it_all_and_is_self_contained(table, tmp_path):
    from fastreid_prune.lab.experiments.figures import draw

    assert settings(table) == [SETTING]
    figures = draw(table, SETTING, "net", tmp_path)
    page = blocks(table, "random", {SETTING: figures})
    text, html = as_markdown(page, "Sweep"), as_html(page, "Sweep")
    assert "| entropy | 50.95 ± 1.00 | 50.40 ± 1.00 | 51.00 ± 1.00 |" in text
    assert "| entropy | +0.40 [+0.15, +0.65] |" in text
    assert "out of memory" in text and "accuracy-net" in text
    assert html.count("<svg") == 2 and "src=" not in html and 'href="http' not in html
    assert all(path.with_suffix(".png").stat().st_size > 5000 for path in figures)
    again = draw(table, SETTING, "net", tmp_path / ".." / tmp_path.name)
    assert [path.read_bytes() for path in figures] == [path.read_bytes() for path in again]
