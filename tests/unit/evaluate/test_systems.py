"""Tests of the contents of metrics.json."""

import json

import pytest

from etalage.errors import EtalageError
from etalage.evaluate.systems import SYSTEMS, build_metrics, format_score, scores_of, systems_in
from etalage.task import Field

from .conftest import CONSTANT, FIELDS, TARGETS, evaluated


def test_metrics_json_has_the_agreed_shape() -> None:
    metrics = evaluated([None] * 80)
    assert list(metrics) == [
        *("split", "num_groups", "num_examples", "num_parsed", "num_cut", "num_unparsable"),
        *("title", "category", "price", "baselines", "controls", "intervals"),
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


def test_cut_and_unparsable_answers_are_counted_apart() -> None:
    metrics = evaluated(
        [*TARGETS[:70], *[None] * 10], before=[None] * 80, num_cut={"model": 4, "before fine-tuning": 80}
    )
    assert [metrics[key] for key in ("num_parsed", "num_cut", "num_unparsable")] == [70, 4, 6]
    before = metrics["baselines"]["before"]
    assert [before[key] for key in ("num_parsed", "num_cut", "num_unparsable")] == [0, 80, 0]
    assert scores_of(metrics, "majority")["num_cut"] == scores_of(metrics, "blank")["num_unparsable"] == 0


@pytest.mark.parametrize(
    ("num_parsed", "text"), [(0, "–, 0 of 80"), (1, "–, 1 of 80"), (39, "–, 39 of 80"), (40, "×1.00")]
)
def test_a_price_error_speaks_for_half_of_the_answers_or_is_none(num_parsed: int, text: str) -> None:
    few = [*TARGETS[:num_parsed], *[None] * (80 - num_parsed)]
    metrics = evaluated(TARGETS, before=few, blank=few, shuffled=few)
    for system in ("before fine-tuning", "blank", "shuffled"):
        assert format_score(metrics, system, FIELDS[2], "median_factor_error") == text
        scores, ends = scores_of(metrics, system)["price"], scores_of(metrics["intervals"], system)["price"]
        for name in ("mae", "median_ape", "median_factor_error"):
            assert (scores[name] is None) == (ends[name] is None) == (num_parsed < 40)
        assert scores["within_20pct"] == num_parsed / 80, "which counts the others as wrong"
        assert format_score(metrics, system, FIELDS[1], "accuracy") == f"{num_parsed / 80:.1%}".replace("%", " %")


def test_one_product_has_scores_and_no_intervals_and_no_shuffled_control() -> None:
    metrics = evaluated(TARGETS[:1], targets=TARGETS[:1], shuffled=None)
    assert metrics["category"]["accuracy"] == 1
    assert "shuffled" not in metrics["controls"]
    assert systems_in(metrics) == ["model", "before fine-tuning", "majority", "blank"]
    ends = [end for block in metrics["intervals"].values() for end in block.values()]
    assert metrics["num_groups"] == 1
    assert metrics["intervals"]["title"] == {"exact": None, "chrf": None}
    assert ends


def test_products_that_are_all_copies_have_no_intervals() -> None:
    assert evaluated(TARGETS, groups=["a", "b", "c", "d"] * 20)["intervals"]["price"]["mae"] is None
    assert evaluated(TARGETS, groups=["a", "b", "c", "d", "e"] * 16)["intervals"]["price"]["mae"] is not None


def test_every_system_is_resampled_alike() -> None:
    metrics = evaluated(TARGETS, before=TARGETS)
    assert metrics["intervals"]["title"] == metrics["intervals"]["baselines"]["before"]["title"]
