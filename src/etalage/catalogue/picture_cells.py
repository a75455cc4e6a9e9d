"""The pictures that a cell names, whatever its form: one reference or several, as text, JSON, Python or typed values.

Nothing here looks at a disk or a network. Where a text may be read in several ways, all of them are returned, and the
one whose pictures exist is used (picture_candidates.py).
"""

import ast
import base64
import html
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["cell_pictures", "is_url", "read_picture_text"]

_MAX_DEPTH = 8
_MAX_NAME_CHARS = 256

# By these, the end of a file's name is recognised within a list.
_PICTURE_SUFFIX = r"\.(?:jpe?g|jpe|jfif|png|webp|gif|bmp|tiff?|avif|heic|heif)"
_URL = r"(?:https?:/|hf://|//[\w-]+(?:\.[\w-]+)+(?=[/:]))"
_DATA = r"data:[\w.+-]{0,99}(?:/[\w.+-]{0,99})?[;,]"
_IS_URL = re.compile(_URL, re.IGNORECASE)
_SINGLE = re.compile(r"(?:https?://)?[\w.][\w./%?=+~-]*", re.IGNORECASE)
_STARTS_ADDRESS = re.compile(f"{_URL}|{_DATA}", re.IGNORECASE)
# Every repeat below is bounded or has one way to match, so that no text takes more than linear time.
# URLs hold commas, semicolons and bars of their own, so they are divided only where another one begins.
_BEFORE_ADDRESS = re.compile(rf"(?<![\s,;|^])[\s,;|^]++(?={_URL}|{_DATA})", re.IGNORECASE)
_AFTER_PICTURE = re.compile(rf"({_PICTURE_SUFFIX}(?:\?[^\s,;|]{{0,999}})?)\s{{0,9}}[,;|]\s+(?=\S)", re.IGNORECASE)
_BETWEEN_PATHS = re.compile(
    rf"(?:[\r\n\t,;|]|(?:(?<=\.\w\w\w)|(?<=\.\w\w\w\w)) (?=\S{{1,255}}{_PICTURE_SUFFIX}))\s*", re.I
)
_SEPARATORS = ("\n", "\t", "|", ";", ",")
_SRCSET_SIZE = re.compile(r"(?<!\s)\s{1,9}\d{1,6}(?:\.\d{1,6})?[wx]$")  # as in "a.jpg 300w, b.jpg 600w"
_EMBEDDED = re.compile(
    r"""\((https?://(?:[^\s()]|\([^\s()]*\))+)\)    # Markdown, and Airtable's "name.jpg (https://...)"
    | (["'])\s*(https?://.*?)\s*\2                # HTML, and formulas such as =IMAGE("https://...")""",
    re.IGNORECASE | re.VERBOSE,
)
_HTML_SRC = re.compile(r"""\ssrc\s*=\s*(?:"([^"]+)"|'([^']+)'|([^\s"'>]+))""", re.IGNORECASE)
_INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff"

# The keys under which an object has its picture, the best first; compared without case, - and _.
_KEYS = (
    *("bytes", "hires", "original", "full", "fullsize", "zoom", "xlarge", "large", "big", "main", "src", "url"),
    *("originalsrc", "transformedsrc", "secureurl", "sourceurl", "contenturl", "imageurl", "imagelink", "href", "link"),
    *("path", "file", "filepath", "filename", "image", "picture", "photo", "base64", "data", "medium", "small"),
    *("thumbnail", "thumb", "node", "nodes", "edges", "images", "pictures", "photos", "gallery", "media", "items"),
)
_RANK = {key: rank for rank, key in enumerate(_KEYS)}

_PYTHON_TOKEN = re.compile(
    r"""\s*(?: ([bBuUrR]{0,2}'(?:[^'\\]|\\.)*'|[bBuUrR]{0,2}"(?:[^"\\]|\\.)*")  # a string or bytes
    | (None|True|False|nan) | (-?\d[\w.+-]*) | ([\[\](){}:,]) )""",
    re.VERBOSE | re.DOTALL,
)
_SMALL_NUMBER = re.compile(r"(?!0\d)\d{1,18}")  # Python refuses to read numbers of thousands of digits
_PYTHON_WORDS = {"None": "null", "True": "true", "False": "false", "nan": "null"}


