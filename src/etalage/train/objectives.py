"""Loss maths: a batch and a model -> a loss summed over supervised tokens."""

import torch.nn.functional as F
from torch import Tensor, nn

from etalage.batches import Batch

__all__ = ["sft_loss"]


def sft_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Cross-entropy of the completions, summed.

    The sum, not the mean: the loop divides once by all supervised tokens of the step, so that a step of 1 x 8 micro
    batches is a step of 8 x 1. The head runs from the first supervised position on, not over prompts and pictures.

    Args:
        batch: As `collate` makes it; labels (B, T) int64, -100 where nothing is supervised.
    Returns:
        () float32.
    """
    labels = batch["labels"]
    first = int((labels != -100).any(0).nonzero()[0])
    inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
    logits = model(
        **inputs, logits_to_keep=labels.shape[1] - first + 1, use_cache=False
    ).logits  # (B, T - first + 1, V)
    return F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, first:].flatten(), reduction="sum")
