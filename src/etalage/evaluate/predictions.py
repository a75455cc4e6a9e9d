"""The files that answers are kept in: predictions.jsonl and CSV."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from etalage.atomic import atomic_write_text
from etalage.errors import EtalageError
from etalage.evaluate.metrics import Values
from etalage.task import Field

__all__ = ["Prediction", "read_predictions", "write_csv", "write_predictions"]


@dataclass(frozen=True)
class Prediction:
    """What was shown, what was expected, what was answered."""

    product_code: str
    image: Path
    target: Values | None
    """None where nobody knows, as for a picture given to `etalage predict`."""
    before: str | None
    """The text that the model generated before fine-tuning; None where it was not asked, as by `etalage predict`."""
    answer: str
    """The generated text, or the consensus of several."""
    values: Values | None
    """The answer parsed; None if it is not one."""


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    """One JSON object a line. A reader sees the old file or the new one, never half of one."""
    lines = (
        {
            "product_code": p.product_code,
            "image": str(p.image),
            "target": None if p.target is None else dict(p.target),
            "before": p.before,
            "answer": p.answer,
            "values": None if p.values is None else dict(p.values),
        }
        for p in predictions
    )
    atomic_write_text(path, "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines))


def read_predictions(path: Path) -> list[Prediction]:
    """Read what write_predictions wrote.

    Raises:
        EtalageError: a line that is not a prediction; names it.
    """
    predictions = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                predictions.append(Prediction(**{**record, "image": Path(record["image"])}))
            except (ValueError, TypeError, KeyError) as error:
                raise EtalageError(
                    f"{path} line {number}: not a prediction ({error}); write the file again with `etalage evaluate`"
                ) from error
    return predictions


def write_csv(path: Path, fields: Sequence[Field], predictions: Iterable[Prediction]) -> None:
    """A row per picture: image, a column per field (empty if the answer could not be parsed), the generated answer.

    Text that a spreadsheet would run as a formula gets a leading apostrophe; prices stay numbers.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table)  # its own line ends: with others it leaves a lone \r unquoted
    writer.writerow(["image", *(field.name for field in fields), "answer"])
    for p in predictions:
        values = [p.values[field.name] if p.values else "" for field in fields]
        writer.writerow([_cell(value) for value in (str(p.image), *values, p.answer)])
    atomic_write_text(path, table.getvalue())


def _cell(value: str | float) -> str | float:
    return "'" + value if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
