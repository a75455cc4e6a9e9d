"""The template of an answer: a product's values become its text, and a text is divided into values again."""

import json
import math
import re
import string
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from etalage.errors import EtalageError

__all__ = ["AnswerTemplate", "Field", "Kind", "Value", "clean_text", "format_price", "parse_price", "plain_answer"]

Kind = Literal["text", "category", "price"]
Value = str | float

# Matches the opening bracket alone, so that the rest of the text is kept.
_CONTROL_TOKEN = re.compile(r"<(?=\|)|<(?=/?s>|unk>)")
_PRICE = re.compile(r"\d+(?:\.\d+)?")
_JSON_CHARACTER = re.compile(r'[^"\\]|\\.')
_MAX_FIELDS = 50
_STRONG_SEPARATOR = re.compile(r"\w\s*[:=]|[|\"\t\n]")
"""A label such as `Category:`, or a mark that hardly a title holds."""


@dataclass(frozen=True)
class Field:
    """One value of a product: a column of the catalogue, a slot of the answer, a block of metrics.json."""

    name: str
    kind: Kind


class _Known:
    """The known values of a category, as they stand in an answer."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = frozenset(values)
        self._lengths = sorted({len(value) for value in self._values}, reverse=True)

    def ends(self, text: str, begin: int) -> list[int]:
        """Return where a known value ends that begins here, the longest first."""
        return [begin + length for length in self._lengths if text[begin : begin + length] in self._values]


class AnswerTemplate:
    """A text with a field in each pair of braces, which writes answers and reads them.

    A template that is JSON once values stand in it writes JSON: its texts are escaped, and read back as they were.

    Args:
        text: The template, as in "{title} in {colour:category} for {price}".
        choices: The known values of categories by field name; they say where a category ends, if the text does not.

    Raises:
        EtalageError: The text holds no field, the same field twice, an unknown kind of field, or two fields with no
            text between them.
    """

    def __init__(self, text: str, choices: Mapping[str, Sequence[str]] | None = None) -> None:
        self.text, self.choices = text, {name: tuple(values) for name, values in (choices or {}).items() if values}
        self._parts = _parse_parts(text)
        self.fields = [field for _, field in self._parts if field]
        self.is_json = self._is_json()
        self._known = {name: _Known(map(self._escape, values)) for name, values in self.choices.items()}

    @property
    def open_categories(self) -> list[str]:
        """The categories whose end the text does not mark for sure, so that known values have to."""
        found = set()
        for (_, field), (literal, following) in zip(self._parts, self._parts[1:], strict=False):
            if field and following and _is_weak(literal, field, following):
                found |= {field, following}
        return [field.name for field in self.fields if field in found and field.kind == "category"]

    def write(self, values: Mapping[str, Value]) -> str:
        """Return the answer that says these values."""
        return "".join(literal + (self._text_of(values, field) if field else "") for literal, field in self._parts)

    def starts(self, values: Mapping[str, Value]) -> list[int]:
        """Return where each field's text begins in `write(values)`, in characters."""
        starts, length = [], 0
        for literal, field in self._parts:
            length += len(literal)
            if field:
                starts.append(length)
                length += len(self._text_of(values, field))
        return starts

    def read(self, text: str) -> dict[str, Value] | None:
        """Divide a text into values; return None if that is not possible, or possible in ways that nothing decides.

        With choices, known values are tried first, the longest first. A text without a known value is read only if it
        can be divided in one way. Without choices, the longest value goes first.
        """
        texts = self._divide(text, self._known) if self._known else None
        if texts is None:
            texts = self._divide(text, {})
            if texts is None or (self._known and texts != self._divide(text, {}, shortest_first=True)):
                return None
        values: dict[str, Value] = {}
        for field, piece in zip(self.fields, texts, strict=True):
            value = self._value_of(piece, field)
            if value is None:
                return None
            values[field.name] = value
        return values

    def with_separator(self, separator: str) -> str:
        """Return the text with a separator for what stands between fields and may also stand in them.

        Args:
            separator: As in `, `.
        """
        text, previous = "", None
        for literal, field in self._parts:
            is_weak = field is not None and previous is not None and _is_weak(literal, previous, field)
            text += separator if is_weak else literal.replace("{", "{{").replace("}", "}}")
            text += _in_braces(field) if field else ""
            previous = field
        return text

    def _divide(self, text: str, known: Mapping[str, _Known], *, shortest_first: bool = False) -> list[str] | None:
        """Return the text of each field, with known values alone in the fields that have some.

        A regular expression could take time that grows with the power of the number of fields.
        """
        failed = set()

        def divide_from(place: int, start: int) -> list[str] | None:
            if place == len(self._parts):
                return [] if start == len(text) else None
            literal, field = self._parts[place]
            begin = start + len(literal)
            if (place, start) in failed or not text.startswith(literal, start):
                return None
            if field is None:
                return [] if begin == len(text) else None
            following = self._parts[place + 1] if place + 1 < len(self._parts) else None
            if field.kind == "price":
                ends = _price_ends(text, begin)
            elif field.name in known:
                ends = known[field.name].ends(text, begin)
            else:
                ends = self._text_ends(text, begin, following and following[0])
                # Before a known value, so that the known value is the longest that fits.
                if not shortest_first and not (following and following[1] and following[1].name in known):
                    ends.reverse()
            for end in ends:
                if (rest := divide_from(place + 1, end)) is not None:
                    return [text[begin:end], *rest]
            failed.add((place, start))
            return None

        return divide_from(0, 0)

    def _text_ends(self, text: str, begin: int, literal: str | None) -> list[int]:
        """Return where a text may end, nearest first: before the literal that follows, or at the end."""
        if self.is_json:
            ends = []
            while character := _JSON_CHARACTER.match(text, begin):
                begin = character.end()
                ends.append(begin)
            return [end for end in ends if (end == len(text) if literal is None else text.startswith(literal, end))]
        line_end = text.find("\n", begin)  # a value is one line
        limit = len(text) if line_end < 0 else line_end
        if literal is None:
            return [limit] if begin < limit == len(text) else []
        ends, end = [], text.find(literal, begin + 1)
        while 0 <= end <= limit:
            ends.append(end)
            end = text.find(literal, end + 1)
        return ends

    def _is_json(self) -> bool:
        samples = {"price": "1.5", "text": "x", "category": "x"}
        written = "".join(literal + (samples[field.kind] if field else "") for literal, field in self._parts)
        try:
            return isinstance(json.loads(written), dict | list)
        except (ValueError, RecursionError):  # the latter of thousands of brackets
            return False

    def _escape(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=False)[1:-1] if self.is_json else text

    def _text_of(self, values: Mapping[str, Value], field: Field) -> str:
        value = values[field.name]
        return format_price(float(value)) if field.kind == "price" else self._escape(str(value))

    def _value_of(self, text: str, field: Field) -> Value | None:
        if field.kind == "price":
            return parse_price(text)
        if self.is_json:
            try:
                text = clean_text(json.loads(f'"{text}"'))
            except ValueError:
                return None
        return text.strip() or None


