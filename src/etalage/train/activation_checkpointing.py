"""Which layers keep their activations for the backward pass, and which recompute them."""

import gc
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer

from etalage.config import ActivationCheckpointing
from etalage.devices import explain_out_of_memory
from etalage.fused.torch_private import make_checkpointable
from etalage.train.trainable import part_of

__all__ = ["CheckpointedLayers"]

T = TypeVar("T")

_RESERVED_FRACTION = 0.08
"""Share of a GPU's memory that is left free, for rows that take more than the measured one and for fragmentation."""


class CheckpointedLayers:
    """The layers of a model that can recompute their activations; some of them keep theirs instead.

    Args:
        model: Prepared by `make_trainable`, on its device.
        mode: activation_checkpointing of TrainConfig.
    """

    def __init__(self, model: nn.Module, mode: ActivationCheckpointing) -> None:
        layers = {name: m for name, m in model.named_modules() if isinstance(m, GradientCheckpointingLayer)}
        for layer in layers.values():
            make_checkpointable(layer)
        # A frozen tower computes without gradients, so it keeps no activations in any case.
        parts = {part_of(name) for name, p in model.named_parameters() if p.requires_grad} | {"decoder"}
        # In the order in which they should keep theirs. The decoder first: it saves more time for its memory. Of each
        # part the last layers first: their activations are used and freed the soonest.
        self._layers = [
            layer
            for part in ("decoder", "tower")
            if part in parts
            for layer in [layer for name, layer in layers.items() if part_of(name) == part][::-1]
        ]
        # AdamW's two moments do not exist yet while `measure` runs.
        self._moment_bytes = sum(2 * p.nbytes for p in model.parameters() if p.requires_grad)
        self._is_auto = mode == "auto" and next(model.parameters()).is_cuda
        self._keep(0 if mode == "full" else len(self._layers))

    @property
    def num_layers(self) -> int:
        """The number of layers that could recompute their activations."""
        return len(self._layers)

    def _keep(self, num_kept: int) -> None:
        self.num_kept = num_kept
        for number, layer in enumerate(self._layers):
            layer.gradient_checkpointing = number >= num_kept

    def measure(self, run_row: Callable[[], object]) -> None:
        """In mode auto on a GPU, keep the activations of as many layers as its memory allows, found by bisection.

        Args:
            run_row: Forward and backward of a row as long as rows get.

        Raises:
            OutOfMemoryError: Memory is too small even if no layer keeps its activations.
        """
        if not self._is_auto:
            return
        fits = too_many = self.num_layers
        if not self._fits(run_row, fits):
            fits = 0
            self._keep(fits)
            _free_cached_memory()
            run_row()
            while too_many - fits > 1:
                num_kept = (fits + too_many) // 2
                if self._fits(run_row, num_kept):
                    fits = num_kept
                else:
                    too_many = num_kept
        self._keep(fits)
        _free_cached_memory()
        torch.cuda.reset_peak_memory_stats()

    def _fits(self, run_row: Callable[[], object], num_kept: int) -> bool:
        self._keep(num_kept)
        _free_cached_memory()
        try:
            run_row()  # not measured: it also allocates what is made once and stays, and it compiles
            torch.cuda.reset_peak_memory_stats()
            run_row()
        except torch.OutOfMemoryError:
            return False
        free, total = torch.cuda.mem_get_info()
        # What torch has reserved can be allocated again, so it counts as available.
        available = free + torch.cuda.memory_reserved() - _RESERVED_FRACTION * total - self._moment_bytes
        return bool(torch.cuda.max_memory_allocated() <= available)

    def shrink(self) -> bool:
        """Keep the activations of a quarter fewer layers; return False if none are kept or the mode is not auto."""
        if not self._is_auto or not self.num_kept:
            return False
        _free_cached_memory()
        self._keep(self.num_kept * 3 // 4)
        return True

    def retry(self, work: Callable[[], T]) -> T:
        """Return what the work returns; where memory runs out, shrink and run it again.

        Args:
            work: May be repeated after it has failed halfway.

        Raises:
            EtalageError: Memory is too small and nothing is left to shrink.
        """
        remedy = (
            "lower --max-tokens, pass --activation-checkpointing auto, or hold the frozen weights in less with "
            "--quantization nf4"
        )
        with explain_out_of_memory(remedy):
            while True:
                try:
                    return work()
                except torch.OutOfMemoryError as raised:
                    error = raised.with_traceback(None)  # its frames hold the tensors of the failed attempt
                if not self.shrink():
                    raise error


def _free_cached_memory() -> None:
    """Free cached memory, including what a failed attempt left behind."""
    gc.collect()
    torch.cuda.empty_cache()
