"""Fillers of few texts follow the row's category, another column, or a price."""

from collections import Counter

import pytest

from etalage.sample.mimic.category_path import path_contexts
from etalage.sample.mimic.families import Family
from etalage.sample.mimic.fillers.categories import Categorical, Constant, Lookup, Nullable, PriceFlag, TreeLevel
from etalage.sample.mimic.fillers.draft import Draft
from etalage.sample.mimic.suppressed_counts import SuppressedCounts

PATHS = (("W", "BAGS"), ("M", ""))


def draft_of(row: int, path: tuple[str, ...] = PATHS[0]) -> Draft:
    """Return a row that is a family of its own."""
    return Draft(0, row, Family(path, row, 0, 0.5), {}, {})


def counts_of(values: dict[tuple[str, ...], list[object]]) -> SuppressedCounts:
    """Count values by path."""
    pairs = [(path, value) for path, found in values.items() for value in found]
    return SuppressedCounts.learn([(path_contexts(p), value, n) for n, (p, value) in enumerate(pairs)], "")


def test_constants_are_constant() -> None:
    assert Constant("Maison").fill(draft_of(1)) == "Maison"
    assert Constant(None).fill(draft_of(1)) is None


def test_levels_of_the_tree_are_the_rows_path() -> None:
    assert [TreeLevel(level).fill(draft_of(1)) for level in (0, 1)] == ["W", "BAGS"]
    assert TreeLevel(1).fill(draft_of(1, PATHS[1])) is None


def test_categorical_texts_are_as_frequent_as_in_the_category() -> None:
    counts = counts_of({PATHS[0]: ["red"] * 30 + ["blue"] * 10, PATHS[1]: ["green"] * 20 + [""] * 20})
    filler = Categorical("colour", counts)
    women = Counter(filler.fill(draft_of(row)) for row in range(2_000))
    assert women["red"] / 2_000 == pytest.approx(0.75, abs=0.04)
    assert set(women) == {"red", "blue"}
    assert {filler.fill(draft_of(row, PATHS[1])) for row in range(50)} == {"green", None}


def test_lookups_follow_another_column() -> None:
    filler = Lookup("category", {"bags": "summer", "": "winter", "hats": ""})
    found = []
    for source in ("bags", None, "hats", "unknown"):
        draft = draft_of(1)
        draft.texts["category"] = source
        found.append(filler.fill(draft))
    assert found == ["summer", "winter", None, None]


@pytest.mark.parametrize(("price", "flag"), [(80.0, "sale"), (100.0, None)])
def test_flags_follow_the_price(price: float, flag: str | None) -> None:
    draft = draft_of(1)
    draft.amounts.update(full=100.0, price=price)
    assert PriceFlag("price", "full", if_reduced="sale", if_equal="").fill(draft) == flag


def test_gaps_are_as_frequent_as_in_the_category() -> None:
    counts = counts_of({PATHS[0]: [True] * 10 + [False] * 30, PATHS[1]: [False] * 20})
    filler = Nullable(Constant("x"), "gap x", counts)
    missing = sum(filler.fill(draft_of(row)) is None for row in range(2_000))
    assert missing / 2_000 == pytest.approx(0.25, abs=0.04)
    assert all(filler.fill(draft_of(row, PATHS[1])) == "x" for row in range(50))


def test_columns_with_the_same_gap_are_empty_together() -> None:
    counts = counts_of({PATHS[0]: [True] * 20 + [False] * 20})
    one, other = (Nullable(Constant(text), "gap shared", counts) for text in "xy")
    for row in range(100):
        assert (one.fill(draft_of(row)) is None) == (other.fill(draft_of(row)) is None)
