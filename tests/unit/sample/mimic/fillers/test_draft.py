"""Rows of a family share what the original's families share, and draw the rest on their own."""

import pytest

from etalage.sample.mimic.families import Family
from etalage.sample.mimic.fillers.draft import Draft
from etalage.sample.mimic.writing import NumberStyle


def draft_of(row: int, member: int, share: float = 0.5) -> Draft:
    """Return a row of family 7."""
    return Draft(0, row, Family(("BAGS",), 7, member, 0.5), {"title": share}, {})


def test_the_first_row_of_a_family_has_the_familys_values() -> None:
    assert all(draft_of(row, 0, 0.0).shares_family_value("title") for row in range(50))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_other_rows_share_as_often_as_in_the_original(share: float) -> None:
    shared = sum(draft_of(row, 1, share).shares_family_value("title") for row in range(2_000))
    assert shared / 2_000 == pytest.approx(share, abs=0.04)


def test_columns_without_a_probability_are_not_shared() -> None:
    assert not any(draft_of(row, 1).shares_family_value("weight") for row in range(50))


def test_shared_random_numbers_are_the_familys() -> None:
    assert draft_of(3, 0).rng("title").bits64() == draft_of(9, 2, 1.0).rng("title").bits64()
    assert draft_of(3, 1, 0.0).rng("title").bits64() != draft_of(9, 2, 0.0).rng("title").bits64()
    assert draft_of(3, 0).rng("title").bits64() != draft_of(3, 0).rng("price").bits64()


def test_amounts_are_kept_as_they_are_written() -> None:
    draft = draft_of(0, 0)
    style = NumberStyle("$", "", ",", ".", 2, 2, has_leading_zero=True, is_plain=False, parse_mark=".")
    assert draft.write("price", style, 1234.567) == "$1,234.57"
    assert draft.amounts["price"] == 1234.57
