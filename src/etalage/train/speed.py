"""How fast this machine could be, and how much memory was taken."""

import resource
import sys
import time

import torch
from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer

__all__ = ["compile_layers", "peak_memory_gib", "product_ceiling"]


def compile_layers(model: nn.Module) -> None:
    """Compile the layers of tower and decoder, in place: once for all layers of a kind and for rows of any length."""
    for module in model.modules():
        if isinstance(module, GradientCheckpointingLayer):
            module.compile(dynamic=True)


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


def peak_memory_gib(device: torch.device) -> float:
    """Most memory held so far, in GiB: allocated on a GPU; else resident, of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
