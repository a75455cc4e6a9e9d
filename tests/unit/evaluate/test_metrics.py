"""Tests of metrics against numbers worked by hand, and of chrF against the library that defines it."""

import json
import math

import pytest
from sacrebleu import corpus_chrf

from etalage.evaluate.metrics import DECIDING_METRICS, METRICS, Metric, fields_of, score, validation_score, within_20pct
from etalage.task import Field

TITLE, CATEGORY, PRICE = Field("title", "text"), Field("category", "category"), Field("price", "price")


def score_field(field: Field, targets: list, predictions: list) -> dict:
    wrapped = [None if p is None else {field.name: p} for p in predictions]
    return score([field], [{field.name: t} for t in targets], wrapped)


def test_price_metrics_worked_by_hand() -> None:
    # errors 10, 100, 200, 120; shares 0.1, 0.5, 0.5, 0.2; factors 1.1, 2, 1.5, 1.2
    price = score_field(PRICE, [100.0, 200.0, 400.0, 600.0], [110.0, 100.0, 600.0, 720.0])["price"]
    assert price["mae"] == pytest.approx(107.5)
    assert price["median_ape"] == pytest.approx(0.35)
    assert price["median_factor_error"] == pytest.approx(math.sqrt(1.2 * 1.5))
    assert price["within_20pct"] == 0.5


def test_an_unparsed_price_is_not_a_price_of_zero() -> None:
    scored = score_field(PRICE, [100.0, 100.0, 100.0, 100.0], [100.0, None, 110.0, None])
    assert (scored["num_examples"], scored["num_parsed"]) == (4, 2)
    assert scored["price"]["mae"] == pytest.approx(5)
    assert scored["price"]["within_20pct"] == 0.5


def test_category_metrics_worked_by_hand() -> None:
    # a: 2 tp, 1 fn, 0 fp -> 4/5; b: 1 tp, 1 fn, 1 fp -> 1/2; c: predicted once, never true -> 0
    scored = score_field(CATEGORY, ["a", "a", "a", "b", "b"], ["a", "a", "b", "b", "c"])["category"]
    assert scored["accuracy"] == pytest.approx(3 / 5)
    assert scored["macro_f1"] == pytest.approx((4 / 5 + 1 / 2 + 0) / 3)


def test_an_unparsed_category_is_a_miss_and_not_a_class() -> None:
    # a: 1 tp, 1 fn -> 2/3; b: 1 tp -> 1
    scored = score_field(CATEGORY, ["a", "a", "b"], ["a", None, "b"])["category"]
    assert scored == {"accuracy": pytest.approx(2 / 3), "macro_f1": pytest.approx((2 / 3 + 1) / 2)}


@pytest.mark.parametrize(
    ("targets", "predictions"),
    [
        (["Wool scarf", "Silk tie"], ["Wool scarf", "Silk tie"]),
        (["Wool scarf", "Silk tie", "Belt"], ["Wool coat", None, "A very long leather belt"]),
        (["ab", "x"], ["abc", "y"]),  # shorter than the longest n-gram
        (["Écharpe à carreaux"], ["Echarpe a carreaux"]),
        (["a"], [None]),
    ],
)
def test_chrf_equals_sacrebleu(targets: list[str], predictions: list[str | None]) -> None:
    expected = corpus_chrf([p or "" for p in predictions], [targets]).score
    assert score_field(TITLE, targets, predictions)["title"]["chrf"] == pytest.approx(expected)


def test_exact_match_counts_every_example() -> None:
    assert score_field(TITLE, ["a b", "c", "d"], ["a b", "C", None])["title"]["exact"] == pytest.approx(1 / 3)


def test_undefined_metrics_are_none() -> None:
    fields = [TITLE, CATEGORY, PRICE]
    scored = score(fields, [{"title": "a", "category": "b", "price": 1.0}] * 2, [None, None])
    assert scored["price"] == {"mae": None, "median_ape": None, "median_factor_error": None, "within_20pct": 0.0}
    assert scored["title"] == {"exact": 0.0, "chrf": 0.0}
    assert scored["category"] == {"accuracy": 0.0, "macro_f1": 0.0}
    json.dumps(scored, allow_nan=False)
    assert fields_of(scored) == fields


def test_validation_score_worked_by_hand() -> None:
    fields = [TITLE, CATEGORY, PRICE]
    cap = {"title": "Red Cap", "category": "A", "price": 100.0}
    hat = {"title": "Blue Hat", "category": "B", "price": 50.0}
    targets = [cap, hat]
    assert validation_score(fields, targets, targets) == pytest.approx(1)
    assert validation_score(fields, targets, [None, None]) == 0
    twice = [{**cap, "price": 200.0}, {**hat, "price": 25.0}]
    assert validation_score(fields, targets, twice) == pytest.approx((1 + 1 + 0.5) / 3)
    assert validation_score([CATEGORY, PRICE], targets, [cap, None]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("price", "is_within"), [(120.0, True), (80.0, True), (120.01, False), (79.99, False), (0.3 * 400, True)]
)
def test_a_price_may_be_20_percent_off(price: float, is_within: bool) -> None:
    assert within_20pct(100.0, price) is is_within


def test_a_binary_fraction_at_the_limit_is_within_20_percent() -> None:
    assert 1.2 * 0.7 - 0.7 > 0.2 * 0.7, "without slack it would be outside"
    assert within_20pct(0.7, 1.2 * 0.7)


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (METRICS["text"]["exact"], 0.808, "80.8 %"),
        (METRICS["price"]["mae"], 5.5, "5.50"),
        (METRICS["price"]["mae"], 1234.56, "1,235"),
        (METRICS["price"]["mae"], 1e30, "1.0e+30"),
        (METRICS["price"]["median_factor_error"], 1.126, "×1.13"),
        (METRICS["price"]["mae"], None, "–"),
    ],
)
def test_metrics_are_formatted(metric: Metric, value: float | None, text: str) -> None:
    assert metric.format(value) == text


def test_intervals_are_formatted_without_unit() -> None:
    assert METRICS["text"]["exact"].format_interval([0.1, 0.25]) == "10.0–25.0"
    assert METRICS["price"]["median_factor_error"].format_interval([1.0, 2.5]) == "1.00–2.50"
    assert METRICS["price"]["mae"].format_interval(None) == ""


def test_every_kind_of_field_has_a_deciding_metric() -> None:
    assert {kind: name in METRICS[kind] for kind, name in DECIDING_METRICS.items()} == dict.fromkeys(METRICS, True)


def test_only_blocks_with_all_metrics_are_fields() -> None:
    assert fields_of({"split": "test", "title": {"exact": 1.0}, "baselines": {}}) == []
