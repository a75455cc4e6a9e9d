"""A table with a header gives any of its columns, in any order, as often as it is read."""

from collections.abc import Iterator

import pytest

from etalage.catalogue.readers.raw_table import LinkedText, RowPositions, UnreadableRow, is_blank, table_with_header
from etalage.errors import EtalageError


def iterate() -> Iterator[list[str]]:
    return iter([["a", "b", "c"], ["1", "2", "3"], ["4", "5", "6"]])


def test_reads_columns_in_the_order_asked_for() -> None:
    table = table_with_header("t.csv", iterate, ["", "a note"])
    assert (table.column_names, table.note) == (["a", "b", "c"], "a note")
    assert list(table.read_rows(["c", "a"])) == list(table.read_rows(["c", "a"])) == [["3", "1"], ["6", "4"]]
    assert list(table.read_rows([])) == [[], []]


def test_refuses_a_table_without_a_header() -> None:
    with pytest.raises(EtalageError, match=r"t\.csv is empty"):
        table_with_header("t.csv", lambda: iter([]))


def test_rows_are_found_again_by_their_line_however_often_they_are_read() -> None:
    positions = RowPositions("line")
    assert positions.place_of(1) == "row 1"
    for _ in range(2):
        for number, position in ((1, 2), (2, 3), (3, 7), (4, 8), (5, 12)):
            positions.add(number, position)
            assert positions.place_of(number) == f"line {position}"
    assert [positions.place_of(number) for number in range(1, 6)] == [f"line {n}" for n in (2, 3, 7, 8, 12)]


def test_rows_are_fitted_to_the_header() -> None:
    lines = [
        ["a", "b", "c"],
        ["1"],
        [],
        ["2", "3"],
        ["4", "5", "6", ""],
        ["", " "],
        ["7", "8", "9", "10"],
        UnreadableRow("x", "y"),
    ]
    table = table_with_header("t.csv", lambda: iter(lines))
    found = list(table.read_rows(["a", "c"]))
    assert found[:3] == [["1", ""], ["2", ""], ["4", "6"]]
    assert [row.reason for row in found[3:] if isinstance(row, UnreadableRow)] == ["row_too_long", "x"]
    assert [table.place_of(number) for number in range(1, 6)] == ["row 2", "row 4", "row 5", "row 7", "row 8"]


def test_a_line_of_one_cell_and_the_full_row_below_it_may_be_one_row() -> None:
    lines = [["a", "b"], ["half"], ["other half", "2"], ["3"], ["4"], ["5", "6"]]
    rows = list(table_with_header("t.csv", lambda: iter(lines)).read_rows(["a"]))
    assert ["broken" if isinstance(row, UnreadableRow) else row[0] for row in rows] == [
        "broken",
        "broken",
        "3",
        "broken",
        "broken",
    ]


def test_blank_rows_have_no_value() -> None:
    assert is_blank([None, "", " \xa0", "\u200b"])
    assert not is_blank([0])
    assert not is_blank([False])
    assert not is_blank([b""])


def test_a_linked_text_is_a_text() -> None:
    text = LinkedText("Show", "https://x.example/a.png")
    assert (text, text.url, f"{text}!") == ("Show", "https://x.example/a.png", "Show!")
