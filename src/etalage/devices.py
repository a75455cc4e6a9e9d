"""Which device to compute on, in which number formats, and what to do when its memory is too small."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

import torch
from torch import nn

from etalage.config import Recipe
from etalage.errors import EtalageError

__all__ = ["autocast", "device", "explain_out_of_memory", "on_device", "weights_dtype"]

M = TypeVar("M", bound=nn.Module)


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


def on_device(model: M) -> M:
    """Move a model to the device, in place, and return it.

    Args:
        model: On any device.

    Raises:
        EtalageError: The GPU's memory is too small for the weights.
    """
    with explain_out_of_memory("end other processes on this GPU, or use one with more memory"):
        return model.to(device())


@contextmanager
def explain_out_of_memory(remedy: str) -> Iterator[None]:
    """Turn torch's error for memory that is too small into one that says what to do.

    Args:
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: Memory ran out, the GPU's or the machine's.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise EtalageError(f"the GPU's memory is too small ({error}); {remedy}") from error
    except RuntimeError as error:
        if "DefaultCPUAllocator" not in str(error):  # the CPU's has no class of its own
            raise
        raise EtalageError(f"the machine's memory is too small ({error}); {remedy}") from error
