"""The pictures in an .xlsx file: floating over cells, placed in cells by Excel, or placed in cells by WPS."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from etalage.catalogue.readers.workbook import Position, SheetParts, Workbook, attribute, descendants

__all__ = ["find_pictures", "read_picture"]

_EMU_PER_POINT = 12_700
_DEFAULT_ROW_POINTS = 15.0
_ANCHORS = ("oneCellAnchor", "twoCellAnchor")
_IMAGE = "/image"
_T = TypeVar("_T")


def find_pictures(book: Workbook, part: str, sheet: SheetParts) -> dict[Position, list[str]]:
    """Return the parts of the pictures of a sheet by the cell that each is in or begins in.

    Args:
        book: The workbook.
        part: The sheet's part.
        sheet: What `Workbook.read_sheet` found in it.
    """
    found = {position: [one for one in parts if one in book.names] for position, parts in sheet.pictures.items()}
    for position, picture in (*_placed(book, sheet), *_placed_by_wps(book, sheet), *_floating(book, part, sheet)):
        if picture in book.names:
            found.setdefault(position, []).append(picture)
    return {position: parts for position, parts in found.items() if parts}


def read_picture(book: Workbook, part: str, max_bytes: int) -> bytes:
    """Return a picture; one that is too large is cut one byte beyond the limit, by which it is recognised later.

    Args:
        book: The workbook.
        part: The part of the picture.
        max_bytes: The largest picture that is read.
    """
    with book.zip.open(part) as file:
        return file.read(max_bytes + 1)


def _floating(book: Workbook, part: str, sheet: SheetParts) -> Iterator[tuple[Position, str]]:
    """Yield the pictures of a sheet's drawings by the cell in which they begin."""
    for drawing in book.relations(part, "/drawing").values():
        pictures = book.relations(drawing, _IMAGE)
        for anchor in book.elements(drawing, *_ANCHORS):
            start = next(descendants(anchor, "from"), None)
            if start is None:
                continue
            numbers = {}
            for name in ("row", "col", "rowOff"):
                text = next((inner.text or "" for inner in descendants(start, name)), "")
                numbers[name] = int(text) if text.strip().isdecimal() and len(text) < 10 else 0
            row = numbers["row"]
            # A picture that begins near the lower edge of a row is meant for the next one.
            points = sheet.row_heights.get(row, _DEFAULT_ROW_POINTS)
            row += numbers["rowOff"] > 0.6 * points * _EMU_PER_POINT
            for blip in descendants(anchor, "blip"):
                yield (row, numbers["col"]), pictures.get(attribute(blip, "embed"), "")


def _placed(book: Workbook, sheet: SheetParts) -> Iterator[tuple[Position, str]]:
    """Yield the pictures that are values of cells: cell -> metadata -> rich value -> relation -> part."""
    if not sheet.rich_values:
        return
    metadata = list(book.elements("xl/metadata.xml", "futureMetadata", "valueMetadata"))
    numbers: list[str] = []
    keys: list[str] = []
    for element in metadata:
        if attribute(element, "name") == "XLRICHVALUE":
            numbers = [attribute(rvb, "i") for rvb in descendants(element, "rvb")]
        elif element.tag.endswith("valueMetadata"):
            keys = [attribute(rc, "v") for rc in descendants(element, "rc")]
    structures = list(book.elements("xl/richData/rdrichvaluestructure.xml", "s"))
    values = list(book.elements("xl/richData/rdrichvalue.xml", "rv"))
    relation_ids = [attribute(rel, "id") for rel in book.elements("xl/richData/richValueRel.xml", "rel")]
    pictures = book.relations("xl/richData/richValueRel.xml", _IMAGE)
    for position, number in sheet.rich_values.items():
        value = _item(values, _item(numbers, _item(keys, number - 1)))
        structure = None if value is None else _item(structures, attribute(value, "s"))
        if value is None or structure is None:
            continue
        names = [attribute(key, "n") for key in descendants(structure, "k")]
        cells = [inner.text or "" for inner in descendants(value, "v")]
        fields = dict(zip(names, cells, strict=False))
        identifier = next((text for name, text in fields.items() if name.endswith("LocalImageIdentifier")), "")
        relation_id = _item(relation_ids, identifier)
        if relation_id is not None:
            yield position, pictures.get(relation_id, "")


def _placed_by_wps(book: Workbook, sheet: SheetParts) -> Iterator[tuple[Position, str]]:
    """Yield the pictures that WPS Office names in formulas such as =DISPIMG("ID_1")."""
    if not sheet.image_ids:
        return
    pictures = book.relations("xl/cellimages.xml", _IMAGE)
    by_name = {}
    for image in book.elements("xl/cellimages.xml", "cellImage"):
        name = next((attribute(inner, "name") for inner in descendants(image, "cNvPr")), "")
        by_name[name] = next((attribute(blip, "embed") for blip in descendants(image, "blip")), "")
    for position, name in sheet.image_ids.items():
        yield position, pictures.get(by_name.get(name, ""), "")


def _item(items: Sequence[_T], index: str | int | None) -> _T | None:
    """Return an item by an index that a file states, or None if there is no such item."""
    if isinstance(index, str):
        index = int(index) if index.isdecimal() and len(index) < 10 else None
    return items[index] if index is not None and 0 <= index < len(items) else None
