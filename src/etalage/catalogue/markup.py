"""HTML in the cells of a shop's export -> plain text: `Schal &amp; <b>M&uuml;tze</b>` is `Schal & Mütze`.

Only what HTML knows is touched: `Ring <3`, `Size < 40` and `AT&T` stay as they are.
"""

import html
import re

from etalage.task import clean_text

__all__ = ["clean_cell", "strip_markup", "strip_price_markup"]

_MAX_MARKUP = 20
"""How many times as long a text may be with its HTML as without."""
_MAX_ESCAPES = 3
"""A text that was escaped by a shop, an export and a spreadsheet in turn has `&amp;amp;amp;`."""

# An ampersand without a semicolon starts an entity in HTML, too, but in titles it mostly is one: Salt&paradise.
_ENTITY = re.compile(
    r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});|&(?:amp|nbsp|quot)(?![A-Za-z0-9=;])"
)

_BLOCKS = (
    "address article aside blockquote br center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr iframe img li main nav ol option p pre section select table tbody td tfoot th thead title tr ul video"
)
_INLINE = (
    "a abbr acronym b bdi bdo big button cite code data del dfn em font i ins kbd label mark nobr o:p q s samp small "
    "span strike strong sub sup svg path time tt u var wbr"
)
_HIDDEN = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>|<!--.*?-->|<!doctype[^<>]*>", re.IGNORECASE | re.DOTALL)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_SUPERSCRIPT = re.compile(r"<sup(?:\s[^<>]*)?>\s*(\d+|tm)\s*</sup\s*>", re.IGNORECASE)
# With attributes, or none: `a < b > c` and `<M>` are no tags.
_TAG = re.compile(
    rf"<(?P<end>/)?(?P<name>{'|'.join(sorted((_BLOCKS + ' ' + _INLINE).split(), key=len, reverse=True))})"
    r"(?P<attributes>\s+[a-z@:_-]+\s*=\s*[^<>]*|\s+(?:hidden|disabled|nowrap))?\s*/?>",
    re.IGNORECASE,
)
_CUT_TAG = re.compile(
    r"<(?:a|div|font|iframe|img|p|span|table|td|ul|h\d)\s+[a-z-]+\s*=[^<>]*$|</?(?:strong|span|div)?$", re.IGNORECASE
)
_FORMER = re.compile(r"<(?:del|s|strike)\b[^<>]*>", re.IGNORECASE)
_NOW = re.compile(r"<ins\b[^<>]*>", re.IGNORECASE)
_ANY_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff\u202a-\u202e\u2066-\u2069]")
_BLOCK_NAMES = frozenset(_BLOCKS.split())


def strip_markup(text: str) -> str:
    """Return a text without tags and invisible marks, and with its entities decoded, even if they were escaped twice.

    >>> strip_markup("Fish &amp;amp; <b>Chips</b>, Gr&ouml;&szlig;e &lt; 40")
    'Fish & Chips, Größe < 40'

    Args:
        text: The text of a cell. Tags that begin a block, such as `<br>`, become a space.
    """
    if "&" in text or "<" in text:
        for _ in range(_MAX_ESCAPES):
            text = _CDATA.sub(r"\1", text)
            stripped = _strip_tags(text) if "<" in text else text
            decoded = _ENTITY.sub(_decode, stripped)
            if decoded == text:
                break
            text = decoded
        if "<" in text:
            text = _strip_tags(text)
    return text if text.isascii() else _INVISIBLE.sub("", text)


def clean_cell(text: str, max_chars: int) -> str:
    """Return one line of text without markup, as titles and categories of the catalogue have it.

    Args:
        text: The text of a cell, which may have a hundred million characters.
        max_chars: The most that the caller takes; what is many times as long stays as it is.
    """
    return text if len(text) > _MAX_MARKUP * max_chars else clean_text(strip_markup(text))


def strip_price_markup(text: str) -> str:
    """Return a price without markup; what is struck through is marked as the former price.

    >>> strip_price_markup("<del>99&nbsp;&euro;</del> <ins>79&nbsp;&euro;</ins>").split()
    ['was', '99', '€', 'now', '79', '€']

    Args:
        text: The text of a cell. Every tag becomes a space: `12<sup>99</sup>` must not become 1299.
    """
    text = _FORMER.sub(" was ", _ENTITY.sub(_decode, text))
    return _ANY_TAG.sub(" ", _NOW.sub(" now ", text))


def _strip_tags(text: str) -> str:
    text = _SUPERSCRIPT.sub(_superscript, _HIDDEN.sub(" ", text))
    text = _TAG.sub(lambda match: _replace_tag(match, text), text)
    return _CUT_TAG.sub("", text)


def _replace_tag(match: re.Match[str], text: str) -> str:
    name = match["name"]
    # <S> may be a size: a capital alone is a tag only where another one closes it.
    is_bare = len(name) == 1 and name.isupper() and not match["attributes"] and not match["end"]
    if is_bare and not re.search(rf"</{name}\s*>", text):
        return match[0]
    return " " if name.casefold() in _BLOCK_NAMES else ""


def _superscript(match: re.Match[str]) -> str:
    """Return m² for m<sup>2</sup>, which must not become m2, or 102 for 10 squared."""
    return match[1].translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")) if match[1].isdecimal() else "™"


def _decode(match: re.Match[str]) -> str:
    entity = match[0] if match[0].endswith(";") else match[0] + ";"
    # Unknown names stay as they are, and so do references to no character.
    decoded = html.unescape(entity)
    return " " if decoded in ("\ufffd", "") else decoded if decoded != entity else match[0]
