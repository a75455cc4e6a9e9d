"""How a column writes its numbers and dates, so that new ones can be written alike."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from etalage.catalogue.prices import BadPrice, DecimalMark, find_decimal_mark, parse_amount
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["DateStyle", "NumberStyle", "date_style", "number_style"]

_PLAIN = re.compile(r"(?P<sign>-?)(?P<whole>\d*)(?:\.(?P<cents>\d+))?")
_AMOUNT = re.compile(
    r"(?P<before>\D*?)(?P<whole>\d{1,3}(?:[., '’\u00a0\u202f]\d{3})+|\d*)(?:[.,](?P<cents>\d{1,2}))?(?P<after>\D*)"
)
_MAX_CHARS = 40
_MOST = 1e15
"""Beyond it a float no longer holds every whole number: those are codes."""

_DATE_FORMATS = (
    *("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y/%m/%d", "%Y%m%d"),
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y"),
)
_YEARS = range(1900, 2101)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class NumberStyle:
    """Such as $1,299.00 or .5."""

    before: str
    after: str
    thousands: str
    """Sign between groups of three digits, or none."""
    mark: str
    """Before the decimals: . or ,"""
    least_decimals: int
    most_decimals: int
    leading_zero: bool
    """0.5 rather than .5."""
    plain: bool
    """As machines write them: digits and a full stop."""
    reading: DecimalMark

    def read(self, text: str | None) -> float | None:
        """The number; None if it is none."""
        if text is None or len(text) > _MAX_CHARS:
            return None
        text = text.strip()
        if self.plain:
            return _plain(text)
        try:
            return parse_amount(text, price_range="low", decimal=self.reading).value
        except BadPrice:
            return None

    def write(self, value: float) -> str:
        digits = f"{abs(value):,.{self.most_decimals}f}"
        whole, _, cents = digits.partition(".")
        spare = len(cents) - self.least_decimals
        cents = cents[: self.least_decimals] + cents[self.least_decimals :].rstrip("0") if spare > 0 else cents
        whole = "" if whole == "0" and cents and not self.leading_zero else whole.replace(",", self.thousands)
        sign = "-" if value < 0 and float(digits.replace(",", "")) else ""
        return f"{self.before}{sign}{whole}{self.mark if cents else ''}{cents}{self.after}"


def number_style(texts: Sequence[str]) -> NumberStyle | None:
    """How numbers are written; None if fewer than 98 % of the texts are numbers."""
    plain = sum(_plain(text.strip()) is not None for text in texts) >= 0.98 * len(texts)
    reading = "." if plain else find_decimal_mark(texts)
    style = NumberStyle("", "", "", ".", 0, 0, True, plain, reading)
    if not texts or sum(style.read(text) is not None for text in texts) < 0.98 * len(texts):
        return None
    pattern = _PLAIN if plain else _AMOUNT
    found = [match for text in texts if len(text) <= _MAX_CHARS and (match := pattern.fullmatch(text.strip()))]
    decimals = _frequent(len(match["cents"] or "") for match in found)
    small = [match["whole"] == "" for match in found if match["cents"] and not match["whole"].strip("0")]
    if plain:
        before = after = thousands = ""
    else:
        before, after = _most(match["before"] for match in found), _most(match["after"] for match in found)
        thousands = _most(re.sub(r"\d", "", match["whole"])[:1] for match in found if len(match["whole"]) > 3)
    mark = "." if plain else ("," if thousands == "." or reading == "," else ".")
    leading_zero = sum(small) * 2 <= len(small)
    return NumberStyle(before, after, thousands, mark, min(decimals), max(decimals), leading_zero, plain, reading)


def _plain(text: str) -> float | None:
    found = _PLAIN.fullmatch(text) if len(text) <= _MAX_CHARS and text.isascii() else None
    if found is None or not (found["whole"] or found["cents"]):
        return None
    value = float(text)
    return value if math.isfinite(value) and abs(value) < _MOST else None


def _frequent(values: Iterable[int]) -> list[int]:
    """Those that at least K texts have; the most frequent one if there is none."""
    counts = Counter(values)
    return [value for value, count in counts.items() if count >= K] or [value for value, _ in counts.most_common(1)]


def _most(texts: Iterable[str]) -> str:
    """The most frequent one, if at least K have it."""
    (text, count), *_ = [*Counter(texts).most_common(1), ("", 0)]
    return text if count >= K else ""


@dataclass(frozen=True)
class DateStyle:
    """A date or a moment, counted in days since 1970."""

    form: str
    """As strftime has it."""

    @property
    def whole_days(self) -> bool:
        return "%H" not in self.form

    def read(self, text: str | None) -> float | None:
        """Days since 1970; None if it is no such date."""
        return None if text is None else _days(text.strip(), self.form)

    def write(self, days: float) -> str:
        if self.whole_days:
            days = round(days)
        return (_EPOCH + timedelta(seconds=round(days * 86400))).strftime(self.form)


def date_style(texts: Sequence[str]) -> DateStyle | None:
    """How dates are written; None if fewer than 98 % of the texts are dates of one form."""
    for form in _DATE_FORMATS:
        if texts and sum(_days(text.strip(), form) is not None for text in texts) >= 0.98 * len(texts):
            return DateStyle(form)
    return None


def _days(text: str, form: str) -> float | None:
    if len(text) > _MAX_CHARS or (form == "%Y%m%d" and len(text) != 8):
        return None
    try:
        moment = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None
    return (moment - _EPOCH).total_seconds() / 86400 if moment.year in _YEARS else None
