"""Tests of bootstrap intervals."""

import numpy as np
import pytest

from etalage.evaluate.intervals import bootstrap_intervals
from etalage.evaluate.metrics import score
from etalage.task import Field

from .conftest import CONSTANT, FIELDS, OTHERS, TARGETS


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng, field = np.random.default_rng(0), [Field("category", "category")]
    covered = 0
    targets = [{"category": "right"}] * 80
    for seed in range(60):
        predictions = [{"category": "right" if hit else "wrong"} for hit in rng.random(80) < 0.7]
        low, high = bootstrap_intervals(field, targets, predictions, seed=seed)["category"]["accuracy"]
        covered += low <= 0.7 <= high
    assert 51 <= covered <= 60


def test_intervals_contain_the_score_and_repeat() -> None:
    predictions = [None if i % 11 == 0 else OTHERS[i] if i % 3 == 0 else TARGETS[i] for i in range(80)]
    scored, ends = score(FIELDS, TARGETS, predictions), bootstrap_intervals(FIELDS, TARGETS, predictions, seed=5)
    assert ends == bootstrap_intervals(FIELDS, TARGETS, predictions, seed=5)
    for field in FIELDS:
        for metric, (low, high) in ends[field.name].items():
            assert low <= scored[field.name][metric] <= high, metric


def test_products_of_a_group_are_no_independent_evidence() -> None:
    field = FIELDS[1:2]
    predictions = [CONSTANT if i // 10 % 2 else TARGETS[i] for i in range(80)]  # ten in a row stand or fall together
    groups = [f"g{i // 10}" for i in range(80)]
    alone = bootstrap_intervals(field, TARGETS, predictions)["category"]["accuracy"]
    together = bootstrap_intervals(field, TARGETS, predictions, groups=groups)["category"]["accuracy"]
    assert together[1] - together[0] > 1.5 * (alone[1] - alone[0])


def test_many_examples_are_resampled_in_chunks_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bootstrap_intervals(FIELDS, TARGETS, OTHERS)
    monkeypatch.setattr("etalage.evaluate.intervals._MAX_WEIGHTS", 7 * len(TARGETS))
    chunked = bootstrap_intervals(FIELDS, TARGETS, OTHERS)
    assert chunked == whole


def test_a_metric_that_no_resample_defines_has_no_interval() -> None:
    ends = bootstrap_intervals(FIELDS, TARGETS, [None] * 80)
    assert ends["price"]["mae"] is None
    assert ends["price"]["within_20pct"] == [0, 0]


def test_nothing_to_resample_is_an_error() -> None:
    with pytest.raises(AssertionError, match="nothing to resample"):
        bootstrap_intervals(FIELDS, [], [])
