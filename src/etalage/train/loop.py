"""The training loop: steps, validation after each epoch, checkpoints, and a clean end on Ctrl-C."""

import json
import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import torch
from torch import nn

from etalage.atomic import atomic_write_text
from etalage.config import TrainConfig
from etalage.console import say
from etalage.data.dataset import Examples
from etalage.data.sampler import StepSampler
from etalage.devices import explain_out_of_memory
from etalage.errors import EtalageError
from etalage.fused.compilation import compile_layers
from etalage.interrupts import deferred_interrupt
from etalage.progress import ProgressBar, progress_bar
from etalage.runs import read_log
from etalage.train.activation_checkpointing import CheckpointedLayers
from etalage.train.batches import StepBatch, make_packer, read_batches
from etalage.train.checkpoint import (
    check_disk_space,
    load_best,
    load_latest,
    save_best,
    save_checkpoint,
)
from etalage.train.schedule import CheckpointSchedule, Forecast
from etalage.train.step import explain_compiler_errors, optimizer_step, try_full_row, validation_loss
from etalage.train.throughput import ThroughputMeter
from etalage.train.tracker import Tracker
from etalage.train.trainable import optimizer_groups, trainable_parameters

__all__ = ["lr_multiplier", "train"]


def train(
    model: nn.Module,
    training: Examples,
    validation: Examples,
    config: TrainConfig,
    *,
    checkpoints: Path,
    log: Path,
    tracker: Tracker,
    validation_score: Callable[[Callable[[int], object]], float],
) -> None:
    """Take all steps that are left, from the last checkpoint if there is one.

    A resumed run takes the same steps with the same losses as an unbroken one: order, dropout and learning rate of a
    step follow from the seed and the step's number alone.

    Args:
        model: Prepared by `make_trainable`, on its device. Its trainable parameters are changed in place.
        training: The examples to learn from.
        validation: May be empty. If not, its loss is logged after each epoch, and with patience its score decides which
            epoch's weights the model is left with.
        config: Every setting, with no number of epochs left to choose.
        checkpoints: Folder that interrupted runs resume from.
        log: JSONL file, one line per step.
        tracker: Receives the figures of each step.
        validation_score: Returns how well the model, as it is, answers the validation split; 1 is best. It is given a
            function to call with the number of products of each batch that is done.

    Raises:
        EtalageError: The disk or the memory is too small, the layers cannot be compiled, a checkpoint is damaged or of
            another model, or a loss or gradient is not finite.
        KeyboardInterrupt: Ctrl-C was pressed; the step was finished and a checkpoint was written.
    """
    loop = _Loop(model, training, validation, config, checkpoints, validation_score)
    with (
        progress_bar("train", loop.num_steps, completed=loop.step) as progress,
        deferred_interrupt("finishing this step; Ctrl-C again stops at once") as interrupted,
    ):
        loop.keep_lines(log, progress, interrupted)
        _take_steps(loop, log, tracker, progress, interrupted)
    loop.restore_best()


def _take_steps(
    loop: "_Loop", log: Path, tracker: Tracker, progress: ProgressBar, interrupted: Callable[[], bool]
) -> None:
    with log.open("a") as lines, closing(loop.batches()) as batches:
        # The first step's time includes the reading of its batch, like that of every other step.
        loop.meter.begin()
        for batch in batches:
            if loop.is_patience_exhausted:
                break
            figures = loop.take_step(batch)
            if loop.validates:
                figures |= loop.validate(progress, interrupted)
            lines.write(json.dumps({"step": loop.step, **figures}) + "\n")
            # A killed run keeps its lines; those after the last checkpoint are dropped on resume.
            lines.flush()
            tracker.log(figures, loop.step)
            must_save = loop.step == loop.num_steps or interrupted()
            if must_save or loop.schedule.is_due(loop.step):
                loop.save(progress)
            progress.advance(note=_note(figures))
            # Only now: the step is logged and its checkpoint is written.
            if must_save and interrupted():
                raise KeyboardInterrupt(f"stopped after step {loop.step} of {loop.num_steps}")


