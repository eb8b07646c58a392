import json
from dataclasses import replace

import pytest

from fastreid_prune.report.scoring_model import scoring_model
from fastreid_prune.report.source import read_source
from fastreid_prune.scored_run.metadata import TrainingRecord


@pytest.mark.parametrize(("found", "level"), [(0.05, "weak"), (0.3, "fair"), (0.9, "good")])
def test_a_model_that_finds_few_planted_errors_is_not_called_good(pictured_run, found, level):
    pictured = pictured_run(wrong=1)
    source = read_source(pictured.run, pictured.images)
    source = replace(source, record=TrainingRecord(results={"Rank-1": 90.0, "mAP": 80.0}))
    assert scoring_model(source).level == "good"
    about = source.table.about | {"thresholds": json.dumps({"switched_found": found})}
    model = scoring_model(replace(source, table=replace(source.table, about=about)))
    assert model.level == level and f"The scoring model was {level}" in model.headline
