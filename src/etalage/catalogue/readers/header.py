"""Which line of a table names its columns: the first one, or one below a title, notes or groups of columns."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from etalage.errors import EtalageError

__all__ = ["NUM_HEADER_ROWS", "check_header", "clean_name", "find_header", "header_note", "is_picture", "is_value"]

NUM_HEADER_ROWS = 30
"""How many lines that are not blank are looked at to find the header."""

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\xad"))
_CURRENCY = "EUR|USD|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|RON|TRY|AED|SAR|KWD|CAD|AUD|MXN|BRL|Rs|kr|Fr"
_NUMBER = re.compile(rf"[^\w\s]{{0,2}}\s?(?:(?:{_CURRENCY})\.?\s?)?[-+]?\d[\d.,'\s/:-]*(?:%|\D{{0,4}})")
_PICTURE = re.compile(r".*\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif|heic)(?:\?.*)?|.*://.*", re.IGNORECASE | re.DOTALL)
_MACHINE_NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+(?:\[.*)?")
_MAX_SHOWN_CHARS = 60


def clean_name(name: Any) -> str:
    """Return a column's name without invisible characters, and with single spaces between its words."""
    text = "" if name is None else str(name)
    return " ".join(text.translate(_INVISIBLE).encode("utf-8", "replace").decode().split())


def find_header(rows: Sequence[Sequence[Any]]) -> int:
    """Return the position of the line that names the columns.

    It is the first full line above the products whose cells are distinct words, and the first line if there is none.
    Files for other programs may have two such lines, of which the second has names such as item_name; that one counts.

    Args:
        rows: The first lines of the table, blank ones included.
    """
    lines = [(position, texts) for position, row in enumerate(rows) if (texts := _texts_of(row))]
    if not lines:
        return 0
    # Cells that were merged repeat one text, so distinct texts are counted.
    counts = Counter(len(set(texts)) for _, texts in lines)
    usual = max(counts, key=lambda width: (counts[width], width))
    candidates: list[tuple[int, list[str]]] = []
    for position, texts in lines:
        num_texts = len(set(texts))
        if any(is_value(text) for text in texts):
            if num_texts >= max(2, 0.75 * usual):  # a product; a line of notes may hold a date
                break
        elif num_texts == len(texts) and num_texts >= min(usual, max(2, 0.5 * usual)):
            candidates.append((position, texts))
    else:
        # Without any line of values, nothing tells names from products.
        candidates = candidates[:1]
    if not candidates:
        return lines[0][0]
    fullest = max(len(texts) for _, texts in candidates)
    # A name may be missing, so a line that is almost as full as the fullest one is not passed over.
    full = [line for line in candidates if len(line[1]) > 0.75 * fullest]
    machine_lines = [position for position, texts in full[:2] if _are_machine_names(texts)]
    return machine_lines[0] if machine_lines else full[0][0]


def check_header(name: str, cells: Sequence[Any], position: int) -> None:
    """Refuse a header that is a product: without names, the first product would be lost.

    Args:
        name: The file's name, for messages.
        cells: The cells of the line that names the columns.
        position: The position of that line.

    Raises:
        EtalageError: A cell is the path or the address of a picture.
    """
    if pictures := [text for text in _texts_of(cells) if is_picture(text)]:
        raise EtalageError(
            f"{name}: row {position + 1} should name the columns, but holds {pictures[0][:_MAX_SHOWN_CHARS]!r} as "
            "products do; put a row with the names of the columns above it"
        )


def header_note(rows: Sequence[Sequence[Any]], position: int) -> str:
    """Return what to tell of the lines above the header; empty if there are none with text.

    Args:
        rows: The first lines of the table, blank ones included.
        position: The position of the header.
    """
    skipped = [texts for row in rows[:position] if (texts := _texts_of(row))]
    if not skipped:
        return ""
    shown = " ".join(dict.fromkeys(skipped[0]))[:_MAX_SHOWN_CHARS]
    lines = "1 line" if len(skipped) == 1 else f"{len(skipped)} lines"
    return f"row {position + 1} names the columns; {lines} above it skipped: {shown!r}"


def _texts_of(row: Sequence[Any]) -> list[str]:
    return [text for cell in row if (text := clean_name(cell))]


def is_value(text: str) -> bool:
    """Return whether a text is a number, a price, a date or a path of a picture, which names no column."""
    return bool(_NUMBER.fullmatch(text)) or is_picture(text)


def is_picture(text: str) -> bool:
    """Return whether a text is the path of a picture, or any URL."""
    return bool(_PICTURE.fullmatch(text))


def _are_machine_names(texts: Sequence[str]) -> bool:
    return sum(bool(_MACHINE_NAME.fullmatch(text)) for text in texts) > 0.5 * len(texts)
