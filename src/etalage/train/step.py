"""One optimizer step: the losses of its rows, their gradients, and the update of the weights."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from etalage.chunks import chunks
from etalage.data.dataset import Examples
from etalage.data.encoding import Encoded
from etalage.data.packing import Batch
from etalage.devices import autocast
from etalage.errors import EtalageError
from etalage.fused.torch_private import is_compiler_error
from etalage.train.batches import PAD_MULTIPLE, Packer
from etalage.train.objectives import sft_loss

__all__ = ["explain_compiler_errors", "optimizer_step", "row_losses", "try_full_row", "validation_loss"]


def row_losses(model: nn.Module, packer: Packer, rows: Sequence[Batch]) -> Iterator[Tensor]:
    """Yield the loss of each row, summed over its supervised tokens, before the next row is computed.

    Args:
        model: Its output is differentiated where gradients are enabled.
        packer: Made the rows.
        rows: The rows of a step.

    Yields:
        () float32 for each row.
    """
    for row in rows:
        # The backward pass runs outside of autocast, as torch recommends; it uses the types of the forward pass.
        with autocast():
            loss = sft_loss(model, packer.inputs(row), row.labels)
        yield loss


def optimizer_step(
    model: nn.Module,
    packer: Packer,
    rows: Sequence[Batch],
    optimizer: torch.optim.Optimizer,
    max_grad_norm: float,
    seed: int,
) -> tuple[Tensor, Tensor]:
    """Update the weights once, without waiting for the device.

    The loss is summed over the rows and divided once, by all supervised tokens, so that it does not matter how the
    examples are packed.

    Args:
        model: Its trainable parameters are the optimizer's.
        packer: Made the rows.
        rows: The rows of the step.
        optimizer: Its learning rates are set already.
        max_grad_norm: Gradients with a larger norm are scaled down to it.
        seed: Decides dropout.

    Returns:
        Loss per supervised token and norm of the gradients, () each, on the device.
    """
    torch.manual_seed(seed)
    optimizer.zero_grad(set_to_none=True)
    # On the CPU and over all rows, before the first backward pass: each row's gradient has its final scale at once.
    num_supervised = sum(row.num_supervised for row in rows)
    total = torch.zeros((), device=packer.device)
    for summed in row_losses(model, packer, rows):
        loss = summed / num_supervised
        loss.backward()
        total += loss.detach()  # stays on the device: reading it here would wait for each row
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    grad_norm = nn.utils.clip_grad_norm_(parameters, max_grad_norm)
    optimizer.step()
    return total, grad_norm


def try_full_row(model: nn.Module, packer: Packer, example: Encoded) -> None:
    """Run forward and backward on a row as long as rows get, and discard the gradients.

    Args:
        model: Ready for training.
        packer: Knows how long rows get.
        example: Repeated until it fills a row.
    """
    # Padded as rows are on a GPU, so that the row does not exceed max_tokens and split in two.
    full = [example] * max(1, packer.max_tokens // len(example.padded(PAD_MULTIPLE).input_ids))
    try:
        for loss in row_losses(model, packer, packer.rows(full)):
            loss.backward()
    finally:
        model.zero_grad(set_to_none=True)


@torch.no_grad()
def validation_loss(
    model: nn.Module, packer: Packer, examples: Examples, batch_size: int, progress: Callable[[int], object]
) -> float:
    """Return the mean loss per supervised token over all examples.

    Args:
        model: In training mode, before and after.
        packer: Packs the examples.
        examples: At least one.
        batch_size: Examples that are read at a time.
        progress: Called after each batch with its number of examples.
    """
    model.eval()
    # Summed over all tokens and divided once: batches may differ in size, and so would the weights of their means.
    total, num_supervised = 0.0, 0
    for encoded in chunks((examples[i] for i in range(len(examples))), batch_size):
        total += sum(float(loss) for loss in row_losses(model, packer, packer.rows(encoded)))
        num_supervised += sum(e.num_supervised for e in encoded)
        progress(len(encoded))
    model.train()
    return total / num_supervised


@contextmanager
def explain_compiler_errors() -> Iterator[None]:
    """Turn a failure of torch's compiler, such as a missing C compiler, into a message that says what to do."""
    try:
        yield
    except RuntimeError as error:
        if not is_compiler_error(error):
            raise
        reason = str(error).strip().splitlines()[0]  # the others quote generated code
        raise EtalageError(
            f"the layers could not be compiled ({reason}); pass --no-compile to train without"
        ) from error
