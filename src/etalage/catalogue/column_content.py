"""What the cells of a column look like -> which column holds what, where names do not tell."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, Self

from etalage.catalogue.prices import BadPrice, find_decimal_mark, parse_amount
from etalage.errors import EtalageError

__all__ = ["ColumnProfile", "match_by_content"]

_PICTURE = re.compile(r"data:image/.*|.*\.(jpe?g|png|webp|gif|bmp|tiff?|avif)(\?.*)?", re.IGNORECASE | re.DOTALL)
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://|www\.", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*")
_CODE = re.compile(r"(?=\S*\d)[\w./-]{3,32}")


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
        return cls(name, [cell for cell in cells if cell not in (None, "", [], {})])

    @property
    def texts(self) -> list[str]:
        """The cells that are texts, without space around them."""
        return [cell.strip() for cell in self.cells if isinstance(cell, str)]

    def share(self, test: Callable[[str], object]) -> float:
        """Return the fraction of the cells that are texts and pass a test."""
        return sum(bool(test(text)) for text in self.texts) / max(1, len(self.cells))


def match_by_content(missing: Mapping[str, str], read_profiles: Callable[[], list[ColumnProfile]]) -> dict[str, str]:
    """Return the columns whose cells look like those of a role.

    Args:
        missing: By role, what its cells are: "image", "price", "title", "category", "product_code", or anything else,
            which has no look of its own and is not searched for.
        read_profiles: Reads the columns that are free; called only if there is something to search for.

    Raises:
        EtalageError: Several columns look like the same role, other than the code.
    """
    # In this order: what is recognised most surely leaves fewer columns for the rest.
    finders = {
        "image": _find_images,
        "price": _find_prices,
        "title": _find_titles,
        "category": _find_categories,
        "product_code": _find_codes,
    }
    order = list(finders)
    roles = sorted((role for role in missing if missing[role] in finders), key=lambda role: order.index(missing[role]))
    if not roles:
        return {}
    profiles = read_profiles()
    found: dict[str, str] = {}
    for role in roles:
        # A column without cells looks like nothing, and has no mean.
        free = [profile for profile in profiles if profile.cells and profile.name not in found.values()]
        names = [profile.name for profile in finders[missing[role]](free)]
        # A wrong title would be learned; a wrong code only names rows, so it is left out instead.
        if len(names) > 1 and role != "product_code":
            raise EtalageError(
                f"no column is called {role}, and several look like it: {', '.join(map(repr, names))}; "
                f"say which with --columns {role}=COLUMN"
            )
        if len(names) == 1:
            found[role] = names[0]
    return found


def _find_images(profiles: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    return [profile for profile in profiles if fmean(map(_is_image, profile.cells)) >= 0.8]


def _is_image(cell: Any) -> bool:
    # Of several pictures the first one counts, as when the table is read.
    if isinstance(cell, list):
        return bool(cell) and _is_image(cell[0])
    if isinstance(cell, dict):
        return bool(cell.get("bytes") or cell.get("path"))
    return isinstance(cell, bytes) or (isinstance(cell, str) and bool(_PICTURE.fullmatch(cell.strip())))


def _find_prices(profiles: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return columns with cents or a currency; if there are none, whole numbers that are neither codes nor years."""
    certain, possible = [], []
    for profile in profiles:
        if (amounts := _read_amounts(profile.texts)) is None:
            continue
        values, currencies = amounts
        num_values = len(set(values))
        if currencies or (num_values > 1 and any(value % 1 for value in values)):
            certain.append(profile)
        if num_values > 2 and not _are_codes(profile.texts):
            possible.append(profile)
    return certain or possible


def _read_amounts(texts: Sequence[str]) -> tuple[list[float], set[str]] | None:
    """Return the amounts and currencies of a column in which most texts are prices and none is negative, or None."""
    decimal = find_decimal_mark(texts)
    values, currencies = [], set()
    for text in texts:
        try:
            amount = parse_amount(text, price_range="low", decimal=decimal)
        except BadPrice as bad:
            if bad.reason == "price_negative":
                return None
            continue
        values.append(amount.value)
        currencies |= {amount.currency} - {""}
    return (values, currencies) if len(values) >= 0.8 * len(texts) > 0 else None


def _are_codes(texts: Sequence[str]) -> bool:
    """Return whether all texts are whole numbers that are years, have one length of 5 or more, or count up by one."""
    numbers = [text for text in texts if text.isdecimal()]
    if len(numbers) < len(texts):
        return False
    # int() refuses texts of more than 4300 digits, hence the cuts.
    are_years = all(1900 <= int(text[:9]) <= 2100 for text in numbers)
    has_one_length = len({len(text) for text in numbers}) == 1 and len(numbers[0]) >= 5
    are_unique = len(set(numbers)) == len(numbers)
    steps = [int(text[:18]) - int(numbers[0][:18]) for text in numbers]
    are_counted = len(numbers) > 2 and steps == list(range(len(numbers)))
    return are_years or (has_one_length and are_unique) or are_counted


def _find_titles(profiles: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the columns of a few words that rarely repeat; of those, the ones with the longest texts."""
    found = []
    for profile in profiles:
        texts = _words_of(profile)
        if not texts or len(set(texts)) < 0.7 * len(texts):
            continue
        if 1.5 <= fmean(len(text.split()) for text in texts) <= 20:
            found.append((fmean(map(len, texts)), profile))
    longest = max((length for length, _ in found), default=0)
    return [profile for length, profile in found if length >= 0.7 * longest]


def _find_categories(profiles: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the columns of short texts that repeat at least three times on average."""
    found = []
    for profile in profiles:
        texts = _words_of(profile)
        if texts and 2 <= len(set(texts)) <= max(2, len(texts) // 3) and median(map(len, texts)) <= 60:
            found.append(profile)
    return found


def _find_codes(profiles: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the columns of short texts with digits that never repeat and are not dates."""
    return [
        profile
        for profile in profiles
        if len(set(profile.texts)) == len(profile.cells)
        and profile.share(_CODE.fullmatch) >= 0.95
        and profile.share(_DATE.fullmatch) <= 0.5
    ]


def _words_of(profile: ColumnProfile) -> list[str]:
    """Return the texts of a column if they are words; none if they are numbers, dates, addresses or prices."""

    def is_other(text: str) -> bool:
        return not any(c.isalpha() for c in text) or bool(_LINK.match(text) or _PICTURE.fullmatch(text))

    are_texts = len(profile.texts) == len(profile.cells)
    if not are_texts or profile.share(is_other) > 0.2 or profile.share(_DATE.fullmatch) > 0.2:
        return []
    return [] if _read_amounts(profile.texts) else profile.texts
