"""Pictures -> answers, by generation and never teacher-forced.

Letters: B rows, T tokens.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import torch
from PIL import Image

from etalage.chunks import chunks
from etalage.data.augmentation import augment
from etalage.data.encoding import Encoded, encode
from etalage.data.packing import left_pad_batch
from etalage.generate.kv_cache import growing_cache
from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor

if TYPE_CHECKING:
    from peft import PeftModel

__all__ = ["generate_answers"]

T = TypeVar("T")

TEMPERATURE = 0.7
"""Of sampling: below 1, a model that is sure of little still says something of use each time."""

CPU_BATCH_SIZE, MAX_BATCH_SIZE = 16, 128


def generate_answers(
    model: "Phi3VForCausalLM | PeftModel",
    processor: Phi3VProcessor,
    asked: Iterable[tuple[str, Image.Image]],
    *,
    batch_size: int | Literal["auto"],
    max_new_tokens: int,
    num_samples: int = 1,
    num_augmentations: int = 1,
    choose: Callable[[Sequence[str]], str] = lambda answers: answers[0],
    progress: Callable[[int], object] | None = None,
) -> Iterator[str]:
    """Generate an answer to each prompt about its picture.

    The model is in evaluation mode only while it generates.

    Args:
        model: A Phi-3-V, adapted or not, on its device.
        processor: The processor that it was trained with.
        asked: Prompt and RGB picture. One batch at a time is taken, so an iterator that opens pictures keeps few in
            memory.
        batch_size: Pictures per batch. auto: 16 on a CPU; on a GPU as many as its memory holds answers to, up to 128.
        max_new_tokens: Longer answers are cut.
        num_samples: 1 decodes greedily. More are drawn at TEMPERATURE, the same ones each time.
        num_augmentations: Versions of each picture that the samples share among them, see `augment`; fewer if they do
            not divide num_samples.
        choose: Makes one answer of a picture's samples, if there are several.
        progress: Called with the number of pictures of each batch that is done.

    Yields:
        One answer per prompt, in order.
    """
    num_augmentations = math.gcd(num_augmentations, num_samples)
    num_each, temperature = num_samples // num_augmentations, TEMPERATURE if num_samples > 1 else None

    def read(batch: Sequence[tuple[str, Image.Image]]) -> list[Encoded]:
        shown = [(prompt, augment(picture, number)) for prompt, picture in batch for number in range(num_augmentations)]
        return list(threads.map(lambda one: encode(processor, one[0], "", [one[1]]), shown))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        asked, on_gpu = iter(asked), model.device.type == "cuda"
        if batch_size == "auto":
            batch_size = CPU_BATCH_SIZE
            if on_gpu and (first := next(asked, None)):
                longest = len(read([first])[0].input_ids) + max_new_tokens
                batch_size, asked = _num_that_fit(model, longest, num_samples), chain([first], asked)
        batches: Iterator[list[Encoded]] = map(read, chunks(asked, batch_size))
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
                progress(len(encoded) // num_augmentations)


def _num_that_fit(model: Any, num_tokens: int, num_samples: int) -> int:
    """The number of pictures whose keys and values fill half of a GPU's free memory; the rest is for all else."""
    c = model.config
    width = c.num_key_value_heads * (c.hidden_size // c.num_attention_heads)
    row = 2 * c.num_hidden_layers * width * model.dtype.itemsize * num_tokens
    fit = torch.cuda.mem_get_info(model.device)[0] / 2 / row / num_samples
    return int(max(1, min(MAX_BATCH_SIZE, fit)))


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """Make the next item in a thread while this one is used."""
    end = object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]  # the end is not one


def _write(
    model: Any,
    processor: Phi3VProcessor,
    encoded: Sequence[Encoded],
    num_each: int,
    max_new_tokens: int,
    temperature: float | None,
) -> list[list[int]]:
    """The ids that the model writes after each prompt, num_each times; without a temperature, the likeliest ones.

    Pictures and prompts but for their last tokens are read once for all answers to them. A row that has ended leaves
    the batch: of many answers a few are long.
    """
    length = max(len(e.input_ids) for e in encoded)
    if length + max_new_tokens > model.config.original_max_position_embeddings:
        return _write_past_rope_switch(model, processor, encoded, num_each, max_new_tokens, temperature)
    inputs = left_pad_batch(encoded, processor, model.device)
    but_last = {name: inputs[name][:, :-1] for name in ("input_ids", "attention_mask")}
    cache = growing_cache(model.config.num_hidden_layers)
    model(**{**inputs, **but_last}, past_key_values=cache, use_cache=True, logits_to_keep=1)
    cache.batch_repeat_interleave(num_each)
    ids = inputs["input_ids"][:, -1:].repeat_interleave(num_each, 0)
    mask = inputs["attention_mask"].repeat_interleave(num_each, 0)
    ends = torch.tensor(model.generation_config.eos_token_id, device=ids.device)
    rows = torch.arange(len(ids), device=ids.device)
    written: list[list[int]] = [[] for _ in rows]
    for _ in range(max_new_tokens):
        outputs = model(input_ids=ids, attention_mask=mask, past_key_values=cache, use_cache=True, logits_to_keep=1)
        logits = outputs.logits[:, -1].float()
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


def _write_past_rope_switch(
    model: Any,
    processor: Phi3VProcessor,
    encoded: Sequence[Encoded],
    num_each: int,
    max_new_tokens: int,
    temperature: float | None,
) -> list[list[int]]:
    """As `_write`, by the model's own `generate`, which recomputes the cache where the rope factors change.

    There, rows that leave the batch and a cache that stays would change how the other rows' positions are rotated.
    """
    length = max(len(e.input_ids) for e in encoded)
    sampling = {} if temperature is None else {"do_sample": True, "temperature": temperature, "top_k": 0}
    options = {"max_new_tokens": max_new_tokens, "do_sample": False, **sampling}
    inputs = left_pad_batch([e for e in encoded for _ in range(num_each)], processor, model.device)
    del inputs["image_plan"]  # `generate` plans anew for the ids of each call
    ids: list[list[int]] = model.generate(**inputs, **options)[:, length:].tolist()
    return ids
