"""Products -> examples -> encoded -> packed batches. The only room that writes -100.

Several examples stand in one row, one behind the other: none is padded to another's length, and none sees another.

Shapes: T tokens of a row, E examples in it, N images, U used crops, S side of a crop, H and W of a picture.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad
from torch.utils.data import Dataset

from etalage.phi3v import Phi3VImageProcessor, Phi3VProcessor
from etalage.phi3v.image_plan import ImagePlan, plan_images
from etalage.phi3v.image_processing import sent
from etalage.prepared import PreparedPictures
from etalage.task import Product, Task
from etalage.views import view

__all__ = ["Batch", "Encoded", "Examples", "StepSampler", "collate", "encode", "packs", "side_by_side"]

_IGNORED = -100


@dataclass(frozen=True)
class Encoded:
    """One example as the model reads it."""

    input_ids: Tensor  # (T,) int64
    labels: Tensor  # (T,) int64
    pictures: tuple[Tensor, ...]  # N of (3, H, W) uint8, after the HD transform

    @property
    def num_supervised(self) -> int:
        """Tokens that the loss counts."""
        return int((self.labels != _IGNORED).sum())

    def padded(self, multiple: int) -> "Encoded":
        """With tokens behind its end, which nothing before them sees, up to a multiple."""
        surplus = -len(self.input_ids) % multiple
        ids, labels = pad(self.input_ids, (0, surplus)), pad(self.labels, (0, surplus), value=_IGNORED)
        return replace(self, input_ids=ids, labels=labels)

    @property
    def num_bytes(self) -> int:
        """Memory held."""
        return sum(t.nbytes for t in (self.input_ids, self.labels, *self.pictures))

    def __reduce__(self) -> tuple[Any, ...]:
        """As arrays: each tensor that a process hands over would be a file to be opened by the other one."""
        arrays = (self.input_ids.numpy(), self.labels.numpy(), tuple(p.numpy() for p in self.pictures))
        return _from_arrays, arrays

    def pin_memory(self) -> "Encoded":
        """From where a GPU fetches it while it works."""
        return Encoded(
            self.input_ids.pin_memory(), self.labels.pin_memory(), tuple(p.pin_memory() for p in self.pictures)
        )


def _from_arrays(input_ids: np.ndarray, labels: np.ndarray, pictures: Sequence[np.ndarray]) -> Encoded:
    return Encoded(torch.from_numpy(input_ids), torch.from_numpy(labels), tuple(map(torch.from_numpy, pictures)))


@dataclass(frozen=True)
class Batch:
    """Examples packed into one row."""

    input_ids: Tensor  # (1, T) int64; the nth image of the row is -n
    position_ids: Tensor  # (1, T) int64, from 0 in each example
    labels: Tensor  # (1, T) int64
    borders: Tensor  # (E + 1,) int32, where examples begin, and the last one ends
    longest: int
    """Tokens of the longest example."""
    pictures: tuple[Tensor, ...]  # N of (3, H, W) uint8, after the HD transform
    plan: ImagePlan | None = None
    """Where the pictures go, on the CPU; worked out when it is needed, if it was not before."""

    @property
    def num_supervised(self) -> int:
        """Tokens that the loss counts."""
        return int((self.labels != _IGNORED).sum())

    def planned(self, images: Phi3VImageProcessor) -> "Batch":
        """With its plan: what can be done ahead, while a GPU is busy."""
        return replace(self, plan=_plan(self.input_ids, self.pictures, images))

    def inputs(
        self,
        images: Phi3VImageProcessor,
        device: torch.device,
        read: Callable[[Sequence[Tensor]], Tensor] | None = None,
    ) -> dict[str, Any]:
        """What the model is called with; pixels travel as bytes and are normalised on the device.

        Args:
            read: Gives the tower's features of pictures; None leaves them to the model.
        """
        inputs: dict[str, Any] = {
            "input_ids": sent(self.input_ids, device),
            "position_ids": sent(self.position_ids, device),
            "cu_seq_lens_q": self.borders,
            "cu_seq_lens_k": self.borders,
            "max_length_q": self.longest,
            "max_length_k": self.longest,
        }
        plan = self.plan or _plan(self.input_ids, self.pictures, images)
        return inputs | _picture_inputs(plan, self.pictures, images, device, read)


def _plan(input_ids: Tensor, pictures: Sequence[Tensor], images: Phi3VImageProcessor) -> ImagePlan | None:
    """Where pictures go in (B, T) ids; None where there are none."""
    if not pictures:
        return None
    side, num_crops = images.crop_size, sum(map(images.num_used_crops, pictures))
    return plan_images(
        *(input_ids, (num_crops, 3, side, side), torch.tensor([p.shape[1:] for p in pictures])),
        crop_size=side,
        num_img_tokens=images.num_img_tokens,
    )


def _picture_inputs(
    plan: ImagePlan | None,
    pictures: Sequence[Tensor],
    images: Phi3VImageProcessor,
    device: torch.device,
    read: Callable[[Sequence[Tensor]], Tensor] | None = None,
) -> dict[str, Any]:
    """What the model is to see where the plan says; nothing where there are no pictures."""
    if plan is None:
        return {}
    inputs = {
        "image_sizes": torch.tensor([p.shape[1:] for p in pictures]),  # (N, 2) int64
        "image_plan": ImagePlan(*(t if t is None else sent(t, device) for t in plan)),
    }
    if read:
        return {**inputs, "crop_features": read(pictures)}  # (U, (2G)^2, D)
    return {**inputs, "pixel_values": torch.cat([images.cut_bytes(p, device) for p in pictures])}  # (U, 3, S, S)


def side_by_side(encoded: Sequence[Encoded], processor: Phi3VProcessor, device: torch.device) -> dict[str, Any]:
    """Prompts as the rows of one batch, padded on the left, so that each answer begins right behind its prompt.

    Args:
        encoded: At least one, with no completion.
    Returns:
        What the model is called with.
    """
    longest = max(len(e.input_ids) for e in encoded)
    gaps = [longest - len(e.input_ids) for e in encoded]
    pad_id = processor.tokenizer.pad_token_id
    ids = torch.stack([pad(e.input_ids, (gap, 0), value=pad_id) for e, gap in zip(encoded, gaps, strict=True)])
    mask = (torch.arange(longest) >= torch.tensor(gaps)[:, None]).long()
    pictures = [picture for e in encoded for picture in e.pictures]
    inputs = {"input_ids": sent(ids, device), "attention_mask": sent(mask, device)}
    images = processor.image_processor
    return inputs | _picture_inputs(_plan(ids, pictures, images), pictures, images, device)


def encode(processor: Phi3VProcessor, prompt: str, completion: str, pictures: Sequence[Image.Image]) -> Encoded:
    """The prompt's ids as serving makes them, then the completion's, which alone are supervised.

    Args:
        prompt: Ends where the model is to go on; holds one image tag per picture.
        completion: Ends with the end token; empty where it is for the model to write.
        pictures: RGB, in the order of their tags.
    Raises:
        ValueError: tags and pictures do not match, or a picture is too extreme for the HD transform.
    Source: ids of the two parts are joined, as in the reference's own fine-tuning script; the assistant token swallows
        the space that would tell a joint tokenisation from a separate one.
    """
    return _encode(processor, prompt, completion, [processor.image_processor.pixels(picture) for picture in pictures])


def _encode(processor: Phi3VProcessor, prompt: str, completion: str, pixels: Sequence[Tensor]) -> Encoded:
    lengths = [processor.image_processor.num_tokens(picture) for picture in pixels]
    prompt_ids = torch.tensor(processor.ids(prompt, lengths))
    input_ids, labels = _completed(processor, prompt_ids, completion, (0, len(completion)))
    return Encoded(input_ids, labels, tuple(pixels))


def _completed(
    processor: Phi3VProcessor, prompt_ids: Tensor, completion: str, taught: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Ids of prompt and completion up to where the taught characters end, and labels: those of the taught ones alone.

    A token is where its last character is, so that one which holds the space before a value goes with the value.
    """
    begin, end = taught
    tokens = processor.tokenizer(completion, add_special_tokens=False, return_offsets_mapping=True)
    ids = torch.tensor(tokens["input_ids"], dtype=torch.int64)
    last = torch.tensor([behind for _, behind in tokens["offset_mapping"]], dtype=torch.int64)
    ids, last = ids[last <= end], last[last <= end]
    labels = [torch.full_like(prompt_ids, _IGNORED), ids.where(last > begin, _IGNORED)]
    return torch.cat([prompt_ids, ids]), torch.cat(labels)


