"""What the cells of a column look like, and whether a column may hold what a role needs."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from statistics import fmean, median
from typing import Any, Self

from etalage.catalogue.missing import is_empty_cell
from etalage.catalogue.prices import BadPrice, find_decimal_mark, parse_amount
from etalage.task import clean_text

__all__ = ["ColumnProfile", "disagrees", "find_by_content", "looks_like"]

_PICTURE = re.compile(r"data:image/.*|.*\.(jpe?g|png|webp|gif|bmp|tiff?|avif)(\?.*)?", re.IGNORECASE | re.DOTALL)
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://|www\.", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*")
_CODE = re.compile(r"(?=\S*\d)[\w./-]{3,32}")
_HASH = re.compile(r"[0-9a-f]{24,64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|gid://\S+", re.IGNORECASE)

MACHINE_WORDS = frozenset(
    (
        # kinds of products and rows in shop systems
        *("simple", "variable", "variation", "variations", "configurable", "grouped", "bundle", "bundled", "virtual"),
        *("downloadable", "external", "affiliate", "external/affiliate", "giftcard", "gift card", "subscription"),
        *("variable-subscription", "booking", "composite", "physical", "digital", "service", "standard", "pack"),
        *("combinations", "product", "variant", "parent", "child", "sku", "rule", "master", "single", "einfach"),
        # flags and states
        *("yes", "no", "y", "n", "true", "false", "0", "1", "-1", "ja", "nein", "oui", "non", "si", "sí", "sim", "não"),
        *("nee", "tak", "nie", "on", "off", "active", "inactive", "enabled", "disabled", "published", "draft"),
        *("archived", "visible", "hidden", "search", "catalog", "both", "taxable", "in stock", "out of stock"),
        *("instock", "outofstock", "in_stock", "out_of_stock", "preorder", "backorder", "new", "used", "refurbished"),
    )
)
"""What shop systems write for themselves; a column of these words is no category of products."""

MIN_CELLS = 3
"""Fewer cells do not contradict a header."""

_MAX_EXAMPLE_CHARS = 30


@dataclass(frozen=True)
class ColumnProfile:
    """The cells of a column in a sample of rows."""

    name: str
    """The column's name."""
    cells: list[Any]
    """The cells that are not empty."""

    @classmethod
    def of(cls, name: str, cells: Sequence[Any]) -> Self:
        """Return the profile of a column.

        Args:
            name: The column's name.
            cells: All cells of it in the sample, empty ones included.
        """
        return cls(name, [cell for cell in cells if not is_empty_cell(cell)])

    @cached_property
    def texts(self) -> list[str]:
        """The cells that are texts, without space around them."""
        return [cell.strip() for cell in self.cells if isinstance(cell, str)]

    @cached_property
    def amounts(self) -> tuple[list[float], set[str]]:
        """The numbers and the readable prices among the cells, and their currencies."""
        values = [float(cell) for cell in self.cells if _is_number(cell)]
        currencies = set()
        decimal = find_decimal_mark(self.texts)
        for text in self.texts:
            try:
                amount = parse_amount(text, price_range="low", decimal=decimal)
            except BadPrice as bad:
                if bad.reason in ("price_zero", "price_negative"):
                    values.append(-1.0 if bad.reason == "price_negative" else 0.0)
                continue
            values.append(amount.value)
            currencies.add(amount.currency)
        return values, currencies - {""}

    def share(self, test: Callable[[str], object]) -> float:
        """Return the fraction of the cells that are texts and pass a test."""
        return sum(bool(test(text)) for text in self.texts) / max(1, len(self.cells))

    def examples(self, num: int) -> list[str]:
        """Return some cells, shortened, no two alike.

        Args:
            num: How many of them at most.
        """
        found: dict[str, None] = {}
        for cell in self.cells:
            found.setdefault(_shorten(cell))
            if len(found) == num:
                break
        return list(found)


def looks_like(kind: str, profile: ColumnProfile) -> bool:
    """Return whether the cells of a column look like those of a role.

    Args:
        kind: "image", "price", "title", "category" or "product_code"; anything else has no look of its own.
        profile: The column; one without cells looks like nothing.
    """
    return bool(profile.cells) and kind in _LOOKS and _LOOKS[kind](profile)


