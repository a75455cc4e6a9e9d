"""How fast a machine fine-tunes, from picture files to optimiser steps, with the loop that `train` runs."""

import gc
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from etalage import config as c
from etalage import devices
from etalage.catalogue.pictures import open_picture
from etalage.data.dataset import Examples
from etalage.data.encoding import Encoded
from etalage.fused.linear import supports_fp8
from etalage.models import SMALL, load_base
from etalage.phi3v import Phi3VConfig, Phi3VForCausalLM, Phi3VProcessor
from etalage.sample.drawn import Drawn
from etalage.task import Product, Task
from etalage.train import loop
from etalage.train.throughput import matmul_flops_per_second
from etalage.train.tracking import Figures, NoTracker
from etalage.train.trainable import make_trainable
from etalage.versions import versions

__all__ = [
    "Line",
    "Steps",
    "Way",
    "base",
    "examples_of",
    "lines",
    "machine",
    "measure",
    "photos",
    "random_model",
    "table",
    "train",
]

SIZE = (1500, 2100)
ANSWER_TOKENS = 48
NUM_PICTURES = 32
ROWS_PER_STEP = 4
WARM_UP = 3
"""Steps until everything is compiled and every length has been seen."""


@dataclass(frozen=True)
class Line:
    """A way to train, and what was measured of it."""

    name: str
    num_crops: int
    samples_per_second: float
    tokens_per_second: float
    matmul_efficiency: float
    mfu: float | None
    """None where the device's peak is not known."""
    peak_memory_gib: float

    @property
    def shares(self) -> tuple[str, str]:
        """matmul_efficiency and mfu as they are printed."""
        return f"{self.matmul_efficiency:.1%}", "–" if self.mfu is None else f"{self.mfu:.1%}"

    def sentence(self) -> str:
        """Return the line as it is printed while the bench runs."""
        efficiency, mfu = self.shares
        return (
            f"{self.num_crops:>2} crops, {self.name}: {self.samples_per_second:.2f} samples/s, "
            f"{self.tokens_per_second:,.0f} tokens/s, matmul efficiency {efficiency}, MFU {mfu}, "
            f"{self.peak_memory_gib:.1f} GiB"
        )


@dataclass(frozen=True)
class Way:
    """To fine-tune."""

    name: str
    changes: Mapping[str, Any]
    """Of a TrainConfig."""
    pictures: bool = True
    """False: rows of as many tokens of text, which leave tower and data path out."""


_ONE_BY_ONE = {"max_tokens": 1, "activation_checkpointing": "full", "compile": False, "batch_size": 8}
_TOWER_FROZEN: dict[str, Any] = {"freeze": ("tower",)}
_FP8 = {**_TOWER_FROZEN, "quantization": "fp8"}
WAYS = (
    Way("one by one, checkpointed", _ONE_BY_ONE),
    Way("one by one, checkpointed, tower frozen", {**_ONE_BY_ONE, **_TOWER_FROZEN}),
    Way("LoRA everywhere", {}),
    Way("tower frozen, first epoch", _TOWER_FROZEN),
    Way("tower frozen, later epochs", {**_TOWER_FROZEN, "epochs": 2}),
    Way("tower frozen, FP8, first epoch", _FP8),
    Way("tower frozen, FP8, later epochs", {**_FP8, "epochs": 2}),
    Way("decoder alone", _TOWER_FROZEN, pictures=False),
    Way("decoder alone, FP8", _FP8, pictures=False),
)


def machine() -> str:
    """What the figures hold for. Two devices of one name may differ by some percent, which a product shows."""
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} {platform.machine()} cores"
    speed = f"{matmul_flops_per_second(devices.device()) / 1e12:.3g} TFLOP/s in a matrix product"
    return f"{name}, {speed}; {', '.join(' '.join(pair) for pair in versions().items())}"


