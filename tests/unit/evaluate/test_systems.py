"""Tests of the contents of metrics.json."""

import json

import pytest

from etalage.errors import EtalageError
from etalage.evaluate.systems import SYSTEMS, build_metrics, scores_of
from etalage.task import Field

from .conftest import CONSTANT, FIELDS, TARGETS, evaluated


def test_metrics_json_has_the_agreed_shape() -> None:
    metrics = evaluated([None] * 80)
    assert list(metrics) == [
        *("split", "num_examples", "num_parsed", "title", "category", "price", "baselines", "controls", "intervals")
    ]
    blocks = {name: set(metrics[name]) for name in ("title", "category", "price")}
    assert list(metrics["baselines"]) == ["before", "majority"]
    assert list(metrics["controls"]) == ["blank", "shuffled"]
    for part in (*metrics["baselines"].values(), *metrics["controls"].values()):
        assert {name: set(part[name]) for name in blocks} == blocks
    assert metrics["intervals"]["price"]["mae"] is None
    assert len(metrics["intervals"]["controls"]["blank"]["price"]["mae"]) == 2
    assert len(metrics["intervals"]["baselines"]["before"]["price"]["mae"]) == 2
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_an_empty_split_and_a_reserved_field_name_are_refused() -> None:
    with pytest.raises(EtalageError, match="split is empty"):
        build_metrics("test", FIELDS, [], [], before=[], majority=CONSTANT, blank=[], shuffled=[])
    with pytest.raises(EtalageError, match="called intervals"):
        build_metrics(
            "test", [Field("intervals", "text")], TARGETS, TARGETS, before=[], majority={}, blank=[], shuffled=[]
        )


def test_scores_of_each_system_are_its_own() -> None:
    metrics = evaluated(TARGETS, before=[None] * 80, blank=[*TARGETS[:40], *[None] * 40])
    num_parsed = {system: scores_of(metrics, system)["num_parsed"] for system in SYSTEMS}
    assert num_parsed == {"model": 80, "before fine-tuning": 0, "majority": 80, "blank": 40, "shuffled": 80}
    for system in SYSTEMS:
        low, high = scores_of(metrics["intervals"], system)["category"]["accuracy"]
        assert low <= scores_of(metrics, system)["category"]["accuracy"] <= high


def test_every_system_is_resampled_alike() -> None:
    metrics = evaluated(TARGETS, before=TARGETS)
    assert metrics["intervals"]["title"] == metrics["intervals"]["baselines"]["before"]["title"]
