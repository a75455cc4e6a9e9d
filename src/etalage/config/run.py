"""Settings of the verbs that use a run, and of `demo` and `bench`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from etalage.config.checks import require_at_least
from etalage.config.train import Auto, Tracking, TrainConfig
from etalage.errors import EtalageError

__all__ = ["BenchConfig", "DemoConfig", "EvaluateConfig", "PredictConfig", "ReportConfig", "Split"]

Split = Literal["train", "validation", "test"]


# Keyword only, since the classes below add arguments without defaults.
@dataclass(frozen=True, kw_only=True)
class Generation:
    """The generation of answers."""

    batch_size: int | Auto = "auto"
    """Pictures per batch; auto is 16 on a CPU, and on a GPU as many as its memory holds answers to, up to 128."""
    max_new_tokens: int | Auto = "auto"
    """Longer answers are cut, and counted as cut; auto is the longest training or validation answer and a quarter more,
    at least 32 tokens."""
    # Sixteen take hardly longer than four: samples share one pass over picture and prompt (docs/decisions.md).
    num_samples: int = 16
    """Answers drawn per picture, from which a consensus is formed field by field; 1 decodes greedily."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "batch_size", "max_new_tokens", "num_samples")


@dataclass(frozen=True)
class EvaluateConfig(Generation):
    """Score a run on pictures that it has never seen, by generation, beside baselines and controls."""

    run: Positional[Path]
    """Run folder written by `train`."""
    split: Split = "test"
    """Which products to score."""
    catalogue: Path | None = None
    """The catalogue of the run, if it was moved since; None looks where it was, and where it lies from the run."""
    track: Tracking = "wandb"
    """wandb: add metrics and a table of predictions to the training's own record. none: metrics.json only."""


@dataclass(frozen=True)
class PredictConfig(Generation):
    """Name, categorise and price the products on pictures."""

    run: Positional[Path]
    """Run folder written by `train`."""
    images: Positional[tuple[Path, ...]]
    """Picture files."""
    out: Path | None = None
    """Write to this .csv or .jsonl file; None prints to the terminal."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.images:
            raise EtalageError("no picture given; name at least one file")
        if self.out is not None and self.out.suffix not in (".csv", ".jsonl"):
            raise EtalageError(f"--out {self.out} ends in {self.out.suffix!r}; use .csv or .jsonl")


@dataclass(frozen=True)
class ReportConfig:
    """Write what a run learned as one self-contained page."""

    run: Positional[Path]
    """Run folder that `evaluate` has completed."""
    catalogue: Path | None = None
    """The catalogue of the run, if it was moved since; None looks where it was, and where it lies from the run."""


@dataclass(frozen=True)
class DemoConfig:
    """Run the whole journey on a drawn catalogue, on the CPU: sample, prepare, train, evaluate, report."""

    out: Path = Path("runs/demo")
    """Folder for the sample, the catalogue and the run; an interrupted demo resumes there."""
    rows: int = 600
    """Products to draw."""
    epochs: int = 6
    """Passes over the training split: few, to be done in minutes."""
    seed: int = 0
    """For the drawing, the split and the training."""
    track: Tracking = "wandb"
    """As for `train`."""


@dataclass(frozen=True)
class BenchConfig:
    """Measure how fast this machine fine-tunes: photos of 1500 x 2100, answers of 48 tokens, LoRA of rank 64."""

    out: Positional[Path | None] = None
    """Markdown file to write the table to, in addition to printing it."""
    model: str = "random"
    """random: full size with random weights, which take as long as trained ones. Otherwise as for `train`."""
    num_crops: tuple[int, ...] = (16, 4)
    """Crops per picture at most, one set of lines each."""
    steps: int = 8
    """Timed steps of each line, after a few that are not."""
    # The settings that are timed are those that `train` has by default.
    max_tokens: int = TrainConfig.max_tokens
    """Tokens per forward pass."""
    num_workers: int = TrainConfig.num_workers
    """Processes that read and cut pictures ahead."""
