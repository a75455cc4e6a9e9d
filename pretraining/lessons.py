"""Pictures with the answers and attributes that the model learns from them: drawn products, and found pictures.

Letters: N pictures, B pictures of a batch, L answer tokens, H and W height and width after the HD transform.
"""

import io
import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from etalage.config import TaskConfig
from etalage.phi3v import Phi3VImageProcessor, Phi3VProcessor
from etalage.processes import NUM_WORKERS, process_pool
from etalage.sample.appearance import CUTS, HARDWARE, MATERIALS, PATTERNS
from etalage.sample.drawn import DrawnRows
from etalage.sample.vocabulary import SHADES, STYLES
from etalage.task import END_TOKEN, format_price
from pretraining.augmentation import estrange, vary
from pretraining.forward import UNKNOWN

__all__ = ["CLASSES", "QUESTIONS", "Batch", "Lesson", "drawn_lesson", "found_lessons", "mixed_batch"]

FIRST_BRAND = 1000
"""The first brand that is drawn; those below it are kept for measuring."""

MAX_ANSWER_TOKENS = 56
NUM_WORDINGS = 3
"""Answers written about each drawn picture, of which each step takes one."""
FOUND_SHARE = 1 / 2
"""Share of a batch that are found pictures; half of these are estranged."""
CHUNK = 1000
"""Pictures per task of a worker."""

QUESTIONS = (TaskConfig.question, "What is this?", "Name, categorise and price the product.")
WORDINGS = (
    # The default template six times in ten; other wordings keep the model from knowing only this one.
    *["Product: {title}, Category: {leaf}, Full Price: {price}"] * 6,
    "Product: {title}, Category: {shelf}, Full Price: {price}",
    "{title} | {department} | {shelf} | {price}",
    "Category: {leaf}, Price: {price}, Title: {title}",
    "A {leaf} {title} for {price}",
)
FOUND_WORDINGS = (
    "Product: {title}, Category: {category}",
    "{category} | {title}",
    "Category: {category}, Title: {title}",
    "A {title} of {category}",
)
CLASSES = {
    "cut": [f"{style} {cut}" for style, cuts in CUTS.items() for cut in cuts],
    "pattern": list(PATTERNS),
    "material": list(MATERIALS),
    "hardware": list(HARDWARE),
    "colour": [names[0] for _, names in SHADES],
}
"""The values of each drawn attribute."""
_SHADE_OF = {name: names[0] for _, names in SHADES for name in names}


