"""Columns whose names say nothing are recognised by their cells; where several may be meant, the user is asked."""

from typing import Any

import pytest

from etalage.catalogue.column_content import ColumnProfile, match_by_content
from etalage.catalogue.columns import match_columns
from etalage.errors import EtalageError
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]

NUM = 30
TITLES = [f"{'Long' if i % 2 else 'Short'} Coat No {i}" for i in range(NUM)]
KINDS = ["COATS", "SHIRTS", "BAGS"] * 10
PRICES = [f"{90 + 7 * i},50 €" for i in range(NUM)]
FILES = [f"pics/{i:03}.JPG" for i in range(NUM)]
CODES = [f"A-{100 + i}" for i in range(NUM)]


def table(**columns: list[Any]) -> tuple[list[str], list[list[Any]]]:
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


def by_content(fields: list[Field] = FIELDS, **columns: list[Any]) -> dict[str, str]:
    names, rows = table(**columns)
    return match_columns(names, fields, read_sample=lambda: rows).columns


def test_cells_decide_where_names_do_not() -> None:
    names, rows = table(
        a=TITLES,
        b=KINDS,
        c=PRICES,
        d=FILES,
        e=CODES,
        year=["2024"] * 15 + ["2023"] * 15,
        shop=["x.example"] * NUM,
        number=[str(8000000 + 13 * i) for i in range(NUM)],
        seen=[f"2024-01-{i + 1:02}" for i in range(NUM)],
        empty=[""] * NUM,
    )
    match = match_columns(names, FIELDS, "product_code=e", read_sample=lambda: rows)
    assert match.columns == {"title": "a", "category": "b", "price": "c", "image": "d", "product_code": "e"}
    assert match.guessed == {"title", "category", "price", "image"}


def test_a_code_is_guessed_only_if_one_column_may_be_it() -> None:
    named = {"title": TITLES, "type": KINDS, "price": PRICES, "image": FILES}
    assert by_content(**named, e=CODES)["product_code"] == "e"
    assert "product_code" not in by_content(**named, e=CODES, f=[code.lower() for code in CODES])


@pytest.mark.parametrize(
    "cells",
    [
        [f"https://shop.example/a/{i}.png?w=300" for i in range(NUM)],
        ["data:image/png;base64,AAAA"] * NUM,
        [b"\x89PNG"] * NUM,
        [{"bytes": b"\x89PNG", "path": None}] * NUM,
        [["a.jpg", "b.jpg"]] * NUM,
    ],
)
def test_recognizes_every_way_to_hold_a_picture(cells: list[Any]) -> None:
    found = by_content(title=TITLES, type=KINDS, price=PRICES, where=cells, link=["https://shop.example/p/1"] * NUM)
    assert found["image"] == "where"


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"d": FILES, "zoom": FILES}, "no column is called image, and several look like it: 'd', 'zoom'; .*--columns"),
        ({"d": FILES, "cost": PRICES, "old": PRICES}, "price, and several look like it: 'cost', 'old'"),
        ({"d": FILES, "cost": PRICES, "b": KINDS, "maker": KINDS}, "category, and several .*: 'b', 'maker'"),
        ({"d": FILES, "cost": [str(10_000_000 + 17 * i) for i in range(NUM)], "b": KINDS}, "no column for price"),
        ({"d": FILES, "cost": [str(1980 + i) for i in range(NUM)], "b": KINDS}, "no column for price"),
        ({"d": FILES, "cost": ["-5", "1.5", "2.5"] * 10, "b": KINDS}, "no column for price"),
        ({}, "no column for category"),
    ],
)
def test_refuses_to_guess_between_several_columns(columns: dict[str, list[Any]], complaint: str) -> None:
    with pytest.raises(EtalageError, match=complaint):
        by_content(title=TITLES, **columns)


def test_a_price_field_of_another_name_is_found_by_its_cells() -> None:
    fields = [Field("title", "text"), Field("fee", "price")]
    assert by_content(fields, title=TITLES, image=FILES, c=PRICES)["fee"] == "c"


def test_a_profile_leaves_out_empty_cells_and_counts_shares_of_the_rest() -> None:
    profile = ColumnProfile.of("a", ["x ", "", None, [], {}, 0, "y"])
    assert (profile.cells, profile.texts) == (["x ", 0, "y"], ["x", "y"])
    assert profile.share(lambda text: text == "x") == pytest.approx(1 / 3)
    assert ColumnProfile.of("b", [None]).share(bool) == 0


def test_reads_no_cells_where_nothing_can_be_recognized_by_them() -> None:
    def refuse() -> list[ColumnProfile]:
        raise AssertionError("no cells are needed")

    assert match_by_content({}, refuse) == match_by_content({"brand": "brand"}, refuse) == {}


@pytest.mark.parametrize(
    "cells",
    [
        [str(2000 + i) for i in range(NUM)],
        [str(10_000 + 7 * i) for i in range(NUM)],
        [str(5 + i) for i in range(NUM)],
        ["1", "2"] * (NUM // 2),
        ["12:30", "n/a"] * (NUM // 2),
        ["9" * 5000] * NUM,
    ],
)
def test_whole_numbers_that_may_be_codes_or_years_are_no_prices(cells: list[str]) -> None:
    assert match_by_content({"price": "price"}, lambda: [ColumnProfile.of("a", cells)]) == {}


def test_whole_numbers_that_repeat_unevenly_are_prices() -> None:
    cells = [str(value) for value in (990, 1290, 990, 450, 12000)]
    assert match_by_content({"price": "price"}, lambda: [ColumnProfile.of("a", cells)]) == {"price": "a"}


def test_the_longer_of_two_columns_of_words_is_the_title() -> None:
    short = ColumnProfile.of("short", [f"No {i}" for i in range(NUM)])
    long = ColumnProfile.of("long", [f"Fine Silk Evening Coat No {i}" for i in range(NUM)])
    assert match_by_content({"title": "title"}, lambda: [short, long]) == {"title": "long"}
