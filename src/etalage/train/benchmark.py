"""How fast a machine fine-tunes, from picture files to optimizer steps, with the loop that `train` runs."""

import gc
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from etalage import config as c
from etalage import devices
from etalage.fused.quantization import supports_fp8
from etalage.train import loop
from etalage.train.batches import PAD_MULTIPLE
from etalage.train.benchmark_inputs import TextExamples, draw_photos, load_model, make_examples
from etalage.train.throughput import matmul_flops_per_second
from etalage.train.tracker import Figures, NoTracker
from etalage.train.trainable import make_trainable
from etalage.versions import versions

__all__ = [
    "VARIANTS",
    "Measurement",
    "StepRecorder",
    "Variant",
    "describe_machine",
    "format_table",
    "measure",
    "measure_all",
    "summarize",
    "train_variant",
]

NUM_WARMUP_STEPS = 3
"""Steps that are not timed: until everything is compiled and every length has been seen."""
ROWS_PER_STEP = 4


@dataclass(frozen=True)
class Variant:
    """A way to fine-tune."""

    name: str
    changes: Mapping[str, Any]
    """Fields of TrainConfig that differ from the defaults of LoRA."""
    has_pictures: bool = True
    """False: examples of as many tokens, all of them text, which leave out the tower and the reading of pictures."""


@dataclass(frozen=True)
class Measurement:
    """The speed and memory that were measured of a variant."""

    name: str
    num_crops: int
    samples_per_second: float
    tokens_per_second: float
    matmul_efficiency: float
    mfu: float | None
    """None where the device's peak is not known."""
    peak_memory_gib: float

    @property
    def efficiency_and_mfu(self) -> tuple[str, str]:
        """The two shares as they are printed."""
        return f"{self.matmul_efficiency:.1%}", "–" if self.mfu is None else f"{self.mfu:.1%}"

    def format_line(self) -> str:
        """Return the line that is printed while the bench runs."""
        efficiency, mfu = self.efficiency_and_mfu
        return (
            f"{self.num_crops:>2} crops, {self.name}: {self.samples_per_second:.2f} samples/s, "
            f"{self.tokens_per_second:,.0f} tokens/s, matmul efficiency {efficiency}, MFU {mfu}, "
            f"{self.peak_memory_gib:.1f} GiB"
        )


# One example per row and no compilation: what training recipes usually do.
_ONE_BY_ONE = {"max_tokens": 1, "activation_checkpointing": "full", "compile": False, "batch_size": 8}
_TOWER_FROZEN: dict[str, Any] = {"freeze": ("tower",)}
_FP8 = {**_TOWER_FROZEN, "quantization": "fp8"}
VARIANTS = (
    Variant("one by one, checkpointed", _ONE_BY_ONE),
    Variant("one by one, checkpointed, tower frozen", {**_ONE_BY_ONE, **_TOWER_FROZEN}),
    Variant("LoRA everywhere", {}),
    Variant("tower frozen, first epoch", _TOWER_FROZEN),
    # Two epochs over the same few photos: after the warm-up, all features come from the cache.
    Variant("tower frozen, later epochs", {**_TOWER_FROZEN, "epochs": 2}),
    Variant("tower frozen, FP8, first epoch", _FP8),
    Variant("tower frozen, FP8, later epochs", {**_FP8, "epochs": 2}),
    Variant("decoder alone", _TOWER_FROZEN, has_pictures=False),
    Variant("decoder alone, FP8", _FP8, has_pictures=False),
)


def describe_machine() -> str:
    """Return the device, the speed of its matmuls, and versions: what the figures hold for.

    The speed is measured because two devices of one name may differ by some percent.
    """
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} {platform.machine()} cores"
    speed = f"{matmul_flops_per_second(devices.device()) / 1e12:.3g} TFLOP/s in a matmul"
    return f"{name}, {speed}; {', '.join(' '.join(pair) for pair in versions().items())}"


def measure_all(config: c.BenchConfig) -> Iterator[Measurement]:
    """Yield the measurement of each variant at each number of crops; FP8 only where the GPU supports it.

    Args:
        config: The settings of `etalage bench`.

    Yields:
        Each measurement as soon as it is made.
    """
    with tempfile.TemporaryDirectory() as folder:
        photos = draw_photos(Path(folder))
        for num_crops in config.num_crops:
            for variant in VARIANTS:
                if supports_fp8() or "quantization" not in variant.changes:
                    yield measure(config, variant, num_crops, photos, Path(folder))


