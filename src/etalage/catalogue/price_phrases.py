"""The words around prices: which part of `statt 99 € nur 79 €/Stk. inkl. MwSt.` is the price that is asked."""

import re
import unicodedata
from collections.abc import Iterator

from etalage.catalogue.markup import strip_price_markup
from etalage.catalogue.price_words import (
    FORMER_WORDS,
    HIGHEST_WORDS,
    LOOKALIKES,
    LOWEST_SUFFIXES,
    LOWEST_WORDS,
    MISSING_WORDS,
    NOISE_WORDS,
    NOW_WORDS,
    PER_PIECE,
    PER_QUANTITY,
    RANGE_MARKS,
    RECOMMENDED_WORDS,
    SAVED_WORDS,
    SIGNLESS_RANGE_MARKS,
)

__all__ = ["is_missing_price", "normalize_price", "split_former_price", "split_range", "strip_notes"]

MAX_CHARS = 200
MAX_MARKUP_CHARS = 4000

# (?![^\W_]) stands for \b, which fails after the point of `ca.`.
_END = r"(?![^\W_])"
_NOISE = re.compile(
    rf"^(?:(?:{NOISE_WORDS}){_END} ?:? ?)+|"
    rf"[ ,]*(?: ?\((?:{NOISE_WORDS}|{PER_PIECE})\)|(?:(?<=\W) ?| )(?:{NOISE_WORDS})){_END}$|"
    r"\*+\)?$",
    re.IGNORECASE,
)
_BASE_PRICE = re.compile(rf" ?[(\[](?=[^()]*(?:=|{PER_QUANTITY}{_END}))[^()]*[)\]]$", re.IGNORECASE)
_DISCOUNT = re.compile(r" ?[(\[] ?-? ?\d\d? ?%[^()\[\]\d]*[)\]]$")
_BARE_DISCOUNT = re.compile(r"[ ,]*-? ?\d\d? ?%(?: off| rabatt| de descuento| di sconto| de remise)?$", re.IGNORECASE)
_PIECE = re.compile(rf"(?<=.) ?(?:{PER_PIECE})$", re.IGNORECASE)
_QUANTITY = re.compile(rf"(?<=.) ?(?P<quantity>{PER_QUANTITY})$", re.IGNORECASE)
_LABEL = re.compile(
    rf"(?<![^\W_])(?:(?P<former>{FORMER_WORDS})|(?P<recommended>{RECOMMENDED_WORDS})|(?P<now>{NOW_WORDS})|"
    rf"(?P<saved>{SAVED_WORDS})){_END} ?:?",
    re.IGNORECASE,
)
_FROM_FOR = re.compile(r"(?:de|van|från|fra) (?P<former>.+?) (?:por|voor|för|for) (?P<now>.+)", re.IGNORECASE)
_REDUCED = re.compile(
    r"(?:reduced |marked down |reduziert |herabgesetzt |rebajado |réduit |ridotto )(?:from |von |de |da )?"
    r"(?P<former>.+?) (?:to|auf|à|a) (?P<now>.+)",
    re.IGNORECASE,
)
_LOWEST = re.compile(rf"(?:{LOWEST_WORDS}){_END}:? ?(?P<rest>.+)", re.IGNORECASE)
_LOWEST_SUFFIX = re.compile(rf"(?P<rest>.+?) ?{LOWEST_SUFFIXES}", re.IGNORECASE)
_HIGHEST = re.compile(rf"(?:{HIGHEST_WORDS}){_END}:? ?(?P<rest>.+)", re.IGNORECASE)
_RANGE_MARK = re.compile(RANGE_MARKS, re.IGNORECASE)
_RANGE_WORD = re.compile(SIGNLESS_RANGE_MARKS, re.IGNORECASE)
_BETWEEN_PRICES = re.compile(r" ?[|;/] ?| - |, | (?=\D)|(?<=\D) ")
# Most prices need no more than their spaces normalised, and there are millions.
_SIMPLE = re.compile(r"[\0-~€£¥₹₽₺\u00a0\u202f]*")
_FOOTNOTE = re.compile(r"(?<=[^\d\s]) ?[¹²³⁰⁴-⁹]+\)?$")