def is_url(text: str) -> bool:
    """Return whether a text is a URL to fetch; `//host.name/path` is one, and //folder/file is not.

    Args:
        text: A reference without spaces around it.
    """
    return bool(_IS_URL.match(text))


def cell_pictures(cell: Any) -> tuple[str | bytes, ...]:
    """Return what a cell has in place of pictures, the best first: texts, which may name several, and encoded bytes.

    Args:
        cell: A cell as a reader yields it: a text, bytes, None, a number, or a list or an object of these. Of an
            object, the value under its best known key is taken; a list of sizes under URLs counts as these URLs.
    """
    return tuple(_flatten(cell, 0))


def _flatten(cell: Any, depth: int) -> Iterator[str | bytes]:
    if depth > _MAX_DEPTH or cell is None or isinstance(cell, bool):
        return
    if isinstance(cell, str | bytes):
        if cell:
            yield cell
    elif isinstance(cell, bytearray | memoryview):
        yield bytes(cell)
    elif isinstance(cell, Mapping):
        yield from _flatten_object(cell, depth)
    elif isinstance(cell, Sequence):
        for item in cell:
            yield from _flatten(item, depth + 1)
    else:
        # A product's number may be the name of its picture.
        yield str(int(cell)) if cell == cell and cell == cell // 1 else str(cell)


def _flatten_object(cell: Mapping[Any, Any], depth: int) -> Iterator[str | bytes]:
    known = {key: rank for key in cell if (rank := _RANK.get(re.sub("[-_ ]", "", str(key)).casefold())) is not None}
    keys = sorted(known, key=lambda key: known[key])
    lists = [cell[key] for key in keys if isinstance(cell[key], list)]
    # `datasets` keeps a list of objects as an object of lists.
    if len(lists) == len(keys) > 1 and len({len(values) for values in lists}) == 1:
        for values in zip(*lists, strict=True):
            yield from _flatten(dict(zip(keys, values, strict=True)), depth + 1)
        return
    for key in keys:
        if found := list(_flatten(cell[key], depth + 1)):
            yield from found
            return
    yield from (key for key in cell if isinstance(key, str) and is_url(key))


def read_picture_text(text: str) -> Sequence[tuple[str | bytes, ...]]:
    """Return the ways in which a text can be read as references to pictures, the likeliest first.

    >>> read_picture_text("a.png, b.png")
    [('a.png, b.png',), ('a.png', 'b.png')]
    >>> read_picture_text("https://x.example/w_300,h_300/a.jpg,https://x.example/b.jpg?c=1,2")
    [('https://x.example/w_300,h_300/a.jpg', 'https://x.example/b.jpg?c=1,2')]

    Args:
        text: A cell, or an item of a list.

    Returns:
        Ways of one or more references each; none if the text is empty, or is a list or an object without a picture.
    """
    text = text.strip().strip(_INVISIBLE).strip()
    if not text:
        return []
    if _SINGLE.fullmatch(text):  # as most are, of millions
        return [(text,)]
    if text[0] in "[{(\"'" or text.startswith("array("):
        values = _parse_values(text)
        if values is not None:
            found = tuple(cell_pictures(values))
            # An item may be quoted once more, or name several pictures itself.
            return [tuple(_expand(found)), *_as_file_name(text)] if found else []
    if _BEFORE_ADDRESS.search(text) or _STARTS_ADDRESS.match(text):
        return [tuple(_divide_addresses(text))]
    if embedded := [match[1] or match[3] for match in _EMBEDDED.finditer(text)]:
        return [(text,), tuple(map(_clean_url, embedded))]
    if text.startswith("<") and (sources := _HTML_SRC.findall(text)):
        return [tuple(html.unescape("".join(groups)) for groups in sources)]
    return _divide_paths(text)


def _as_file_name(text: str) -> Sequence[tuple[str | bytes, ...]]:
    """Return a text as a single reference if a file may have such a name."""
    return [(text,)] if len(text) < _MAX_NAME_CHARS and "\n" not in text else []