def lines(config: c.BenchConfig) -> Iterator[Line]:
    """Each way at each number of crops, as soon as it is measured; FP8 only where the GPU knows it."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = photos(Path(folder))
        for num_crops in config.num_crops:
            for way in WAYS:
                if supports_fp8() or "quantization" not in way.changes:
                    yield measure(config, way, num_crops, pictures, Path(folder))


def measure(config: c.BenchConfig, way: Way, num_crops: int, pictures: Sequence[Path], work: Path) -> Line:
    """Train until the steps are timed; the folder is for what the loop writes."""
    steps = Steps(WARM_UP + config.steps)
    train(config, way, num_crops, pictures, work, steps)
    timed = steps.seen[WARM_UP:]

    def mean(name: str) -> float:
        """Over the time that the steps took together."""
        return len(timed) / sum(1 / step[name] for step in timed)

    return Line(
        way.name,
        num_crops,
        mean("samples_per_second"),
        mean("tokens_per_second"),
        mean("matmul_efficiency"),
        mean("mfu") if "mfu" in timed[0] else None,
        timed[-1]["peak_memory_gib"],
    )


class _Enough(Exception):
    """All steps are taken."""


class Steps(NoTracker):
    """Keeps the figures of so many steps and then ends the training."""

    def __init__(self, num_steps: int) -> None:
        self.seen: list[Figures] = []
        self._num_steps = num_steps

    def log(self, figures: Figures, step: int | None = None) -> None:
        self.seen.append(dict(figures))
        if len(self.seen) == self._num_steps:
            raise _Enough


def train(config: c.BenchConfig, way: Way, num_crops: int, pictures: Sequence[Path], work: Path, steps: Steps) -> None:
    """Until the steps are enough, on a model of its own."""
    gc.collect()  # models hold cycles
    torch.compiler.reset()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    model, processor = base(config.model)
    processor.image_processor.num_crops = num_crops
    # the pictures over and over, each time another product, so that an epoch is as long as it takes
    examples = examples_of(processor, [*pictures] * 128)
    first = examples[0]
    if not way.pictures:
        examples = _TextAlone(examples, len(first.input_ids))
    settings = c.TrainConfig(
        work,
        work,
        recipe="lora",
        epochs=1,
        batch_size=ROWS_PER_STEP * max(1, config.max_tokens // len(first.padded(loop.PAD_MULTIPLE).input_ids)),
        max_tokens=config.max_tokens,
        num_workers=config.num_workers,
        checkpoint_every=1 << 30,
    )
    settings = replace(settings, **way.changes)
    with suppress(_Enough):
        loop.train(
            make_trainable(model, settings),
            examples,
            examples_of(processor, []),
            settings,
            checkpoints=work / "checkpoints",
            log=work / "log.jsonl",
            tracker=steps,
            validation_score=lambda: 0.0,
        )
    (work / "log.jsonl").unlink()


def base(name: str) -> tuple[Phi3VForCausalLM, Phi3VProcessor]:
    """On the device. Random weights of the full size go with the small model's tokenizer, whose ids they know."""
    if name != "random":
        model, processor = load_base(name, dtype=devices.weights_dtype("lora"))
        return model.to(devices.device()), processor
    model = random_model(Phi3VConfig())
    processor = Phi3VProcessor.from_pretrained(SMALL)
    processor.image_processor.crop_size = model.config.crop_size
    processor.image_processor.num_img_tokens = model.config.num_img_tokens
    return model, processor


def random_model(config: Phi3VConfig) -> Phi3VForCausalLM:
    """On the device, in the type that adapters are trained on."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(devices.weights_dtype("lora"))
    with devices.device():
        model = Phi3VForCausalLM(config)
    torch.set_default_dtype(before)
    return model


def photos(folder: Path, sizes: Sequence[tuple[int, int]] = ()) -> list[Path]:
    """Drawn products, as files of these sizes in turn; of the one that shops' photos have, if none are given."""
    sizes = sizes or [SIZE]
    rows = Drawn(seed=0, picture_px=max(map(max, sizes)))
    paths = []
    for number, size in zip(range(NUM_PICTURES), cycle(sizes), strict=False):
        picture = rows.make(number).picture
        assert picture is not None
        assert picture.content is not None
        paths.append(folder / f"{number}.jpg")
        open_picture(picture.content).resize(size, Image.Resampling.BICUBIC).save(paths[-1], quality=90)
    return paths


def examples_of(processor: Phi3VProcessor, pictures: Sequence[Path]) -> Examples:
    """A product for each picture, with an answer of ANSWER_TOKENS tokens."""
    task = Task(c.TaskConfig())
    values: dict[str, Any] = {"title": "Bag", "category": "Bags", "price": 1290.0}
    while len(processor.tokenizer(task.format_answer(values), add_special_tokens=False)["input_ids"]) < ANSWER_TOKENS:
        values["title"] += " a"
    products = [Product(path.stem, values, path) for path in pictures]
    return Examples(products, task, processor, lambda product: open_picture(product.image))


class _TextAlone(Examples):
    """As many tokens, and no picture."""

    def __init__(self, like: Examples, num_tokens: int) -> None:
        super().__init__(like.products, like.task, like.processor, like.open_image)
        ids = torch.randint(5, 500, (num_tokens,))
        labels = torch.where(torch.arange(num_tokens) < num_tokens - ANSWER_TOKENS, -100, ids)
        self._text = Encoded(ids, labels, ())

    def __getitem__(self, index: int) -> Encoded:
        return self._text


def table(measured: Sequence[Line]) -> str:
    """As Markdown."""
    names = ("crops", "way", "samples/s", "tokens/s", "matmul efficiency", "MFU", "peak memory")
    head = f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n"
    return head + "".join(
        f"| {line.num_crops} | {line.name} | {line.samples_per_second:.2f} | {line.tokens_per_second:,.0f} | "
        f"{' | '.join(line.shares)} | {line.peak_memory_gib:.1f} GiB |\n"
        for line in measured
    )