def find_by_content(kind: str, profiles: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the columns that look like a role; of several that look like prices, only those with a currency.

    Args:
        kind: As for `looks_like`.
        profiles: The columns to choose from.
    """
    found = [profile for profile in profiles if looks_like(kind, profile)]
    with_currency = [profile for profile in found if profile.amounts[1]] if kind == "price" else []
    return with_currency or found


def disagrees(kind: str, profile: ColumnProfile) -> bool:
    """Return whether the cells of a column contradict a header that names a role.

    Args:
        kind: As for `looks_like`.
        profile: The column; a few cells never contradict.
    """
    if len(profile.cells) < MIN_CELLS:
        return False
    match kind:
        case "price":
            return len(profile.amounts[0]) < 0.2 * len(profile.cells)
        case "category":
            return profile.share(_is_machine_word) > 0.8 or profile.share(_HASH.fullmatch) > 0.8
        case "title":
            return profile.share(_is_no_words) + _share_of_numbers(profile) > 0.8
        case "image":
            # Flags and counts; the name of a picture may well lack a suffix.
            is_flag = fmean(isinstance(cell, bool) or _is_machine_word(str(cell)) for cell in profile.cells)
            return is_flag > 0.8 or profile.share(lambda text: " " in text and not re.search(r"[./\\]", text)) > 0.8
    return False


def _looks_like_image(profile: ColumnProfile) -> bool:
    return fmean(map(_is_image, profile.cells)) >= 0.8


def _is_image(cell: Any) -> bool:
    # Of several pictures the first one counts, as when the table is read.
    if isinstance(cell, list):
        return bool(cell) and _is_image(cell[0])
    if isinstance(cell, dict):
        return bool(cell.get("bytes") or cell.get("path"))
    return isinstance(cell, bytes) or (isinstance(cell, str) and bool(_PICTURE.fullmatch(cell.strip())))


def _looks_like_price(profile: ColumnProfile) -> bool:
    """Return whether a column has cents or a currency, or whole numbers that are neither codes nor years."""
    values, currencies = profile.amounts
    if len(values) < 0.8 * len(profile.cells) or min(values) < 0:
        return False
    num_values = len(set(values))
    has_cents = num_values > 1 and any(value % 1 for value in values)
    return bool(currencies) or has_cents or (num_values > 2 and not _are_codes(profile.cells))


def _are_codes(cells: Sequence[Any]) -> bool:
    """Return whether all cells are whole numbers that are years, have one length of 5 or more, or count up by one."""
    numbers = [str(int(cell)) if _is_number(cell) and cell % 1 == 0 else str(cell).strip() for cell in cells]
    if not all(text.isdecimal() for text in numbers):
        return False
    # int() refuses texts of more than 4300 digits, hence the cuts.
    are_years = all(1900 <= int(text[:9]) <= 2100 for text in numbers)
    has_one_length = len({len(text) for text in numbers}) == 1 and len(numbers[0]) >= 5
    are_unique = len(set(numbers)) == len(numbers)
    steps = [int(text[:18]) - int(numbers[0][:18]) for text in numbers]
    are_counted = len(numbers) > 2 and steps == list(range(len(numbers)))
    return are_years or (has_one_length and are_unique) or are_counted


def _looks_like_title(profile: ColumnProfile) -> bool:
    """Return whether a column has a few words that rarely repeat."""
    texts = _words_of(profile)
    if not texts or len(set(texts)) < 0.7 * len(texts):
        return False
    return 1.5 <= fmean(len(text.split()) for text in texts) <= 20


def _looks_like_category(profile: ColumnProfile) -> bool:
    """Return whether a column has short words of people that repeat at least three times on average."""
    texts = _words_of(profile)
    repeat = bool(texts) and 2 <= len(set(texts)) <= max(2, len(texts) // 3) and median(map(len, texts)) <= 60
    return repeat and not disagrees("category", profile)


def _looks_like_code(profile: ColumnProfile) -> bool:
    """Return whether a column has short texts with digits that never repeat and are not dates."""
    return (
        len(set(profile.texts)) == len(profile.cells)
        and profile.share(_CODE.fullmatch) >= 0.95
        and profile.share(_DATE.fullmatch) <= 0.5
    )


_LOOKS: dict[str, Callable[[ColumnProfile], bool]] = {
    "image": _looks_like_image,
    "price": _looks_like_price,
    "title": _looks_like_title,
    "category": _looks_like_category,
    "product_code": _looks_like_code,
}


def _words_of(profile: ColumnProfile) -> list[str]:
    """Return the texts of a column if they are words; none if they are numbers, dates, addresses or prices."""
    are_texts = len(profile.texts) == len(profile.cells)
    if not are_texts or profile.share(_is_no_words) > 0.2 or profile.share(_DATE.fullmatch) > 0.2:
        return []
    return [] if len(profile.amounts[0]) >= 0.8 * len(profile.cells) else profile.texts


def _is_no_words(text: str) -> bool:
    return not any(c.isalpha() for c in text) or bool(_LINK.match(text) or _PICTURE.fullmatch(text))


def _is_machine_word(text: str) -> bool:
    # WooCommerce joins them: "simple, downloadable, virtual".
    return all(word.strip().casefold() in MACHINE_WORDS for word in text.split(","))


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)


def _share_of_numbers(profile: ColumnProfile) -> float:
    return sum(map(_is_number, profile.cells)) / len(profile.cells)


def _shorten(cell: Any) -> str:
    if isinstance(cell, bytes) or (isinstance(cell, dict) and cell.get("bytes")):
        return "(a picture)"
    text = clean_text(str(cell)[:1000])
    return text if len(text) <= _MAX_EXAMPLE_CHARS else text[: _MAX_EXAMPLE_CHARS - 3] + "..."
