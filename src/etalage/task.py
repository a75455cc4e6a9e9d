"""Product -> prompt and answer text, and back: the only words that the model reads or writes.

Training, evaluation, prediction and serving all use this file, so they cannot drift apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from etalage.answer_template import (
    AnswerTemplate,
    Field,
    Kind,
    Value,
    clean_text,
    format_price,
    parse_price,
    plain_answer,
)
from etalage.config import TaskConfig

__all__ = [
    "END_TOKEN",
    "MAX_TRIED_ROWS",
    "Field",
    "Kind",
    "Problem",
    "Product",
    "Task",
    "Value",
    "clean_text",
    "format_price",
    "parse_price",
    "plain_answer",
]

END_TOKEN = "<|end|>"
Problem = Literal["cut", "unparsable"]
"""Why a generated text is no answer: it ended before its end token, or it does not follow the template."""

_SEPARATORS = (", ", " | ", " / ", "; ")
MAX_TRIED_ROWS = 1000
"""The ambiguous rows, and as many others, by which another template is found."""


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
        choices: The known values of `open_categories`, by field name.

    Raises:
        EtalageError: The answer holds no field, the same field twice, an unknown kind of field, or two fields with no
            text between them.

    Source:
        The product recipe of the Phi-3 cookbook: a user turn with the picture before the question, no newline between
        picture and question, and an answer closed by the end token.
    """

    def __init__(self, config: TaskConfig, choices: Mapping[str, Sequence[str]] | None = None) -> None:
        self.config = config
        self.prompt = self.build_prompt(config.question)
        self._template = AnswerTemplate(config.answer, choices)
        self.fields = self._template.fields

    @property
    def choices(self) -> dict[str, list[str]]:
        """The known values by which categories are told from the text beside them."""
        return {name: list(values) for name, values in self._template.choices.items()}

    @property
    def open_categories(self) -> list[str]:
        """The categories whose end the answer's words do not mark for sure, so that known values have to."""
        return self._template.open_categories

    def build_prompt(self, question: str) -> str:
        """Return the prompt that asks a question about one picture; an empty question means the task's own."""
        return f"<|user|>\n<|image_1|>{clean_text(question or self.config.question)}{END_TOKEN}<|assistant|>\n"

    def format_answer(self, values: Mapping[str, Value]) -> str:
        """Return the completion for these values, including the end token."""
        return self._template.write(values) + END_TOKEN

    def answer_span(self, values: Mapping[str, Value], field_index: int) -> tuple[int, int]:
        """Return the part of `format_answer(values)` that belongs to one field, up to where the next value begins.

        The first field's part begins with the answer, and the last field's part ends with it.

        Args:
            values: The values that the answer is written from.
            field_index: The position of the field in `fields`.

        Returns:
            The start and the end of the part, in characters.
        """
        limits = [0, *self._template.starts(values)[1:], len(self.format_answer(values))]
        return limits[field_index], limits[field_index + 1]

    def parse_answer(self, text: str) -> dict[str, Value] | None:
        """Read generated text back into values; return None if it is not an answer. Never guess a missing value.

        An answer ends with its end token: without one it was cut, and its last number may lack digits.
        """
        answer, end, _ = text.partition(END_TOKEN)
        return self._template.read(answer.strip()) if end else None

    def find_problem(self, text: str) -> Problem | None:
        """Return why generated text is no answer; None if it is one."""
        if END_TOKEN not in text:
            return "cut"
        return "unparsable" if self.parse_answer(text) is None else None

    def explain_ambiguity(self, values: Mapping[str, Value]) -> str | None:
        """Return how the answer with these values is read instead, in words; None if it reads back as them."""
        # Training on an answer that reads back differently would teach what evaluation counts as wrong.
        answer = self.format_answer(values)
        read = self.parse_answer(answer)
        if read == values:
            return None
        shown = repr(answer.removesuffix(END_TOKEN))
        if read is None:
            return f"{shown} does not read back as {', '.join(values)}"
        differing = ", ".join(f"{name} {value!r}" for name, value in read.items() if value != values[name])
        return f"{shown} reads back as {differing}"

    def suggest_answer(self, rows: Sequence[Mapping[str, Value]]) -> str | None:
        """Return a template with another separator between fields, by which these rows read back.

        Args:
            rows: The values of products, those with ambiguous answers among them.

        Returns:
            The template, for `--answer`; None if no separator helps.
        """
        for separator in _SEPARATORS:
            answer = self._template.with_separator(separator)
            if answer == self.config.answer:
                continue
            other = Task(TaskConfig(self.config.question, answer), self.choices)
            if all(other.explain_ambiguity(values) is None for values in rows):
                return answer
        return None
