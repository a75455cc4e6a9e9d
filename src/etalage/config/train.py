"""Settings of `etalage train`, in named groups."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tyro.conf import Positional

from etalage.config.checks import flag, require_at_least, require_fraction, require_positive
from etalage.errors import EtalageError
from etalage.processes import NUM_WORKERS

__all__ = [
    "ActivationCheckpointing",
    "Adapters",
    "Auto",
    "Data",
    "LoraVariant",
    "Main",
    "Memory",
    "Optimizer",
    "Output",
    "Part",
    "Quantization",
    "Recipe",
    "Tracking",
    "TrainConfig",
]

Auto = Literal["auto"]
"""The value is chosen for you."""
Part = Literal["tower", "projector", "decoder"]
LoraVariant = Literal["lora", "dora", "rslora"]
Quantization = Literal["none", "fp8", "nf4"]
ActivationCheckpointing = Literal["auto", "full", "none"]
Recipe = Literal["lora", "full"]
Tracking = Literal["wandb", "none"]


@dataclass(frozen=True)
class Main:
    """The catalogue, the model and what of it is trained."""

    catalogue: Positional[Path]
    """Catalogue folder written by `prepare`."""
    out: Path
    """Run folder to write."""
    recipe: Recipe = "lora"
    """lora: low-rank adapters on decoder, tower and projector. full: all weights."""
    model: str = "small"
    """small (made for two CPU cores), a folder with a Phi-3-vision checkpoint, or its id on the hub."""
    freeze: tuple[Part, ...] = ()
    """Parts that stay as they are. With a frozen tower a CPU encodes each picture once, not once per epoch."""
    seed: int = 0
    """Decides the initial adapters, the order of the products, and dropout."""


# Keyword only, like the groups that follow: only the fields of Main may be given by position.
@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """The number and size of the steps."""

    epochs: int | Auto = 3
    """Passes over the training split; auto takes from 20 for a few hundred products to 6 for a thousand and more."""
    batch_size: int = 16
    """Products per step."""
    # The Phi-3 cookbook's rate for adapters; recipes.py has the one for full fine-tuning.
    learning_rate: float = 2e-4
    """Peak, reached after the warm-up; decays to zero along a cosine."""
    tower_learning_rate: float | Auto = "auto"
    """The image tower's own peak; auto is --learning-rate."""
    projector_learning_rate: float | Auto = "auto"
    """The projector's own peak; auto is --learning-rate."""
    warmup_fraction: float = 0.05
    """Share of the steps in which the learning rate rises."""
    # The cookbook's, like max_grad_norm.
    weight_decay: float = 0.01
    """AdamW's, on matrices only."""
    max_grad_norm: float = 1.0
    """Gradients with a larger norm are scaled down to it."""
    patience: int = 0
    """Epochs without a better validation score, by generation, after which training stops and the best epoch's weights
    are kept. 0 takes all epochs and keeps the last one's weights."""


