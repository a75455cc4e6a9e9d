"""Every knob and its default.

Frozen dataclasses that check themselves; one per verb of the command line, whose flags and help come from here.
No torch: this file is read before anything heavy is imported.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

__all__ = [
    "DemoConfig",
    "EvaluateConfig",
    "PredictConfig",
    "PrepareConfig",
    "Recipe",
    "ReportConfig",
    "SampleConfig",
    "Split",
    "TaskConfig",
    "Tracking",
    "TrainConfig",
]

Split = Literal["train", "validation", "test"]
Recipe = Literal["lora", "full"]
Tracking = Literal["wandb", "none"]


@dataclass(frozen=True)
class TaskConfig:
    """The words that the model reads and writes."""

    question: str = "What is shown in this image?"
    """Asked of every picture."""
    answer: str = "Product: {title}, Category: {category}, Full Price: {price}"
    """The completion, with a catalogue field in each pair of braces. `{colour:category}` gives a field's kind: text,
    category or price; without one, the fields `category` and `price` are of the kind of their name, others are text."""


@dataclass(frozen=True)
class SampleConfig:
    """Draw a sample catalogue: a table in the Burberry schema and a picture per row."""

    out: Positional[Path]
    """Folder to write; must not exist or be empty."""
    rows: int = 600
    """Products to draw."""
    seed: int = 0
    """Same seed and version, same bytes."""

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise ValueError(f"--rows is {self.rows}; ask for at least 1 product")


@dataclass(frozen=True)
class PrepareConfig:
    """Turn a table with pictures into a checked catalogue, split by group into train, validation and test."""

    source: Positional[Path]
    """CSV, Parquet or JSONL file; picture paths are relative to its folder."""
    out: Path
    """Catalogue folder to write; must not exist or be empty."""
    columns: str = ""
    """Which column holds what, for those not recognised: title=name,price=cost,image=photo,product_code=sku."""
    task: TaskConfig = TaskConfig()
    validation_fraction: float = 0.1
    """Share of the products that early stopping and learning curves are measured on."""
    test_fraction: float = 0.2
    """Share of the products that nothing but `evaluate` reads."""
    seed: int = 0
    """Decides who is in which split."""
    max_image_px: int = 64_000_000
    """Pictures with more pixels are dropped unread."""
    max_image_bytes: int = 50_000_000
    """Picture files larger than this are dropped unread."""
    max_text_chars: int = 300
    """Longer titles and categories drop their product."""

    def __post_init__(self) -> None:
        if self.validation_fraction < 0 or self.test_fraction < 0 or self.validation_fraction + self.test_fraction >= 1:
            raise ValueError(
                f"--validation-fraction {self.validation_fraction} and --test-fraction {self.test_fraction} must be "
                "at least 0 and leave something to train on"
            )


@dataclass(frozen=True)
class TrainConfig:
    """Fine-tune a Phi-3-Vision on a catalogue's training split. The same command again continues a broken run."""

    catalogue: Positional[Path]
    """Catalogue folder, as `prepare` left it."""
    out: Path
    """Run folder to write."""
    recipe: Recipe = "lora"
    """lora: low-rank adapters on decoder, tower and projector. full: all weights."""
    model: str = "small"
    """small (made for two CPU cores), a folder with a Phi-3-vision checkpoint, or its id on the hub."""
    epochs: int = 3
    """Passes over the training split."""
    batch_size: int = 16
    """Products per step, over all micro batches."""
    micro_batch_size: int = 1
    """Products per forward; lower it when memory runs out, the losses stay the same."""
    learning_rate: float = 2e-4
    """Peak, reached after the warm-up; falls to zero along a cosine."""
    warmup_fraction: float = 0.05
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = 0.01
    """AdamW's, on matrices only."""
    max_grad_norm: float = 1.0
    """Gradients with a larger norm are scaled down to it."""
    lora_rank: int = 64
    """Rank of the adapters."""
    lora_alpha: int = 128
    """Adapters are scaled by lora_alpha / lora_rank."""
    lora_dropout: float = 0.0
    """Share of the adapters' inputs that is dropped in training."""
    num_crops: int | None = None
    """Crops per picture at most; None keeps the checkpoint's own (16 for Phi-3, 4 for Phi-3.5)."""
    gradient_checkpointing: bool = True
    """Compute activations twice to save memory."""
    num_workers: int = 4
    """Processes that read and cut pictures ahead; 0 does so in the training process."""
    cache_mib: int = 0
    """Prepared pictures kept in memory by each worker, so that later epochs need not cut them again."""
    checkpoint_every: int = 100
    """Steps between checkpoints that a broken run continues from."""
    seed: int = 0
    """Decides fresh weights, the order of the products and dropout."""
    track: Tracking = "wandb"
    """wandb: to the user's account if logged in, else offline, into the run folder. none: log.jsonl only."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "micro_batch_size", "lora_rank", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name.replace('_', '-')} is {getattr(self, name)}; it must be at least 1")
        if self.learning_rate <= 0 or self.max_grad_norm <= 0:
            raise ValueError("--learning-rate and --max-grad-norm must be positive")
        if not 0 <= self.warmup_fraction < 1 or not 0 <= self.lora_dropout < 1:
            raise ValueError("--warmup-fraction and --lora-dropout must be at least 0 and below 1")


@dataclass(frozen=True)
class EvaluateConfig:
    """Score a run on pictures it has never seen, by generation, beside baselines and controls."""

    run: Positional[Path]
    """Run folder, as `train` left it."""
    split: Split = "test"
    """Which products to score."""
    batch_size: int = 16
    """Pictures per generation."""
    max_new_tokens: int = 96
    """Longer answers are cut, and then most likely do not parse."""
    track: Tracking = "wandb"
    """wandb: add metrics and a table of predictions to the training's own record. none: metrics.json only."""


@dataclass(frozen=True)
class PredictConfig:
    """Name, categorise and price the products on pictures."""

    run: Positional[Path]
    """Run folder, as `train` left it."""
    images: Positional[tuple[Path, ...]]
    """Picture files."""
    out: Path | None = None
    """Write to this .csv or .jsonl file rather than to the terminal."""
    batch_size: int = 16
    """Pictures per generation."""
    max_new_tokens: int = 96
    """Longer answers are cut, and then most likely do not parse."""

    def __post_init__(self) -> None:
        if not self.images:
            raise ValueError("no picture given; name at least one file")
        if self.out is not None and self.out.suffix not in (".csv", ".jsonl"):
            raise ValueError(f"--out {self.out} ends in {self.out.suffix!r}; use .csv or .jsonl")


@dataclass(frozen=True)
class ReportConfig:
    """Write what a run learned as one self-contained page."""

    run: Positional[Path]
    """Run folder, as `evaluate` left it."""


@dataclass(frozen=True)
class DemoConfig:
    """The whole journey on a drawn catalogue, on the CPU: sample, prepare, train, evaluate, report."""

    out: Path = Path("runs/demo")
    """Folder for the sample, the catalogue and the run; a demo that broke off there continues."""
    rows: int = 600
    """Products to draw."""
    seed: int = 0
    """For the drawing, the split and the training."""
    track: Tracking = "wandb"
    """As for `train`."""
