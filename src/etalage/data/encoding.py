"""Product and picture -> one example as token ids, labels and pixels.

Shapes: T tokens, N images, H and W height and width of a picture after the HD transform.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

from etalage.phi3v import Phi3VProcessor

__all__ = ["IGNORED", "Encoded", "encode", "encode_completion", "encode_pixels"]

IGNORED = -100
"""The label of tokens that the loss does not count, as in torch's cross_entropy."""


@dataclass(frozen=True)
class Encoded:
    """One example as the model reads it.

    Args:
        input_ids: (T,) int64; the n-th image's positions are -n.
        labels: (T,) int64, IGNORED where nothing is supervised.
        pictures: N of (3, H, W) uint8, after the HD transform.
    """

    input_ids: Tensor
    labels: Tensor
    pictures: tuple[Tensor, ...]

    @property
    def num_supervised(self) -> int:
        """The number of tokens that the loss counts."""
        return int((self.labels != IGNORED).sum())

    @property
    def num_bytes(self) -> int:
        """The memory that the tensors take."""
        return sum(t.nbytes for t in (self.input_ids, self.labels, *self.pictures))

    def padded(self, multiple: int) -> "Encoded":
        """Return the example with tokens appended, which no token before them sees.

        Args:
            multiple: The length becomes a multiple of it.
        """
        surplus = -len(self.input_ids) % multiple
        ids, labels = pad(self.input_ids, (0, surplus)), pad(self.labels, (0, surplus), value=IGNORED)
        return replace(self, input_ids=ids, labels=labels)

    def pin_memory(self) -> "Encoded":
        """Return a copy in pinned memory, from where a GPU copies while it computes."""
        return Encoded(
            self.input_ids.pin_memory(), self.labels.pin_memory(), tuple(p.pin_memory() for p in self.pictures)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # As arrays: a tensor sent to another process becomes a shared file that the other process must open.
        arrays = (self.input_ids.numpy(), self.labels.numpy(), tuple(p.numpy() for p in self.pictures))
        return _from_arrays, arrays


def _from_arrays(input_ids: np.ndarray, labels: np.ndarray, pictures: Sequence[np.ndarray]) -> Encoded:
    return Encoded(torch.from_numpy(input_ids), torch.from_numpy(labels), tuple(map(torch.from_numpy, pictures)))


def encode(processor: Phi3VProcessor, prompt: str, completion: str, pictures: Sequence[Image.Image]) -> Encoded:
    """Encode a prompt as serving does, followed by its completion, which alone is supervised.

    Args:
        processor: Tokenizes and applies the HD transform.
        prompt: Ends where the model is to continue; holds one image tag per picture.
        completion: Ends with the end token; empty where the model is to write it.
        pictures: RGB, in the order of their tags.

    Returns:
        The example.

    Raises:
        ValueError: Tags and pictures do not match, or a picture is too narrow for the HD transform.

    Source:
        The ids of both parts are joined, as in the reference's own fine-tuning script. The assistant token swallows the
        space that would otherwise distinguish joint from separate tokenization.
    """
    return encode_pixels(
        processor, prompt, completion, [processor.image_processor.pixels(picture) for picture in pictures]
    )


def encode_pixels(processor: Phi3VProcessor, prompt: str, completion: str, pixels: Sequence[Tensor]) -> Encoded:
    """Encode a prompt and its completion beside pictures that have been through the HD transform.

    Args:
        processor: Tokenizes.
        prompt: Ends where the model is to continue; holds one image tag per picture.
        completion: Ends with the end token; empty where the model is to write it.
        pixels: (3, H, W) uint8 each, in the order of their tags.

    Returns:
        The example.

    Raises:
        ValueError: Tags and pictures do not match.
    """
    lengths = [processor.image_processor.num_tokens(picture) for picture in pixels]
    prompt_ids = torch.tensor(processor.ids(prompt, lengths))
    input_ids, labels = encode_completion(processor, prompt_ids, completion, (0, len(completion)))
    return Encoded(input_ids, labels, tuple(pixels))


def encode_completion(
    processor: Phi3VProcessor, prompt_ids: Tensor, completion: str, span: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Append a completion up to the end of a span of its characters, and supervise that span alone.

    A token belongs to the span that its last character is in, so one that holds the space before a value belongs to the
    value.

    Args:
        processor: Tokenizes.
        prompt_ids: (T,) int64.
        completion: The whole completion.
        span: First character of the supervised part, and the first one after it.

    Returns:
        Ids and labels, (T,) int64 each.
    """
    begin, end = span
    tokens = processor.tokenizer(completion, add_special_tokens=False, return_offsets_mapping=True)
    ids = torch.tensor(tokens["input_ids"], dtype=torch.int64)
    ends = torch.tensor([token_end for _, token_end in tokens["offset_mapping"]], dtype=torch.int64)
    # What follows the span is cut off, not only ignored: nothing there would be read.
    ids, ends = ids[ends <= end], ends[ends <= end]
    labels = [torch.full_like(prompt_ids, IGNORED), ids.where(ends > begin, IGNORED)]
    return torch.cat([prompt_ids, ids]), torch.cat(labels)
