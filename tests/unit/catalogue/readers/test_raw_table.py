"""A table with a header gives any of its columns, in any order, as often as it is read."""

from collections.abc import Iterator

import pytest

from etalage.catalogue.readers.raw_table import table_with_header
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
