"""Products -> examples -> encoded -> batches. The only room that writes -100.

Shapes: B rows, T tokens, N images, C crop slots, H and W of a crop.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from etalage.phi3v import Phi3VProcessor
from etalage.task import Product, Task
from etalage.views import view

__all__ = ["Batch", "Encoded", "Examples", "StepSampler", "collate", "encode"]

Batch = dict[str, Tensor]

_IGNORED = -100


@dataclass(frozen=True)
class Encoded:
    """One example as the model reads it."""

    input_ids: Tensor  # (T,) int64
    labels: Tensor  # (T,) int64
    pixel_values: Tensor  # (N, C, 3, H, W) float32, used crop slots only
    image_sizes: Tensor  # (N, 2) int64

    @property
    def num_supervised(self) -> int:
        """Tokens that the loss counts."""
        return int((self.labels != _IGNORED).sum())

    @property
    def num_bytes(self) -> int:
        """Memory held."""
        return sum(t.nbytes for t in (self.input_ids, self.labels, self.pixel_values, self.image_sizes))


def encode(processor: Phi3VProcessor, prompt: str, completion: str, pictures: Sequence[Image.Image]) -> Encoded:
    """The prompt's ids as serving makes them, then the completion's, which alone are supervised.

    Args:
        prompt: Ends where the model is to go on; holds one image tag per picture.
        completion: Ends with the end token.
        pictures: RGB, in the order of their tags.
    Raises:
        ValueError: tags and pictures do not match, or a picture is too extreme for the HD transform.
    Source: ids of the two parts are joined, as in the reference's own fine-tuning script; the assistant token swallows
        the space that would tell a joint tokenisation from a separate one.
    """
    inputs = processor(text=prompt, images=list(pictures), return_tensors="pt")
    input_ids, labels = _completed(processor, inputs["input_ids"][0], completion, (0, len(completion)))
    crop_px = inputs["pixel_values"].shape[-1]
    num_used = int((inputs["image_sizes"] // crop_px).prod(-1).max()) + 1
    return Encoded(
        input_ids=input_ids,
        labels=labels,
        pixel_values=inputs["pixel_values"][:, :num_used].clone(),
        image_sizes=inputs["image_sizes"],
    )


def _completed(
    processor: Phi3VProcessor, prompt_ids: Tensor, completion: str, taught: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Ids of prompt and completion up to where the taught characters end, and labels: those of the taught ones alone.

    A token is where its last character is, so that one which holds the space before a value goes with the value.
    """
    begin, end = taught
    tokens = processor.tokenizer(completion, add_special_tokens=False, return_offsets_mapping=True)
    ids, last = torch.tensor(tokens["input_ids"]), torch.tensor([behind for _, behind in tokens["offset_mapping"]])
    ids, last = ids[last <= end], last[last <= end]
    labels = [torch.full_like(prompt_ids, _IGNORED), ids.where(last > begin, _IGNORED)]
    return torch.cat([prompt_ids, ids]), torch.cat(labels)


def collate(encoded: Sequence[Encoded], *, pad_id: int) -> Batch:
    """Pad encoded examples on the right to the longest one and stack them.

    Args:
        encoded: At least one. Images and crops per example may differ.
        pad_id: Written to input_ids where attention_mask is 0; labels get -100 there.
    Returns:
        input_ids, attention_mask, labels: (B, T) int64. pixel_values: (N, C, 3, H, W) float32, the images of all rows
        in row order, unused slots zero. image_sizes: (N, 2) int64, pixels after the HD transform, height first.
    """
    num_slots = max(e.pixel_values.shape[1] for e in encoded)
    pixel_values = [
        torch.nn.functional.pad(e.pixel_values, (0, 0, 0, 0, 0, 0, 0, num_slots - e.pixel_values.shape[1]))
        for e in encoded
    ]
    return {
        "input_ids": pad_sequence([e.input_ids for e in encoded], batch_first=True, padding_value=pad_id),
        "attention_mask": pad_sequence([torch.ones_like(e.input_ids) for e in encoded], batch_first=True),
        "labels": pad_sequence([e.labels for e in encoded], batch_first=True, padding_value=_IGNORED),
        "pixel_values": torch.cat(pixel_values),
        "image_sizes": torch.cat([e.image_sizes for e in encoded]),
    }


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
    ) -> None:
        self.products, self.task, self.processor, self.open_image = products, task, processor, open_image
        self._num_views, self._field_by_field = num_views, field_by_field
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
        encoded = self.encode(product, view(self.open_image(product), number, seed=place))
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