def measure(
    config: c.BenchConfig, variant: Variant, num_crops: int, photos: Sequence[Path], folder: Path
) -> Measurement:
    """Train for a few steps and return their mean speed.

    Args:
        config: The settings of `etalage bench`.
        variant: The way to fine-tune.
        num_crops: Crops per picture at most.
        photos: Picture files, used again and again.
        folder: For what the training loop writes.
    """
    recorder = StepRecorder(NUM_WARMUP_STEPS + config.steps)
    train_variant(config, variant, num_crops, photos, folder, recorder)
    return summarize(variant.name, num_crops, recorder.steps[NUM_WARMUP_STEPS:])


def summarize(name: str, num_crops: int, steps: Sequence[Figures]) -> Measurement:
    """Return the mean speed of steps, over the time that they take together.

    Args:
        name: The variant's name.
        num_crops: Crops per picture at most.
        steps: The figures of the timed steps, at least one. Each has about the same work.
    """

    # The harmonic mean: steps with about the same work, weighted by the time that they took.
    def mean(figure: str) -> float:
        return len(steps) / sum(1 / step[figure] for step in steps)

    return Measurement(
        name,
        num_crops,
        mean("samples_per_second"),
        mean("tokens_per_second"),
        mean("matmul_efficiency"),
        mean("mfu") if "mfu" in steps[0] else None,
        steps[-1]["peak_memory_gib"],
    )


class _Done(Exception):
    """Enough steps are recorded."""


class StepRecorder(NoTracker):
    """A tracker that keeps the figures of each step, and ends the training after enough of them.

    Args:
        num_steps: The number of steps to record.
    """

    def __init__(self, num_steps: int) -> None:
        self.steps: list[Figures] = []
        self._num_steps = num_steps

    def log(self, figures: Figures, step: int | None = None) -> None:
        """Keep the figures of a step.

        Args:
            figures: Numbers by name.
            step: Ignored; steps are kept in order.
        """
        self.steps.append(dict(figures))
        if len(self.steps) == self._num_steps:
            raise _Done


def train_variant(
    config: c.BenchConfig,
    variant: Variant,
    num_crops: int,
    photos: Sequence[Path],
    folder: Path,
    recorder: StepRecorder,
) -> None:
    """Train a model of its own until the recorder has its steps.

    Args:
        config: The settings of `etalage bench`.
        variant: The way to fine-tune.
        num_crops: Crops per picture at most.
        photos: Picture files, used again and again.
        folder: For what the training loop writes.
        recorder: Receives the figures of each step and ends the training.
    """
    gc.collect()  # models hold reference cycles
    torch.compiler.reset()  # another model would meet the recompilation limit of the one before
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    model, processor = load_model(config.model)
    processor.image_processor.num_crops = num_crops
    # Each photo is many products, so that the steps to be timed are within one epoch.
    examples = make_examples(processor, [*photos] * 128)
    first = examples[0]
    if not variant.has_pictures:
        examples = TextExamples(examples, len(first.input_ids))
    settings = c.TrainConfig(
        folder,
        folder,
        recipe="lora",
        epochs=1,
        batch_size=ROWS_PER_STEP * max(1, config.max_tokens // len(first.padded(PAD_MULTIPLE).input_ids)),
        max_tokens=config.max_tokens,
        num_workers=config.num_workers,
        checkpoint_minutes=None,  # never: writing would be measured, too
    )
    settings = replace(settings, **variant.changes)
    with suppress(_Done):
        loop.train(
            make_trainable(model, settings),
            examples,
            make_examples(processor, []),
            settings,
            checkpoints=folder / "checkpoints",
            log=folder / "log.jsonl",
            tracker=recorder,
            validation_score=lambda _: 0.0,
        )
    (folder / "log.jsonl").unlink()


def format_table(measurements: Sequence[Measurement]) -> str:
    """Return measurements as a Markdown table."""
    names = ("crops", "variant", "samples/s", "tokens/s", "matmul efficiency", "MFU", "peak memory")
    head = f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n"
    return head + "".join(
        f"| {m.num_crops} | {m.name} | {m.samples_per_second:.2f} | {m.tokens_per_second:,.0f} | "
        f"{' | '.join(m.efficiency_and_mfu)} | {m.peak_memory_gib:.1f} GiB |\n"
        for m in measurements
    )
