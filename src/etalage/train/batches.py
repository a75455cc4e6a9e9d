"""The batches that steps take: examples read ahead and packed into rows."""

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from etalage.config import TrainConfig
from etalage.data.dataset import Examples
from etalage.data.encoding import Encoded
from etalage.data.packing import Batch, collate, pack
from etalage.data.prefetch import prefetch
from etalage.data.sampler import StepSampler
from etalage.errors import EtalageError
from etalage.fused.feature_cache import FeatureCache
from etalage.interrupts import ignore_interrupts
from etalage.phi3v import Phi3VImageProcessor, Phi3VProcessor

__all__ = ["PAD_MULTIPLE", "Packer", "StepBatch", "make_packer", "read_batches"]

PAD_MULTIPLE = 16
"""Examples are padded to a multiple of it on a GPU: at most one percent more tokens, and few different lengths."""


@dataclass(frozen=True)
class Packer:
    """Turns examples into rows, and rows into the model's arguments.

    Args:
        images: Cuts the pictures into crops.
        device: Where the model is.
        max_tokens: Tokens of a row; a longer example gets a row to itself.
        long_rope_threshold: Examples longer than this never share a row with shorter ones.
        tower_features: Looks up the features of pictures; None leaves them to the model.
    """

    images: Phi3VImageProcessor
    device: torch.device
    max_tokens: int
    long_rope_threshold: int
    tower_features: Callable[[Sequence[Tensor]], Tensor] | None = None

    @property
    def is_gpu(self) -> bool:
        """The model is on a GPU."""
        return self.device.type == "cuda"

    def rows(self, encoded: Sequence[Encoded]) -> list[Batch]:
        """Return the rows that examples make. This is all that can be prepared without the device.

        Args:
            encoded: The examples of a step.
        """
        if self.is_gpu:  # its kernels are compiled for each length anew
            encoded = [e.padded(PAD_MULTIPLE) for e in encoded]
        # Plans need no device either: on a GPU they are made by the thread that packs ahead.
        packed = pack(encoded, self.max_tokens, long_rope_threshold=self.long_rope_threshold)
        return [collate(row).planned(self.images) for row in packed]

    def inputs(self, row: Batch) -> dict[str, Any]:
        """Return the model's arguments for a row, on the device."""
        return row.inputs(self.images, self.device, self.tower_features)


def make_packer(model: nn.Module, processor: Phi3VProcessor, config: TrainConfig) -> Packer:
    """Return the packer of a training. On a GPU it keeps the features of a frozen tower for later epochs.

    Args:
        model: Prepared by `make_trainable`, on its device.
        processor: Cuts the pictures.
        config: The settings of the training.
    """
    images, device = processor.image_processor, next(model.parameters()).device
    # Within one epoch no picture comes twice. On a CPU `cache_features` does the same for single crops.
    repeats = "tower" in config.freeze and config.epochs != 1 and device.type == "cuda"
    return Packer(
        images,
        device,
        config.max_tokens,
        long_rope_threshold=model.config.original_max_position_embeddings,
        tower_features=FeatureCache(model, images) if repeats else None,
    )


class StepBatch(NamedTuple):
    """The examples of one step and the rows that they make."""

    indices: list[int]
    """Indices into the examples."""
    encoded: list[Encoded]
    rows: list[Batch]


def read_batches(
    examples: Examples, sampler: StepSampler, config: TrainConfig, packer: Packer
) -> Generator[StepBatch, None, None]:
    """Yield the batch of each step. Worker processes read two steps ahead, and a thread packs ahead for a GPU.

    Args:
        examples: The training split.
        sampler: Decides which examples each step takes.
        config: batch_size and num_workers.
        packer: Packs the examples.
    """
    batches = _batches(examples, sampler, config, packer)
    yield from prefetch(batches) if packer.is_gpu else batches


def _batches(examples: Examples, sampler: StepSampler, config: TrainConfig, packer: Packer) -> Iterator[StepBatch]:
    # The loader yields single examples: steps are cut from them here, so that the sampler alone decides their sizes.
    loader = DataLoader(
        examples,
        sampler=chain.from_iterable(sampler),
        batch_size=None,
        num_workers=config.num_workers,
        prefetch_factor=math.ceil(2 * config.batch_size / config.num_workers) if config.num_workers else None,
        pin_memory=packer.is_gpu,
        worker_init_fn=_start_worker,
    )
    loaded = _explain_worker_errors(loader)
    # The loader reads the same sampler on its own; each pass over it gives the same order.
    for indices in sampler:
        encoded = list(islice(loaded, len(indices)))
        yield StepBatch(indices, encoded, packer.rows(encoded))


def _start_worker(_: int) -> None:
    ignore_interrupts()  # they reach all processes of a group; the training process ends its workers


def _explain_worker_errors(loader: Iterable[Encoded]) -> Iterator[Encoded]:
    """Yield what a loader yields, and shorten the message of an error that a worker raised."""
    try:
        yield from loader
    except EtalageError as error:
        # It arrives with the worker's traceback as text, at whose end is the message.
        message = str(error).rstrip().rpartition(f"{EtalageError.__name__}: ")[2]
        raise EtalageError(message) from error
