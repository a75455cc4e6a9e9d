"""Loss maths: a model and a batch -> a loss summed over supervised tokens."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from etalage.data.encoding import IGNORED
from etalage.phi3v.transfer import to_device

__all__ = ["sft_loss"]


def sft_loss(model: nn.Module, inputs: dict[str, Any], labels: Tensor) -> Tensor:
    """Return the cross-entropy of the completions, summed over their tokens.

    It is a sum because the step divides once, by all of its supervised tokens, so that the loss does not depend on how
    examples are packed into rows. The head is computed only at positions that are supervised.

    Args:
        model: A Phi-3-V, adapted or not.
        inputs: The arguments that `Batch.inputs` returns.
        labels: (1, T) int64 on the CPU, IGNORED where nothing is supervised.

    Returns:
        () float32.
    """
    device = inputs["input_ids"].device
    supervised = (labels[0] != IGNORED).nonzero()[:, 0]
    # The logits at a position predict the token after it.
    targets, positions = to_device(labels[0, supervised], device), to_device(supervised - 1, device)
    logits = model(**inputs, logits_to_keep=positions, use_cache=False).logits[0]
    return F.cross_entropy(logits.float(), targets, reduction="sum")
