"""Which device to compute on, and in which number formats."""

from contextlib import AbstractContextManager, nullcontext

import torch

from etalage.config import Recipe

__all__ = ["autocast", "device", "weights_dtype"]


def device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def weights_dtype(recipe: Recipe | None = None) -> torch.dtype:
    """Return the type to hold a model's weights in.

    Args:
        recipe: How the model is to be trained; None if it is only used.

    Returns:
        bfloat16 on a GPU where the weights stay frozen; float32 on a CPU and for full fine-tuning.
    """
    return torch.bfloat16 if device().type == "cuda" and recipe != "full" else torch.float32


def autocast() -> AbstractContextManager[object]:
    """Return a context in which a GPU multiplies in bfloat16, whatever the weights' type; it does nothing on a CPU."""
    return torch.autocast("cuda", torch.bfloat16) if device().type == "cuda" else nullcontext()
