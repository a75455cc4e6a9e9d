"""Fixtures of all tests: a few drawn products, and the small model."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw

# Without a GPU, Triton interprets our kernels. It reads this when it is imported, which transformers and peft do.
os.environ["TRITON_INTERPRET"] = "0" if torch.cuda.is_available() else "1"

from etalage.catalogue.pictures import open_picture
from etalage.config import TaskConfig, TrainConfig
from etalage.models import load_base
from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor
from etalage.recipes import with_recipe
from etalage.task import Product, Task

# A job in a shell's background ignores Ctrl-C, and so would the processes that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# On a busy machine, threads would wait for each other longer than models of these sizes compute.
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"

# Activation checkpointing on the CPU fails if a GPU is used for the first time within it.
if torch.cuda.is_available():
    torch.cuda.init()

COLOURS = {"Red": (200, 30, 40), "Green": (30, 150, 70), "Blue": (40, 60, 200)}


@pytest.fixture(scope="session")
def products(tmp_path_factory: pytest.TempPathFactory) -> list[Product]:
    """Nine products: three colours, three shapes, pictures of differing sides."""
    folder = tmp_path_factory.mktemp("pictures")
    products = []
    for i, (colour, rgb) in enumerate(COLOURS.items()):
        for j, shape in enumerate(("Disc", "Box", "Bar")):
            picture = Image.new("RGB", [(80, 60), (60, 90), (64, 64)][(i + j) % 3], "white")
            draw = ImageDraw.Draw(picture)
            box = (10, 10, 50, 50 if shape != "Bar" else 22)
            (draw.ellipse if shape == "Disc" else draw.rectangle)(box, fill=rgb)
            path = folder / f"{colour}-{shape}.png"
            picture.save(path)
            values = {"title": f"{colour} {shape}", "category": shape.upper(), "price": 100.0 * (1 + i + 3 * j)}
            products.append(Product(f"P{i}{j}", values, path))
    return products


@pytest.fixture(scope="session")
def open_image() -> Callable[[Product], Image.Image]:
    return lambda product: open_picture(product.image)


@pytest.fixture(scope="session")
def task() -> Task:
    return Task(TaskConfig())


@pytest.fixture
def small() -> tuple[Phi3VForCausalLM, Phi3VProcessor]:
    """Return the small model, loaded anew."""
    return load_base("small", dtype=torch.float32)


@pytest.fixture
def recorded() -> dict[str, Any]:
    """Return what every config.json of a run holds."""
    return {
        **{"catalogue": "/catalogue", "model": "small", "recipe": "lora", "seed": 0, "num_augmentations": 1},
        "task": {"question": "What?", "answer": "{title}, {category}, {price}"},
        "limits": {"max_image_px": 1000, "max_image_bytes": 100_000, "background": "white"},
    }


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., TrainConfig]:
    """Return a function that makes the settings of a short full fine-tuning, with overrides."""

    def make(**overrides: object) -> TrainConfig:
        base = with_recipe(TrainConfig(tmp_path / "catalogue", tmp_path / "run", recipe="full", track="none"))
        short = {"epochs": 2, "batch_size": 4}
        plain = {"num_augmentations": 1, "patience": 0, "field_by_field": False}
        return type(base)(**{**vars(base), **short, **plain, **overrides})

    return make
