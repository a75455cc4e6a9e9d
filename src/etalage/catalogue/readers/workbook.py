"""The parts of an .xlsx file that the sheet reader does not return: links, formulas and where pictures are."""

import html
import posixpath
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from etalage.catalogue.readers.raw_table import CHUNK_BYTES
from etalage.catalogue.readers.safe_xml import iterate_elements, local_name
from etalage.errors import EtalageError

__all__ = [
    "BROKEN_ZIP",
    "Position",
    "SheetParts",
    "Workbook",
    "attribute",
    "cell_position",
    "column_letters",
    "descendants",
]

# `zipfile` raises RuntimeError for a password, and NotImplementedError for a compression that it does not know.
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, UnicodeDecodeError)
"""What reading a damaged file can raise."""

Position = tuple[int, int]
"""The row and the column of a cell, both from 0."""

MAX_PART_BYTES = 100_000_000
"""The largest part, other than a sheet, that is read."""

_P = rb"(?:\w{1,9}:)?"  # the prefix of a name, which some programs write
# Each repeat is bounded, so that no match is longer than the overlap of two chunks.
_FORMULA_CELL = re.compile(
    rb"<" + _P + rb"c ([^<>]{0,300})>\s{0,99}"
    rb"<" + _P + rb"f(?:\s[^<>]{0,300})?(?:/>|>([^<]{0,40000})</" + _P + rb"f>)\s{0,99}"
    rb"(?:<" + _P + rb"v(?:\s[^<>]{0,99})?>\s{0,99}([^<\s]))?"
)
_RICH_CELL = re.compile(rb"<" + _P + rb'c ([^<>]{0,300}\bvm="(\d{1,9})"[^<>]{0,300})')
_ROW = re.compile(rb"<" + _P + rb"row ([^<>]{0,500})>")
_HYPERLINK = re.compile(rb"<" + _P + rb"hyperlink ([^<>]{0,9000})>")
_ATTRIBUTE = re.compile(rb"""(?:\w+:)?(\w+)\s{0,9}=\s{0,9}"([^"]*)\"""")
_OVERLAP_BYTES = 50_000
_LINK_FORMULA = re.compile(r'(?:_xlfn\.)*(HYPERLINK|IMAGE|DISPIMG)\(\s*"([^"]+)"', re.IGNORECASE)
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")


@dataclass
class SheetParts:
    """A sheet's own XML, besides the values of its cells."""

    links: dict[Position, str] = field(default_factory=dict)
    """The target of the hyperlink of a cell."""
    rich_values: dict[Position, int] = field(default_factory=dict)
    """The number of the rich value of a cell, from 1; a picture placed in a cell is one."""
    image_ids: dict[Position, str] = field(default_factory=dict)
    """The name of the picture in a cell, as WPS writes it."""
    without_value: dict[Position, str] = field(default_factory=dict)
    """The formulas whose value was not stored."""
    row_heights: dict[int, float] = field(default_factory=dict)
    """Heights in points of the rows that have one."""
    merged: list[tuple[Position, Position]] = field(default_factory=list)
    """The first and last cell of merged ones, of an .ods file; the sheet reader returns those of others."""
    pictures: dict[Position, list[str]] = field(default_factory=dict)
    """The parts of the pictures in or over a cell."""


