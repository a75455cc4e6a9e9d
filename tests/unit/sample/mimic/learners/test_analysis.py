"""Rows are analysed once: their kinds, families, amounts, gaps and rules."""

import pytest

from etalage.sample.mimic.learners.analysis import Analysis, length_name
from etalage.sample.mimic.rules import Ratio, Reduced
from etalage.sample.mimic.suppressed_counts import K
from tests.unit.sample.mimic.shop import analysis_of, shop_columns


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analysis_of(shop_columns(300))


def test_amounts_of_prices_dates_and_lengths(analysis: Analysis) -> None:
    assert set(analysis.amounts) == {"full_price", "price", "price_eur", "weight", "listed", "words of text"}
    assert analysis.amounts["words of text"][0] == len(str(analysis.known.texts["text"][0]).split())
    assert analysis.amounts[length_name("text")] is analysis.amounts["words of text"]


def test_rules_between_prices(analysis: Analysis) -> None:
    assert analysis.rules == {"price": Reduced("full_price", downwards=True), "price_eur": Ratio("price", 0.9)}
    assert set(analysis.numbers) == {"full_price", "weight", "listed", "words of text"}


def test_the_price_is_traced_to_its_source(analysis: Analysis) -> None:
    assert analysis.price_number == "full_price"
    roles = {"title": "title", "category": "category2", "price": "price_eur", "image": "photo"}
    assert analysis_of(shop_columns(300), roles=roles).price_number == "full_price"
    del roles["price"]
    assert analysis_of(shop_columns(300), roles=roles).price_number == ""


def test_decimals_are_those_of_the_column(analysis: Analysis) -> None:
    assert {name: analysis.decimals(name) for name in ("full_price", "weight", "listed", "words of text")} == {
        "full_price": 2,
        "weight": 1,
        "listed": 0,
        "words of text": 0,
    }


def test_factors_are_missing_where_an_amount_is(analysis: Analysis) -> None:
    factors = analysis.factors("weight", "full_price")
    weights = analysis.amounts["weight"]
    assert [factor is None for factor in factors] == [weight is None for weight in weights]
    assert all(factor is None or 0 < factor <= 1 for factor in analysis.factors("price", "full_price"))


def test_families_are_cut_where_the_category_changes() -> None:
    columns = shop_columns(60)
    analysis = analysis_of(columns, groups=["one"] * 60)
    assert len(set(analysis.families)) == len(set(columns["category2"]))


def test_placeholder_pictures_make_no_family() -> None:
    analysis = analysis_of(shop_columns(60), groups=["one"] * 60, placeholders=[True] * 20 + [False] * 40)
    assert len(set(analysis.families[:20])) == 20
    assert not set(analysis.families[:20]) & set(analysis.families[20:])


def test_columns_with_the_same_gaps_are_found() -> None:
    columns = shop_columns(100)
    for row in range(100):
        if row % 4 == 0:
            columns["weight"][row] = columns["listed"][row] = None
        elif columns["weight"][row] is None:
            columns["weight"][row] = "1.0"
    columns["text"][: K - 1] = [None] * (K - 1)
    analysis = analysis_of(columns)
    assert analysis.gaps == {"weight": "weight", "listed": "weight"}
    assert sum(analysis.missing("listed")) == 25


def test_unreadable_numbers_are_gaps() -> None:
    columns = shop_columns(400)
    columns["price_eur"][:6] = ["unknown"] * 6
    assert sum(analysis_of(columns).missing("price_eur")) == 6


def test_rows_under_a_prefix(analysis: Analysis) -> None:
    paths = analysis.tree.paths
    assert analysis.rows_under(()) == list(range(300))
    assert analysis.rows_under(("SHOES",)) == [row for row in range(300) if paths[row][0] == "SHOES"]
    assert analysis.rows_under(("NONE",)) == []


def test_missing_values_are_not_counted_by_category(analysis: Analysis) -> None:
    counts = analysis.count_by_category(["x"] * 150 + [None] * 150, fallback="none")
    assert counts.overall.values == ("x",)
    assert analysis.count_by_category([None] * 300, fallback="none").overall.values == ("none",)