def packs(encoded: Sequence[Encoded], max_tokens: int, *, apart_above: int) -> list[list[Encoded]]:
    """Share examples out among as few rows as hold them, about equally full, and none of them cut.

    Args:
        max_tokens: Of a row. An example that is longer has a row to itself.
        apart_above: Longer examples never share a row with shorter ones: the model turns its positions otherwise for a
            row in which one position is above it (original_max_position_embeddings).
    Returns:
        Rows, the longest example of each first.
    """
    rows: list[list[Encoded]] = []
    for alike in ([e for e in encoded if (len(e.input_ids) > apart_above) == long] for long in (False, True)):
        rows += _balanced(sorted(alike, key=lambda e: -len(e.input_ids)), max_tokens)
    return rows


def _balanced(encoded: Sequence[Encoded], max_tokens: int) -> list[list[Encoded]]:
    """The longest first, each to the row that is least full: with as few rows as that takes."""
    least = math.ceil(sum(len(e.input_ids) for e in encoded) / max_tokens)
    for num_rows in range(min(least, len(encoded)), len(encoded)):
        rows: list[list[Encoded]] = [[] for _ in range(num_rows)]
        fill = [0] * num_rows
        for example in encoded:
            emptiest = fill.index(min(fill))
            rows[emptiest].append(example)
            fill[emptiest] += len(example.input_ids)
        if all(tokens <= max_tokens or len(row) == 1 for row, tokens in zip(rows, fill, strict=True)):
            return rows
    return [[example] for example in encoded]


