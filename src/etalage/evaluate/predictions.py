"""Pictures -> answers, by generation and never teacher-forced; and the files that answers are kept in."""

import csv
import io
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PIL import Image

from etalage.aside import write_aside
from etalage.chunks import chunks
from etalage.evaluate.metrics import Values
from etalage.task import Field
from etalage.views import view

if TYPE_CHECKING:
    from etalage.batches import Encoded

__all__ = ["Prediction", "generate_answers", "read_predictions", "write_csv", "write_predictions"]

T = TypeVar("T")

TEMPERATURE = 0.7
"""Of sampling: below 1, a model that is sure of little still says something of use each time."""


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


def generate_answers(
    model: Any,
    processor: Any,
    asked: Iterable[tuple[str, Image.Image]],
    *,
    batch_size: int,
    max_new_tokens: int,
    num_samples: int = 1,
    num_views: int = 1,
    choose: Callable[[Sequence[str]], str] = lambda answers: answers[0],
    progress: Callable[[int], object] | None = None,
) -> Iterator[str]:
    """Put each prompt to its picture and yield an answer to each, in order.

    They are taken one batch at a time, so an iterator that opens them keeps few in memory. The model is in
    evaluation mode only while it generates.

    Args:
        model: A Phi-3-V, adapted or not.
        batch_size: Pictures at once; 0: 16 on a CPU, on a GPU as many as its memory holds answers to, up to 128.
        num_samples: 1 decodes greedily. More are drawn at TEMPERATURE, the same ones each time.
        num_views: Views of the picture that the samples share among them, see `etalage.views`; fewer where they do not
            divide num_samples.
        choose: Makes one answer of a picture's samples, if there are several.
        progress: Told the size of each batch that is done.
    """
    import torch  # here, so that the report can be written again without it

    from etalage.batches import encode

    num_views = math.gcd(num_views, num_samples)
    num_each, temperature = num_samples // num_views, TEMPERATURE if num_samples > 1 else None

    def read(batch: Sequence[tuple[str, Image.Image]]) -> "list[Encoded]":
        shown = [(prompt, view(picture, number)) for prompt, picture in batch for number in range(num_views)]
        return list(threads.map(lambda one: encode(processor, one[0], "", [one[1]]), shown))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        asked, on_gpu = iter(asked), model.device.type == "cuda"
        if not batch_size and on_gpu and (first := next(asked, None)):
            longest = len(read([first])[0].input_ids) + max_new_tokens
            batch_size, asked = _num_at_once(model, longest, num_samples), chain([first], asked)
        batches: Iterator[list[Encoded]] = map(read, chunks(asked, batch_size or 16))
        for encoded in _ahead(batches) if on_gpu else batches:
            training = [module for module in model.modules() if module.training]
            model.eval()
            try:
                with torch.inference_mode(), torch.random.fork_rng([model.device] * on_gpu):
                    torch.manual_seed(0)
                    written = _write(model, processor, encoded, num_each, max_new_tokens, temperature)
            finally:
                for module in training:
                    module.training = True
            answers = processor.batch_decode(written, skip_special_tokens=True)
            yield from answers if num_samples == 1 else map(choose, chunks(answers, num_samples))
            if progress:
                progress(len(encoded) // num_views)


def _num_at_once(model: Any, num_tokens: int, num_samples: int) -> int:
    """Pictures whose answers a GPU's memory holds the keys and values of, with as much again for all else."""
    import torch

    c = model.config
    width = c.num_key_value_heads * (c.hidden_size // c.num_attention_heads)
    row = 2 * c.num_hidden_layers * width * model.dtype.itemsize * num_tokens
    return int(max(1, min(128, torch.cuda.mem_get_info(model.device)[0] / 2 / row / num_samples)))


def _ahead(things: Iterator[T]) -> Iterator[T]:
    """The next one is made in a thread of its own while this one is used."""
    end = object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, things, end)
        while (thing := coming.result()) is not end:
            coming = thread.submit(next, things, end)
            yield thing  # type: ignore[misc]  # the end is not one


def _write(
    model: Any,
    processor: Any,
    encoded: "Sequence[Encoded]",
    num_each: int,
    max_new_tokens: int,
    temperature: float | None,
) -> list[list[int]]:
    """The ids that the model writes behind the prompts, so many times for each; without a temperature, the likeliest.

    Pictures and prompts but for their last tokens are read once for all answers to them. A row that has come to its end
    is left out of the steps that follow: of many answers a few are long.
    """
    import torch

    from etalage.batches import side_by_side
    from etalage.evaluate.cache import roomy_cache

    length = max(len(e.input_ids) for e in encoded)
    if length + max_new_tokens > model.config.original_max_position_embeddings:
        # rows that are left out, and a cache that is kept, would turn the others' positions otherwise
        sampled = {} if temperature is None else {"do_sample": True, "temperature": temperature, "top_k": 0}
        how = {"max_new_tokens": max_new_tokens, "do_sample": False, **sampled}
        inputs = side_by_side([e for e in encoded for _ in range(num_each)], processor, model.device)
        del inputs["image_plan"]  # which is made anew for the ids of each call
        texts: list[list[int]] = model.generate(**inputs, **how)[:, length:].tolist()
        return texts
    inputs = side_by_side(encoded, processor, model.device)
    but_last = {name: inputs[name][:, :-1] for name in ("input_ids", "attention_mask")}
    cache = roomy_cache(model.config.num_hidden_layers)
    model(**{**inputs, **but_last}, past_key_values=cache, use_cache=True, logits_to_keep=1)
    cache.batch_repeat_interleave(num_each)
    ids = inputs["input_ids"][:, -1:].repeat_interleave(num_each, 0)
    mask = inputs["attention_mask"].repeat_interleave(num_each, 0)
    ends = torch.tensor(model.generation_config.eos_token_id, device=ids.device)
    rows = torch.arange(len(ids), device=ids.device)
    written: list[list[int]] = [[] for _ in rows]
    for _ in range(max_new_tokens):
        told = model(input_ids=ids, attention_mask=mask, past_key_values=cache, use_cache=True, logits_to_keep=1)
        logits = told.logits[:, -1].float()
        chosen = logits.argmax(-1) if temperature is None else (logits / temperature).softmax(-1).multinomial(1)[:, 0]
        for row, token in zip(rows.tolist(), chosen.tolist(), strict=True):
            written[row].append(token)
        going = ~torch.isin(chosen, ends)
        if not going.any():
            break
        if not going.all():
            rows, chosen, mask = rows[going], chosen[going], mask[going]
            cache.batch_select_indices(going.nonzero()[:, 0])
        ids, mask = chosen[:, None], torch.cat([mask, torch.ones_like(chosen)[:, None]], 1)
    return written


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
