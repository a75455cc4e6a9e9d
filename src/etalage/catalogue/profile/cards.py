"""Pictures on a catalogue's profile, with what is shown of their products."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etalage.catalogue.pictures import BadPicture, resolve_picture
from etalage.catalogue.profile.table import read_rows
from etalage.catalogue.thumbnails import thumbnail
from etalage.html.formatting import format_number, visible_text
from etalage.task import Field

__all__ = ["Card", "Placeholder", "placeholder_cards", "product_cards"]

THUMBNAIL_PX = 96
NUM_FIELDS = 8
"""The fields that a card's caption has values of."""
NUM_PLACEHOLDERS = 8


@dataclass(frozen=True)
class Card:
    """A picture on the page."""

    src: str
    """A data URI; empty if the picture cannot be opened any more."""
    caption: str
    code: str = ""
    size: str = ""


@dataclass(frozen=True)
class Placeholder:
    """A picture that stands for many different products."""

    card: Card
    num_products: int
    num_titles: int


def product_cards(
    table: Path, folder: Path, facts: Mapping[str, Any], rows: Sequence[int], fields: Sequence[Field]
) -> dict[int, Card]:
    """Make the cards of some rows.

    Args:
        table: The catalogue's table of products.
        folder: The catalogue folder.
        facts: The contents of catalogue.json, for the limits under which pictures are opened.
        rows: Places in the table.
        fields: The fields of the task.

    Returns:
        A card by place.
    """
    columns = ["product_code", "file_name", "image_width", "image_height", *(f.name for f in fields)]
    found = dict(read_rows(table, rows, columns))
    # Each picture is opened once, however many rows show it.
    names = sorted({row["file_name"] or "" for row in found.values()})
    sources = dict(zip(names, _thumbnails(folder, names, facts), strict=True))
    return {place: _card(row, sources[row["file_name"] or ""], fields) for place, row in found.items()}


def placeholder_cards(folder: Path, facts: Mapping[str, Any]) -> list[Placeholder]:
    """Make the cards of the most frequent placeholders.

    Args:
        folder: The catalogue folder.
        facts: The contents of catalogue.json.
    """
    placeholders = [
        (p.get("num_products") or 0, p.get("num_titles") or 0, p.get("file_name") or "")
        for p in facts.get("placeholders") or ()
    ]
    shown = sorted(placeholders, key=lambda p: (-p[0], p[2]))[:NUM_PLACEHOLDERS]
    sources = _thumbnails(folder, [name for *_, name in shown], facts)
    return [
        Placeholder(Card(src, visible_text(name)), num_products, num_titles)
        for src, (num_products, num_titles, name) in zip(sources, shown, strict=True)
    ]


def _card(row: Mapping[str, Any], src: str, fields: Sequence[Field]) -> Card:
    values = (row[f.name] for f in fields[:NUM_FIELDS])
    texts = [format_number(value) if isinstance(value, float) else value for value in values]
    code, size = visible_text(row["product_code"]), f"{row['image_width']} × {row['image_height']} px"
    return Card(src, " · ".join([code, *(visible_text(text) for text in texts if text), size]), code, size)


def _thumbnails(folder: Path, names: Sequence[str], facts: Mapping[str, Any]) -> list[str]:
    limits: Any = facts.get("limits") or {}
    folder = folder.resolve()

    def source(name: str) -> str:
        # A damaged table may name a path outside the folder, which must not get onto the page.
        try:
            path = resolve_picture(folder, name)
        except BadPicture:
            return ""
        return thumbnail(path, THUMBNAIL_PX, limits)

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # more would hold too many whole pictures at once
        return list(pool.map(source, names))