def normalize_price(text: str) -> str:
    """Return a price with ASCII digits, spaces, dashes and apostrophes; `?` if it is too long or holds ½ or ⁹.

    Args:
        text: The cell of a table.
    """
    if len(text) <= MAX_MARKUP_CHARS and ("&" in text or "<" in text):
        text = strip_price_markup(text)
    if len(text) <= MAX_CHARS and _SIMPLE.fullmatch(text):
        return " ".join(text.translate(LOOKALIKES).split())
    text = _FOOTNOTE.sub("", text.strip()) if len(text) <= MAX_CHARS else text
    # NFKC would make 1299 of 12⁹⁹.
    if len(text) > MAX_CHARS or any(c.isnumeric() and not c.isdecimal() for c in text):
        return "?"
    # Before NFKC, which makes a space and a combining accent of ´; and after it, for what it makes of wide characters.
    text = unicodedata.normalize("NFKC", text.translate(LOOKALIKES)).translate(LOOKALIKES)
    text = "".join("" if unicodedata.category(c) == "Cf" else c for c in text)
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    return " ".join(text.split())


def is_missing_price(plain: str) -> bool:
    """Return whether a normalized text says that there is no price, as a lone dash does."""
    return not plain.strip("-. ") or plain.casefold() in MISSING_WORDS


def strip_notes(plain: str) -> tuple[str, str]:
    """Remove taxes, footnotes, prices per kilogram in brackets, and the words for one piece.

    Args:
        plain: A normalized price.

    Returns:
        The rest, and the quantity that its price is for, such as `/ 100 g`; empty if it is that of the product.
    """
    before = None
    while plain != before:
        before = plain
        for pattern in (_NOISE, _BASE_PRICE, _DISCOUNT, _PIECE):
            plain = pattern.sub("", plain).strip() or plain
    if match := _QUANTITY.search(plain):
        return plain[: match.start()].strip(), match["quantity"].strip()
    return plain, ""


def split_former_price(plain: str) -> Iterator[tuple[str, str]]:
    """Yield the price that is asked now and the former one, as far as words tell them apart.

    Args:
        plain: A normalized price.
    """
    for pattern in (_FROM_FOR, _REDUCED):
        if match := pattern.fullmatch(plain):
            yield match["now"], match["former"]
    texts: dict[str, list[str]] = {kind: [] for kind in ("former", "recommended", "now", "saved", "")}
    for kind, text in _split_at_labels(plain):
        if text := _trim(text):
            texts[kind].append(text)
    is_recommended = any(label.lastgroup == "recommended" for label in _LABEL.finditer(plain))
    former, now, rest = texts["former"] + texts["recommended"], texts["now"], texts[""]
    if len(former) == 1 and len(now) + len(rest) == 1:
        yield (now or rest)[0], former[0]
    elif not former and len(now) == 1 and len(rest) <= 1:
        yield now[0], (rest or now)[0]
    elif len(former) == 1 and not now and not rest:
        for gap in _BETWEEN_PRICES.finditer(former[0]):
            yield former[0][gap.end() :], former[0][: gap.start()]
        if is_recommended:
            yield former[0], former[0]
    elif is_recommended and len(rest) == 1 and not now:  # 1,299.00 MRP
        yield rest[0], rest[0]


def split_range(plain: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of the two ends that a range may have; one of them is empty for `from 99` and `up to 250`.

    Args:
        plain: A normalized price.
    """
    lowest = _LOWEST.fullmatch(plain)
    if lowest:
        yield lowest["rest"], ""
    if match := _LOWEST_SUFFIX.fullmatch(plain):
        yield match["rest"], ""
    if match := _HIGHEST.fullmatch(plain):
        yield "", match["rest"]
    both = lowest["rest"] if lowest else plain
    # Every mark is tried, since only one of those in `CHF 99.- - 250.-` is between the prices.
    for pattern in (_RANGE_MARK, _RANGE_WORD) if lowest else (_RANGE_MARK,):
        for mark in pattern.finditer(both):
            low, high = both[: mark.start()].strip(), both[mark.end() :].strip()
            if low and high:
                yield low, high


def _split_at_labels(plain: str) -> Iterator[tuple[str, str]]:
    """Yield the texts before, between and after the words for prices, each with what the word before it says."""
    kind, start = "", 0
    for label in _LABEL.finditer(plain):
        yield kind, plain[start : label.start()]
        kind, start = label.lastgroup or "", label.end()
    yield kind, plain[start:]


def _trim(text: str) -> str:
    """Return a text without the brackets and separators around it, and without a discount at its end."""
    return _BARE_DISCOUNT.sub("", text.strip(" ()[],;:|/")).strip(" ()[],;:|/")