def collate(encoded: Sequence[Encoded]) -> Batch:
    """Pack examples into one row.

    Args:
        encoded: At least one, each with any number of images.
    """
    num_images = accumulate((len(e.pictures) for e in encoded), initial=0)
    ids = [
        e.input_ids.where(e.input_ids >= 0, e.input_ids - before)
        for e, before in zip(encoded, num_images, strict=False)
    ]
    # the first token of an example is not what comes behind the last one of another
    labels = [torch.cat([torch.tensor([_IGNORED]), e.labels[1:]]) for e in encoded]
    lengths = [len(e.input_ids) for e in encoded]
    return Batch(
        input_ids=torch.cat(ids)[None],
        position_ids=torch.cat([torch.arange(length) for length in lengths])[None],
        labels=torch.cat(labels)[None],
        borders=torch.tensor([0, *accumulate(lengths)], dtype=torch.int32),
        longest=max(lengths),
        pictures=tuple(picture for e in encoded for picture in e.pictures),
    )


class Examples(Dataset[Encoded]):
    """Products as encoded examples, read and cut when asked for, kept while there is room.

    Index i + e * N is product i, of N, as epoch e shows it.

    Args:
        open_image: Reads a product's picture, under its catalogue's limits.
        cache_bytes: Memory for examples already made; the first ones asked for stay.
        num_views: Of each picture, shown by the epochs in turn; the first is the picture as it is.
        field_by_field: Each epoch teaches one field of a product, another one each time. Before it stand the values of
            some other product, so that it has to be read off the picture: a model that has learned by heart which
            price goes with which title prices an unseen product by the title that it has just made up.
        prepared: Where views are kept on disk.
    """

    def __init__(
        self,
        products: Sequence[Product],
        task: Task,
        processor: Phi3VProcessor,
        open_image: Callable[[Product], Image.Image],
        cache_bytes: int = 0,
        num_views: int = 1,
        field_by_field: bool = False,
        prepared: PreparedPictures | None = None,
    ) -> None:
        self.products, self.task, self.processor, self.open_image = products, task, processor, open_image
        self._num_views, self._field_by_field, self._prepared = num_views, field_by_field, prepared
        self._room = cache_bytes
        self._kept: dict[tuple[int, int], Encoded] = {}

    def __len__(self) -> int:
        return len(self.products)

    def __getitem__(self, index: int) -> Encoded:
        epoch, place = divmod(index, len(self.products))
        encoded = self._encoded(place, epoch % self._num_views)
        return self._one_field(encoded, place, epoch) if self._field_by_field else encoded

    def _encoded(self, place: int, number: int) -> Encoded:
        if (place, number) in self._kept:
            return self._kept[place, number]
        product = self.products[place]

        def make() -> Tensor:
            return self.processor.image_processor.pixels(view(self.open_image(product), number, seed=place))

        # the first view is the picture as it is, whatever its place
        pixels = self._prepared(product.image, f"{number} {number and place}", make) if self._prepared else make()
        encoded = _encode(self.processor, self.task.ask(product.question), self.task.answer(product.values), [pixels])
        if encoded.num_bytes <= self._room:
            self._room -= encoded.num_bytes
            self._kept[place, number] = encoded
        return encoded

    def _one_field(self, encoded: Encoded, place: int, epoch: int) -> Encoded:
        fields = self.task.fields
        # so that an epoch teaches every field to some product, and each view comes to teach each field
        taught = (place + sum(divmod(epoch, self._num_views))) % len(fields)
        other = random.Random(f"{place} {epoch}").choice(self.products)
        values = dict(self.products[place].values) | {f.name: other.values[f.name] for f in fields[:taught]}
        prompt_ids = encoded.input_ids[encoded.labels == _IGNORED]
        span = self.task.span(values, taught)
        input_ids, labels = _completed(self.processor, prompt_ids, self.task.answer(values), span)
        return replace(encoded, input_ids=input_ids, labels=labels)

    def encode(self, product: Product, picture: Image.Image) -> Encoded:
        """The product's words beside a picture, its own or another."""
        return encode(self.processor, self.task.ask(product.question), self.task.answer(product.values), [picture])


class StepSampler:
    """Which examples each step takes: every epoch a new order, decided by the seed and the epoch alone.

    A run that continues at `start_step` thus sees what the unbroken one would have seen, without reading a picture.
    The last step of an epoch may be smaller; no example is skipped. Example i of N is i + e * N in epoch e.
    """

    def __init__(self, num_examples: int, batch_size: int, epochs: int, seed: int, start_step: int = 0) -> None:
        self.num_examples, self.batch_size, self.epochs, self.seed = num_examples, batch_size, epochs, seed
        self.start_step = start_step
        self.steps_per_epoch = math.ceil(num_examples / batch_size)

    def __len__(self) -> int:
        return self.steps_per_epoch * self.epochs - self.start_step

    def __iter__(self) -> Iterator[list[int]]:
        first_epoch, skipped = divmod(self.start_step, self.steps_per_epoch)
        for epoch in range(first_epoch, self.epochs):
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            order = (torch.randperm(self.num_examples, generator=generator) + epoch * self.num_examples).tolist()
            for start in range(skipped * self.batch_size, self.num_examples, self.batch_size):
                yield order[start : start + self.batch_size]
            skipped = 0
