"""Which layers keep their activations for the backward pass, and which compute them twice."""

import gc
from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer

from etalage.config import ActivationCheckpointing
from etalage.train.trainable import part_of

__all__ = ["CheckpointedLayers"]

_RESERVE = 0.08
"""Of a GPU's memory: for rows that take more than the one measured, and for gaps between blocks."""


class CheckpointedLayers:
    """The layers of a model that could compute their activations twice, and those that keep them instead.

    Args:
        model: Prepared by `make_trainable`, on its device.
        mode: activation_checkpointing of TrainConfig.
    """

    def __init__(self, model: nn.Module, mode: ActivationCheckpointing) -> None:
        layers = {name: m for name, m in model.named_modules() if isinstance(m, GradientCheckpointingLayer)}
        for layer in layers.values():
            # not by the model's own method: with adapters it makes a tower's input want gradients, frozen or not
            layer._gradient_checkpointing_func = partial(checkpoint, use_reentrant=False)
            layer.gradient_checkpointing = False
        # what a frozen tower computes is never kept
        learning = {part_of(name) for name, p in model.named_parameters() if p.requires_grad} | {"decoder"}
        # The decoder's before the tower's: they save more time for their memory. The last ones first: what they keep
        # is the soonest used and gone.
        self._layers = [
            layer
            for part in ("decoder", "tower")
            if part in learning
            for layer in [layer for name, layer in layers.items() if part_of(name) == part][::-1]
        ]
        self._moments = sum(2 * p.nbytes for p in model.parameters() if p.requires_grad)  # AdamW's, not there yet
        self._open = mode == "auto" and next(model.parameters()).is_cuda
        self._keep(0 if mode == "full" else len(self._layers))

    @property
    def num_layers(self) -> int:
        return len(self._layers)

    def _keep(self, count: int) -> None:
        self.num_kept = count
        for place, layer in enumerate(self._layers):
            layer.gradient_checkpointing = place >= count

    def measure(self, try_row: Callable[[], object]) -> None:
        """Choose which, if that was left open: as many as leave a row enough room, found by halving.

        Args:
            try_row: Forward and backward of a row as large as they get.
        Raises:
            OutOfMemoryError: with none kept there is still too little.
        """
        if not self._open:
            return
        most = too_many = self.num_layers
        if not self._leaves_room(try_row, most):
            most = 0
            self._keep(most)
            _let_go()
            try_row()
            while too_many - most > 1:
                count = (most + too_many) // 2
                if self._leaves_room(try_row, count):
                    most = count
                else:
                    too_many = count
        self._keep(most)
        _let_go()
        torch.cuda.reset_peak_memory_stats()

    def _leaves_room(self, try_row: Callable[[], object], count: int) -> bool:
        self._keep(count)
        _let_go()
        try:
            try_row()  # whatever is made once and stays, the compiler's work among it
            torch.cuda.reset_peak_memory_stats()
            try_row()
        except torch.OutOfMemoryError:
            return False
        free, total = torch.cuda.mem_get_info()
        room = free + torch.cuda.memory_reserved() - _RESERVE * total - self._moments
        return bool(torch.cuda.max_memory_allocated() <= room)

    def shrink(self) -> bool:
        """Keep a quarter fewer, after memory ran out; False if none was kept or that was not left open."""
        if not self._open or not self.num_kept:
            return False
        _let_go()
        self._keep(self.num_kept * 3 // 4)
        return True


def _let_go() -> None:
    """Of memory that nothing needs, of what a failure broke off too."""
    gc.collect()
    torch.cuda.empty_cache()
