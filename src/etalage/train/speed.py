"""How fast a step was, how fast this machine could be, and how much memory was taken."""

import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from etalage.batches import Encoded
from etalage.phi3v import Phi3VImageProcessor
from etalage.phi3v.flops import step_flops
from etalage.phi3v.modeling import image_embedding
from etalage.train.adapters import is_pefts_dora
from etalage.train.quick_decoder import QuickDecoderLayer
from etalage.train.quick_tower import QuickTowerLayer
from etalage.train.trainable import part_of

__all__ = ["Pace", "compile_layers", "product_ceiling"]


def compile_layers(model: nn.Module) -> None:
    """Compile the layers of tower and decoder, in place: once for all layers of a kind and for rows of any length.

    Those that are quick already stay as they are, and those that would fall apart.
    """
    for module in model.modules():
        quick = isinstance(module, QuickDecoderLayer | QuickTowerLayer)
        slow = isinstance(module, GradientCheckpointingLayer) and not quick
        if slow and not any(map(is_pefts_dora, module.modules())):
            module.compile(dynamic=True)


class Pace:
    """Products, tokens and operations per second, step by step.

    Args:
        model: Prepared by `make_trainable`, on its device.
        images: Cut the pictures.
        full: Weights learn, not adapters.
    """

    def __init__(self, model: nn.Module, images: Phi3VImageProcessor, *, full: bool) -> None:
        self._images, self._config, self._full = images, model.config, full
        self._device = next(model.parameters()).device
        self._learning = {part_of(name) for name, p in model.named_parameters() if p.requires_grad}
        self._ceiling = product_ceiling(self._device)
        tower = image_embedding(model).img_processor["vision_model"]
        tower.pre_layrnorm.register_forward_pre_hook(self._count)  # what is remembered does not come here
        self.begin()

    def begin(self) -> None:
        """What comes now is the next step."""
        self._crops_read, self._began = 0, time.perf_counter()

    def _count(self, _: nn.Module, given: tuple[Tensor, ...]) -> None:
        self._crops_read += len(given[0])

    def figures(self, encoded: Sequence[Encoded]) -> dict[str, Any]:
        """Of the step that ends here, and begin the next one.

        Args:
            encoded: The examples that were learned from.
        Returns:
            samples_per_second, tokens_per_second; mfu: operations that the step needed (`step_flops`), as a share of
            what large matrix products reach on this device; peak_memory_gib: the most held so far, allocated on a GPU,
            else resident.
        """
        seconds = time.perf_counter() - self._began
        lengths = [len(e.input_ids) for e in encoded]
        num_crops = sum(self._images.num_used_crops(p) for e in encoded for p in e.pictures)
        operations = step_flops(
            *(self._config, lengths, num_crops, self._crops_read, sum(e.num_supervised for e in encoded)),
            learning=self._learning,
            full=self._full,
        )
        self.begin()
        return {
            "samples_per_second": len(encoded) / seconds,
            "tokens_per_second": sum(lengths) / seconds,
            "mfu": operations / seconds / self._ceiling,
            "peak_memory_gib": _peak_memory_gib(self._device),
        }


def product_ceiling(device: torch.device) -> float:
    """Operations per second of a large matrix product: in bfloat16 on a GPU, in float32 on a CPU."""
    is_gpu = device.type == "cuda"
    side, times, dtype = (8192, 20, torch.bfloat16) if is_gpu else (1024, 3, torch.float32)
    a, b = torch.randn(2, side, side, dtype=dtype, device=device)
    for _ in range(times // 3):
        a @ b
    if is_gpu:
        torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(times):
        a @ b
    if is_gpu:
        torch.cuda.synchronize()
    return 2 * side**3 * times / (time.perf_counter() - began)


def _peak_memory_gib(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
