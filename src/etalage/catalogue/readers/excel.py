"""Excel and OpenDocument: one sheet of a workbook or all that have the same columns; a sheet has to be read whole."""

import shlex
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from etalage.catalogue.readers.header import check_header, header_note
from etalage.catalogue.readers.raw_table import RawTable, RowPositions
from etalage.catalogue.readers.workbook import column_letters
from etalage.catalogue.readers.workbook_checks import check_workbook, unread_note
from etalage.catalogue.readers.workbook_sheets import EMBEDDED_COLUMN, Sheet, SheetReader
from etalage.errors import EtalageError

__all__ = ["ALL_SHEETS", "open_excel"]

ALL_SHEETS = "all"
"""The word that joins the sheets that have the same columns."""

_MAX_SHOWN_CELLS = 3
_MAX_SHOWN_SHEETS = 8


def open_excel(path: Path, sheet: str = "", max_image_bytes: int = 50_000_000) -> RawTable:
    """Open a sheet of a workbook, or several that have the same columns.

    Merged cells all have the value that is shown over them. Pictures in or over cells are cells of bytes.

    Args:
        path: The workbook.
        sheet: The name of the sheet to read, or `all` for the sheets with the same columns, to which a column `sheet`
            is added; empty for the first that is a table.
        max_image_bytes: The largest picture that is read. A larger one is cut one byte beyond it.

    Raises:
        EtalageError: The file is no workbook, has a password or is too large, python-calamine is not installed, or it
            is not clear which sheet to read.
    """
    check_workbook(path)
    reader = SheetReader(path, max_image_bytes)
    sheets = reader.open_sheets()
    chosen = _choose(path.name, sheets, sheet)
    if not chosen or not chosen[0].head:
        raise EtalageError(f"{path.name} is empty; give a file with a header and rows")
    check_header(path.name, chosen[0].head[chosen[0].header], chosen[0].header)
    names = list(chosen[0].names)
    # Other sheets may write the same names with other capitals.
    canonical = {column.casefold(): column for column in names}
    names += [EMBEDDED_COLUMN] * any(one.has_embedded_column for one in chosen)
    adds_sheet = len(chosen) > 1 and "sheet" not in names
    names += ["sheet"] * adds_sheet
    positions = [RowPositions() for _ in chosen]
    starts: list[int] = []

    def read_rows(columns: Sequence[str]) -> Iterator[list[Any]]:
        number = 0
        for index, one in enumerate(chosen):
            starts[index:] = [number]
            for count, (position, cells) in enumerate(reader.read(one, columns), 1):
                positions[index].add(count, position)
                number += 1
                named = {canonical.get(column.casefold(), column): cell for column, cell in cells.items()}
                named |= {"sheet": one.name} if adds_sheet else {}
                yield [named.get(column, "") for column in columns]

    def place_of(number: int) -> str:
        index = max(0, bisect_left(starts, number) - 1)
        place = positions[index].place_of(number - (starts[index] if starts else 0))
        return f"sheet {chosen[index].name!r} {place}" if len(sheets) > 1 else place

    notes = (unread_note(path), *_notes(sheets, chosen, sheet), header_note(chosen[0].head, chosen[0].header))
    return RawTable(names, read_rows, "\n".join(filter(None, notes)), place_of)


def _choose(file_name: str, sheets: Sequence[Sheet], wanted: str) -> list[Sheet]:
    """Return the sheets to read, the one whose columns count first.

    Raises:
        EtalageError: There is no such sheet, or several may be meant.
    """
    shown = ", ".join(map(str, sheets[:_MAX_SHOWN_SHEETS])) + ", ..." * (len(sheets) > _MAX_SHOWN_SHEETS)
    if named := [one for one in sheets if one.name == wanted] or [
        one
        for one in sheets
        if wanted and wanted != ALL_SHEETS and one.name.strip().casefold() == wanted.strip().casefold()
    ]:
        return named[:1]
    if wanted and wanted != ALL_SHEETS:
        raise EtalageError(f"{file_name} has no sheet {wanted!r}; its sheets are {shown}")
    visible = [one for one in sheets if not one.is_hidden]
    tables = [one for one in visible if one.is_table] or [one for one in visible if one.head] or list(sheets)
    if not tables:
        return []
    first = next((one for one in tables if one.shows_pictures), tables[0])
    same = [one for one in tables if one.columns == first.columns and one.is_table]
    if len(same) > 1 and not wanted:
        raise EtalageError(
            f"{file_name} has {len(same)} sheets with the same columns: {', '.join(map(str, same))}; read them "
            f"together with --sheet {ALL_SHEETS}, or one with --sheet {shlex.quote(same[0].name)}"
        )
    return same if wanted and same else [first]


def _notes(sheets: Sequence[Sheet], chosen: Sequence[Sheet], wanted: str) -> Iterator[str]:
    """Yield what to tell of sheets that are not read, and of formulas without values in those that are."""
    left_out = [one for one in sheets if one not in chosen]
    read = f"read: sheet{'s' * (len(chosen) > 1)} {', '.join(map(str, chosen))}"
    if len(chosen) > 1 and not left_out:
        yield read
    if left_out:
        shown = ", ".join(map(str, left_out[:_MAX_SHOWN_SHEETS])) + ", ..." * (len(left_out) > _MAX_SHOWN_SHEETS)
        way_out = "their columns differ" if wanted == ALL_SHEETS else "--sheet NAME reads another"
        yield f"{read}; not read: {shown}; {way_out}"
    for one in chosen:
        cells = [cell for cell in sorted(one.parts.without_value) if cell[0] > one.header]
        for column in sorted({column for _, column in cells}):
            rows = [f"{column_letters(column)}{row + 1}" for row, other in cells if other == column]
            name = one.names[column] if column < len(one.names) else ""
            formulas = "1 formula" if len(rows) == 1 else f"{len(rows)} formulas"
            yield (
                f"column {name!r} has {formulas} without a value in the file ({', '.join(rows[:_MAX_SHOWN_CELLS])}"
                f"{', ...' * (len(rows) > _MAX_SHOWN_CELLS)}), read as empty; open the file in Excel, save it, and "
                "prepare it again"
            )
