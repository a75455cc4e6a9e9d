"""Every knob and its default.

Frozen dataclasses that check themselves; one per verb of the command line, whose flags and help come from here.
No torch: this file is read before anything heavy is imported.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tyro.conf import Positional

from etalage.processes import NUM_WORKERS

__all__ = [
    "BenchConfig",
    "DemoConfig",
    "EvaluateConfig",
    "Format",
    "LoraVariant",
    "Memory",
    "Part",
    "Placeholders",
    "PredictConfig",
    "PrepareConfig",
    "PriceRange",
    "Quantization",
    "Recipe",
    "ReportConfig",
    "SampleCheckConfig",
    "SampleConfig",
    "SampleServeConfig",
    "Split",
    "TableFormat",
    "TaskConfig",
    "Tracking",
    "TrainConfig",
]

Split = Literal["train", "validation", "test"]
Part = Literal["tower", "projector", "decoder"]
LoraVariant = Literal["lora", "dora", "rslora"]
Quantization = Literal["none", "fp8", "nf4"]
Memory = Literal["auto", "save", "keep"]
Recipe = Literal["lora", "full"]
Tracking = Literal["wandb", "none"]
Format = Literal["auto", "csv", "parquet", "jsonl", "excel", "datasets", "folder", "webdataset", "conversations", "hub"]
TableFormat = Literal["csv", "parquet"]
Placeholders = Literal["keep", "drop"]
PriceRange = Literal["low", "high", "drop"]


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
    """Draw a sample catalogue: a table in the Burberry schema, or like yours, and a picture per row."""

    out: Positional[Path]
    """Folder to write; must not exist or be empty."""
    rows: int = 600
    """Products to draw."""
    seed: int = 0
    """Same seed and version, same bytes."""
    brand: int = 0
    """Number of the brand: each has its own range, words and price law."""
    num_brands: int = 1
    """Brands side by side, from that number on."""
    picture_px: int = 336
    """Longer side of a usual picture."""
    like: Path | None = None
    """A catalogue folder, as `prepare` left it, to resemble in structure and variety; none of its rows is copied."""
    faults: str = ""
    """Share of the rows to plant faults in, and shares of single kinds: 0.1,huge=0,dead-link=0.05."""
    format: TableFormat = "csv"
    """csv: a table and a folder of pictures. parquet: files of 10,000 rows with the pictures inside."""
    image_url: str = ""
    """Write links that start so, for `etalage sample serve` to answer: http://127.0.0.1:8765/"""

    def __post_init__(self) -> None:
        for name, least in (("rows", 1), ("num_brands", 1), ("picture_px", 24), ("brand", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"--{name.replace('_', '-')} is {getattr(self, name)}; it must be at least {least}")
        if self.picture_px > 4096:
            raise ValueError(f"--picture-px is {self.picture_px}; it must be at most 4096")
        if self.image_url and (self.format != "csv" or not self.image_url.startswith(("http://", "https://"))):
            raise ValueError(f"--image-url {self.image_url} must be of http or https, and needs --format csv")
        if self.like is not None and self.rows < 6:
            raise ValueError(f"--rows is {self.rows}; with --like it must be at least 6, to be compared")
        if self.like is not None and (self.brand, self.num_brands) != (0, 1):
            raise ValueError("--brand and --num-brands are for drawn catalogues; leave them out with --like")


@dataclass(frozen=True)
class SampleServeConfig:
    """Answer a sample's pictures on this machine, slowly and with faults if asked for, until Ctrl-C."""

    sample: Positional[Path]
    """Folder that `etalage sample` wrote, with its --image-url naming this server."""
    port: int = 8765
    """0 takes a free one."""
    latency_ms: float = 0.0
    """Before each answer begins."""
    error_rate: float = 0.0
    """Share of the first two requests for each picture that fail by chance, beside the planted faults."""
    bandwidth_kib_s: float | None = None
    """Of each connection; as fast as it goes by default."""

    def __post_init__(self) -> None:
        if self.latency_ms < 0 or not 0 <= self.error_rate <= 1:
            raise ValueError("--latency-ms must be at least 0, and --error-rate between 0 and 1")
        if self.bandwidth_kib_s is not None and self.bandwidth_kib_s <= 0:
            raise ValueError(f"--bandwidth-kib-s is {self.bandwidth_kib_s}; it must be positive")


@dataclass(frozen=True)
class SampleCheckConfig:
    """Compare a prepared catalogue with the faults that were planted in the sample it was made from."""

    sample: Positional[Path]
    """Folder that `etalage sample --faults` wrote."""
    catalogue: Positional[Path]
    """Catalogue folder, as `prepare` left it."""


@dataclass(frozen=True)
class PrepareConfig:
    """Turn a table with pictures into a checked catalogue, split by group into train, validation and test."""

    source: Positional[str]
    """A table (CSV, TSV, Parquet, JSONL, Excel), a folder (of pictures, of Parquet files, a saved `datasets` one), a
    WebDataset tar, conversation JSON, or the id of a dataset on the hub."""
    out: Path
    """Catalogue folder to write; must not exist or be empty."""
    format: Format = "auto"
    """What the source is, where its name and content do not tell."""
    columns: str = ""
    """Which column holds what, for those not recognised: title=name,price=cost,image=photo,product_code=sku."""
    image_folder: Path | None = None
    """What picture paths start from; the source's own folder by default. None may lead out of it."""
    task: TaskConfig = TaskConfig()
    validation_fraction: float = 0.1
    """Share of the products that early stopping and learning curves are measured on."""
    test_fraction: float = 0.2
    """Share of the products that nothing but `evaluate` reads."""
    split_column: str = ""
    """A column that says who is in which split; the fractions are then not used, and leaks are reported."""
    seed: int = 0
    """Decides who is in which split."""
    placeholders: Placeholders = "keep"
    """Products whose picture many different products share: kept and flagged, or dropped."""
    price_range: PriceRange = "low"
    """What a price such as 100 - 250 counts as."""
    max_price: float = 1e9
    """Higher prices are taken for mistakes and drop their product."""
    background: str = "white"
    """What transparent pictures are laid on: a colour's name or #rrggbb."""
    max_image_px: int = 64_000_000
    """Pictures with more pixels are dropped unread."""
    max_image_bytes: int = 50_000_000
    """Picture files larger than this are dropped unread."""
    max_text_chars: int = 300
    """Longer titles and categories drop their product."""
    downloads: Path | None = None
    """Where fetched pictures are kept, for a broken run to go on and later ones to share; OUT.downloads by default."""
    retry_failed: bool = False
    """Ask again for pictures that could not be fetched in an earlier run."""
    allow_private: bool = False
    """Fetch from loopback, link-local and private addresses, too."""
    num_connections: int = 256
    """Pictures fetched at once."""
    connections_per_host: int = 128
    """Of these, from one host."""
    num_tries: int = 4
    """Requests for a picture before it is given up, where trying again may help."""
    connect_timeout_s: float = 10.0
    """To reach a host."""
    first_byte_timeout_s: float = 20.0
    """From the request to the answer's first byte, and between any two."""
    transfer_timeout_s: float = 60.0
    """For a whole picture, tries apart."""

    def __post_init__(self) -> None:
        for name in ("num_connections", "connections_per_host", "num_tries"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name.replace('_', '-')} is {getattr(self, name)}; it must be at least 1")
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
    """Passes over the training split; 0: from 20 for a few hundred products to 6 for a thousand and more."""
    batch_size: int = 16
    """Products per step."""
    max_tokens: int = 15744
    """Tokens per forward: products are packed up to it, none is cut; lower it when memory runs out, the losses stay the
    same."""
    learning_rate: float = 2e-4
    """Peak, reached after the warm-up; falls to zero along a cosine."""
    tower_learning_rate: float | None = None
    """The image tower's own peak; None is --learning-rate."""
    projector_learning_rate: float | None = None
    """The projector's own peak; None is --learning-rate."""
    warmup_fraction: float = 0.05
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = 0.01
    """AdamW's, on matrices only."""
    max_grad_norm: float = 1.0
    """Gradients with a larger norm are scaled down to it."""
    lora_rank: int = 64
    """Rank of the adapters."""
    lora_alpha: int | None = None
    """Adapters are scaled by lora_alpha / lora_rank; None is twice the rank, and 16 for rslora, as at rank 64."""
    lora_variant: LoraVariant = "lora"
    """dora: direction and length of each weight learn apart (arXiv 2402.09353). rslora: adapters are scaled by
    lora_alpha / sqrt(lora_rank) instead (arXiv 2312.03732)."""
    lora_dropout: float = 0.0
    """Share of the adapters' inputs that is dropped in training."""
    views: int = 1
    """Of each picture, shown in turn by the epochs: as it is, then turned, moved, mirrored and lit otherwise; 0: from 4
    for a few hundred products to 1 for a thousand and more."""
    patch_dropout: float = 0.0
    """Share of each picture's patches that are hidden in training, so that no single spot decides the answer."""
    field_by_field: bool = False
    """Teach one field of a product at a time, behind another product's values, so that each is read off the picture
    instead of told from the fields before it."""
    patience: int = 0
    """Epochs without a better validation score, by generation, after which training stops; the best epoch's weights are
    then what is left. 0 takes all epochs and the last one's weights."""
    freeze: tuple[Part, ...] = ()
    """Parts that stay as they are. With a frozen tower a CPU reads each picture once, not once per epoch."""
    num_crops: int | None = None
    """Crops per picture at most; None keeps the checkpoint's own (16 for Phi-3, 4 for Phi-3.5)."""
    quantization: Quantization = "none"
    """Of the frozen weights under adapters. fp8: quicker, on a GPU of Ada's or Hopper's generation. nf4: in a quarter
    of the memory, slower."""
    memory: Memory = "auto"
    """Activations of a layer are kept for the backward pass, or computed twice (gradient checkpointing). auto: kept for
    as many layers as the GPU has room for, on a CPU for all. save: for none. keep: for all."""
    compile: bool = True
    """Compile the layers on a GPU: one or two minutes at the first start, seconds at later ones; then quicker steps."""
    num_workers: int = min(4, NUM_WORKERS)
    """Processes that read and cut pictures ahead; 0 does so in the training process."""
    cache_mib: int = 0
    """Prepared pictures kept in memory by each worker, so that later epochs need not cut them again."""
    prepared_pictures: Path | None = None
    """Folder to keep pictures in as the model sees them, for later epochs and runs with few processors: 1.4 MB each at
    2 x 2 crops, 4 MB at 3 x 4."""
    checkpoint_every: int = 100
    """Steps between checkpoints that a broken run continues from."""
    seed: int = 0
    """Decides fresh weights, the order of the products and dropout."""
    track: Tracking = "wandb"
    """wandb: to the user's account if logged in, else offline, into the run folder. none: log.jsonl only."""

    def __post_init__(self) -> None:
        none = dict.fromkeys(("epochs", "views", "patience"), 0)
        one = dict.fromkeys(("batch_size", "max_tokens", "lora_rank", "checkpoint_every"), 1)
        for name, least in (none | one).items():
            if getattr(self, name) < least:
                raise ValueError(f"--{name.replace('_', '-')} is {getattr(self, name)}; it must be at least {least}")
        rates = ("learning_rate", "tower_learning_rate", "projector_learning_rate")
        for name in (*rates, "lora_alpha", "max_grad_norm"):
            if (value := getattr(self, name)) is not None and value <= 0:
                raise ValueError(f"--{name.replace('_', '-')} is {value}; it must be positive")
        for part in ("tower", "projector"):
            if part in self.freeze and getattr(self, f"{part}_learning_rate") is not None:
                raise ValueError(f"--{part}-learning-rate is for a {part} that learns, and --freeze names it")
        if self.quantization != "none" and self.recipe == "full":
            raise ValueError(f"--quantization {self.quantization} is of frozen weights; --recipe full has none")
        if self.quantization == "fp8" and self.lora_variant == "dora" and self.lora_dropout:
            raise ValueError(
                "--lora-dropout with dora is PEFT's work, which cannot read fp8; leave one of the three out"
            )
        if set(self.freeze) == set(get_args(Part)):
            raise ValueError(f"--freeze {' '.join(self.freeze)} leaves nothing to train; leave out a part")
        for name in ("warmup_fraction", "lora_dropout", "patch_dropout"):
            if not 0 <= (value := getattr(self, name)) < 1:
                raise ValueError(f"--{name.replace('_', '-')} is {value}; it must be at least 0 and below 1")


@dataclass(frozen=True)
class EvaluateConfig:
    """Score a run on pictures it has never seen, by generation, beside baselines and controls."""

    run: Positional[Path]
    """Run folder, as `train` left it."""
    split: Split = "test"
    """Which products to score."""
    batch_size: int = 0
    """Pictures per generation; 0: 16 on a CPU, on a GPU as many as its memory holds answers to, up to 64."""
    max_new_tokens: int = 96
    """Longer answers are cut, and then most likely do not parse."""
    num_samples: int = 16
    """Answers drawn per picture, of which the most usual one is put together, field by field; 1 decodes greedily."""
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
    batch_size: int = 0
    """Pictures per generation; 0: 16 on a CPU, on a GPU as many as its memory holds answers to, up to 64."""
    max_new_tokens: int = 96
    """Longer answers are cut, and then most likely do not parse."""
    num_samples: int = 16
    """Answers drawn per picture, of which the most usual one is put together, field by field; 1 decodes greedily."""

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
    epochs: int = 6
    """Passes over the training split: few, to be done in minutes."""
    seed: int = 0
    """For the drawing, the split and the training."""
    track: Tracking = "wandb"
    """As for `train`."""


@dataclass(frozen=True)
class BenchConfig:
    """How fast this machine fine-tunes Phi-3-Vision: photos of 1500 x 2100, answers of 48 tokens, LoRA of rank 64."""

    out: Positional[Path | None] = None
    """Markdown file to write the table to, besides printing it."""
    model: str = "random"
    """random: full size, of random weights, which take as long as trained ones. Else as for `train`."""
    num_crops: tuple[int, ...] = (16, 4)
    """Crops per picture at most, one table each."""
    steps: int = 8
    """Timed steps of each line, after a few that are not."""
    max_tokens: int = TrainConfig.max_tokens
    """Tokens per forward."""
    num_workers: int = TrainConfig.num_workers
    """Processes that read and cut pictures ahead."""
