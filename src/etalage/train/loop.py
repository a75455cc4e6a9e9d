"""The training step and what goes round it: the only room that steps an optimiser, reads a clock or catches Ctrl-C."""

import json
import math
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from etalage.atomic import atomic_write_text
from etalage.chunks import chunks
from etalage.config import TrainConfig
from etalage.data.dataset import Examples
from etalage.data.encoding import Encoded
from etalage.data.packing import Batch, collate, pack
from etalage.data.sampler import StepSampler
from etalage.devices import autocast
from etalage.errors import EtalageError
from etalage.fused.compilation import compile_layers
from etalage.fused.feature_cache import FeatureCache
from etalage.phi3v import Phi3VImageProcessor
from etalage.progress import bar
from etalage.train.activation_checkpointing import CheckpointedLayers
from etalage.train.checkpoint import (
    check_disk_space,
    latest_checkpoint,
    load_best,
    load_checkpoint,
    save_best,
    save_checkpoint,
)
from etalage.train.objectives import sft_loss
from etalage.train.throughput import ThroughputMeter
from etalage.train.tracking import Tracker
from etalage.train.trainable import optimizer_groups, trainable_parameters

__all__ = ["PAD_MULTIPLE", "lr_multiplier", "train"]

T = TypeVar("T")

PAD_MULTIPLE = 16
"""Examples are padded to a multiple of it on a GPU: one percent more tokens at most, and few different lengths."""


def train(
    model: nn.Module,
    training: Examples,
    validation: Examples,
    config: TrainConfig,
    *,
    checkpoints: Path,
    log: Path,
    tracker: Tracker,
    validation_score: Callable[[], float],
) -> None:
    """Take all steps that are left, from the last checkpoint if there is one.

    A run that was broken and continued takes the same steps with the same losses as an unbroken one: order, dropout and
    learning rate of a step follow from the seed and the step's number alone.

    Args:
        model: Its trainable parameters are changed in place.
        validation: May be empty; otherwise its loss is logged after each epoch, and with patience its score decides
            which epoch's weights the model is left with.
        checkpoints: Folder that broken runs continue from.
        log: JSONL file, one line a step.
        validation_score: How well the model, as it stands, answers the validation split; 1 is best.
    Raises:
        EtalageError: the disk, or the GPU's memory, is too small; says what can be done.
        EtalageError: the loss or a gradient is not finite; names the step and its products.
        KeyboardInterrupt: after the step under way and a checkpoint.
    """
    parameters = trainable_parameters(model)
    # the learning rate is set at each step; betas are the cookbook's
    optimizer = torch.optim.AdamW(optimizer_groups(parameters, config), lr=0.0, betas=(0.9, 0.95), fused=True)
    start = 0
    if (checkpoint := latest_checkpoint(checkpoints)) is not None:
        start = load_checkpoint(checkpoint, parameters, optimizer)
    scores = [line["validation_score"] for line in _keep_lines(log, start) if "validation_score" in line]
    assert config.epochs != "auto", "chosen by recipes.sized"
    sampler = StepSampler(len(training), config.batch_size, config.epochs, config.seed, start)
    num_steps = start + len(sampler)
    check_disk_space(
        checkpoints,
        parameters.values(),
        model.parameters() if config.recipe == "full" else parameters.values(),
        num_on_the_way=(num_steps - 1) // config.checkpoint_every,
        keeps_best=config.patience > 0,
    )
    packing = _Packing(
        training.processor.image_processor,
        next(iter(parameters.values())).device,
        config.max_tokens,
        long_rope_threshold=model.config.original_max_position_embeddings,
    )
    if "tower" in config.freeze and config.epochs > 1 and packing.is_gpu:
        packing = replace(packing, read=FeatureCache(model, packing.images))
    activations = CheckpointedLayers(model, config.activation_checkpointing)
    if config.compile and packing.is_gpu:
        compile_layers(model)
    model.train()
    _with_room(partial(activations.measure, partial(_try_row, model, packing, training)), activations)
    pace = ThroughputMeter(model, packing.images, full=config.recipe == "full")
    with (
        bar("train", num_steps, done=start) as progress,
        _interruption() as interrupted,
        log.open("a") as lines,
        ThreadPoolExecutor(1) as beside,
    ):
        pace.begin()
        steps = _steps(training, sampler, config, packing)
        upcoming, step = next(steps, None), start
        while upcoming and not (scores and _epochs_since_best(scores) >= config.patience):
            (chosen, encoded, rows), step = upcoming, step + 1
            share = lr_multiplier(step, num_steps, config.warmup_fraction)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * share
            take = partial(_step, model, packing, rows, optimizer, config.max_grad_norm, config.seed * 1_000_003 + step)
            # beside a GPU's step, which takes nearly as long to be told as to be done; on a CPU both want its cores
            ahead = beside.submit(next, steps, None) if packing.is_gpu else None
            taken = _with_room(take, activations)
            upcoming = ahead.result() if ahead else next(steps, None)
            loss, grad_norm = (float(figure) for figure in taken)
            if not math.isfinite(loss) or not math.isfinite(grad_norm):
                codes = ", ".join(training.products[i % len(training)].product_code for i in chosen)
                raise EtalageError(
                    f"step {step}: loss {loss}, gradient norm {grad_norm}; products {codes}. The last checkpoint is "
                    "unharmed; lower --learning-rate or look at these products"
                )
            figures = {
                "loss": loss,
                "learning_rate": config.learning_rate * share,
                "grad_norm": grad_norm,
                **pace.figures(encoded),
            }
            ends_epoch = step % sampler.steps_per_epoch == 0
            if ends_epoch and len(validation):
                with torch.compiler.set_stance("force_eager"):  # nothing is compiled for what is seldom done
                    figures["validation_loss"] = validation_loss(model, packing, validation, config.batch_size)
                    if config.patience:
                        figures["validation_score"] = validation_score()
                if config.patience:
                    scores.append(figures["validation_score"])
                    if _epochs_since_best(scores) == 0:
                        save_best(checkpoints, parameters)
                pace.begin()
            lines.write(json.dumps({"step": step, **figures}) + "\n")
            lines.flush()
            tracker.log(figures, step)
            if step % config.checkpoint_every == 0 or step == num_steps or interrupted():
                save_checkpoint(checkpoints, step, parameters, optimizer if step < num_steps else None)
            progress.add(note=_note(figures))
            if interrupted():
                raise KeyboardInterrupt
    if scores:
        load_best(checkpoints, parameters)