class _Loop:
    """The state of a training, and the parts of a step. `train` says in what order they run."""

    def __init__(
        self,
        model: nn.Module,
        training: Examples,
        validation: Examples,
        config: TrainConfig,
        checkpoints: Path,
        validation_score: Callable[[Callable[[int], object]], float],
    ) -> None:
        self.model, self.training, self.validation, self.config = model, training, validation, config
        self.checkpoints, self.validation_score = checkpoints, validation_score
        self.parameters = trainable_parameters(model)
        # The learning rate is set before each step. The betas are those of the Phi-3 cookbook.
        groups = optimizer_groups(self.parameters, config)
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), fused=True)
        self.scores: list[float] = []
        assert config.epochs != "auto", "chosen by recipes.sized"
        self.num_steps = len(StepSampler(len(training), config.batch_size, config.epochs, config.seed))
        self.step = load_latest(checkpoints, self.parameters, self.optimizer, self.num_steps)
        # Epochs count from the beginning of the run, so the sampler skips what is done without reading a picture.
        self.sampler = StepSampler(len(training), config.batch_size, config.epochs, config.seed, self.step)
        check_disk_space(
            checkpoints,
            self.parameters.values(),
            model.parameters() if config.recipe == "full" else self.parameters.values(),
            num_resumable=_num_resumable(config, self.num_steps),
            keeps_best=config.patience > 0,
        )
        self.packer = make_packer(model, training.processor, config)
        self.activations = CheckpointedLayers(model, config.activation_checkpointing)
        if config.compile and self.packer.is_gpu:
            compile_layers(model)
        model.train()
        with explain_compiler_errors():
            self.activations.retry(lambda: self.activations.measure(self._run_row))
        self.meter = ThroughputMeter(model, self.packer.images, full=config.recipe == "full")
        self.schedule = CheckpointSchedule(config.checkpoint_minutes, config.checkpoint_every)
        per_epoch = self.sampler.steps_per_epoch
        num_validations = self.num_steps // per_epoch - self.step // per_epoch if len(validation) else 0
        self.forecast = Forecast(len(self.sampler), num_validations, may_stop_early=config.patience > 0)

    @property
    def is_patience_exhausted(self) -> bool:
        """The last `patience` epochs were no better than one before them."""
        return bool(self.scores) and _epochs_since_best(self.scores) >= self.config.patience

    @property
    def validates(self) -> bool:
        """An epoch ends here, and there are products to validate with."""
        return self.step % self.sampler.steps_per_epoch == 0 and len(self.validation) > 0

    def _run_row(self) -> None:
        try_full_row(self.model, self.packer, self.training[0])

    def batches(self) -> Generator[StepBatch, None, None]:
        """Yield the batch of each step that is left."""
        return read_batches(self.training, self.sampler, self.config, self.packer)

    def take_step(self, batch: StepBatch) -> dict[str, float]:
        """Update the weights once, and return the figures of the step."""
        self.step += 1
        multiplier = lr_multiplier(self.step, self.num_steps, self.config.warmup_fraction)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * multiplier
        # Dropout depends on the step's number alone, so a resumed run draws what an unbroken one would draw. The prime
        # keeps the sequences of neighbouring seeds apart.
        seed = self.config.seed * 1_000_003 + self.step
        update = partial(
            optimizer_step, self.model, self.packer, batch.rows, self.optimizer, self.config.max_grad_norm, seed
        )
        with explain_compiler_errors():
            # Reading the figures waits for the device; until then the next batch is prepared meanwhile.
            loss, grad_norm = (float(figure) for figure in self.activations.retry(update))
        if not math.isfinite(loss) or not math.isfinite(grad_norm):
            products = self.training.products
            # Indices go on over the epochs, see StepSampler.
            codes = ", ".join(products[i % len(products)].product_code for i in batch.indices)
            raise EtalageError(
                f"step {self.step}: loss {loss}, gradient norm {grad_norm}; products {codes}. The last checkpoint is "
                "unharmed; lower --learning-rate or look at these products"
            )
        speed = self.meter.figures(batch.encoded)
        if line := self.forecast.after_step(len(batch.encoded) / speed["samples_per_second"], validates=self.validates):
            say(line)
        rate = self.config.learning_rate * multiplier
        return {"loss": loss, "learning_rate": rate, "grad_norm": grad_norm, **speed}

    def keep_lines(self, log: Path, progress: ProgressBar, interrupted: Callable[[], bool]) -> None:
        """Drop the lines of steps after the checkpoint, which are taken again, and make up for a missed validation."""
        lines = read_log(log, self.step) if self.step else []
        self.scores = [line["validation_score"] for line in lines if "validation_score" in line]
        if lines and self.validates and "validation_loss" not in lines[-1]:
            lines[-1] |= self.validate(progress, interrupted)
            if interrupted():
                raise KeyboardInterrupt
        atomic_write_text(log, "".join(json.dumps(line) + "\n" for line in lines))

    def validate(self, progress: ProgressBar, interrupted: Callable[[], bool]) -> dict[str, float]:
        """Return the figures of the epoch that ends here, and keep its weights if they are the best so far.

        It may take minutes, and a process that is told to end may have only seconds. If it is interrupted, there are no
        figures, and the resumed run validates first.
        """
        patience, batch_size = self.config.patience, self.config.batch_size
        remedy = "lower --max-tokens, or begin another run with a smaller --batch-size"
        start, num_passes = time.monotonic(), 2 if patience else 1
        # Validation is rare and its shapes are its own, so compiling for it would not pay.
        with (
            progress.stage("validate", num_passes * len(self.validation)) as stage,
            torch.compiler.set_stance("force_eager"),
            explain_out_of_memory(remedy),
        ):

            def advance(num_products: int) -> None:
                stage.advance(num_products)
                if interrupted():
                    raise KeyboardInterrupt

            try:
                advance(0)
                loss = validation_loss(self.model, self.packer, self.validation, batch_size, advance)
                figures = {"validation_loss": loss}
                if patience:
                    figures["validation_score"] = self.validation_score(advance)
            except KeyboardInterrupt:
                return {}
        if line := self.forecast.after_validation(time.monotonic() - start):
            say(line)
        if patience:
            self.scores.append(figures["validation_score"])
            if _epochs_since_best(self.scores) == 0:
                save_best(self.checkpoints, self.parameters)
        self.meter.begin()  # validation is no part of the next step's time
        return figures

    def save(self, progress: ProgressBar) -> None:
        """Write a checkpoint; the last one needs no optimizer state."""
        is_last, start = self.step == self.num_steps, time.monotonic()
        with progress.stage("checkpoint"):
            save_checkpoint(self.checkpoints, self.step, self.parameters, None if is_last else self.optimizer)
        self.schedule.wrote(time.monotonic() - start)
        self.meter.begin()  # nor is writing part of the next step's time

    def restore_best(self) -> None:
        """Leave the model with the best epoch's weights, if epochs were compared."""
        if self.scores:
            load_best(self.checkpoints, self.parameters)


