import json

import numpy as np
import pytest

from fastreid_prune.purify.evidence import COLUMNS, PAIRED, WEIGHED
from fastreid_prune.purify.general import FILE, General, expand, general, terms


def test_the_packages_weights_have_the_evidences_columns():
    values = json.loads(FILE.read_text())
    assert values["terms"] == [list(term) for term in terms()] and values["name_columns"] == list(COLUMNS)
    weights = general()
    assert weights.weights.coefficients.shape == (3, len(terms()))
    assert weights.weights.intercepts.shape == (3,)
    assert weights.name.shape == (len(COLUMNS),) and np.isfinite(weights.weights.coefficients).all()
    assert weights.about


def test_each_term_is_a_column_or_the_product_of_two():
    scaled = np.random.default_rng(0).normal(size=(5, len(COLUMNS)))
    column = dict(zip(COLUMNS, scaled.T, strict=True))
    expanded = dict(zip(terms(), expand(scaled).T, strict=True))
    for name in WEIGHED:
        np.testing.assert_array_equal(expanded.pop((name,)), column[name])
    assert {frozenset(term) for term in expanded} == {frozenset((a, b)) for a in PAIRED for b in PAIRED}
    ratio = np.array([values / (column[a] * column[b]) for (a, b), values in expanded.items()])
    np.testing.assert_allclose(ratio, ratio[0, 0])


def test_likeness_to_another_identity_speaks_for_a_wrong_label():
    usual, against = np.zeros((2, 1, len(COLUMNS)))
    against[0, COLUMNS.index("likeness")], against[0, COLUMNS.index("given_likeness")] = 3, -3
    weights = general()
    assert weights.log_likelihood(against)[0, 1] > weights.log_likelihood(usual)[0, 1] + 2
    assert weights.log_likelihood(usual)[0, 1] < 0


def test_the_file_is_read_as_written(tmp_path):
    general().write(tmp_path / "weights.json")
    again = General.read(tmp_path / "weights.json")
    np.testing.assert_allclose(again.weights.coefficients, general().weights.coefficients, atol=1e-4)
    np.testing.assert_allclose(again.weights.intercepts, general().weights.intercepts, atol=1e-4)
    np.testing.assert_allclose(again.name, general().name, atol=1e-4)
    assert again.about == general().about


@pytest.mark.parametrize("key", ["terms", "name_columns"])
def test_weights_of_other_columns_are_refused(tmp_path, key):
    values = json.loads(FILE.read_text())
    values[key] = values[key][::-1]
    (tmp_path / "weights.json").write_text(json.dumps(values))
    with pytest.raises(ValueError, match="other columns"):
        General.read(tmp_path / "weights.json")


def test_name_odds_are_log_odds_of_the_scaled_columns():
    weights = general()
    scaled = np.zeros((2, len(COLUMNS)))
    scaled[1, COLUMNS.index("likeness_margin")] = 2
    odds = weights.name_odds(scaled)
    lead = weights.name[COLUMNS.index("likeness_margin")]
    assert odds[0] == weights.name_offset and odds[1] - odds[0] == pytest.approx(2 * lead) and lead > 0
