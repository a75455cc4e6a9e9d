"""Which examples each step takes."""

import math
from collections.abc import Iterator

import torch

__all__ = ["StepSampler"]


class StepSampler:
    """Yield the indices of each step: every epoch in a new order, determined by the seed and the epoch alone.

    A run that resumes at `start_step` therefore sees what the unbroken run would have seen, without reading a picture.
    The last step of an epoch may be smaller; no example is skipped. Example i of N has the index i + e * N in epoch e.

    Args:
        num_examples: Examples of an epoch.
        batch_size: Examples of a step.
        epochs: Passes over all examples.
        seed: Determines the order.
        start_step: Steps that are done already.
    """

    def __init__(self, num_examples: int, batch_size: int, epochs: int, seed: int, start_step: int = 0) -> None:
        self.num_examples, self.batch_size, self.epochs, self.seed = num_examples, batch_size, epochs, seed
        self.start_step = start_step
        self.steps_per_epoch = math.ceil(num_examples / batch_size)

    def __len__(self) -> int:
        return self.steps_per_epoch * self.epochs - self.start_step

    def __iter__(self) -> Iterator[list[int]]:
        first_epoch, skipped = divmod(self.start_step, self.steps_per_epoch)
        for epoch in range(first_epoch, self.epochs):
            # An epoch's order does not depend on the orders before it, so a resumed run need not draw them.
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            order = (torch.randperm(self.num_examples, generator=generator) + epoch * self.num_examples).tolist()
            for start in range(skipped * self.batch_size, self.num_examples, self.batch_size):
                yield order[start : start + self.batch_size]
            skipped = 0
