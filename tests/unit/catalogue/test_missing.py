"""Words for no value are recognised in a whole cell, and never within a title."""

from decimal import Decimal

import pytest

from etalage.catalogue.missing import is_empty_cell, is_missing

WORDS = [
    "nan",
    "NaN",
    "NULL",
    "None",
    "N/A",
    "n/a",
    "#N/A",
    "\\N",
    "-",
    "--",
    "–",
    "—",
    "",
    " ",
    "\xa0",
    "null ",
    "<NA>",
]
OTHER_WORDS = ["NaT", "k.A.", "(null)", "undefined", "#REF!", "#NV", "#DIV/0!", "...", "?", "n.a.", "nil", " - "]


@pytest.mark.parametrize("text", [*WORDS, *OTHER_WORDS])
def test_a_cell_with_a_word_for_no_value_is_missing(text: str) -> None:
    assert is_missing(text)


@pytest.mark.parametrize(
    "text",
    [
        "None So Pretty",
        "Null Modem",
        "Nan Goldin",
        "N/A Sneaker",
        "\\n",
        "0",
        "-5",
        "A-",
        "X",
        "!!!",
        "Nana",
        "No",
        "-" * 99 + "a",
    ],
)
def test_a_title_that_begins_with_such_a_word_stays(text: str) -> None:
    assert not is_missing(text)


def test_a_huge_cell_takes_no_time() -> None:
    assert not is_missing("- " * 10_000_000)


def test_a_cell_of_any_type_is_empty_if_it_holds_no_value():
    assert all(map(is_empty_cell, [None, "", " N/A ", [], {}, float("nan"), Decimal("NaN")]))
    assert not any(map(is_empty_cell, [0, 0.0, False, "0", b"x", ["a"], {"a": 1}, Decimal(0)]))
