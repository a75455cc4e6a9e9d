"""Copies from the CPU to a device that do not wait for it."""

import torch
from torch import Tensor

__all__ = ["to_device"]


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor to a device without waiting for the work that the device is busy with.

    Args:
        tensor: Any shape and dtype, on the CPU.
        device: A GPU, reached through pinned memory, or the CPU, for which the tensor is returned as it is.

    Returns:
        The same values on the device.
    """
    # From any other memory, a copy to a GPU waits in spite of non_blocking.
    pinned = tensor.pin_memory() if device.type == "cuda" else tensor
    return pinned.to(device, non_blocking=True)
