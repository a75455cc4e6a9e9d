"""Prices are written in notations that read in one way only."""

import random

import pytest

from etalage.catalogue.prices import parse_amount
from etalage.sample.faults.price_texts import price_as_text


def texts(price: float | str | None) -> set[tuple[str, float | None]]:
    return {price_as_text(price, random.Random(seed)) for seed in range(60)}


@pytest.mark.parametrize("price", [0.5, 7.0, 99.99, 1290.0, 12_345.5, 1_234_567.0])
def test_numbers_keep_their_value_in_every_notation(price: float) -> None:
    found = texts(price)
    assert len(found) == 6
    for text, value in found:
        assert value == price
        for mark in ("auto", ".", ","):
            assert parse_amount(text, price_range="low", decimal=mark).value == pytest.approx(price)  # type: ignore[arg-type]


def test_whole_numbers_count_as_prices() -> None:
    assert {value for _, value in texts(40)} == {40.0}


@pytest.mark.parametrize(("text", "value"), [("12.50", 12.5), ("1.290,00 EUR", 1290.0), ("1,290.00", 1290.0)])
def test_texts_get_a_phrase_around_them(text: str, value: float) -> None:
    found = texts(text)
    assert {words.replace(text, "{}") for words, _ in found} == {"from {}", "only {}", "{} incl. VAT"}
    assert {amount for _, amount in found} == {value}


@pytest.mark.parametrize("price", ["1.290", "12,345", "on request", "", None])
def test_what_reads_in_two_ways_or_none_has_no_value(price: str | None) -> None:
    assert {value for _, value in texts(price)} == {None}
