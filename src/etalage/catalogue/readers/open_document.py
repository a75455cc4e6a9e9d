"""What an .ods file says of its cells besides their values: merged ones, pictures and links."""

from xml.etree.ElementTree import Element

from etalage.catalogue.readers.safe_xml import local_name
from etalage.catalogue.readers.workbook import Position, SheetParts, Workbook, attribute, descendants

__all__ = ["CONTENT_PART", "document_size", "read_document"]

CONTENT_PART = "content.xml"
"""The part of an .ods file that holds all of its sheets."""

MAX_CONTENT_BYTES = 2_000_000_000
"""The largest such part that is read; row by row, so that it takes little memory."""

_CELLS = ("table-cell", "covered-table-cell")


def read_document(book: Workbook) -> dict[str, SheetParts]:
    """Return what is known of each sheet by its name.

    Args:
        book: The file.

    Raises:
        EtalageError: The file is damaged or hostile.
    """
    found: dict[str, SheetParts] = {}
    sheet, row = SheetParts(), 0
    for element in book.elements(CONTENT_PART, "table-row", announced=("table",), max_bytes=MAX_CONTENT_BYTES):
        if local_name(element.tag) == "table":
            sheet, row = found.setdefault(attribute(element, "name"), SheetParts()), 0
        else:
            column = 0
            for cell in element:
                if local_name(cell.tag) in _CELLS:
                    _read_cell(cell, (row, column), sheet)
                    column += _number(cell, "number-columns-repeated")
            row += _number(element, "number-rows-repeated")
    return found


def document_size(book: Workbook) -> tuple[int, int]:
    """Return the rows and columns up to the last cell with a value, the most of any sheet.

    Raises:
        EtalageError: The file is damaged or hostile.
    """
    num_rows = num_columns = row = 0
    for element in book.elements(CONTENT_PART, "table-row", announced=("table",), max_bytes=MAX_CONTENT_BYTES):
        if local_name(element.tag) == "table":
            row = 0
            continue
        row += _number(element, "number-rows-repeated")
        column = 0
        for cell in element:
            column += _number(cell, "number-columns-repeated")
            if len(cell) or attribute(cell, "value-type"):
                num_rows, num_columns = max(num_rows, row), max(num_columns, column)
    return num_rows, num_columns


def _read_cell(cell: Element, position: Position, sheet: SheetParts) -> None:
    num_rows, num_columns = _number(cell, "number-rows-spanned"), _number(cell, "number-columns-spanned")
    if num_rows > 1 or num_columns > 1:
        sheet.merged.append((position, (position[0] + num_rows - 1, position[1] + num_columns - 1)))
    for image in descendants(cell, "image"):
        sheet.pictures.setdefault(position, []).append(attribute(image, "href").removeprefix("./"))
    for link in descendants(cell, "a"):
        sheet.links.setdefault(position, attribute(link, "href"))


def _number(element: Element, name: str) -> int:
    text = attribute(element, name)
    return max(1, int(text)) if text.isdecimal() and len(text) < 10 else 1
