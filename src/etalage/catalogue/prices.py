"""Prices as people write them -> amounts: $1,299.00, 1.299,00 €, CHF 1'299.-, ab 99 €, 99 - 250.

What a separator means is told by its place: `1,299.00` and `12,50` can be read in one way. `1.299` can be read in two:
the column's other prices decide (`decimal_mark`), and where they do not either, a single separator before exactly three
digits stands for thousands, except after a leading zero.
"""

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from etalage.config import PriceRange

__all__ = ["Amount", "BadPrice", "DecimalMark", "Reason", "decimal_mark", "parse_amount"]

DecimalMark = Literal["auto", ".", ","]
Reason = Literal["price_missing", "price_unparsable", "price_is_range", "price_negative", "price_zero"]

MAX_AMOUNT = 1e12
MAX_CHARS = 200

_CODES = frozenset(
    re.findall(
        "[A-Z]{3}",
        "AED ARS AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HRK HUF IDR ILS INR ISK JOD JPY KES KRW "
        "KWD KZT LKR MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD UAH USD "
        "UYU VND ZAR",
    )
)
_SIGNS = {
    **{"US$": "USD", "$US": "USD", "C$": "CAD", "CA$": "CAD", "$CA": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD"},
    **{"HK$": "HKD", "S$": "SGD", "NT$": "TWD", "R$": "BRL", "MX$": "MXN", "€": "EUR", "EURO": "EUR", "EUROS": "EUR"},
    **{"CN¥": "CNY", "RMB": "CNY", "元": "CNY", "円": "JPY", "JP¥": "JPY", "ZŁ": "PLN", "KČ": "CZK", "FT": "HUF"},
    **{"₹": "INR", "₽": "RUB", "РУБ": "RUB", "₩": "KRW", "₺": "TRY", "TL": "TRY", "₫": "VND", "฿": "THB", "₪": "ILS"},
    **{"₴": "UAH", "LEI": "RON", "ЛВ": "BGN", "SFR": "CHF", "FR": "CHF", "₱": "PHP", "₦": "NGN", "₸": "KZT"},
}
_SHARED = {"$": "USD", "¥": "JPY", "£": "GBP", "RS": "INR", "KR": ""}
"""Signs of several currencies: the one that is mostly meant, unless a code beside says another; none for kr."""

_MISSING = frozenset(
    (
        *("n/a", "na", "#n/a", "none", "null", "nil", "nan", "tba", "tbd", "unknown", "x", "k.a.", "poa", "p.o.a."),
        *(
            "on request",
            "price on request",
            "auf anfrage",
            "preis auf anfrage",
            "sur demande",
            "consultar",
            "su richiesta",
        ),
    )
)
_FREE = frozenset(("free", "gratis", "gratuit", "kostenlos", "gratuito", "for free"))
_FROM = r"from|starting (?:at|from)|starts at|ab|à partir de|dès|desde|a partir de|a partire da|da|vanaf|od"
_UP_TO = r"up to|until|bis(?: zu)?|jusqu'à|hasta|fino a"
_NOISE = (
    r"price|prix|preis|precio|prezzo|rrp|msrp|uvp|only|nur|just|now|each|ttc|incl\. vat|inc\. vat|inkl\. mwst\.?|ca\."
)
_NUMBER = r"(?:\d[\d., ']*)?\d|[.,]\d+"
_WHOLE = r"(?:[.,](?: ?-{1,2})?)?"  # 99.- and 99,--
_MARK = "|".join(re.escape(mark) for mark in sorted([*_CODES, *_SIGNS, *_SHARED], key=len, reverse=True))
_MARKS = rf"(?:(?:{_MARK})(?:(?<=[A-Z])\.)?(?![A-Z]) ?)*"  # Rs.500 is 500, $.99 is 0.99
_ONE = re.compile(
    rf"(?P<sign>[-+])? ?(?P<before>{_MARKS})(?P<sign_2>-)? ?"
    rf"(?P<number>{_NUMBER})(?P<whole>{_WHOLE}) ?(?P<after>{_MARKS})",
    re.IGNORECASE,
)
_MACHINE = re.compile(r"\d+(?:\.\d+)?[eE]\+?\d{1,3}")
_OPEN = re.compile(rf"(?:(?P<low>{_FROM})|(?P<high>{_UP_TO}))\b:? ?(?P<rest>.+)", re.IGNORECASE)
_BETWEEN = re.compile(r"-|~|\.\.+|\b(?:to|bis|à|a|al|até|until)\b", re.IGNORECASE)
_NOISES = re.compile(rf"^(?:(?:{_NOISE})(?![^\W_]):? ?)+|(?: (?:{_NOISE}))+$|\*+$", re.IGNORECASE)
_LIKE = str.maketrans({**dict.fromkeys("‐‑‒–—―−", "-"), **dict.fromkeys("’‘′`´ʼ", "'"), "٫": ".", "٬": ",", "،": ","})


@dataclass(frozen=True)
class Amount:
    """A price that was read."""

    value: float
    """Finite and above zero."""
    currency: str
    """ISO code, or empty if none was written."""
    is_range: bool
    """Whether two prices were written, or a lowest or highest one."""


class BadPrice(ValueError):
    """A text that is no price to learn."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


def parse_amount(text: str, *, price_range: PriceRange, decimal: DecimalMark = "auto") -> Amount:
    """Read a price; digits of any script, spaces of any width, a currency before or after.

    Args:
        price_range: What 99 - 250 counts as; `from 99` has a low end only, `up to 250` a high one only.
        decimal: The column's decimal mark, for texts that can be read in two ways.
    Raises:
        BadPrice: with the reason. Also on percentages, fractions, exponents other than 1e+05, several prices that are
            no range, leading zeros (00123 is a code) and words that are not known here.
    """
    plain = _normalise(text)
    if not plain.strip("-. ") or plain.lower() in _MISSING:
        raise BadPrice("price_missing", repr(text[:100]))
    if plain.lower() in _FREE:
        raise BadPrice("price_zero", repr(text[:100]))
    try:
        value, currency, is_range = _read(plain, price_range, decimal)
    except BadPrice as bad:
        raise BadPrice(bad.reason, f"{text[:100]!r}{bad.detail and ', ' + bad.detail}") from None
    if value < 0:
        raise BadPrice("price_negative", repr(text[:100]))
    if not round(value, 2):
        raise BadPrice("price_zero", repr(text[:100]))
    if not math.isfinite(value) or value > MAX_AMOUNT:
        raise BadPrice("price_unparsable", f"{text[:100]!r} is above {MAX_AMOUNT:.0e}")
    return Amount(value, currency, is_range)


def decimal_mark(texts: Iterable[str]) -> DecimalMark:
    """What separates the cents in a column: a mark that some text can only be read with, if no other text objects."""
    found: set[str] = set()
    for text in texts:
        for number in re.findall(_NUMBER, _normalise(text)):
            readings = _readings(number)
            if len(readings) == 1 and re.search("[.,]", number):
                found |= set(readings)
    return "auto" if len(found) != 1 else "." if "." in found else ","


def _normalise(text: str) -> str:
    """ASCII digits, spaces, dashes and apostrophes; `?` if it is too long, or holds digits out of line."""
    if len(text) > MAX_CHARS or any(
        c.isnumeric() and not c.isdecimal() for c in text
    ):  # ½ or 12⁹⁹, of which NFKC makes 1299
        return "?"
    text = unicodedata.normalize("NFKC", text).translate(_LIKE)
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    return " ".join(text.split())


def _read(plain: str, price_range: PriceRange, decimal: DecimalMark) -> tuple[float, str, bool]:
    if _MACHINE.fullmatch(plain):
        return float(plain), "", False
    plain = _NOISES.sub("", plain).strip()
    if found := _OPEN.fullmatch(plain):
        value, currency = _read_one(found["rest"], decimal)
        if price_range != ("low" if found["low"] else "high"):
            raise BadPrice("price_is_range", f"--price-range is {price_range}")
        return value, currency, True
    try:
        return *_read_one(plain, decimal), False
    except BadPrice:
        span = _read_span(plain, decimal)
        if span is None:
            raise
    if price_range == "drop":
        raise BadPrice("price_is_range", "--price-range is drop")
    low, high, currency = span
    return (low if price_range == "low" else high), currency, True


def _read_span(plain: str, decimal: DecimalMark) -> tuple[float, float, str] | None:
    """Both ends and the currency of 99 - 250, or None."""
    for between in _BETWEEN.finditer(plain):
        try:
            low, currency = _read_one(plain[: between.start()].strip(), decimal)
            high, other = _read_one(plain[between.end() :].strip(), decimal)
        except BadPrice:
            continue
        if 0 <= low <= high and len({currency, other} - {""}) < 2:
            return low, high, currency or other
    return None


def _read_one(text: str, decimal: DecimalMark) -> tuple[float, str]:
    bracketed = re.fullmatch(r"\((.+)\)", text)  # as accountants write what is owed
    found = _ONE.fullmatch((bracketed[1] if bracketed else text).strip())
    if found is None:
        raise BadPrice("price_unparsable", "")
    value = _read_number(found["number"], decimal, is_whole=bool(found["whole"]))
    negative = bracketed or found["sign"] == "-" or found["sign_2"]
    return -value if negative else value, _currency(found["before"] + " " + found["after"])


def _read_number(number: str, decimal: DecimalMark, *, is_whole: bool) -> float:
    readings = _readings(number)
    if is_whole:
        readings = {mark: value for mark, value in readings.items() if mark not in number}
    if not readings:
        raise BadPrice("price_unparsable", "its separators fit no way of writing numbers")
    if len(readings) == 2 and decimal == "auto":
        thousands = re.fullmatch(r"[1-9]\d{0,2}([.,])\d{3}", number)
        decimal = "," if thousands and thousands[1] == "." else "."
    if len(readings) == 2:
        return readings[decimal]
    return next(iter(readings.values()))


def _readings(number: str) -> dict[str, float]:
    """By the decimal mark, the values that a run of digits and separators can have."""
    found = {}
    for mark, thousands in (".,", ",."):
        grouped = rf"[1-9]\d{{0,2}}(?P<s>[{thousands} '])\d{{3}}(?:(?P=s)\d{{3}})*"
        indian = rf"[1-9]\d?(?:[{thousands}]\d\d)+[{thousands}]\d{{3}}"
        match = re.fullmatch(rf"(?P<whole>0|[1-9]\d*|{grouped}|{indian})?(?:[{mark}](?P<cents>\d+))?", number)
        if match and len(number) < 40:
            digits = re.sub(r"\D", "", match["whole"] or "0")
            found[mark] = float(f"{digits}.{match['cents'] or 0}")
    return found


def _currency(marks: str) -> str:
    """The one that is written, be it twice; a code says more than a sign that several share."""
    sure, shared = set(), set()
    for mark in re.findall(_MARK, marks.upper()):
        if mark in _SHARED:
            shared.add(_SHARED[mark])
        else:
            sure.add(_SIGNS.get(mark, mark))
    found = sure or shared
    if len(found) > 1:
        raise BadPrice("price_unparsable", "several currencies")
    return found.pop() if found else ""
