"""Cells are named as spreadsheets name them."""

import pytest

from etalage.catalogue.readers.workbook import cell_position, column_letters


@pytest.mark.parametrize(
    ("reference", "position"), [("A1", (0, 0)), ("$B$7", (6, 1)), ("AA10", (9, 26)), ("XFD1048576", (1048575, 16383))]
)
def test_the_position_of_a_cell(reference: str, position: tuple[int, int]) -> None:
    assert cell_position(reference) == position
    assert column_letters(position[1]) == reference.strip("$0123456789").replace("$", "").rstrip("0123456789")


@pytest.mark.parametrize("reference", ["", "A", "7", "A0", "a1", "ABCD1", "A12345678", "A1:B2"])
def test_what_names_no_cell_has_no_position(reference: str) -> None:
    assert cell_position(reference) is None
