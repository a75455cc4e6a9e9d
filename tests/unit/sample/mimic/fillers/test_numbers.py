"""Numbers stand where their residual puts them, and prices follow from others."""

import pytest

from etalage.sample.mimic.copula import ScoreMixture
from etalage.sample.mimic.families import Family
from etalage.sample.mimic.fillers.draft import Draft
from etalage.sample.mimic.fillers.numbers import Number, ReducedPrice, Scaled
from etalage.sample.mimic.marginals import Marginal
from etalage.sample.mimic.rounding import Rounding
from etalage.sample.mimic.suppressed_counts import SuppressedCounts
from etalage.sample.mimic.writing import NumberStyle

STYLE = NumberStyle("", "", "", ".", 2, 2, has_leading_zero=True, is_plain=True, parse_mark=".")
WHOLE = Rounding(2, SuppressedCounts.learn([], 2))
CENTS = Rounding(2, SuppressedCounts.learn([], 0))


def draft_of(row: int = 0, path: tuple[str, ...] = ("BAGS",), **residuals: float) -> Draft:
    """Return a row that is a family of its own."""
    return Draft(0, row, Family(path, row, 0, 0.5), {}, residuals)


def number_of(values: dict[tuple[str, ...], list[float]], rounding: Rounding = CENTS) -> Number:
    """Return a filler with a marginal for each of some prefixes."""
    marginals = {p: (Marginal.learn(found), ScoreMixture.learn({}, {p: 1.0})) for p, found in values.items()}
    return Number("price", STYLE, marginals, rounding)


def test_residuals_decide_the_quantile() -> None:
    filler = number_of({(): [float(n) for n in range(1, 101)]})
    low, middle, high = (float(filler.fill(draft_of(price=z)) or 0) for z in (-2.0, 0.0, 2.0))
    assert low < 8
    assert middle == pytest.approx(50, abs=4)
    assert high > 93


def test_the_narrowest_marginal_counts() -> None:
    filler = number_of({(): [10.0] * 9, ("BAGS",): [20.0] * 9, ("BAGS", "TOTES"): [30.0] * 9})
    paths = [("BAGS", "TOTES", "RED"), ("BAGS", "HATS"), ("SHOES",)]
    assert [filler.fill(draft_of(path=path, price=0.0)) for path in paths] == ["30.00", "20.00", "10.00"]


def test_kept_values_are_not_rounded() -> None:
    assert number_of({(): [9.99] * 9}, WHOLE).fill(draft_of(price=0.3)) == "9.99"


def test_other_values_are_rounded_as_the_column_is() -> None:
    filler = number_of({(): [100 + 0.37 * n for n in range(90)]}, WHOLE)
    assert all(str(filler.fill(draft_of(price=z / 10))).endswith(".00") for z in range(-15, 15))


def test_scaled_amounts_are_products_of_what_is_written() -> None:
    draft = draft_of()
    draft.amounts["usd"] = 19.99
    assert Scaled("eur", "usd", 0.9, STYLE).fill(draft) == "17.99"
    assert draft.amounts["eur"] == 17.99


def reduced(share: float, factor: float | None, *, downwards: bool = True) -> ReducedPrice:
    """Return a filler that reduces a share of the prices."""
    flags = [(((),), n < 40 * share, n) for n in range(40)]
    factors = None if factor is None else Marginal.learn([factor] * 9)
    return ReducedPrice("price", "full", SuppressedCounts.learn(flags, False), factors, CENTS, STYLE, downwards)


def prices(filler: ReducedPrice, n: int = 400) -> list[float]:
    """Return what prices of 100 become."""
    found = []
    for row in range(n):
        draft = draft_of(row)
        draft.amounts["full"] = 100.0
        found.append(float(filler.fill(draft) or 0))
    return found


def test_prices_are_reduced_as_often_and_as_far_as_in_the_original() -> None:
    found = prices(reduced(0.25, 0.8))
    assert set(found) == {100.0, 80.0}
    assert found.count(80.0) / len(found) == pytest.approx(0.25, abs=0.07)


def test_prices_never_leave_their_direction() -> None:
    assert set(prices(reduced(0.5, 1.2))) == {100.0}
    assert set(prices(reduced(0.5, 0.8, downwards=False))) == {100.0}
    assert set(prices(reduced(0.5, 1.2, downwards=False))) == {100.0, 120.0}


def test_prices_without_known_factors_stay() -> None:
    assert set(prices(reduced(0.5, None))) == {100.0}
