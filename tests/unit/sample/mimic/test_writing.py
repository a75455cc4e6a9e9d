"""Numbers and dates are written as the column writes its own, and read back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.sample.mimic.suppressed_counts import K
from etalage.sample.mimic.writing import DateStyle, detect_date_style, detect_number_style


@pytest.mark.parametrize(
    ("texts", "value", "written"),
    [
        (["1.5", "2", ".25"] * 5, 0.5, ".5"),
        (["1.50", "2.00", "0.25"] * 5, 3.0, "3.00"),
        (["$1,299.00", "$15.50"] * 5, 1234.5, "$1,234.50"),
        (["1.299,00 €", "15,50 €"] * 5, 1234.5, "1.234,50 €"),
        (["12", "-7"] * 5, -3.2, "-3"),
        (["12", "-7"] * 5, -0.2, "0"),
        (["1.5", "12.25"] * 5, 7.5, "7.5"),
        (["1.5", "12.25"] * 5, 7.123, "7.12"),
        (["1.5", "12.25"] * 5, 7.0, "7.0"),
        (["CHF 1'299.00", "CHF 5.00"] * 5, 12_345.6, "CHF 12'345.60"),
        (["1000", "2500"] * 5, 1_000_000.0, "1000000"),
    ],
)
def test_numbers_are_written_as_in_the_column(texts: list[str], value: float, written: str) -> None:
    style = detect_number_style(texts)
    assert style is not None
    assert style.write(value) == written


@pytest.mark.parametrize(
    "texts", [["1.50", "2.25"] * 5, ["$1,299.00", "$15.50"] * 5, ["1.299,00 €", "15,50 €"] * 5, ["12", "7"] * 5]
)
@settings(max_examples=30, deadline=None)
@given(value=st.floats(1, 1e6))
def test_written_numbers_are_read_back(texts: list[str], value: float) -> None:
    style = detect_number_style(texts)
    assert style is not None
    read = style.read(style.write(value))
    assert read == pytest.approx(value, abs=0.5 * 10.0**-style.max_decimals + 1e-9)


@pytest.mark.parametrize("texts", [[], ["many"] * 10, ["12"] * 90 + ["many"] * 10, ["1e5"] * 10, ["9" * 20] * 10])
def test_other_texts_are_no_numbers(texts: list[str]) -> None:
    assert detect_number_style(texts) is None


@pytest.mark.parametrize("texts", [["10 - 20"] * 10, ["$10.00 - $20.00", "$5.00 - $7.50"] * 10])
def test_ranges_are_no_numbers_that_can_be_written(texts: list[str]) -> None:
    assert detect_number_style(texts) is None


def test_one_text_in_fifty_may_be_no_number() -> None:
    style = detect_number_style([str(n) for n in range(98)] + ["unknown", "?"])
    assert style is not None
    assert style.read("unknown") is None
    assert style.read(None) is None


def test_how_fewer_than_k_write_their_numbers_is_not_learned() -> None:
    texts = ["$10.00"] * 200 + ["$10.1"] * (K - 1)
    style = detect_number_style(texts)
    assert style is not None
    assert (style.min_decimals, style.prefix) == (2, "$")


def test_a_prefix_of_fewer_than_k_texts_is_left_out() -> None:
    style = detect_number_style(["$10.00"] * (K - 1))
    assert style is not None
    assert style.write(3) == "3.00"


@pytest.mark.parametrize("text", ["1" * 41, "1.5.5", "٣", "", "-", "."])
def test_odd_texts_are_not_read_as_plain_numbers(text: str) -> None:
    style = detect_number_style(["1.5"] * 10)
    assert style is not None
    assert style.read(text) is None


@pytest.mark.parametrize(
    ("text", "date_format"),
    [
        ("2024-02-29", "%Y-%m-%d"),
        ("29.02.2024", "%d.%m.%Y"),
        ("2024-02-29 13:45:00", "%Y-%m-%d %H:%M:%S"),
        ("2024-02-29T13:45:00Z", "%Y-%m-%dT%H:%M:%SZ"),
        ("20240229", "%Y%m%d"),
        ("29/02/2024", "%d/%m/%Y"),
        ("02/29/2024", "%m/%d/%Y"),
        ("1969-12-31", "%Y-%m-%d"),
    ],
)
def test_dates_are_read_and_written(text: str, date_format: str) -> None:
    style = detect_date_style([text] * 5)
    assert style == DateStyle(date_format)
    days = style.read(text)
    assert days is not None
    assert style.write(days) == text


def test_days_are_counted_from_1970() -> None:
    assert DateStyle("%Y-%m-%d").read("1970-01-11") == 10
    assert DateStyle("%Y-%m-%d %H:%M:%S").read("1970-01-02 12:00:00") == 1.5


def test_parts_of_a_day_are_rounded_where_no_time_is_written() -> None:
    assert DateStyle("%Y-%m-%d").write(10.4) == "1970-01-11"
    assert DateStyle("%Y-%m-%d").is_whole_days
    assert not DateStyle("%Y-%m-%d %H:%M:%S").is_whole_days


def test_a_day_above_12_decides_between_two_formats() -> None:
    assert detect_date_style(["01/02/2024"] * 50 + ["25/02/2024"] * 9) == DateStyle("%d/%m/%Y")
    assert detect_date_style(["01/02/2024"] * 50 + ["02/25/2024"] * 9) == DateStyle("%m/%d/%Y")


@pytest.mark.parametrize("text", ["2024-02-30", "0001-01-01", "3024-01-01", "2024", "123456", "20241"])
def test_other_texts_are_no_dates(text: str) -> None:
    assert detect_date_style([text] * 10) is None