@dataclass(frozen=True, kw_only=True)
class Adapters:
    """Low-rank adapters, for --recipe lora."""

    # The cookbook's rank and scale.
    lora_rank: int = 64
    """Rank of the adapters."""
    lora_alpha: int | Auto = "auto"
    """Adapters are scaled by lora_alpha / lora_rank. auto is twice the rank; for rslora it is 16, as at rank 64."""
    lora_variant: LoraVariant = "lora"
    """dora: direction and length of each weight are learned separately (arXiv 2402.09353). rslora: adapters are scaled
    by lora_alpha / sqrt(lora_rank) instead (arXiv 2312.03732)."""
    lora_dropout: float = 0.0
    """Share of the adapters' inputs that is dropped in training."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """The presentation of pictures and answers."""

    # The widest row for which matmuls with 3,072 outputs, in tiles of 192 x 192, make ten rounds over the 132
    # multiprocessors of an H100 or H200. A longer one makes eleven (docs/decisions.md).
    max_tokens: int = 15744
    """Tokens per forward pass: products are packed up to it, and none is cut. Lower it when memory runs out; the losses
    stay the same."""
    num_crops: int | Auto = "auto"
    """Crops per picture at most; auto keeps the checkpoint's own (16 for Phi-3, 4 for Phi-3.5)."""
    num_augmentations: int | Auto = 1
    """Versions of each picture, shown by the epochs in turn: as it is, then rotated, shifted, mirrored and relit. auto
    takes from 4 for a few hundred products to 1 for a thousand and more."""
    patch_dropout: float = 0.0
    """Share of each picture's patches that are hidden in training, so that no single spot decides the answer."""
    field_by_field: bool = False
    """Teach one field of a product at a time, after another product's values, so that each field is read off the
    picture instead of inferred from the fields before it."""
    num_workers: int = min(4, NUM_WORKERS)
    """Processes that read and cut pictures ahead; 0 does so in the training process."""
    cache_mib: int = 0
    """Examples kept in memory by each worker, so that later epochs need not make them again."""
    pixel_cache: Path | None = None
    """Folder to keep pictures in after the HD transform, for later epochs and runs with few CPU cores: 1.4 MB each at
    2 x 2 crops, 4 MB at 3 x 4."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The trade between memory and speed."""

    activation_checkpointing: ActivationCheckpointing = "auto"
    """Recompute activations in the backward pass instead of keeping them. auto: in as few layers as the GPU's memory
    demands, on a CPU in none. full: in every layer. none: in no layer."""
    quantization: Quantization = "none"
    """How the frozen weights under adapters are held. fp8: faster, on an Ada or Hopper GPU or a later one. nf4: a
    quarter of the memory, slower."""
    compile: bool = True
    """Compile the layers on a GPU: one or two minutes at the first start, seconds at later ones; then faster steps."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """The files and figures that are written on the way."""

    checkpoint_minutes: float | None = 5.0
    """Minutes between the checkpoints that an interrupted run resumes from; None for none. The first one comes after
    one minute; later ones come less often if they would take more than a twentieth of the time."""
    checkpoint_every: int | None = None
    """Steps between further checkpoints, however long they take to write; None for none."""
    track: Tracking = "wandb"
    """wandb: figures to your account if you are logged in, else offline, into the run folder. none: log.jsonl only."""
    log_model: bool = False
    """With wandb, upload the trained model, too."""


# The groups in reverse: dataclasses collect fields, and arguments.py groups, from the last base to the first.
@dataclass(frozen=True)
class TrainConfig(Output, Memory, Data, Adapters, Optimizer, Main):
    """Fine-tune a Phi-3-Vision on a catalogue's training split. The same command again resumes an interrupted run."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "epochs", "batch_size", "max_tokens", "num_crops", "num_augmentations")
        require_at_least(self, 1, "lora_rank", "checkpoint_every")
        require_at_least(self, 0, "patience", "num_workers", "cache_mib", "weight_decay")
        rates = ("learning_rate", "tower_learning_rate", "projector_learning_rate")
        require_positive(self, *rates, "lora_alpha", "max_grad_norm", "checkpoint_minutes")
        require_fraction(self, "warmup_fraction", "lora_dropout", "patch_dropout")
        self._require_sense()

    def _require_sense(self) -> None:
        """Refuse settings that contradict each other."""
        for part in ("tower", "projector"):
            name = f"{part}_learning_rate"
            if part in self.freeze and getattr(self, name) != "auto":
                raise EtalageError(f"{flag(name)} has no effect: --freeze names the {part}; leave one of them out")
        if self.quantization != "none" and self.recipe == "full":
            raise EtalageError(f"--quantization {self.quantization} needs frozen weights; --recipe full has none")
        # PEFT would take FP8's numbers for weights, without their scales, and answer wrongly without an error.
        if self.quantization == "fp8" and self.lora_variant == "dora" and self.lora_dropout:
            raise EtalageError(
                "--lora-dropout with dora is computed by PEFT, which cannot read fp8; leave one of the three out"
            )
        if set(self.freeze) == set(get_args(Part)):
            raise EtalageError(f"--freeze {' '.join(self.freeze)} leaves nothing to train; leave out a part")