def _note(figures: Mapping[str, float]) -> str:
    """What the progress bar shows of a step."""
    mfu = f", MFU {figures['mfu']:.0%}" if "mfu" in figures else ""
    return f"loss {figures['loss']:.3f}, matmul efficiency {figures['matmul_efficiency']:.0%}{mfu}"


def _steps(
    training: Examples, sampler: StepSampler, config: TrainConfig, packing: "_Packing"
) -> Iterator[tuple[list[int], list[Encoded], list[Batch]]]:
    """Which examples each step takes, what was read of them, some steps ahead, and the rows that they make."""
    loader = DataLoader(
        training,
        sampler=chain.from_iterable(sampler),
        batch_size=None,
        num_workers=config.num_workers,
        prefetch_factor=math.ceil(2 * config.batch_size / config.num_workers) if config.num_workers else None,
        pin_memory=packing.is_gpu,
    )
    examples = iter(loader)
    for chosen in sampler:
        encoded = list(islice(examples, len(chosen)))
        yield chosen, encoded, packing.rows(encoded)


@dataclass(frozen=True)
class _Packing:
    """How examples become rows that the model reads."""

    images: Phi3VImageProcessor
    device: torch.device
    max_tokens: int
    long_rope_threshold: int
    read: FeatureCache | None = None

    @property
    def is_gpu(self) -> bool:
        return self.device.type == "cuda"

    def rows(self, encoded: Sequence[Encoded]) -> list[Batch]:
        """All that can be made of examples without the device."""
        if self.is_gpu:  # whose kernels are made for few lengths
            encoded = [e.padded(PAD_MULTIPLE) for e in encoded]
        packed = pack(encoded, self.max_tokens, long_rope_threshold=self.long_rope_threshold)
        return [collate(row).planned(self.images) for row in packed]

    def losses(self, model: nn.Module, rows: Sequence[Batch]) -> Iterator[Tensor]:
        """Of each row in turn, summed over its supervised tokens."""
        for row in rows:
            with autocast():
                loss = sft_loss(model, row.inputs(self.images, self.device, self.read), row.labels)
            yield loss


