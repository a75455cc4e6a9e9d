"""Pictures -> answers, by generation and never teacher-forced; and the files that answers are kept in."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from etalage.aside import write_aside
from etalage.chunks import chunks
from etalage.evaluate.metrics import Values
from etalage.task import Field

__all__ = ["Prediction", "generate_answers", "read_predictions", "write_csv", "write_predictions"]


@dataclass(frozen=True)
class Prediction:
    """What was shown, what was expected, what was answered."""

    product_code: str
    image: Path
    target: Values | None
    """None where nobody knows, as for a picture given to `etalage predict`."""
    answer: str
    """The generated text."""
    values: Values | None
    """The answer parsed; None if it is not one."""


def generate_answers(
    model: Any,
    processor: Any,
    asked: Iterable[tuple[str, Image.Image]],
    *,
    batch_size: int,
    max_new_tokens: int,
    progress: Callable[[int], object] | None = None,
) -> Iterator[str]:
    """Put each prompt to its picture and yield the answers in order, greedily decoded.

    They are taken one batch at a time, so an iterator that opens them keeps few in memory. The model is in
    evaluation mode only while it generates.

    Args:
        model: Any that generates from the processor's tensors.
        progress: Told the size of each batch that is done.
    """
    import torch  # here, so that the report can be written again without it

    for batch in chunks(asked, batch_size):
        # Left, so that every row's answer begins right after its prompt.
        inputs = processor(
            text=[prompt for prompt, _ in batch],
            images=[[picture] for _, picture in batch],
            padding=True,
            padding_side="left",
            return_tensors="pt",
        ).to(model.device)
        training = [module for module in model.modules() if module.training]
        model.eval()
        try:
            with torch.inference_mode():
                output = model.generate(**inputs, max_new_tokens=max_new_tokens, do_sample=False, use_cache=True)
        finally:
            for module in training:
                module.training = True
        yield from processor.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        if progress:
            progress(len(batch))


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    """One JSON object a line. A reader sees the old file or the new one, never half of one."""
    lines = (
        {
            "product_code": p.product_code,
            "image": str(p.image),
            "target": None if p.target is None else dict(p.target),
            "answer": p.answer,
            "values": None if p.values is None else dict(p.values),
        }
        for p in predictions
    )
    write_aside(path, "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines))


def read_predictions(path: Path) -> list[Prediction]:
    """Read what write_predictions wrote.

    Raises:
        ValueError: a line that is not a prediction; names it.
    """
    predictions = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                predictions.append(Prediction(**{**record, "image": Path(record["image"])}))
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(
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
    write_aside(path, table.getvalue())


def _cell(value: str | float) -> str | float:
    return "'" + value if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