def _expand(items: Sequence[str | bytes]) -> Iterator[str | bytes]:
    """Yield the items of a list; of an item that is a text with URLs, each of them."""
    for item in items:
        if isinstance(item, str) and _STARTS_ADDRESS.match(item.strip()):
            yield from _divide_addresses(item.strip())
        else:
            yield item


def _divide_addresses(text: str) -> Iterator[str]:
    """Yield the URLs and data URIs of a text, and the paths between them."""
    for part in filter(None, map(str.strip, _BEFORE_ADDRESS.split(text))):
        if _IS_URL.match(part):
            # What follows a picture and a comma with a space is a reference of its own.
            for piece in _AFTER_PICTURE.sub("\\1\0", part).split("\0"):
                if cleaned := _clean_url(piece):
                    yield cleaned
        elif _STARTS_ADDRESS.match(part):
            yield part.rstrip(" ,;|\"'")
        else:
            yield from _divide_paths(part)[-1]


def _clean_url(text: str) -> str:
    """Return a URL without what surrounds it in lists, and with its & where HTML has &amp;."""
    text = _SRCSET_SIZE.sub("", text.strip().rstrip(",;|^").strip("\"' \t\r\n"))
    # A path library may have taken the second slash away.
    text = re.sub(r"^(https?):/(?=[^/])", r"\1://", text, flags=re.IGNORECASE)
    return re.sub("&amp;", "&", text, flags=re.IGNORECASE)


def _divide_paths(text: str) -> Sequence[tuple[str, ...]]:
    """Return the ways to divide a text without URLs: whole, by one kind of separator, by all kinds."""
    inner = text
    if text[0] + text[-1] in ("[]", "{}", "()", '""', "''"):
        inner = text[1:-1]
    by_one = (_strip_parts(inner.split(separator)) for separator in _SEPARATORS if separator in inner)
    ways = ((text,), *by_one, _strip_parts(_BETWEEN_PATHS.split(inner)))
    return [way for way in dict.fromkeys(ways) if way]


def _strip_parts(parts: Sequence[str]) -> tuple[str, ...]:
    stripped = (_SRCSET_SIZE.sub("", part.strip().strip("\"'")) for part in parts)
    return tuple(part for part in stripped if part)


def _parse_values(text: str) -> list[Any] | None:
    """Return the values of a list or an object that is written as JSON or Python; None if it is neither."""
    if array := re.fullmatch(r"array\((.*?)(?:,\s*dtype=\w+)?\)", text, re.DOTALL):
        text = array[1]
    # Some exports double the quotes inside a cell once too often, or escape them for HTML.
    for attempt in dict.fromkeys((text, text.replace('""', '"'), html.unescape(text))):
        for source in (attempt, _python_as_json(attempt)):
            try:
                values = json.loads(f"[{source}]") if source is not None else None
            except (ValueError, RecursionError):
                continue
            if values is not None and not any(isinstance(value, int | float) for value in values):
                return list(values)
    return None


def _python_as_json(text: str) -> str | None:
    """Return a Python literal as JSON; None for anything but strings, bytes, numbers, lists, tuples and objects.

    Each string is evaluated by itself, so that a hostile text can neither nest deeply nor compute anything. Strings
    side by side are items of their own, as NumPy writes lists.
    """
    parts: list[str] = []
    position = 0
    while position < len(text):
        token = _PYTHON_TOKEN.match(text, position)
        if token is None:
            return None
        position = token.end()
        string, word, number, sign = token.groups()
        if string is not None:
            try:
                with warnings.catch_warnings(action="ignore", category=SyntaxWarning):  # of escapes such as \p
                    value = ast.literal_eval(string)
            except (SyntaxError, ValueError):
                return None
            if isinstance(value, bytes):
                value = f"data:;base64,{base64.b64encode(value).decode()}"
            if parts and parts[-1][:1] == '"':
                parts.append(",")
            parts.append(json.dumps(value))
        elif word is not None:
            parts.append(_PYTHON_WORDS[word])
        elif number is not None:
            parts.append(number if _SMALL_NUMBER.fullmatch(number) else "null")
        else:
            sign = {"(": "[", ")": "]"}.get(sign, sign)
            if sign in "]}" and parts and parts[-1] == ",":
                parts.pop()
            parts.append(sign)
    return "".join(parts)
