"""Product -> prompt and answer text, and back: the only words that the model reads or writes.

Training, evaluation, prediction and serving all use this file, so they cannot drift apart.
"""

import math
import re
import string
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from etalage.config import TaskConfig
from etalage.errors import EtalageError

__all__ = ["END_TOKEN", "Field", "Kind", "Product", "Task", "Value", "clean_text", "format_price", "parse_price"]

Kind = Literal["text", "category", "price"]
Value = str | float

END_TOKEN = "<|end|>"
# Matches the opening bracket alone, so that the rest of the text is kept.
_CONTROL_TOKEN = re.compile(r"<(?=\|)|<(?=/?s>|unk>)")
_PRICE = r"\d+(?:\.\d+)?"


@dataclass(frozen=True)
class Field:
    """One value of a product: a column of the catalogue, a slot of the answer, a block of metrics.json."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Product:
    """A row of a catalogue."""

    product_code: str
    values: Mapping[str, Value]
    """One entry per field of the task: text and categories as str, prices as float."""
    image: Path
    group: str = ""
    """The name shared by products that are copies or variants of one another; a group is never divided among splits."""
    question: str = ""
    """The question about this picture; empty if it is the task's own."""


class Task:
    """The question about a picture and the template of the answer.

    Args:
        config: The question, and the answer with a field in each pair of braces.

    Raises:
        EtalageError: The answer holds no field, the same field twice, an unknown kind of field, or two fields with no
            text between them.

    Source:
        The product recipe of the Phi-3 cookbook: a user turn with the picture before the question, no newline between
        picture and question, and an answer closed by the end token.
    """

    def __init__(self, config: TaskConfig) -> None:
        self.config = config
        self.prompt = self.build_prompt(config.question)
        self.fields: list[Field] = []
        pattern, previous = "", ""
        for position, (literal, name, kind, _) in enumerate(string.Formatter().parse(config.answer)):
            if name is None:
                pattern += re.escape(literal)
                continue
            if not name.isidentifier():
                raise EtalageError(f"answer {config.answer!r}: {{{name}}} is no field name; use letters, digits and _")
            # Without text between two fields, an answer could be divided between them in several ways.
            if position and not literal:
                raise EtalageError(
                    f"answer {config.answer!r}: nothing between {{{previous}}} and {{{name}}}; write a word"
                )
            field = Field(name, _kind_of(name, kind or "", config.answer))
            if field.name in {other.name for other in self.fields}:
                raise EtalageError(f"answer {config.answer!r}: field {{{name}}} stands there twice; use it once")
            self.fields.append(field)
            pattern += re.escape(literal) + f"(?P<{name}>{_PRICE if field.kind == 'price' else '.+'})"
            previous = name
        if not self.fields:
            raise EtalageError(f"answer {config.answer!r} holds no field; write one in braces, such as {{title}}")
        self._pattern = re.compile(pattern)
        # Without the kinds, which str.format would take for format specifications.
        self._template = re.sub(r"\{(\w+):\w*\}", r"{\1}", config.answer)

    def build_prompt(self, question: str) -> str:
        """Return the prompt that asks a question about one picture; an empty question means the task's own."""
        return f"<|user|>\n<|image_1|>{clean_text(question or self.config.question)}{END_TOKEN}<|assistant|>\n"

    def format_answer(self, values: Mapping[str, Value]) -> str:
        """Return the completion for these values, including the end token."""
        return self._template.format(**self._format_values(values)) + END_TOKEN

    def answer_span(self, values: Mapping[str, Value], field_index: int) -> tuple[int, int]:
        """Return the part of `format_answer(values)` that belongs to one field, up to where the next value begins.

        The first field's part begins with the answer, and the last field's part ends with it.

        Args:
            values: The values that the answer is written from.
            field_index: The position of the field in `fields`.

        Returns:
            The start and the end of the part, in characters.
        """
        texts, starts, length = self._format_values(values), [], 0
        for literal, name, _, _ in string.Formatter().parse(self._template):
            length += len(literal)
            if name:
                starts.append(length)
                length += len(texts[name])
        limits = [0, *starts[1:], length + len(END_TOKEN)]
        return limits[field_index], limits[field_index + 1]

    def parse_answer(self, text: str) -> dict[str, Value] | None:
        """Read generated text back into values; return None if it is not an answer. Never guess a missing value."""
        # Groups are greedy: of several ways to divide a text, the longest value goes first. checks.py drops products
        # for which that is not the way that they were written.
        match = self._pattern.fullmatch(text.split(END_TOKEN)[0].strip())
        if match is None:
            return None
        values: dict[str, Value] = {}
        for field in self.fields:
            value = _parse_value(match[field.name], field.kind)
            if value is None:
                return None
            values[field.name] = value
        return values

    def _format_values(self, values: Mapping[str, Value]) -> dict[str, str]:
        return {field.name: _format_value(values[field.name], field.kind) for field in self.fields}


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
    price = float(text) if re.fullmatch(_PRICE, text) else math.nan
    # A text of several hundred digits is infinite as a float.
    return price if math.isfinite(price) and price > 0 else None


def _kind_of(name: str, kind: str, answer: str) -> Kind:
    kind = kind or (name if name in ("category", "price") else "text")
    if kind not in get_args(Kind):
        raise EtalageError(
            f"answer {answer!r}: field {{{name}}} has kind {kind!r}; use one of {', '.join(get_args(Kind))}"
        )
    return kind  # type: ignore[return-value]  # narrowed by the check above


def _format_value(value: Value, kind: Kind) -> str:
    return format_price(float(value)) if kind == "price" else str(value)


def _parse_value(text: str, kind: Kind) -> Value | None:
    return parse_price(text) if kind == "price" else text.strip() or None
