"""What cells look like: pictures, prices, titles, categories and codes; and when they contradict a header."""

from decimal import Decimal
from typing import Any

import pytest

from etalage.catalogue.columns.content import ColumnProfile, disagrees, find_by_content, looks_like

NUM = 30
TITLES = [f"{'Long' if i % 2 else 'Short'} Coat No {i}" for i in range(NUM)]
KINDS = ["COATS", "SHIRTS", "BAGS"] * 10
PRICES = [f"{90 + 7 * i},50 €" for i in range(NUM)]


def profile(cells: list[Any], name: str = "a") -> ColumnProfile:
    return ColumnProfile.of(name, cells)


def test_a_profile_leaves_out_empty_cells_and_counts_shares_of_the_rest() -> None:
    found = profile(["x ", "", None, [], {}, 0, "y", "NULL", float("nan")])
    assert (found.cells, found.texts) == (["x ", 0, "y"], ["x", "y"])
    assert found.share(lambda text: text == "x") == pytest.approx(1 / 3)
    assert profile([None]).share(bool) == 0


def test_examples_are_short_and_no_two_alike() -> None:
    assert profile(["a", "a", "b\n c\x1b", "x" * 50, "d"]).examples(3) == ["a", "b c", "x" * 27 + "..."]
    assert profile([b"\x89PNG", {"bytes": b"x"}]).examples(3) == ["(a picture)"]


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
    assert looks_like("image", profile(cells))
    assert not looks_like("image", profile(["https://shop.example/p/1"] * NUM))


@pytest.mark.parametrize(
    "cells",
    [
        PRICES,
        [str(value) for value in (990, 1290, 990, 450, 12000)],
        [19.5, 24.0, 30.25],
        [Decimal("19.50"), Decimal("24.00")],
        [990, 1290, 450, 12000],
        ["0", "19.90", "24.50"],
    ],
)
def test_amounts_as_text_or_numbers_look_like_prices(cells: list[Any]) -> None:
    assert looks_like("price", profile(cells))


@pytest.mark.parametrize(
    "cells",
    [
        [str(2000 + i) for i in range(NUM)],
        [2000 + i for i in range(NUM)],
        [str(10_000 + 7 * i) for i in range(NUM)],
        [10_000_000 + 7 * i for i in range(NUM)],
        [str(5 + i) for i in range(NUM)],
        ["1", "2"] * (NUM // 2),
        [True, False] * (NUM // 2),
        ["12:30", "n/a"] * (NUM // 2),
        ["9" * 5000] * NUM,
        ["-5", "1.5", "2.5"] * 10,
        [],
    ],
)
def test_codes_years_counts_and_flags_do_not_look_like_prices(cells: list[Any]) -> None:
    assert not looks_like("price", profile(cells))


def test_a_column_with_a_currency_beats_bare_numbers() -> None:
    bare = profile(["4.5", "3.9", "4.1"], "bare")
    assert [one.name for one in find_by_content("price", [bare, profile(PRICES, "euros")])] == ["euros"]
    assert [one.name for one in find_by_content("price", [bare, profile(["19", "45", "20"], "whole")])] == [
        "bare",
        "whole",
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["simple", "variable", "simple"],
        ["Simple", "Configurable", "virtual"],
        ["simple, downloadable, virtual", "variation", "simple"],
        ["Physical", "Digital", "Physical"],
        ["yes", "no", "yes"],
        ["ja", "nein", "nein"],
        ["in stock", "out of stock", "in stock"],
        ["018f5ef3b3c27f6c8d7a6a1f0e6b9c11", "018f5ef3b3c27f6c8d7a6a1f0e6b9c22", "018f5ef3b3c27f6c8d7a6a1f0e6b9c11"],
        ["0190a5d1-7c3e-7b1f-9d2a-3f4e5a6b7c8d"] * 3,
    ],
)
def test_words_of_a_machine_are_no_categories(words: list[str]) -> None:
    assert disagrees("category", profile(words * 10))
    assert not looks_like("category", profile(words * 10))


def test_words_of_people_are_categories_and_look_like_them() -> None:
    assert looks_like("category", profile(KINDS))
    assert not disagrees("category", profile(KINDS))
    assert not looks_like("category", profile(TITLES))
    assert not disagrees("category", profile(["simple", "Coats", "Bags"]))


def test_titles_are_words_that_rarely_repeat() -> None:
    assert looks_like("title", profile(TITLES))
    assert not looks_like("title", profile(KINDS))
    assert not looks_like("title", profile(PRICES))


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("price", ["on request", "call us", "soon"]),
        ("price", ["A-1", "A-2", "A-3"]),
        ("title", ["10001", "10002", "10003"]),
        ("title", [1, 2, 3]),
        ("title", ["https://x.example/1", "https://x.example/2", "https://x.example/3"]),
        ("image", ["yes", "no", "yes"]),
        ("image", [True, True, False]),
        ("image", ["a red coat", "a blue coat", "a scarf"]),
    ],
)
def test_cells_contradict_a_header(kind: str, cells: list[Any]) -> None:
    assert disagrees(kind, profile(cells))
    assert not disagrees(kind, profile(cells[:2])), "too few to say"


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("price", ["19", "on request", "20"]),
        ("price", ["0.00", "0", "0"]),
        ("title", ["501", "Coat", "Bag"]),
        ("image", ["A-17", "A-18", "A-19"]),
        ("image", ["my coat.jpg", "my bag.jpg", "b.png"]),
        ("brand", ["a", "b", "c"]),
    ],
)
def test_cells_that_may_be_right_contradict_nothing(kind: str, cells: list[Any]) -> None:
    assert not disagrees(kind, profile(cells))
