"""Prompts and pictures -> answers, by generation and never teacher-forced.

Shapes: B rows, S samples, T tokens.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from etalage.chunks import chunks
from etalage.data.augmentation import augment
from etalage.data.encoding import Encoded, encode
from etalage.data.packing import left_pad_batch
from etalage.data.prefetch import prefetch
from etalage.devices import explain_out_of_memory
from etalage.generate.draws import DrawnTokens, draw_tokens, uniform_numbers
from etalage.generate.kv_cache import growing_cache
from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor
from etalage.task import END_TOKEN

if TYPE_CHECKING:
    from peft import PeftModel

__all__ = ["TEMPERATURE", "generate_answers"]

TEMPERATURE = 0.7
"""Of sampling. Below 1, samples of a model that is uncertain still make sense each."""

CPU_BATCH_SIZE, MAX_BATCH_SIZE = 16, 128


@dataclass(frozen=True)
class _Asked:
    """One picture and its prompt, as the model reads them."""

    augmented: Sequence[Encoded]
    """One example per augmentation."""
    uniform: NDArray[np.float64]
    """(S, T), the numbers that decide its samples."""


def generate_answers(
    model: "Phi3VForCausalLM | PeftModel",
    processor: Phi3VProcessor,
    prompts: Iterable[tuple[str, Image.Image]],
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

    An answer depends on its picture, its prompt and the number of samples, and but for rounding on nothing else: not on
    the batch that it is in, nor on the order of the prompts.

    Args:
        model: A Phi-3-V, adapted or not, on its device.
        processor: The processor that it was trained with.
        prompts: Prompt and RGB picture. They are read a batch at a time, so an iterator that opens pictures keeps few
            in memory.
        batch_size: Pictures per batch. auto: 16 on a CPU; on a GPU as many as its memory holds answers to, up to 128.
        max_new_tokens: Longer answers are cut, and then lack their end token.
        num_samples: 1 decodes greedily. More are drawn at TEMPERATURE.
        num_augmentations: Versions of each picture that the samples share among them, see `augment`; fewer if they do
            not divide num_samples.
        choose: Makes one answer of a picture's samples, if there are several.
        progress: Called after each batch with its number of pictures.

    Yields:
        One answer per prompt, in order. An answer that the model has ended closes with END_TOKEN.

    Raises:
        EtalageError: The GPU's memory is too small for a batch.
    """
    # Each augmentation gets the same number of samples.
    num_augmentations = math.gcd(num_augmentations, num_samples)
    temperature = TEMPERATURE if num_samples > 1 else None
    prompts, is_gpu = iter(prompts), model.device.type == "cuda"
    ask = partial(_ask, processor, num_augmentations, num_samples, max_new_tokens)
    # Threads, since decoding and resizing release the interpreter's lock.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        if batch_size == "auto":
            batch_size = CPU_BATCH_SIZE
            if is_gpu and (first := next(prompts, None)):
                # The first prompt stands for all: the pictures of a catalogue take similar numbers of tokens.
                num_tokens = len(ask(first).augmented[0].input_ids) + max_new_tokens
                batch_size, prompts = _num_that_fit(model, num_tokens, num_samples), chain([first], prompts)
        batches = (list(threads.map(ask, batch)) for batch in chunks(prompts, batch_size))
        for asked in prefetch(batches) if is_gpu else batches:
            ids = _generate_batch(model, processor, asked, max_new_tokens, temperature)
            answers = _decode(model, processor, ids)
            yield from answers if num_samples == 1 else map(choose, chunks(answers, num_samples))
            if progress:
                progress(len(asked))


def _ask(
    processor: Phi3VProcessor,
    num_augmentations: int,
    num_samples: int,
    max_new_tokens: int,
    pair: tuple[str, Image.Image],
) -> _Asked:
    prompt, picture = pair
    shown = [encode(processor, prompt, "", [augment(picture, number)]) for number in range(num_augmentations)]
    return _Asked(shown, uniform_numbers(prompt, picture, num_samples, max_new_tokens))


def _decode(model: Any, processor: Phi3VProcessor, ids: Sequence[Sequence[int]]) -> list[str]:
    """Return texts. Those that the model has ended, with whichever of its end tokens, close with END_TOKEN."""
    ends = _end_ids(model)
    lengths = [next((place for place, token in enumerate(row) if token in ends), len(row)) for row in ids]
    kept = [row[:length] for row, length in zip(ids, lengths, strict=True)]
    texts = processor.batch_decode(kept, skip_special_tokens=True)
    return [text + END_TOKEN * (length < len(row)) for text, length, row in zip(texts, lengths, ids, strict=True)]


def _end_ids(model: Any) -> list[int]:
    ends = model.generation_config.eos_token_id
    return [ends] if isinstance(ends, int) else list(ends)