def lr_multiplier(step: int, num_steps: int, warmup_fraction: float) -> float:
    """Return the factor of the peak learning rate: a linear warm-up, then a cosine decay.

    The cosine would reach zero one step after the last one.

    Args:
        step: From 1 to num_steps.
        num_steps: Steps of the whole run.
        warmup_fraction: Share of the steps that warm up, at least one step.
    """
    num_warmup = max(1, round(warmup_fraction * num_steps))
    if step <= num_warmup:
        return step / num_warmup
    return 0.5 * (1 + math.cos(math.pi * (step - num_warmup) / (num_steps - num_warmup + 1)))


def _epochs_since_best(scores: Sequence[float]) -> int:
    """Count the epochs at the end that were no better than one before them."""
    return len(scores) - 1 - scores.index(max(scores))


def _note(figures: Mapping[str, float]) -> str:
    """Return the text that the progress bar shows after a step."""
    mfu = f", MFU {figures['mfu']:.0%}" if "mfu" in figures else ""
    return f"loss {figures['loss']:.3f}, matmul efficiency {figures['matmul_efficiency']:.0%}{mfu}"


def _num_resumable(config: TrainConfig, num_steps: int) -> int:
    """Return the most checkpoints that further steps may follow."""
    if config.checkpoint_minutes is not None:
        return num_steps - 1
    return 0 if config.checkpoint_every is None else (num_steps - 1) // config.checkpoint_every
