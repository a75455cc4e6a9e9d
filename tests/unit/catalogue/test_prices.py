"""Prices are read in every style that people write them in, or refused with a reason; never wrong in silence."""

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etalage.catalogue.prices import Amount, BadPrice, DecimalMark, Reason, find_decimal_mark, parse_amount


def read(text: str, decimal: DecimalMark = "auto") -> tuple[float, str]:
    amount = parse_amount(text, price_range="low", decimal=decimal)
    assert not amount.is_range
    return amount.value, amount.currency


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("990.0", 990, ""),
        ("1290.5", 1290.5, ""),
        ("1299", 1299, ""),
        ("1e+05", 1e5, ""),
        ("1.5E3", 1500, ""),
        ("5.", 5, ""),
        ("+5", 5, ""),
        (".5", 0.5, ""),
        ("$1,299.00", 1299, "USD"),
        ("US$ 12.99", 12.99, "USD"),
        ("$12.99 USD", 12.99, "USD"),
        ("$99 CAD", 99, "CAD"),
        ("$.99", 0.99, "USD"),
        ("1.299,00 €", 1299, "EUR"),
        ("EUR 12,5", 12.5, "EUR"),
        ("1\u202f299,00\u00a0€", 1299, "EUR"),
        ("CHF 1’299.–", 1299, "CHF"),
        ("Fr. 99.50", 99.5, "CHF"),
        ("99,- €", 99, "EUR"),
        ("1.299.-", 1299, ""),
        ("₹ 1,29,900", 129_900, "INR"),
        ("Rs.500", 500, "INR"),
        ("99,99 zł", 99.99, "PLN"),
        ("kr 1 299", 1299, ""),
        ("￥１，０００", 1000, "JPY"),
        ("١٢٫٥٠", 12.5, ""),
        ("1.299", 1299, ""),
        ("1,299", 1299, ""),
        ("0.299", 0.299, ""),
        ("0,299", 0.299, ""),
        ("1.299.000,5", 1_299_000.5, ""),
        ("Price: £1,000 each", 1000, "GBP"),
        ("UVP 99 €*", 99, "EUR"),
        ("US $12.99", 12.99, "USD"),
        ("AU $1,299.95", 1299.95, "AUD"),
        ("12.99 C $", 12.99, "CAD"),
        ("۱۲۳٬۰۰۰", 123_000, ""),
        ("١٬٢٩٩٫٥٠ ر.س", 1299.5, "SAR"),
    ],
)
def test_reads_every_style(text: str, value: float, currency: str) -> None:
    assert read(text) == (value, currency)


@pytest.mark.parametrize(
    ("reason", "texts"),
    [
        ("price_missing", ["", " ", "-", "–", "--", "n/a", "NaN", "None", "TBD", "Price on request"]),
        ("price_zero", ["0", "0.00 €", "free", "0,004"]),
        ("price_negative", ["-5", "−5 €", "€-5", "(12.50)", "$ -0.5"]),
        ("price_unparsable", ["50%", "20 % off", "1e-5", "1e400", "inf", "Infinity", "00123", "12 50", "1,29,90.5,1"]),
        ("price_unparsable", ["12⁹⁹", "5½", "10x12", "2024-01-05", "12:30", "US$5 EUR", "A-17"]),
        ("price_unparsable", ["9" * 14, "9" * 50, "9" * 500, "$", "1 2 3", "3 for 99", "12.99.", "1__0"]),
    ],
)
def test_refuses_other_texts_with_a_reason(reason: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(BadPrice) as caught:
            parse_amount(text, price_range="low")
        assert (text, caught.value.reason) == (text, reason)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("99 - 250", 99, 250),
        ("99–250 €", 99, 250),
        ("$99.50 to $1,250", 99.5, 1250),
        ("1.299 bis 2.499 €", 1299, 2499),
        ("CHF 99.- - 250.-", 99, 250),
        ("from 99", 99, None),
        ("ab 99 €", 99, None),
        ("à partir de 99,90 €", 99.9, None),
        ("up to 250", None, 250),
    ],
)
def test_reads_a_range_as_the_end_asked_for(text: str, low: float | None, high: float | None) -> None:
    for end, value in (("low", low), ("high", high), ("drop", None)):
        if value is None:
            with pytest.raises(BadPrice, match="price_is_range"):
                parse_amount(text, price_range=end)  # type: ignore[arg-type]
        else:
            amount = parse_amount(text, price_range=end)  # type: ignore[arg-type]
            assert (amount.value, amount.is_range) == (value, True)


