"""The files that hold answers: predictions.jsonl and CSV."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from etalage.atomic import atomic_write_text
from etalage.evaluate.metrics import Values
from etalage.folders import file_in
from etalage.json_files import read_json_lines
from etalage.schema import NULL, PATH, TEXT, check, constant, either, number, record
from etalage.task import Field, Problem

__all__ = ["Prediction", "read_predictions", "write_csv", "write_predictions"]


@dataclass(frozen=True)
class Prediction:
    """A picture that the model was shown, the true values, and the answer."""

    product_code: str
    image: Path
    target: Values | None
    """The true values; None where nobody knows them, as for a picture given to `etalage predict`."""
    before: str | None
    """The text that the model generated before fine-tuning; None where it was not asked, as by `etalage predict`."""
    answer: str
    """The generated text, or the consensus of several, without its end token."""
    values: Values | None
    """The parsed answer; None if it could not be parsed."""
    problem: Problem | None = None
    """Why it could not be parsed."""


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    """Write one JSON object per line. A reader sees the old file or the new one, never half of one.

    Args:
        path: The file, predictions.jsonl.
        predictions: The predictions, in the order of the lines.
    """
    lines = (
        {
            "product_code": p.product_code,
            "image": str(p.image),
            "target": None if p.target is None else dict(p.target),
            "before": p.before,
            "answer": p.answer,
            "values": None if p.values is None else dict(p.values),
            "problem": p.problem,
        }
        for p in predictions
    )
    # NaN is no JSON: Python would write and read it, other readers would refuse the file.
    atomic_write_text(path, "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines))


def read_predictions(path: Path, fields: Sequence[Field]) -> list[Prediction]:
    """Read what `write_predictions` wrote.

    Args:
        path: The file, predictions.jsonl.
        fields: The fields of the task.

    Raises:
        EtalageError: The file cannot be read, or a line is not a prediction; the message names the line.
    """
    remedy = "write the file again with `etalage evaluate`"
    values = record({f.name: number(above=0) if f.kind == "price" else TEXT for f in fields}, closed=True)
    either_values = either(NULL, values)
    expected = record(
        {
            **{"product_code": TEXT, "image": PATH, "target": either_values, "before": either(TEXT, NULL)},
            **{"answer": TEXT, "values": either_values},
        },
        {"problem": constant(*get_args(Problem), None)},
        closed=True,  # so that a key of another version is no surprise later
    )
    file_in(path.parent, path.name, remedy)
    predictions = []
    for place, line in read_json_lines(path, remedy=remedy):
        check(line, expected, f"{place}: not a prediction", remedy)
        predictions.append(Prediction(**{**line, "image": Path(line["image"])}))
    return predictions


def write_csv(path: Path, fields: Sequence[Field], predictions: Iterable[Prediction]) -> None:
    """Write a row per picture: image, a column per field, generated answer, and `cut` or `unparsable` if it is none.

    Of an answer that could not be parsed, the fields are empty: what it holds may be part of a number.

    Text that a spreadsheet would run as a formula gets a leading apostrophe; prices stay numbers.

    Args:
        path: The CSV file.
        fields: The fields of the task, one column each.
        predictions: The predictions, in the order of the rows.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table)  # with other line ends than its own it leaves a lone \r unquoted
    writer.writerow(["image", *(field.name for field in fields), "answer", "problem"])
    for p in predictions:
        values = [p.values[field.name] if p.values else "" for field in fields]
        writer.writerow([_escape_formula(value) for value in (str(p.image), *values, p.answer, p.problem or "")])
    atomic_write_text(path, table.getvalue())


def _escape_formula(value: str | float) -> str | float:
    return "'" + value if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