def _step(
    model: nn.Module,
    packing: _Packing,
    rows: Sequence[Batch],
    optimizer: torch.optim.Optimizer,
    max_grad_norm: float,
    seed: int,
) -> tuple[Tensor, Tensor]:
    """One optimiser update, and its loss and gradient norm, which nothing here waits for.

    The loss is summed over the rows and divided once, by all supervised tokens.
    """
    torch.manual_seed(seed)
    optimizer.zero_grad(set_to_none=True)
    num_supervised = sum(row.num_supervised for row in rows)
    total = torch.zeros((), device=packing.device)
    for summed in packing.losses(model, rows):
        loss = summed / num_supervised
        loss.backward()
        total += loss.detach()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    grad_norm = nn.utils.clip_grad_norm_(parameters, max_grad_norm)
    optimizer.step()
    return total, grad_norm


def _with_room(work: Callable[[], T], activations: CheckpointedLayers) -> T:
    """Again with fewer activations kept, as long as memory runs out and there are any.

    Raises:
        EtalageError: there are none, or the compiler failed; says what can be done.
    """
    while True:
        try:
            return work()
        except torch.OutOfMemoryError as error:
            out_of_memory = str(error)
        except RuntimeError as error:
            if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
                raise
            reason = str(error).strip().splitlines()[0]
            raise EtalageError(f"the layers could not be compiled ({reason}); --no-compile does without") from error
        if not activations.shrink():
            raise EtalageError(
                f"the GPU's memory is too small ({out_of_memory}); lower --max-tokens, give "
                "--memory auto, or hold the frozen weights in less with --quantization nf4"
            )


def _try_row(model: nn.Module, packing: _Packing, examples: Examples) -> None:
    """Forward and backward of a full row, of which nothing remains."""
    example = examples[0]
    full = [example] * max(1, packing.max_tokens // len(example.padded(PAD_MULTIPLE).input_ids))
    try:
        for loss in packing.losses(model, packing.rows(full)):
            loss.backward()
    finally:
        model.zero_grad(set_to_none=True)


@torch.no_grad()
def validation_loss(model: nn.Module, packing: _Packing, examples: Examples, batch_size: int) -> float:
    """Mean loss per supervised token over all examples."""
    model.eval()
    total, num_supervised = 0.0, 0
    for some in chunks((examples[i] for i in range(len(examples))), batch_size):
        total += sum(float(loss) for loss in packing.losses(model, packing.rows(some)))
        num_supervised += sum(e.num_supervised for e in some)
    model.train()
    return total / num_supervised


def lr_multiplier(step: int, num_steps: int, warmup_fraction: float) -> float:
    """Of the learning rate: a linear warm-up, then a cosine that would reach zero one step behind the last of
    1..num_steps."""
    warmup = max(1, round(warmup_fraction * num_steps))
    if step <= warmup:
        return step / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (num_steps - warmup + 1)))


def _epochs_since_best(scores: Sequence[float]) -> int:
    """How many epochs in a row were no better than one before them."""
    return len(scores) - 1 - scores.index(max(scores))


def _keep_lines(log: Path, num_lines: int) -> list[dict[str, float]]:
    """Drop lines of steps that a broken run took after its last checkpoint and takes again; return the others."""
    kept = log.read_text().splitlines(keepends=True)[:num_lines] if log.exists() else []
    atomic_write_text(log, "".join(kept))
    return [json.loads(line) for line in kept]


@contextmanager
def _interruption() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a question that the loop asks after each step; a second one breaks off at once."""
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