@dataclass(frozen=True)
class Lesson:
    """Pictures of one size with what is to be answered about them, all on the device.

    Args:
        pixels: (N, H, W, 3) uint8, after the HD transform.
        answers: (N, NUM_WORDINGS, L) int16, UNKNOWN after the end.
        classes: (N,) int64 each, by attribute; UNKNOWN where the attribute does not show.
    """

    pixels: Tensor
    answers: Tensor
    classes: dict[str, Tensor]

    def draw(self, num: int, generator: torch.Generator) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Draw pictures with replacement, and one wording for each.

        Args:
            num: How many, B.
            generator: On the device.

        Returns:
            (B, 3, H, W) float32 in 0..1, (B, L) int64, and classes, (B,) int64 each.
        """
        device = self.pixels.device
        rows = torch.randint(len(self.pixels), (num,), device=device, generator=generator)
        wording = torch.randint(self.answers.shape[1], (num,), device=device, generator=generator)
        # Kept as bytes and made floats batch by batch: floats of all pictures would take four times the memory.
        pixels = self.pixels[rows].permute(0, 3, 1, 2).float() / 255
        return pixels, self.answers[rows, wording].long(), {name: of[rows] for name, of in self.classes.items()}


@dataclass(frozen=True)
class Batch:
    """Varied pictures of one size.

    Args:
        pixels: (B, 3, H, W) float32 in 0..1.
        context: (B, L) int64, the answers that follow the prompt; those of estranged pictures are another picture's.
        answers: (B, L) int64, the same as labels; UNKNOWN for estranged pictures.
        classes: (B,) int64 each, by attribute.
    """

    pixels: Tensor
    context: Tensor
    answers: Tensor
    classes: dict[str, Tensor]


def mixed_batch(
    drawn: Lesson, found: Sequence[Lesson], size: int, layouts: random.Random, generator: torch.Generator
) -> Batch:
    """Return a batch of found pictures of one size, the first half of them estranged, followed by drawn ones.

    Drawn pictures are all of one size. A batch of found pictures of another size has none of them.

    Args:
        drawn: Drawn products.
        found: Found pictures, a lesson per size; may be empty.
        size: Pictures of the batch.
        layouts: Chooses the size; alike in each process, so that none waits for another's larger pictures.
        generator: On the device; of each process its own.
    """
    if not found:
        pixels, answers, classes = drawn.draw(size, generator)
        return Batch(vary(pixels, generator), answers, answers, classes)
    lesson = layouts.choices(found, [len(lesson.pixels) for lesson in found])[0]
    parts = [lesson.draw(round(size * FOUND_SHARE), generator)]
    # A batch is one tensor, so all of its pictures have one size.
    if lesson.pixels.shape[1:] == drawn.pixels.shape[1:]:
        parts.append(drawn.draw(size - len(parts[0][0]), generator))
    pixels, answers = (torch.cat([part[at] for part in parts]) for at in (0, 1))
    classes = {name: torch.cat([part[2][name] for part in parts]) for name in CLASSES}
    # Found pictures come first in the batch, so these are half of them.
    pixels, num_estranged = vary(pixels, generator), len(parts[0][0]) // 2
    pixels[:num_estranged] = estrange(pixels[:num_estranged], generator)
    context = answers.clone()
    # Before the labels are wiped: estranged pictures are followed by answers that belong to others.
    context[:num_estranged] = answers[-num_estranged:]
    answers[:num_estranged] = UNKNOWN
    return Batch(pixels, context, answers, classes)


def drawn_lesson(seed: int, num_rows: int, num_brands: int, processor: Phi3VProcessor, device: torch.device) -> Lesson:
    """Draw products of brands that no other seed draws. Attributes that a title cannot tell are not asked for.

    Args:
        seed: Decides the brands and the wordings.
        num_rows: Products to draw; fewer remain, as only square pictures are kept.
        num_brands: Brands that they are of.
        processor: Applies the HD transform and tokenizes.
        device: Where the lesson is needed.

    Returns:
        The lesson.
    """
    images = processor.image_processor
    side = 2 * images.crop_size
    # Ranges of brands of two seeds do not overlap.
    first_brand = FIRST_BRAND + seed * num_brands
    draw = partial(_draw_rows, DrawnRows(seed, range(first_brand, first_brand + num_brands), side), images, side)
    chunks = [range(first, min(first + CHUNK, num_rows)) for first in range(0, num_rows, CHUNK)]
    pixels: list[Tensor] = []
    attributes: list[dict[str, Any]] = []
    with process_pool(NUM_WORKERS) as workers:
        # In the order of chunks, so that wordings, drawn below, meet the same rows in each run.
        for some_pixels, some_attributes in workers.map(draw, chunks):
            pixels.append(torch.from_numpy(some_pixels).to(device))
            attributes += some_attributes
            print(f"{len(attributes):,} drawn", end="\r", flush=True)
    rng = random.Random(seed)
    answers = [_answer_ids(processor, _worded(rng, row)) for row in attributes for _ in range(NUM_WORDINGS)]
    classes = {name: torch.tensor([_class_of(name, row) for row in attributes], device=device) for name in CLASSES}
    stacked = torch.stack(answers).view(len(attributes), NUM_WORDINGS, -1).to(device)
    return Lesson(torch.cat(pixels), stacked, classes)


def _draw_rows(
    rows: DrawnRows, images: Phi3VImageProcessor, side: int, numbers: range
) -> tuple[NDArray[np.uint8], list[dict[str, Any]]]:
    """Pictures and their attributes, without those that the HD transform does not lay out as a square."""
    pixels, attributes = [], []
    for number in numbers:
        row = rows.make(number)
        assert row.picture is not None
        assert row.picture.content is not None
        picture = _hd_transform(images, row.picture.content)
        if picture.shape != (side, side, 3):
            continue
        pixels.append(picture)
        tree = {
            name: row.record[f"category{level}_code"] for level, name in enumerate(("department", "shelf", "leaf"), 1)
        }
        attributes.append({**row.attributes, **tree})
    return np.stack(pixels), attributes


def _hd_transform(images: Phi3VImageProcessor, content: bytes) -> NDArray[np.uint8]:
    """(H, W, 3) of a picture file, on white where it is transparent."""
    picture = Image.open(io.BytesIO(content)).convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    return images.hd_transform(Image.alpha_composite(paper, picture).convert("RGB"))


def _worded(rng: random.Random, row: dict[str, Any]) -> str:
    return rng.choice(WORDINGS).format(**{**row, "price": format_price(row["full_price"])})


def _class_of(name: str, row: dict[str, Any]) -> int:
    style = STYLES[row["style"]]
    # What a style has only one of, or does not show, cannot be read off the picture.
    if (name == "material" and len(style.materials) == 1) or (name == "hardware" and not style.hardware):
        return UNKNOWN
    value = {"cut": f"{row['style']} {row['cut']}", "colour": _SHADE_OF[row["colour"]]}.get(name, row.get(name))
    return CLASSES[name].index(str(value))


def found_lessons(path: Path, processor: Phi3VProcessor, device: torch.device, step: int = 1) -> list[Lesson]:
    """Read found pictures, whose titles are their files' names and whose categories are their folders' names.

    Args:
        path: What `found_pictures` wrote.
        processor: Applies the HD transform and tokenizes.
        device: Where the lessons are needed.
        step: Use every n-th picture.

    Returns:
        A lesson per size.
    """
    rows = pq.read_table(path, columns=["path", "image"]).to_pylist()[::step]
    by_size: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = defaultdict(list)
    with process_pool(NUM_WORKERS) as workers:
        transform = partial(_hd_transform, processor.image_processor)
        pictures = workers.map(transform, [row["image"] for row in rows], chunksize=CHUNK)
        for row, picture in zip(rows, pictures, strict=True):
            folder, name = Path(row["path"]).with_suffix("").parts[-2:]
            title, category = (" ".join(re.split(r"[\s_-]+", words))[:40].title() for words in (name, folder))
            texts = (wording.format(title=title, category=category) for wording in FOUND_WORDINGS)
            answers = torch.stack([_answer_ids(processor, text) for text in texts])
            by_size[picture.shape].append((torch.from_numpy(picture), answers))
    lessons = []
    for same_size in by_size.values():
        pixels, answers = (torch.stack(parts).to(device) for parts in zip(*same_size, strict=True))
        unknown = torch.full((len(same_size),), UNKNOWN, device=device)
        lessons.append(Lesson(pixels, answers, dict.fromkeys(CLASSES, unknown)))
    return lessons


def _answer_ids(processor: Phi3VProcessor, answer: str) -> Tensor:
    ids = processor.tokenizer(answer + END_TOKEN, add_special_tokens=False)["input_ids"][:MAX_ANSWER_TOKENS]
    # The vocabulary has 2,048 pieces, for which 16 bits suffice.
    return torch.tensor(ids + [UNKNOWN] * (MAX_ANSWER_TOKENS - len(ids)), dtype=torch.int16)