def test_a_column_decides_what_its_separators_mean() -> None:
    assert find_decimal_mark(["1.299", "12,50"]) == ","
    assert find_decimal_mark(["1.299,00 €", "n/a"]) == ","
    assert find_decimal_mark(["1.299", "990.0"]) == "."
    assert find_decimal_mark(["1,299.00"]) == "."
    assert find_decimal_mark(["1.299", "1,299", "5", "x" * 1000, ""]) == "auto"
    assert find_decimal_mark(["990.0", "12,50"]) == "auto"
    assert read("1.299", ".") == (1.299, "")
    assert read("1.299", ",") == (1299, "")
    assert read("12,50", ".") == (12.5, "")  # it can be read in one way only
    assert read("990.0", ",") == (990, "")


amounts = st.integers(1, 99_999_999_999).map(lambda cents: cents / 100)


@given(amounts, st.sampled_from(["", "$", "€ ", "CHF ", "kr "]), st.sampled_from(["", " €", "\u00a0EUR", " zł"]))
def test_reads_back_amounts_in_many_styles(value: float, before: str, after: str) -> None:
    english = f"{value:,.2f}"
    styles = [
        english,
        english.replace(",", ""),
        english.replace(",", "'"),
        english.replace(",", " ").replace(".", ","),
        english.replace(",", "\u202f").replace(".", ","),
        english.translate(str.maketrans(",.", ".,")),
        english.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)}),
    ]
    for number in styles:
        text = before + number if before else number + after
        assert parse_amount(text, price_range="drop").value == value
    assert read(repr(value)) == (value, "")


@given(st.lists(amounts, min_size=1), st.sampled_from([",.", ".,"]))
def test_amounts_with_and_without_cents_in_a_column_are_read_alike(values: list[float], marks: str) -> None:
    texts = [f"{value:,.2f}".translate(str.maketrans(",.", marks)) for value in [*values, 1234.56]]
    whole = f"{1299:,}".translate(str.maketrans(",.", marks))
    assert find_decimal_mark([*texts, whole]) == marks[1]
    assert read(whole, find_decimal_mark(texts)) == (1299, "")


@given(st.text() | st.text(alphabet="0123456789.,'-+eE $€% ()toabfrom٣½\u202f"), st.sampled_from(["auto", ".", ","]))
def test_any_text_gives_a_finite_amount_or_a_reason(text: str, decimal: DecimalMark) -> None:
    find_decimal_mark([text])
    try:
        amount = parse_amount(text, price_range="low", decimal=decimal)
    except BadPrice as bad:
        reason = bad.reason
    else:
        assert isinstance(amount, Amount)
        assert math.isfinite(amount.value)
        assert 0 < amount.value <= 1e12
        return
    assert reason in get_args(Reason)


def test_a_refusal_shows_the_text_and_says_why() -> None:
    for text, message in [
        ("1,29,90.5,1", "price_unparsable: '1,29,90.5,1', its separators fit no way of writing numbers"),
        ("US$5 EUR", "price_unparsable: 'US$5 EUR', several currencies"),
        ("2e12", "price_unparsable: '2e12' is above 1e+12"),
        ("x" * 500, f"price_unparsable: '{'x' * 100}'"),
    ]:
        with pytest.raises(BadPrice) as caught:
            parse_amount(text, price_range="low")
        assert str(caught.value) == message
    with pytest.raises(BadPrice, match="'ab 99', --price-range is high"):
        parse_amount("ab 99", price_range="high")


def test_an_amount_without_cents_reads_every_separator_as_thousands() -> None:
    assert read("1.299,-", ".") == read("1.299.-", ".") == (1299, "")
    assert read("1,299.–", ",") == (1299, "")
