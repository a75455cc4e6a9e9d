"""Product feeds in XML, as Google Merchant Center takes them: RSS 2.0 or Atom, with fields in the namespace `g:`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from etalage.catalogue.readers.raw_table import RawTable
from etalage.catalogue.readers.safe_xml import iterate_elements, local_name
from etalage.errors import EtalageError

__all__ = ["open_feed"]

_ROWS = {"rss": "item", "RDF": "item", "feed": "entry"}
"""By the name of the root, that of a product."""

_ADDRESS_ATTRIBUTES = ("href", "url", "src")


def open_feed(path: Path) -> RawTable:
    """Open a feed; its columns are the names of the fields without `g:`, and a field that is repeated is a list.

    Fields within a field have a dot in their names, as in shipping.price.

    Raises:
        EtalageError: The file is other XML, damaged or hostile, or has no products. Also while reading.
    """
    names: dict[str, None] = {}
    num_rows = 0
    for record in _read_records(path):  # the whole file, since a field may first occur in a late product
        names.update(dict.fromkeys(record))
        num_rows += 1
    if not num_rows:
        raise EtalageError(f"{path.name} is a feed without products")

    def read_rows(columns: Sequence[str]) -> Iterator[list[Any]]:
        return ([record.get(column) for column in columns] for record in _read_records(path))

    return RawTable(list(names), read_rows, place_of=lambda number: f"product {number}")


def _read_records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        elements = iterate_elements(file, frozenset(_ROWS.values()), path.name)
        root = local_name(next(elements).tag)
        if root not in _ROWS:
            raise EtalageError(
                f"{path.name} is XML of <{root}>; of XML only product feeds in RSS or Atom are read; export it as .csv"
            )
        for element in elements:
            if local_name(element.tag) == _ROWS[root]:
                yield _to_record(element)


def _to_record(element: Element) -> dict[str, Any]:
    found: dict[str, list[tuple[bool, str]]] = {}
    for name, is_google, text in _fields_of(element, ""):
        found.setdefault(name, []).append((is_google, text))
    record: dict[str, Any] = {}
    for name, values in found.items():
        # Where an item has both <title> and <g:title>, the latter is written for shops.
        texts = [text for is_google, text in values if is_google] or [text for _, text in values]
        record[name] = texts[0] if len(texts) == 1 else texts
    return record


def _fields_of(element: Element, prefix: str) -> Iterator[tuple[str, bool, str]]:
    """Yield the dotted name, whether it is Google's, and the text of each field within an element."""
    for child in element:
        name = prefix + local_name(child.tag)
        if len(child):
            yield from _fields_of(child, f"{name}.")
            continue
        text = (child.text or "").strip() or next(
            (child.get(key, "") for key in _ADDRESS_ATTRIBUTES if child.get(key)), ""
        )
        yield name, child.tag.startswith("g:"), text
