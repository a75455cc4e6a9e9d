"""Where the numbers live and how wide they are."""

from contextlib import AbstractContextManager, nullcontext

import torch

from etalage.config import Recipe

__all__ = ["autocast", "device", "weights_dtype"]


def device() -> torch.device:
    """The GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def weights_dtype(recipe: Recipe | None = None) -> torch.dtype:
    """bfloat16 on a GPU where weights stay as they are, as they all do without a recipe; else float32."""
    return torch.bfloat16 if device().type == "cuda" and recipe != "full" else torch.float32


def autocast() -> AbstractContextManager[object]:
    """bfloat16 products on a GPU, whatever the weights' width; nothing on a CPU."""
    return torch.autocast("cuda", torch.bfloat16) if device().type == "cuda" else nullcontext()
