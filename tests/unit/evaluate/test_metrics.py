"""Each figure against numbers worked by hand, and chrF against the library that defines it."""

import json
import math

import pytest
from sacrebleu import corpus_chrf

from etalage.evaluate.baselines import majority
from etalage.evaluate.metrics import fields_of, score, validation_score
from etalage.task import Field

TITLE, CATEGORY, PRICE = Field("title", "text"), Field("category", "category"), Field("price", "price")


def of(field: Field, targets: list, predictions: list) -> dict:
    wrapped = [None if p is None else {field.name: p} for p in predictions]
    return score([field], [{field.name: t} for t in targets], wrapped)


def test_price_figures_by_hand() -> None:
    # errors 10, 100, 200, 120; shares 0.1, 0.5, 0.5, 0.2; factors 1.1, 2, 1.5, 1.2
    price = of(PRICE, [100.0, 200.0, 400.0, 600.0], [110.0, 100.0, 600.0, 720.0])["price"]
    assert price["mae"] == pytest.approx(107.5)
    assert price["median_ape"] == pytest.approx(0.35)
    assert price["median_factor_error"] == pytest.approx(math.sqrt(1.2 * 1.5))
    assert price["within_20pct"] == 0.5


def test_unread_price_is_no_price_of_zero() -> None:
    scored = of(PRICE, [100.0, 100.0, 100.0, 100.0], [100.0, None, 110.0, None])
    assert (scored["num_examples"], scored["num_parsed"]) == (4, 2)
    assert scored["price"]["mae"] == pytest.approx(5)
    assert scored["price"]["within_20pct"] == 0.5


def test_category_figures_by_hand() -> None:
    # a: 2 tp, 1 fn, 0 fp -> 4/5; b: 1 tp, 1 fn, 1 fp -> 1/2; c: said once, never true -> 0
    scored = of(CATEGORY, ["a", "a", "a", "b", "b"], ["a", "a", "b", "b", "c"])["category"]
    assert scored["accuracy"] == pytest.approx(3 / 5)
    assert scored["macro_f1"] == pytest.approx((4 / 5 + 1 / 2 + 0) / 3)


def test_unread_category_is_a_miss_and_no_class() -> None:
    # a: 1 tp, 1 fn -> 2/3; b: 1 tp -> 1
    scored = of(CATEGORY, ["a", "a", "b"], ["a", None, "b"])["category"]
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
def test_chrf_is_sacrebleus(targets: list[str], predictions: list[str | None]) -> None:
    expected = corpus_chrf([p or "" for p in predictions], [targets]).score
    assert of(TITLE, targets, predictions)["title"]["chrf"] == pytest.approx(expected)


def test_exact_counts_every_example() -> None:
    assert of(TITLE, ["a b", "c", "d"], ["a b", "C", None])["title"]["exact"] == pytest.approx(1 / 3)


def test_what_is_not_defined_is_none() -> None:
    fields = [TITLE, CATEGORY, PRICE]
    scored = score(fields, [{"title": "a", "category": "b", "price": 1.0}] * 2, [None, None])
    assert scored["price"] == {"mae": None, "median_ape": None, "median_factor_error": None, "within_20pct": 0.0}
    assert scored["title"] == {"exact": 0.0, "chrf": 0.0}
    assert scored["category"] == {"accuracy": 0.0, "macro_f1": 0.0}
    json.dumps(scored, allow_nan=False)
    assert fields_of(scored) == fields


def test_majority_breaks_ties_by_the_alphabet() -> None:
    rows = [("Zip", "bag", 1.0), ("Ant", "bag", 9.0), ("Zip", "hat", 3.0), ("Ant", "hat", 5.0)]
    values = [{"title": t, "category": c, "price": p} for t, c, p in rows]
    expected = {"title": "Ant", "category": "bag", "price": 4.0}
    assert majority([TITLE, CATEGORY, PRICE], values) == expected
    assert majority([TITLE, CATEGORY, PRICE], values[::-1]) == expected
    with pytest.raises(ValueError, match="training split is empty"):
        majority([TITLE], [])


def test_closeness_by_hand() -> None:
    fields = [TITLE, CATEGORY, PRICE]
    cap = {"title": "Red Cap", "category": "A", "price": 100.0}
    hat = {"title": "Blue Hat", "category": "B", "price": 50.0}
    targets = [cap, hat]
    assert validation_score(fields, targets, targets) == pytest.approx(1)
    assert validation_score(fields, targets, [None, None]) == 0
    twice = [{**cap, "price": 200.0}, {**hat, "price": 25.0}]
    assert validation_score(fields, targets, twice) == pytest.approx((1 + 1 + 0.5) / 3)
    assert validation_score([CATEGORY, PRICE], targets, [cap, None]) == pytest.approx(0.5)
