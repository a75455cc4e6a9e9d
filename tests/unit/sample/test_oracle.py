"""The best possible scores, computed from the attributes of drawn rows."""

import math
from statistics import median

import pytest

from etalage.sample.drawn import DrawnRows
from etalage.sample.oracle import Oracle
from etalage.sample.rows import Scalar


def attributes(**changes: Scalar) -> dict[str, Scalar]:
    """Return the attributes of a row that follows its law, with changes."""
    return {
        **{"law_title": "Red Coat", "title": "Red Coat", "law_category": "COATS", "category": "COATS"},
        **{"law_price": 100.0, "full_price": 100.0},
        **changes,
    }


def test_scores_are_those_of_the_laws_on_the_rows() -> None:
    drawn = DrawnRows(seed=3, brands=range(4), picture_px=24)
    rows = [drawn.make(number) for number in range(400)]
    oracle = Oracle()
    assert not oracle
    for row in rows:
        oracle.add(row.attributes)
    figures = oracle.figures()
    errors = [abs(math.log(row.record["full_price"] / row.attributes["law_price"])) for row in rows]
    assert figures["price_median_factor_error"] == pytest.approx(math.exp(median(errors)), abs=1e-6)
    exact = sum(row.record["title"] == row.attributes["law_title"] for row in rows) / len(rows)
    assert figures["title_exact"] == pytest.approx(exact, abs=1e-6)
    assert 0.97 < figures["category_accuracy"] < 1


def test_is_false_until_a_row_is_added() -> None:
    oracle = Oracle()
    assert not oracle
    oracle.add(attributes())
    assert oracle


def test_rows_that_follow_their_laws_give_perfect_scores() -> None:
    oracle = Oracle()
    for _ in range(5):
        oracle.add(attributes())
    assert oracle.figures() == {"title_exact": 1.0, "category_accuracy": 1.0, "price_median_factor_error": 1.0}


def test_each_score_counts_its_own_kind_of_noise() -> None:
    oracle = Oracle()
    for changes in ({}, {"title": "Coat"}, {"category": "SHIRTS"}, {"full_price": 200.0}):
        oracle.add(attributes(**changes))
    assert oracle.figures() == {"title_exact": 0.75, "category_accuracy": 0.75, "price_median_factor_error": 1.0}


@pytest.mark.parametrize("full_price", [50.0, 200.0])
def test_a_price_too_high_and_one_too_low_are_equally_wrong(full_price: float) -> None:
    oracle = Oracle()
    oracle.add(attributes(full_price=full_price))
    assert oracle.figures()["price_median_factor_error"] == 2.0
