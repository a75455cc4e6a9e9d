"""Product -> prompt and answer text, and back: the only words that the model reads or writes.

Training, evaluation, prediction and serving all come here, so they cannot drift apart.
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

__all__ = ["END", "Field", "Kind", "Product", "Task", "Value", "clean_text", "format_price", "parse_price"]

Kind = Literal["text", "category", "price"]
Value = str | float

END = "<|end|>"
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
    """Shared by products that are copies or variants of one another; one group is in one split."""
    question: str = ""
    """Asked of this picture, where it is not the task's."""


class Task:
    """What is asked of a picture and how the answer is written.

    Args:
        config: The question, and the answer with a field in each pair of braces.
    Raises:
        EtalageError: the answer holds no field, a field twice, an unknown kind, or two fields with nothing between them.
    Source: the prompt is the field's own for this job (the Phi-3 cookbook's product recipe): user turn with the picture
        before the question, no newline between picture and question, answer closed by the end token.
    """

    def __init__(self, config: TaskConfig) -> None:
        self.config = config
        self.prompt = self.ask(config.question)
        self.fields: list[Field] = []
        pattern, previous = "", ""
        for position, (literal, name, kind, _) in enumerate(string.Formatter().parse(config.answer)):
            if name is None:
                pattern += re.escape(literal)
                continue
            if not name.isidentifier():
                raise EtalageError(f"answer {config.answer!r}: {{{name}}} is no field name; use letters, digits and _")
            if position and not literal:
                raise EtalageError(
                    f"answer {config.answer!r}: nothing between {{{previous}}} and {{{name}}}; write a word"
                )
            field = Field(name, _kind_of(name, kind or "", config.answer))
            if field.name in {other.name for other in self.fields}:
                raise EtalageError(f"answer {config.answer!r}: field {{{name}}} stands there twice; once is enough")
            self.fields.append(field)
            pattern += re.escape(literal) + f"(?P<{name}>{_PRICE if field.kind == 'price' else '.+'})"
            previous = name
        if not self.fields:
            raise EtalageError(f"answer {config.answer!r} holds no field; write one in braces, such as {{title}}")
        self._pattern = re.compile(pattern)
        self._template = re.sub(r"\{(\w+):\w*\}", r"{\1}", config.answer)

    def ask(self, question: str) -> str:
        """The prompt that puts a question to one picture; the task's own if the question is empty."""
        return f"<|user|>\n<|image_1|>{clean_text(question or self.config.question)}{END}<|assistant|>\n"

    def answer(self, values: Mapping[str, Value]) -> str:
        """The completion for these values, end token included."""
        return self._template.format(**self._written(values)) + END

    def _written(self, values: Mapping[str, Value]) -> dict[str, str]:
        return {f.name: _write(values[f.name], f.kind) for f in self.fields}

    def span(self, values: Mapping[str, Value], place: int) -> tuple[int, int]:
        """Where in `answer(values)` the field at this place is written: up to where the next one's value begins.

        The first one's begins with the answer, the last one's ends with it.
        """
        written, begins, length = self._written(values), [], 0
        for literal, name, _, _ in string.Formatter().parse(self._template):
            length += len(literal)
            if name:
                begins.append(length)
                length += len(written[name])
        limits = [0, *begins[1:], length + len(END)]
        return limits[place], limits[place + 1]

    def parse(self, text: str) -> dict[str, Value] | None:
        """Read generated text back into values; None if it is not an answer. Never guesses a missing value."""
        match = self._pattern.fullmatch(text.split(END)[0].strip())
        if match is None:
            return None
        values: dict[str, Value] = {}
        for field in self.fields:
            value = _read(match[field.name], field.kind)
            if value is None:
                return None
            values[field.name] = value
        return values


def clean_text(text: str) -> str:
    """One line of NFC text without control characters, in which nothing reads as one of the model's special tokens."""
    if not (text.isascii() and text.isprintable()):  # most texts are, and there are millions
        text = unicodedata.normalize("NFC", text)
        text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    return _CONTROL_TOKEN.sub("‹", " ".join(text.split()))


def format_price(price: float) -> str:
    """Digits with at least one decimal, as the field's table prints them: 990.0, 1290.5; never an exponent."""
    text = f"{price:.2f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def parse_price(text: str) -> float | None:
    """A positive, finite amount of money, or None."""
    price = float(text) if re.fullmatch(_PRICE, text) else math.nan
    return price if math.isfinite(price) and price > 0 else None


def _kind_of(name: str, kind: str, answer: str) -> Kind:
    kind = kind or (name if name in ("category", "price") else "text")
    if kind not in get_args(Kind):
        raise EtalageError(
            f"answer {answer!r}: field {{{name}}} has kind {kind!r}; use one of {', '.join(get_args(Kind))}"
        )
    return kind  # type: ignore[return-value]  # narrowed by the check above


def _write(value: Value, kind: Kind) -> str:
    return format_price(float(value)) if kind == "price" else str(value)


def _read(text: str, kind: Kind) -> Value | None:
    return parse_price(text) if kind == "price" else text.strip() or None
