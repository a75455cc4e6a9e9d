"""Tests of the shares that the page's charts show."""

from pathlib import Path

import pytest

from etalage.sample.fidelity.shares import compare_shares
from etalage.sample.mimic.original import Column, Original, Text
from etalage.sample.mimic.suppressed_counts import K
from etalage.sample.mimic.writing import detect_number_style


def make_rows(texts: list[Text]) -> Original:
    unknown = [""] * len(texts)
    return Original(Path(), {}, {"column": texts}, unknown, unknown, unknown, [False] * len(texts))


def test_categories_that_few_rows_have_are_left_out() -> None:
    original = make_rows(["a"] * 20 + ["b"] * K + ["rare"] * (K - 1))
    shares = compare_shares(Column("column", "category"), original, make_rows(["a", "a", "b", "new"]))
    assert shares is not None
    assert shares["labels"] == ["a", "b"]
    assert shares["sample"] == [0.5, 0.25]
    assert shares["rest"] == [pytest.approx((K - 1) / len(original)), 0.25]


def test_an_empty_cell_is_a_category() -> None:
    shares = compare_shares(Column("column", "category"), make_rows([None] * K), make_rows([None, "a"]))
    assert shares is not None
    assert (shares["labels"], shares["original"], shares["sample"]) == (["(none)"], [1], [0.5])


def test_bins_with_few_rows_of_the_original_have_no_share() -> None:
    texts: list[Text] = [str(n) for n in range(1, 100)]
    column = Column("column", "number", number=detect_number_style([text for text in texts if text]))
    original = make_rows(["5"] * 50 + ["95"] * (K - 1))
    shares = compare_shares(column, original, make_rows(texts))
    assert shares is not None
    assert [share for share in shares["original"] if share is not None and share > 0] == [50 / len(original)]
    assert shares["original"].count(None) == 1
    assert sum(shares["sample"]) == pytest.approx(1)


def test_edges_come_from_the_sample_alone() -> None:
    """An extreme value of the original would show in the labels."""
    column = Column("column", "number", number=detect_number_style(["1", "2", "3"]))
    sample = make_rows([str(n) for n in range(1, 10)])
    one, other = (compare_shares(column, make_rows(["5"] * 50 + [extreme] * K), sample) for extreme in ("9", "123456"))
    assert one is not None
    assert other is not None
    assert one == other


def test_texts_are_counted_by_length() -> None:
    shares = compare_shares(Column("column", "words"), make_rows(["abc"] * 10), make_rows(["ab", "abcd"] * 5))
    assert shares is not None
    assert shares["of"] == "length in characters"


@pytest.mark.parametrize("kind", ["empty", "picture", "constant"])
def test_columns_with_nothing_to_show_have_no_chart(kind) -> None:
    assert compare_shares(Column("column", kind), make_rows(["a"] * 9), make_rows(["a"])) is None
