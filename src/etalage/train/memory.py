"""Which layers keep their activations for the backward pass, and which compute them twice."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer

from etalage.config import Memory
from etalage.train.trainable import part_of

__all__ = ["ActivationPlan"]

_RESERVE = 0.08
"""Of a GPU's memory: for rows that take more than the one measured, and for gaps between blocks."""
_TRIED = 4
"""Layers that keep theirs while it is measured what one of them takes."""


class ActivationPlan:
    """The layers of a model that could compute their activations twice, and those that keep them instead.

    Args:
        model: Prepared by `make_trainable`, on its device.
        memory: Of TrainConfig.
    """

    def __init__(self, model: nn.Module, memory: Memory) -> None:
        layers = {name: m for name, m in model.named_modules() if isinstance(m, GradientCheckpointingLayer)}
        for layer in layers.values():
            # not by the model's own method: with adapters it makes a tower's input want gradients, frozen or not
            layer._gradient_checkpointing_func = partial(checkpoint, use_reentrant=False)
            layer.gradient_checkpointing = False
        # what a frozen tower computes is never kept
        learning = {part_of(name) for name, p in model.named_parameters() if p.requires_grad} | {"decoder"}
        parts = ("decoder", "tower")
        # the last ones first: what they keep is the soonest used and gone
        self._kinds = [
            [layer for name, layer in layers.items() if part_of(name) == part][::-1]
            for part in parts
            if part in learning
        ]
        self._moments = sum(2 * p.nbytes for p in model.parameters() if p.requires_grad)  # AdamW's, not there yet
        self._open = memory == "auto" and next(model.parameters()).is_cuda
        self._keep([0 if memory == "save" or self._open else len(kind) for kind in self._kinds])

    @property
    def num_layers(self) -> int:
        return sum(map(len, self._kinds))

    @property
    def num_kept(self) -> int:
        return sum(self._kept)

    def _keep(self, counts: Sequence[int]) -> None:
        self._kept = list(counts)
        for kind, count in zip(self._kinds, counts, strict=True):
            for place, layer in enumerate(kind):
                layer.gradient_checkpointing = place >= count

    def measure(self, try_row: Callable[[], object]) -> None:
        """Choose which, if that was left open, by what a row takes with none kept and with a few.

        Args:
            try_row: Forward and backward of a row as large as they get.
        Raises:
            OutOfMemoryError: with none kept there is still too little.
        """
        if not self._open:
            return
        none = [0] * len(self._kinds)
        least = self._peak(try_row, none)
        free, total = torch.cuda.mem_get_info()
        room = free + torch.cuda.memory_reserved() - _RESERVE * total - self._moments - least
        counts = []
        for place, kind in enumerate(self._kinds):
            few = min(_TRIED, len(kind))
            tried = [few if other == place else 0 for other in range(len(none))]
            try:
                each = max(1.0, (self._peak(try_row, tried) - least) / few)
            except torch.OutOfMemoryError:
                each = room + 1
            counts.append(max(0, min(len(kind), int(room / each))))
            room -= counts[-1] * each
        self._keep(counts)
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()

    def _peak(self, try_row: Callable[[], object], counts: Sequence[int]) -> int:
        self._keep(counts)
        torch.cuda.empty_cache()
        try_row()  # whatever is made once and stays, the compiler's work among it
        torch.cuda.reset_peak_memory_stats()
        try_row()
        return torch.cuda.max_memory_allocated()

    def shrink(self) -> bool:
        """Keep half as many, after memory ran out; False if none was kept or that was not left open."""
        if not self._open or not self.num_kept:
            return False
        torch.cuda.empty_cache()
        self._keep([count // 2 for count in self._kept])
        return True