def _price_ends(text: str, begin: int) -> list[int]:
    longest = _PRICE.match(text, begin)
    if longest is None:
        return []
    return [end for end in range(longest.end(), begin, -1) if _PRICE.fullmatch(text, begin, end)]


def _parse_parts(text: str) -> list[tuple[str, Field | None]]:
    """Return the literal texts, each with the field after it; the last one may have none."""
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError as error:
        raise EtalageError(f"answer {text!r}: {error}; write {{{{ and }}}} for braces that are no field") from error
    parts: list[tuple[str, Field | None]] = []
    literal = ""
    for piece, name, kind, conversion in pieces:
        literal += piece
        if name is None:  # an escaped brace ends a piece, too
            continue
        if not name.isidentifier() or conversion:
            raise EtalageError(
                f"answer {text!r}: {{{name}{'!' + conversion if conversion else ''}}} is no field name; use letters, "
                "digits and _, and write {{ and }} for braces that are no field"
            )
        # Without text between two fields, an answer could be divided between them in several ways.
        if parts and not literal:
            assert parts[-1][1]
            raise EtalageError(f"answer {text!r}: nothing between {{{parts[-1][1].name}}} and {{{name}}}; write a word")
        if any(field and field.name == name for _, field in parts):
            raise EtalageError(f"answer {text!r}: field {{{name}}} stands there twice; use it once")
        parts.append((literal, Field(name, _kind_of(name, kind or "", text))))
        literal = ""
    if len(parts) > _MAX_FIELDS:
        raise EtalageError(f"answer {text[:100]!r} ... holds {len(parts)} fields; at most {_MAX_FIELDS} are read")
    if not parts:
        raise EtalageError(f"answer {text!r} holds no field; write one in braces, such as {{title}}")
    return [*parts, (literal, None)] if literal else parts


def _is_weak(separator: str, before: Field, after: Field) -> bool:
    """Return whether the values around a separator may hold it themselves."""
    # A price is all digits, so it ends where they do.
    return "price" not in (before.kind, after.kind) and not _STRONG_SEPARATOR.search(separator)


def _kind_of(name: str, kind: str, answer: str) -> Kind:
    kind = kind or _default_kind(name)
    if kind not in get_args(Kind):
        raise EtalageError(
            f"answer {answer!r}: field {{{name}}} has kind {kind!r}; use one of {', '.join(get_args(Kind))}"
        )
    return kind  # type: ignore[return-value]  # narrowed by the check above


def _default_kind(name: str) -> str:
    return name if name in ("category", "price") else "text"


def _in_braces(field: Field) -> str:
    return f"{{{field.name}}}" if field.kind == _default_kind(field.name) else f"{{{field.name}:{field.kind}}}"


def plain_answer(fields: Sequence[Field]) -> str:
    """Return a template of these fields alone, as a proposal for a table that lacks the others.

    >>> plain_answer([Field("title", "text"), Field("price", "price")])
    '{title} | {price}'
    """
    return " | ".join(_in_braces(field) for field in fields)


def clean_text(text: str) -> str:
    """Return one line of NFC text without control characters and without the model's special tokens."""
    if not (text.isascii() and text.isprintable()):  # most texts are, and there are millions
        text = unicodedata.normalize("NFC", text)
        text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    return _CONTROL_TOKEN.sub("‹", " ".join(text.split()))


def format_price(price: float) -> str:
    """Write a price with one or two decimals and never an exponent, as in 990.0 or 1290.5."""
    text = f"{price:.2f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def parse_price(text: str) -> float | None:
    """Read a positive, finite amount of money; return None if the text is anything else."""
    price = float(text) if _PRICE.fullmatch(text) else math.nan
    # A text of several hundred digits is infinite as a float.
    return price if math.isfinite(price) and price > 0 else None
