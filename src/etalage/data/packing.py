"""Examples -> packed rows, and prompts -> padded batches.

Several examples share one row: none is padded to another's length, and none sees another.

Shapes: T tokens of a row, E examples in it, B rows, N images, U used crops, S side of a crop, G side of a crop's grid
of tokens, D tower width, H and W height and width of a picture after the HD transform.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from etalage.data.encoding import IGNORED, Encoded
from etalage.phi3v import Phi3VImageProcessor, Phi3VProcessor
from etalage.phi3v.image_plan import ImagePlan, plan_images
from etalage.phi3v.transfer import to_device

__all__ = ["Batch", "collate", "left_pad_batch", "pack"]


@dataclass(frozen=True)
class Batch:
    """Examples packed into one row.

    Args:
        input_ids: (1, T) int64; the positions of the row's n-th image are -n.
        position_ids: (1, T) int64, from 0 in each example.
        labels: (1, T) int64, IGNORED where nothing is supervised.
        cu_seqlens: (E + 1,) int32, where each example begins, and where the last one ends.
        max_seqlen: Tokens of the longest example.
        pictures: N of (3, H, W) uint8, after the HD transform.
        plan: Where the pictures go, on the CPU; computed when needed if None.
    """

    input_ids: Tensor
    position_ids: Tensor
    labels: Tensor
    cu_seqlens: Tensor
    max_seqlen: int
    pictures: tuple[Tensor, ...]
    plan: ImagePlan | None = None

    @property
    def num_supervised(self) -> int:
        """The number of tokens that the loss counts."""
        return int((self.labels != IGNORED).sum())

    def planned(self, images: Phi3VImageProcessor) -> "Batch":
        """Return the batch with its plan, which can be computed ahead while a GPU is busy.

        Args:
            images: Knows the size of a crop and its tokens.
        """
        return replace(self, plan=_plan(self.input_ids, self.pictures, images))

    def inputs(
        self,
        images: Phi3VImageProcessor,
        device: torch.device,
        tower_features: Callable[[Sequence[Tensor]], Tensor] | None = None,
    ) -> dict[str, Any]:
        """Return the model's arguments. Pixels travel as bytes and are normalised on the device.

        Args:
            images: Cuts the pictures into crops.
            device: Where the model is.
            tower_features: Computes or looks up the features of pictures, (U, (2G)^2, D); None leaves that to the
                model.
        """
        inputs: dict[str, Any] = {
            "input_ids": to_device(self.input_ids, device),
            "position_ids": to_device(self.position_ids, device),
            # On the CPU, where attention reads the lengths without waiting for the device.
            "cu_seq_lens_q": self.cu_seqlens,
            "cu_seq_lens_k": self.cu_seqlens,
            "max_length_q": self.max_seqlen,
            "max_length_k": self.max_seqlen,
        }
        plan = self.plan or _plan(self.input_ids, self.pictures, images)
        return inputs | _picture_inputs(plan, self.pictures, images, device, tower_features)


def pack(encoded: Sequence[Encoded], max_tokens: int, *, long_rope_threshold: int) -> list[list[Encoded]]:
    """Distribute examples over as few rows as hold them, about equally full. No example is cut.

    Args:
        encoded: The examples of a step.
        max_tokens: Tokens of a row. A longer example gets a row to itself.
        long_rope_threshold: Examples longer than this never share a row with shorter ones, because one position beyond
            it makes the model use the long rope factors for the whole row (original_max_position_embeddings).

    Returns:
        Rows, the longest example of each first.
    """
    rows: list[list[Encoded]] = []
    for alike in ([e for e in encoded if (len(e.input_ids) > long_rope_threshold) == long] for long in (False, True)):
        # Sorted, so that examples of one length are neighbours, which attention takes in one call.
        rows += _balanced(sorted(alike, key=lambda e: -len(e.input_ids)), max_tokens)
    return rows


def _balanced(encoded: Sequence[Encoded], max_tokens: int) -> list[list[Encoded]]:
    """Put each example, the longest first, into the emptiest of as few rows as that takes."""
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
    """Join examples to one row.

    Args:
        encoded: At least one, each with any number of images.

    Returns:
        The row, without a plan.
    """
    num_images = accumulate((len(e.pictures) for e in encoded), initial=0)
    ids = [
        e.input_ids.where(e.input_ids >= 0, e.input_ids - before)
        for e, before in zip(encoded, num_images, strict=False)
    ]
    # The first token of an example must not be predicted from the last token of the example before it.
    labels = [torch.cat([torch.tensor([IGNORED]), e.labels[1:]]) for e in encoded]
    lengths = [len(e.input_ids) for e in encoded]
    return Batch(
        input_ids=torch.cat(ids)[None],
        position_ids=torch.cat([torch.arange(length) for length in lengths])[None],
        labels=torch.cat(labels)[None],
        cu_seqlens=torch.tensor([0, *accumulate(lengths)], dtype=torch.int32),
        max_seqlen=max(lengths),
        pictures=tuple(picture for e in encoded for picture in e.pictures),
    )


def left_pad_batch(encoded: Sequence[Encoded], processor: Phi3VProcessor, device: torch.device) -> dict[str, Any]:
    """Return prompts as the rows of one batch, padded on the left, so that each answer follows its prompt directly.

    Args:
        encoded: At least one prompt, with no completion.
        processor: Knows the padding token and how to cut pictures.
        device: Where the model is.

    Returns:
        The model's arguments; input_ids and attention_mask are (B, T) int64.
    """
    # On the left, so that the last column holds every prompt's last token.
    longest = max(len(e.input_ids) for e in encoded)
    gaps = [longest - len(e.input_ids) for e in encoded]
    pad_id = processor.tokenizer.pad_token_id
    ids = torch.stack([pad(e.input_ids, (gap, 0), value=pad_id) for e, gap in zip(encoded, gaps, strict=True)])
    mask = (torch.arange(longest) >= torch.tensor(gaps)[:, None]).long()
    pictures = [picture for e in encoded for picture in e.pictures]
    inputs = {"input_ids": to_device(ids, device), "attention_mask": to_device(mask, device)}
    images = processor.image_processor
    return inputs | _picture_inputs(_plan(ids, pictures, images), pictures, images, device)


def _plan(input_ids: Tensor, pictures: Sequence[Tensor], images: Phi3VImageProcessor) -> ImagePlan | None:
    """Return where pictures go in (B, T) ids; None if there are none."""
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
    tower_features: Callable[[Sequence[Tensor]], Tensor] | None = None,
) -> dict[str, Any]:
    """Return the model's arguments for pictures; empty without pictures."""
    if plan is None:
        return {}
    inputs = {
        "image_sizes": torch.tensor([p.shape[1:] for p in pictures]),  # (N, 2) int64
        "image_plan": ImagePlan(*(t if t is None else to_device(t, device) for t in plan)),
    }
    if tower_features:
        return {**inputs, "crop_features": tower_features(pictures)}  # (U, (2G)^2, D)
    return {**inputs, "pixel_values": torch.cat([images.cut_bytes(p, device) for p in pictures])}  # (U, 3, S, S)
