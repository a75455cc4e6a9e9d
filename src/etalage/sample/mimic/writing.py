"""How a column writes its numbers and dates, so that new ones are written alike."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from etalage.catalogue.prices import BadPrice, find_decimal_mark, parse_amount
from etalage.config import DecimalMark
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["DateStyle", "NumberStyle", "detect_date_style", "detect_number_style"]

_MIN_SHARE = 0.98
"""Share of a column's texts that have to be numbers, or dates of one format."""
_PLAIN = re.compile(r"(?P<sign>-?)(?P<whole>\d*)(?:\.(?P<cents>\d+))?")
_AMOUNT = re.compile(
    r"(?P<prefix>\D*?)(?P<whole>\d{1,3}(?:[., '’\u00a0\u202f]\d{3})+|\d*)(?:[.,](?P<cents>\d{1,2}))?(?P<suffix>\D*)"
)
_MAX_CHARS = 40
_MAX_VALUE = 1e15
"""Beyond it a float no longer holds every whole number: those are codes."""

# The first that fits counts: where no day is above 12, dates are read with the day before the month.
_DATE_FORMATS = (
    *("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y/%m/%d", "%Y%m%d"),
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y"),
)
_YEARS = range(1900, 2101)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class NumberStyle:
    """A way to write numbers, such as $1,299.00 or .5."""

    prefix: str
    suffix: str
    thousands_sep: str
    """Between groups of three digits; empty if there is none."""
    decimal_sep: str
    min_decimals: int
    max_decimals: int
    has_leading_zero: bool
    """0.5 rather than .5."""
    is_plain: bool
    """Digits and a full stop only, as machines write numbers."""
    parse_mark: DecimalMark
    """The decimal mark that amounts are parsed with."""

    def read(self, text: str | None) -> float | None:
        """Return the number; None if the text is none."""
        if text is None or len(text) > _MAX_CHARS:
            return None
        text = text.strip()
        if self.is_plain:
            return _parse_plain(text)
        try:
            return parse_amount(text, price_range="low", decimal=self.parse_mark).value
        except BadPrice:
            return None

    def write(self, value: float) -> str:
        """Return the number as the column writes it, rounded to `max_decimals`."""
        # Python's own commas and full stop are replaced below.
        digits = f"{abs(value):,.{self.max_decimals}f}"
        whole, _, cents = digits.partition(".")
        num_optional = len(cents) - self.min_decimals
        if num_optional > 0:
            cents = cents[: self.min_decimals] + cents[self.min_decimals :].rstrip("0")
        is_bare = whole == "0" and cents and not self.has_leading_zero
        whole = "" if is_bare else whole.replace(",", self.thousands_sep)
        # No sign before what was rounded to 0.
        sign = "-" if value < 0 and float(digits.replace(",", "")) else ""
        return f"{self.prefix}{sign}{whole}{self.decimal_sep if cents else ''}{cents}{self.suffix}"


def detect_number_style(texts: Sequence[str]) -> NumberStyle | None:
    """Return how numbers are written; None if fewer than 98 % of the texts are numbers, or all are ranges."""
    is_plain = sum(_parse_plain(text.strip()) is not None for text in texts) >= _MIN_SHARE * len(texts)
    parse_mark = "." if is_plain else find_decimal_mark(texts)
    style = NumberStyle("", "", "", ".", 0, 0, True, is_plain, parse_mark)
    if not texts or sum(style.read(text) is not None for text in texts) < _MIN_SHARE * len(texts):
        return None
    pattern = _PLAIN if is_plain else _AMOUNT
    found = [match for text in texts if len(text) <= _MAX_CHARS and (match := pattern.fullmatch(text.strip()))]
    if not found:  # ranges such as 10 - 20 can be read, but no single number can be written like them
        return None
    decimals = _frequent(len(match["cents"] or "") for match in found)
    bare = [match["whole"] == "" for match in found if match["cents"] and not match["whole"].strip("0")]
    has_leading_zero = sum(bare) * 2 <= len(bare)
    if is_plain:
        return NumberStyle("", "", "", ".", min(decimals), max(decimals), has_leading_zero, is_plain, parse_mark)
    thousands_sep = _most_frequent(re.sub(r"\d", "", match["whole"])[:1] for match in found if len(match["whole"]) > 3)
    return NumberStyle(
        prefix=_most_frequent(match["prefix"] for match in found),
        suffix=_most_frequent(match["suffix"] for match in found),
        thousands_sep=thousands_sep,
        decimal_sep="," if thousands_sep == "." or parse_mark == "," else ".",
        min_decimals=min(decimals),
        max_decimals=max(decimals),
        has_leading_zero=has_leading_zero,
        is_plain=is_plain,
        parse_mark=parse_mark,
    )


def _parse_plain(text: str) -> float | None:
    # ASCII only, since \d would match the digits of every script.
    found = _PLAIN.fullmatch(text) if len(text) <= _MAX_CHARS and text.isascii() else None
    # The pattern also matches an empty text and a lone sign.
    if found is None or not (found["whole"] or found["cents"]):
        return None
    value = float(text)
    return value if math.isfinite(value) and abs(value) < _MAX_VALUE else None


def _frequent(values: Iterable[int]) -> list[int]:
    """Return the values that at least K texts have; the most frequent one if there is none."""
    counts = Counter(values)
    return [value for value, count in counts.items() if count >= K] or [value for value, _ in counts.most_common(1)]


def _most_frequent(texts: Iterable[str]) -> str:
    """Return the most frequent text if at least K have it, else an empty one."""
    (text, count), *_ = [*Counter(texts).most_common(1), ("", 0)]
    return text if count >= K else ""


@dataclass(frozen=True)
class DateStyle:
    """A way to write dates or moments, which are counted in days since 1970."""

    format: str
    """The format of strftime."""

    @property
    def is_whole_days(self) -> bool:
        """True if dates are written without a time."""
        return "%H" not in self.format

    def read(self, text: str | None) -> float | None:
        """Return days since 1970; None if the text is no such date."""
        return None if text is None else _parse_days(text.strip(), self.format)

    def write(self, days: float) -> str:
        """Return the date, given in days since 1970, as the column writes it."""
        if self.is_whole_days:
            days = round(days)
        return (_EPOCH + timedelta(seconds=round(days * 86400))).strftime(self.format)


def detect_date_style(texts: Sequence[str]) -> DateStyle | None:
    """Return how dates are written; None if fewer than 98 % of the texts are dates of one format."""
    for date_format in _DATE_FORMATS:
        num_dates = sum(_parse_days(text.strip(), date_format) is not None for text in texts)
        if texts and num_dates >= _MIN_SHARE * len(texts):
            return DateStyle(date_format)
    return None


def _parse_days(text: str, date_format: str) -> float | None:
    # `strptime` would also read %Y%m%d from fewer digits.
    if len(text) > _MAX_CHARS or (date_format == "%Y%m%d" and len(text) != 8):
        return None
    try:
        moment = datetime.strptime(text, date_format).replace(tzinfo=UTC)
    except ValueError:
        return None
    return (moment - _EPOCH).total_seconds() / 86400 if moment.year in _YEARS else None
