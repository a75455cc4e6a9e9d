"""Tests of text and numbers as pages show them."""

import pytest

from etalage.html.formatting import format_number, format_percent, format_tick, heading, visible_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (100.0, "100"),
        (1234.5, "1,234.5"),
        (12.345, "12.35"),
        (0.01, "0.01"),
        (0.001234, "0.00123"),
        (-3.5, "-3.5"),
        (999_999_999.99, "999,999,999.99"),
        (1e12, "1e+12"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.005, "0.005"),
        (0.125, "0.125"),
        (200_000.0, "200,000"),
        (1_000_000.0, "1 M"),
        (2_500_000.0, "2.5 M"),
        (5e9, "5 bn"),
        (1e12, "1e+12"),
        (-10.0, "-10"),
    ],
)
def test_ticks(value: float, text: str) -> None:
    assert format_tick(value) == text


@pytest.mark.parametrize(
    ("percent", "text"),
    [
        (0, "0 %"),
        (0.04, "< 0.1 %"),
        (0.1, "0.1 %"),
        (20.0, "20 %"),
        (33.333, "33.3 %"),
        (99.99, "99.9 %"),
        (100, "100 %"),
    ],
)
def test_shares_are_never_rounded_to_none_or_all(percent: float, text: str) -> None:
    assert format_percent(percent) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, ""),
        (7, "7"),
        ("a\0b\n", "a[U+0000]b[U+000A]"),
        ("\u202edesrever", "[U+202E]desrever"),
        ("\ud800", "[U+D800]"),
        ("\ufeffstart", "[U+FEFF]start"),
        ("👩\u200d🔧", "👩\u200d🔧"),
        ("é", "é"),
    ],
)
def test_invisible_characters_are_written_out(text: object, shown: str) -> None:
    assert visible_text(text) == shown


def test_long_text_ends_in_an_ellipsis() -> None:
    assert visible_text("y" * 80) == "y" * 80
    assert visible_text("y" * 81) == "y" * 79 + "…"
    assert visible_text("two words", 5) == "two…"


def test_headings_of_fields() -> None:
    assert (heading("full_price"), heading("URL"), heading("")) == ("Full price", "URL", "")
