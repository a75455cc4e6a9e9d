"""Currencies are known by code, sign and header, with the decimals that ISO 4217 gives them."""

import pytest

from etalage.catalogue.currencies import (
    CURRENCY_CODES,
    CURRENCY_SIGNS,
    SHARED_SIGNS,
    check_currency,
    find_currency_column,
    find_header_currency,
    is_compatible,
    num_decimals,
    parse_currency,
)
from etalage.catalogue.prices import parse_amount
from etalage.errors import EtalageError


def test_every_sign_means_known_codes() -> None:
    assert len(CURRENCY_CODES) > 150
    assert set(CURRENCY_SIGNS.values()) <= CURRENCY_CODES
    assert {code for codes in SHARED_SIGNS.values() for code in codes if code} <= CURRENCY_CODES
    assert not CURRENCY_SIGNS.keys() & SHARED_SIGNS.keys()
    assert all(sign == sign.upper() for sign in (*CURRENCY_SIGNS, *SHARED_SIGNS))


@pytest.mark.parametrize("code", ["KWD", "BHD", "OMR", "JOD", "TND", "IQD", "LYD"])
def test_three_decimals_stay_decimals(code: str) -> None:
    assert num_decimals(code) == 3
    assert parse_amount(f"4.250 {code}", price_range="low").value == 4.25
    assert parse_amount(f"{code} 12,500", price_range="low").value == 12.5
    assert parse_amount("4.250", price_range="low", currency=code).value == 4.25
    # What the column proves goes first.
    assert parse_amount(f"1,250 {code}", price_range="low", decimal=".").value == 1250


@pytest.mark.parametrize("code", ["JPY", "KRW", "VND", "CLP", "ISK", "PYG", "UGX", "XAF", "XOF", "RWF"])
def test_a_currency_without_decimals_has_only_thousands(code: str) -> None:
    assert num_decimals(code) == 0
    for text in (f"1.299 {code}", f"{code} 1,299"):
        assert parse_amount(text, price_range="low", decimal=".").value == 1299
        assert parse_amount(text, price_range="low", decimal=",").value == 1299


def test_signs_have_the_decimals_that_all_their_currencies_share() -> None:
    assert [num_decimals(mark) for mark in ("$", "KR", "¥", "FCFA", "", "EUR")] == [2, 2, 2, 0, 2, 2]
    # Of its currencies one alone has three decimals, so the separator stands for thousands as elsewhere.
    assert num_decimals("ریال") == 2
    assert parse_amount("123,000 ریال", price_range="low").value == 123_000


@pytest.mark.parametrize(
    ("header", "currency"),
    [
        ("Price (KWD)", "KWD"),
        ("Preis in EUR", "EUR"),
        ("price_jpy", "JPY"),
        ("priceUSD", "USD"),
        ("UVP €", "EUR"),
        ("Prix (€ TTC)", "EUR"),
        ("Preis/CHF", "CHF"),
        ("precio en MXN", "MXN"),
        ("Price in KD", "KWD"),
        ("cena zł", "PLN"),
        ("Цена, руб", "RUB"),
        ("Price $", "$"),
        ("Price (Rs.)", "RS"),
        ("Price [TRY]", "TRY"),
        ("try price", ""),
        ("top_price", ""),
        ("price km", ""),
        ("EUR/USD", ""),
        ("price", ""),
        ("", ""),
    ],
)
def test_finds_the_currency_in_a_header(header: str, currency: str) -> None:
    assert find_header_currency(header) == currency


def test_a_code_goes_before_a_shared_sign() -> None:
    assert [parse_currency(marks) for marks in ("$ CAD", "$", "€ EUR", "US$ €", "")] == ["CAD", "$", "EUR", None, ""]
    assert is_compatible("$", "CAD")
    assert is_compatible("CAD", "CAD")
    assert not is_compatible("$", "EUR")
    assert not is_compatible("EUR", "USD")


def test_a_code_is_checked() -> None:
    assert check_currency(" eur ", "--currency") == "EUR"
    with pytest.raises(EtalageError, match="--currency 'euro' is no currency code; give one of ISO 4217 such as EUR"):
        check_currency("euro", "--currency")


@pytest.mark.parametrize(
    "name",
    [
        "currency",
        "Currency Code",
        "price.currency_code",
        "offers.priceCurrency",
        "currencyId",
        "Währung",
        "Währungscode",
    ],
)
def test_a_column_of_currencies_is_found_by_its_name(name: str) -> None:
    assert find_currency_column(["title", "shipping.currency", "Currency rate", "price", name]) == name
