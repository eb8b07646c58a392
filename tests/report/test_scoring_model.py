import json
from dataclasses import replace

import pytest

from fastreid_prune.purify import Claim, Summary
from fastreid_prune.purify.claims import IN_DOUBT, NAMES, OUTLIERS
from fastreid_prune.report.scoring_model import scoring_model
from fastreid_prune.report.source import read_source
from fastreid_prune.scored_run.metadata import TrainingRecord


@pytest.mark.parametrize(
    ("separation", "refused", "level"), [(0.6, "so", "weak"), (0.97, "so", "fair"), (0.97, "", "good")]
)
def test_a_model_that_injected_errors_do_not_bear_out_is_not_called_good(
    pictured_run, separation, refused, level
):
    pictured = pictured_run(wrong=1)
    source = read_source(pictured.run, pictured.images)
    source = replace(source, record=TrainingRecord(results={"Rank-1": 90.0, "mAP": 80.0}))
    assert scoring_model(source).level == "good"
    claims = tuple(Claim(kind, 0.95, refused=refused) for kind in (NAMES, OUTLIERS, IN_DOUBT))
    summary = Summary(
        100, 0, 0, 0.95, claims, 0.0, 0.0, 0.9, injected_labels=60, separation=separation, name_first=0.9
    )
    about = source.table.about | {"thresholds": json.dumps(summary.to_json())}
    model = scoring_model(replace(source, table=replace(source.table, about=about)))
    assert model.level == level and f"The scoring model was {level}" in model.headline
