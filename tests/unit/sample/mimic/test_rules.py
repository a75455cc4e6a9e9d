"""Rules between columns are found where nearly every row obeys them, and not where they hold by chance."""

import random

import pytest

from etalage.sample.mimic.rules import (
    FlagRule,
    LookupRule,
    Ratio,
    Reduced,
    find_amount_rules,
    find_flag_rule,
    find_lookup_rule,
)
from etalage.sample.mimic.suppressed_counts import K

RNG = random.Random(0)
FULL = [float(10 * RNG.randint(3, 300)) for _ in range(400)]
PRICE = [round(full * RNG.choice((1, 1, 1, 0.7, 0.5)), 2) for full in FULL]


def test_the_factor_between_two_currencies_is_found() -> None:
    columns = {"usd": FULL, "eur": [round(full * 0.8765, 2) for full in FULL]}
    assert find_amount_rules(columns, {"usd": 2, "eur": 2}) == {"eur": Ratio("usd", 0.8765)}


def test_the_rounder_column_is_the_source() -> None:
    columns = {"eur": [round(full * 1.1319, 2) for full in FULL], "usd": FULL}
    assert find_amount_rules(columns, {"usd": 2, "eur": 2}) == {"eur": Ratio("usd", 1.1319)}


def test_a_few_rows_may_break_a_rule() -> None:
    euros: list[float | None] = [round(full * 0.9, 2) for full in FULL]
    euros[7] = 1.0
    euros[9] = None
    assert find_amount_rules({"usd": FULL, "eur": euros}, {"usd": 2, "eur": 2}) == {"eur": Ratio("usd", 0.9)}
    euros[:10] = [1.0] * 10
    assert find_amount_rules({"usd": FULL, "eur": euros}, {"usd": 2, "eur": 2}) == {}


def test_a_reduced_price_is_found() -> None:
    assert find_amount_rules({"full": FULL, "price": PRICE}, {"full": 2, "price": 2}) == {
        "price": Reduced("full", downwards=True)
    }


def test_a_raised_price_is_found() -> None:
    columns = {"price": FULL, "list": [full + (0.77 if n % 3 else 0) for n, full in enumerate(FULL)]}
    assert find_amount_rules(columns, {"price": 2, "list": 2}) == {"list": Reduced("price", downwards=False)}


def test_rules_may_follow_each_other_but_never_in_a_circle() -> None:
    columns = {"eur": [round(price * 0.9, 2) for price in PRICE], "price": PRICE, "full": FULL}
    rules = find_amount_rules(columns, dict.fromkeys(columns, 2))
    assert rules == {"price": Reduced("full", downwards=True), "eur": Ratio("price", 0.9)}


def test_independent_numbers_follow_no_rule() -> None:
    weights = [round(RNG.uniform(0.1, 9), 1) for _ in FULL]
    assert find_amount_rules({"full": FULL, "weight": weights}, {"full": 2, "weight": 1}) == {}


def test_too_few_rows_give_no_rule() -> None:
    few: list[float] = FULL[: 2 * K - 1]
    columns = {"usd": few, "eur": [round(full * 0.9, 2) for full in few]}
    assert find_amount_rules(columns, {"usd": 2, "eur": 2}) == {}


def test_a_text_that_another_implies_is_found() -> None:
    texts = {"wide": ["bags", "shoes"] * 20, "season": ["summer", "winter"] * 20}
    assert find_lookup_rule(texts, "season", ["wide"]) == LookupRule("wide", {"bags": "summer", "shoes": "winter"})


def test_the_first_source_that_implies_a_text_counts() -> None:
    texts = {"x": ["1", "2"] * 20, "y": ["a", "b"] * 20, "other": ["1", "1", "2", "2"] * 10}
    rule = find_lookup_rule(texts, "x", ["other", "y"])
    assert rule is not None
    assert rule.source == "y"


def test_one_exception_breaks_an_implication() -> None:
    texts = {"wide": ["bags", "shoes"] * 20, "season": ["summer", "winter"] * 20}
    texts["season"][5] = "summer"
    assert find_lookup_rule(texts, "season", ["wide"]) is None


def test_missing_texts_are_implied_too() -> None:
    texts: dict[str, list[str | None]] = {"wide": ["bags", None] * 20, "season": [None, "winter"] * 20}
    assert find_lookup_rule(texts, "season", ["wide"]) == LookupRule("wide", {"bags": "", "": "winter"})


def test_an_implication_of_rare_texts_is_not_kept() -> None:
    texts = {"wide": ["bags", "shoes"] * 20 + ["secret"] * (K - 1), "season": ["s", "w"] * 20 + ["x"] * (K - 1)}
    rule = find_lookup_rule(texts, "season", ["wide"])
    assert rule is not None
    assert "secret" not in rule.values


def test_a_constant_is_implied_by_nothing() -> None:
    assert find_lookup_rule({"wide": ["a", "b"] * 20, "x": ["same"] * 40}, "x", ["wide"]) is None


def test_a_flag_for_reduced_prices_is_found() -> None:
    columns, rules = {"full": FULL, "price": PRICE}, {"price": Reduced("full", downwards=True)}
    flags = ["sale" if price < full else None for full, price in zip(FULL, PRICE, strict=True)]
    assert find_flag_rule(flags, columns, rules) == FlagRule("price", "full", if_reduced="sale", if_equal="")


@pytest.mark.parametrize("exception", [0, 200, 399])
def test_one_exception_breaks_a_flag(exception: int) -> None:
    columns, rules = {"full": FULL, "price": PRICE}, {"price": Reduced("full", downwards=True)}
    flags = ["sale" if price < full else "" for full, price in zip(FULL, PRICE, strict=True)]
    flags[exception] = "other"
    assert find_flag_rule(flags, columns, rules) is None


def test_a_constant_is_no_flag() -> None:
    columns = {"full": FULL, "price": PRICE}
    assert find_flag_rule(["x"] * 400, columns, {"price": Reduced("full", downwards=True)}) is None
    assert find_flag_rule(["x"] * 400, columns, {"price": Ratio("full", 0.9)}) is None