def _generate_batch(
    model: Any, processor: Phi3VProcessor, asked: Sequence[_Asked], max_new_tokens: int, temperature: float | None
) -> list[list[int]]:
    """Return generated ids for each sample of each picture, in evaluation mode."""
    encoded = [example for one in asked for example in one.augmented]
    length = max(len(e.input_ids) for e in encoded) + max_new_tokens
    crosses_rope_switch = length > model.config.original_max_position_embeddings
    if crosses_rope_switch and len(asked) > 1:
        # One row past the switch moves its whole batch to the long factors, and would change the others' answers.
        return [ids for one in asked for ids in _generate_batch(model, processor, [one], max_new_tokens, temperature)]
    generate = _generate_past_rope_switch if crosses_rope_switch else _generate_ids
    uniform = torch.from_numpy(np.concatenate([one.uniform for one in asked])).to(model.device)
    # Module by module: parts of a model in training may be in evaluation mode on purpose.
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.inference_mode(), explain_out_of_memory("lower --batch-size"):
            return generate(model, processor, encoded, uniform, temperature)
    finally:
        for module in training:
            module.training = True


def _num_that_fit(model: Any, num_tokens: int, num_samples: int) -> int:
    """Return how many pictures' keys and values fill half of a GPU's free memory; the rest is for all else."""
    c = model.config
    width = c.num_key_value_heads * (c.hidden_size // c.num_attention_heads)
    row_bytes = 2 * c.num_hidden_layers * width * model.dtype.itemsize * num_tokens
    num_fitting = torch.cuda.mem_get_info(model.device)[0] / 2 / row_bytes / num_samples
    return int(max(1, min(MAX_BATCH_SIZE, num_fitting)))


def _generate_ids(
    model: Any,
    processor: Phi3VProcessor,
    encoded: Sequence[Encoded],
    uniform: Tensor,
    temperature: float | None,
) -> list[list[int]]:
    """Return generated ids, as many rows as `uniform` has, (B, T); without a temperature, the likeliest ones.

    Pictures and prompts, up to their last tokens, are read once for all answers to them. A row that has ended leaves
    the batch, because a few answers are much longer than the others.
    """
    inputs = left_pad_batch(encoded, processor, model.device)
    but_last = {name: inputs[name][:, :-1] for name in ("input_ids", "attention_mask")}
    cache = growing_cache(model.config.num_hidden_layers)
    model(**{**inputs, **but_last}, cache=cache, use_cache=True, logits_to_keep=1)
    # The prompts' last tokens are left to the loop below, which reads one token per row at a time.
    num_each = len(uniform) // len(encoded)
    cache.batch_repeat_interleave(num_each)
    ids = inputs["input_ids"][:, -1:].repeat_interleave(num_each, 0)
    mask = inputs["attention_mask"].repeat_interleave(num_each, 0)
    end_ids = torch.tensor(_end_ids(model), device=ids.device)
    rows = torch.arange(len(ids), device=ids.device)
    generated: list[list[int]] = [[] for _ in rows]
    for numbers in uniform.T:
        outputs = model(input_ids=ids, attention_mask=mask, cache=cache, use_cache=True, logits_to_keep=1)
        logits = outputs.logits[:, -1].float()  # as transformers' generate does
        tokens = logits.argmax(-1) if temperature is None else draw_tokens(logits, temperature, numbers[rows])
        for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
            generated[row].append(token)
        continues = ~torch.isin(tokens, end_ids)
        if not continues.any():
            break
        if not continues.all():
            rows, tokens, mask = rows[continues], tokens[continues], mask[continues]
            cache.batch_select_indices(continues.nonzero()[:, 0])
        ids, mask = tokens[:, None], torch.cat([mask, torch.ones_like(tokens)[:, None]], 1)
    return generated


def _generate_past_rope_switch(
    model: Any,
    processor: Phi3VProcessor,
    encoded: Sequence[Encoded],
    uniform: Tensor,
    temperature: float | None,
) -> list[list[int]]:
    """Return the same by the model's own `generate`, which recomputes the cache where the rope factors change.

    There, a cache that is kept while rows leave the batch would rotate the other rows' positions differently.
    """
    length = max(len(e.input_ids) for e in encoded)
    inputs = left_pad_batch([e for e in encoded for _ in range(len(uniform) // len(encoded))], processor, model.device)
    del inputs["image_plan"]  # `generate` passes other ids in each call, so the model makes its own plan
    drawn = [] if temperature is None else [DrawnTokens(temperature, uniform, length)]
    options = {"max_new_tokens": uniform.shape[1], "do_sample": False, "logits_processor": drawn}
    ids: list[list[int]] = model.generate(**inputs, **options)[:, length:].tolist()
    return ids
