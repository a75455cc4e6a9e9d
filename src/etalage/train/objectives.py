"""Loss maths: a batch and a model -> a loss summed over supervised tokens."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from etalage.phi3v.transfer import to_device

__all__ = ["sft_loss"]


def sft_loss(model: nn.Module, inputs: dict[str, Any], labels: Tensor) -> Tensor:
    """Cross-entropy of the completions, summed.

    The sum, not the mean: the loop divides once by all supervised tokens of the step, so that a step in one row is a
    step in eight. The head runs where something is supervised and nowhere else.

    Args:
        inputs: What `Batch.inputs` gives.
        labels: (1, T) int64 on the CPU, -100 where nothing is supervised.
    Returns:
        () float32.
    """
    device = inputs["input_ids"].device
    supervised = (labels[0] != -100).nonzero()[:, 0]
    wanted, before = to_device(labels[0, supervised], device), to_device(supervised - 1, device)
    logits = model(**inputs, logits_to_keep=before, use_cache=False).logits[0]
    return F.cross_entropy(logits.float(), wanted, reduction="sum")
