"""Every configuration that is shipped."""

from pathlib import Path

import pytest
import yaml

# grids of experiments are no configurations of fastreid's; tests/experiments reads them
CONFIGS = sorted(
    path
    for path in (Path(__file__).parents[2] / "configs").rglob("*.yml")
    if not path.stem.startswith("grid")
)


def load(path):
    from fastreid.config import get_cfg

    cfg = get_cfg()
    cfg.merge_from_file(str(path))
    return cfg


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_loads_and_makes_sense(path):
    from fastreid_prune.plugin.config import check_prune_config

    cfg = load(path)
    check_prune_config(cfg)
    scoring = "score" in path.stem
    assert cfg.PRUNE.CAPTURE.ENABLED == scoring
    assert cfg.PRUNE.SEED >= 0
    if scoring:
        assert cfg.SOLVER.MAX_EPOCH == 12


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_it_is_based_on_lies_beside_it(path):
    base = yaml.safe_load(path.read_text()).get("_BASE_")
    assert base is None or (path.parent / base).is_file()


@pytest.mark.parametrize(
    "name", ["Market1501/score_R50", "Market1501/retrain_vit", "Demo/score", "VeRi/score_sbs_R50-ibn"]
)
def test_its_model_can_be_built(name):
    from fastreid.engine import DefaultTrainer

    from fastreid_prune.plugin.heads import find_head

    cfg = load(Path(__file__).parents[2] / "configs" / f"{name}.yml")
    cfg.MODEL.DEVICE, cfg.MODEL.BACKBONE.PRETRAIN, cfg.MODEL.HEADS.NUM_CLASSES = "cpu", False, 10
    head, _ = find_head(DefaultTrainer.build_model(cfg))
    assert head == "heads"


def test_a_recipe_is_found_where_there_is_no_checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load("configs/Demo/score.yml").SOLVER.MAX_EPOCH == 12