class Workbook:
    """An .xlsx file that is open as a zip.

    Args:
        path: The file.

    Raises:
        EtalageError: A part is no XML, or too large.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.zip = zipfile.ZipFile(path)
        self.names = frozenset(self.zip.namelist())

    def sheet_parts(self) -> dict[str, str]:
        """Return the part of each sheet by the sheet's name; empty for files that are no .xlsx."""
        relations = self.relations("xl/workbook.xml")
        sheets = [e for e in self.elements("xl/workbook.xml", "sheet") if e.get("name") is not None]
        targets = ((sheet.get("name", ""), relations.get(attribute(sheet, "id"), "")) for sheet in sheets)
        return {name: target for name, target in targets if target in self.names}

    def elements(
        self, part: str, *wanted: str, announced: Collection[str] = (), max_bytes: int = MAX_PART_BYTES
    ) -> Iterator[Element]:
        """Yield elements of a part; none if there is no such part.

        Args:
            part: The name of the part.
            wanted: See `iterate_elements`.
            announced: See `iterate_elements`.
            max_bytes: The largest part that is read.
        """
        if part not in self.names:
            return
        if self.zip.getinfo(part).file_size > max_bytes:
            raise EtalageError(f"{self.path.name}: {part} unpacks to more than {max_bytes} bytes")
        with self.zip.open(part) as file:
            elements = iterate_elements(file, wanted, f"{self.path.name}, {part}", announced)
            root = next(elements, None)
            yield from (element for element in elements if element is not root)

    def relations(self, part: str, kind: str = "") -> dict[str, str]:
        """Return what a part refers to, by id: the names of parts, and addresses outside the file.

        Args:
            part: The name of the part.
            kind: The end of the type of relations to return; empty for all.
        """
        folder, name = posixpath.split(part)
        found = {}
        for element in self.elements(f"{folder}/_rels/{name}.rels", "Relationship"):
            target = element.get("Target", "")
            if not element.get("Type", "").endswith(kind):
                continue
            if element.get("TargetMode") != "External":
                # A name that leads out of the file is none of its parts.
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[element.get("Id", "")] = target
        return found

    def read_sheet(self, part: str) -> SheetParts:
        """Return what the XML of a sheet says besides values.

        It is searched and not parsed, since a sheet may have millions of cells.

        Args:
            part: The name of the sheet's part.
        """
        found = SheetParts()
        relations = self.relations(part)
        with self.zip.open(part) as file:
            overlap = b""
            while chunk := file.read(CHUNK_BYTES):
                _search(overlap + chunk, found, relations)
                overlap = chunk[-_OVERLAP_BYTES:]
        return found


def _search(data: bytes, found: SheetParts, relations: Mapping[str, str]) -> None:
    """Add what a piece of a sheet's XML holds; a cell may be found twice where two pieces overlap."""
    if b"f>" in data or b"f " in data:
        for match in _FORMULA_CELL.finditer(data):
            attributes = _attributes(match[1])
            position = cell_position(attributes.get("r", ""))
            formula = html.unescape((match[2] or b"").decode("utf-8", "replace"))
            if position and (link := _LINK_FORMULA.match(formula)):
                target = found.image_ids if link[1].upper() == "DISPIMG" else found.links
                target[position] = link[2]
            # A text that a formula gives may be empty, and is then stored as such.
            elif position and match[3] is None and attributes.get("t") != "str":
                found.without_value[position] = formula
    for match in _RICH_CELL.finditer(data):
        if position := cell_position(_attributes(match[1]).get("r", "")):
            found.rich_values[position] = int(match[2])
    for match in _ROW.finditer(data):
        attributes = _attributes(match[1])
        if "ht" in attributes and attributes.get("r", "").isdecimal():
            found.row_heights[int(attributes["r"][:9]) - 1] = float(attributes["ht"][:9])
    for match in _HYPERLINK.finditer(data):
        attributes = _attributes(match[1])
        first = cell_position(attributes.get("ref", "").partition(":")[0])
        if first and (url := relations.get(attributes.get("id", ""))):
            found.links[first] = url


def _attributes(tag: bytes) -> dict[str, str]:
    return {name.decode(): html.unescape(value.decode("utf-8", "replace")) for name, value in _ATTRIBUTE.findall(tag)}


def cell_position(reference: str) -> Position | None:
    """Return the position of a cell such as B7, or None if it is no such reference."""
    match = _REFERENCE.fullmatch(reference)
    if match is None or match[2].strip("0") == "":
        return None
    column = sum((ord(letter) - 64) * 26**power for power, letter in enumerate(reversed(match[1])))
    return int(match[2]) - 1, column - 1


def column_letters(column: int) -> str:
    """Return A for column 0, Z for 25, AA for 26."""
    letters = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


def attribute(element: Element, name: str) -> str:
    """Return the value of an attribute, or an empty text.

    Args:
        element: The element.
        name: The attribute's name without its prefix.
    """
    return next((value for key, value in element.attrib.items() if local_name(key) == name), "")


def descendants(element: Element, name: str) -> Iterator[Element]:
    """Yield the elements of a name within an element, at any depth.

    Args:
        element: The element.
        name: The name without its prefix.
    """
    return (inner for inner in element.iter() if inner is not element and local_name(inner.tag) == name)
