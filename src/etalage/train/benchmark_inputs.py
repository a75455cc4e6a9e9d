"""Models, photos and examples to measure speed with: of the size of real ones, but drawn or random."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from etalage import devices
from etalage.catalogue.pictures import open_picture
from etalage.config import TaskConfig
from etalage.data.dataset import Examples
from etalage.data.encoding import IGNORED, Encoded
from etalage.models import SMALL, load_base
from etalage.phi3v import Phi3VConfig, Phi3VForCausalLM, Phi3VProcessor
from etalage.sample.drawn import DrawnRows
from etalage.task import Product, Task

__all__ = ["TextExamples", "draw_photos", "load_model", "make_examples", "random_model"]

PHOTO_SIZE = (1500, 2100)
"""Width and height in pixels, as shops' photos have them."""
NUM_PHOTOS = 32
NUM_ANSWER_TOKENS = 48


def load_model(name: str) -> tuple[Phi3VForCausalLM, Phi3VProcessor]:
    """Load a model, and its processor, to the device.

    Args:
        name: `random` for random weights of the full size, with the small model's tokenizer, whose ids are valid in the
            larger vocabulary, too. Otherwise as for `load_base`.

    Returns:
        The model, in the type that adapters are trained on, and its processor.

    Raises:
        EtalageError: There is no such model, or the GPU's memory is too small for it.
    """
    if name != "random":
        model, processor = load_base(name, dtype=devices.weights_dtype("lora"))
        return devices.on_device(model), processor
    model = random_model(Phi3VConfig())
    processor = Phi3VProcessor.from_pretrained(SMALL)
    processor.image_processor.crop_size = model.config.crop_size
    processor.image_processor.num_img_tokens = model.config.num_img_tokens
    return model, processor


def random_model(config: Phi3VConfig) -> Phi3VForCausalLM:
    """Return a model with random weights, on the device, in the type that adapters are trained on.

    Args:
        config: Its architecture.

    Raises:
        EtalageError: The GPU's memory is too small for it.
    """
    # In the final type from the beginning: float32 weights of the full size would take twice the memory.
    default_dtype = torch.get_default_dtype()
    torch.set_default_dtype(devices.weights_dtype("lora"))
    try:
        with devices.device(), devices.explain_out_of_memory("use a GPU with more memory, or --model small"):
            return Phi3VForCausalLM(config)
    finally:
        torch.set_default_dtype(default_dtype)


def draw_photos(folder: Path, sizes: Sequence[tuple[int, int]] = ()) -> list[Path]:
    """Write photos of drawn products as JPEG files.

    Args:
        folder: Where to write them.
        sizes: Widths and heights in pixels, used in turn; PHOTO_SIZE if there are none.

    Returns:
        NUM_PHOTOS files.
    """
    sizes = sizes or [PHOTO_SIZE]
    # Drawn at the largest size and then resized, because the drawing's own sides are the brand's choice.
    rows = DrawnRows(seed=0, picture_px=max(map(max, sizes)))
    paths = []
    for number, size in zip(range(NUM_PHOTOS), cycle(sizes), strict=False):
        picture = rows.make(number).picture
        assert picture is not None
        assert picture.content is not None
        paths.append(folder / f"{number}.jpg")
        open_picture(picture.content).resize(size, Image.Resampling.BICUBIC).save(paths[-1], quality=90)
    return paths


def make_examples(processor: Phi3VProcessor, pictures: Sequence[Path]) -> Examples:
    """Return a product for each picture, with an answer of NUM_ANSWER_TOKENS tokens.

    Args:
        processor: Tokenizes and applies the HD transform.
        pictures: Picture files.
    """
    task = Task(TaskConfig())
    values: dict[str, Any] = {"title": "Bag", "category": "Bags", "price": 1290.0}
    tokenize = processor.tokenizer
    while len(tokenize(task.format_answer(values), add_special_tokens=False)["input_ids"]) < NUM_ANSWER_TOKENS:
        values["title"] += " a"
    products = [Product(path.stem, values, path) for path in pictures]
    return Examples(products, task, processor, lambda product: open_picture(product.image))


class TextExamples(Examples):
    """Examples of text alone.

    Args:
        examples: How many to have; task and processor are theirs, too.
        num_tokens: Tokens of each example.
    """

    def __init__(self, examples: Examples, num_tokens: int) -> None:
        super().__init__(examples.products, examples.task, examples.processor, examples.open_image)
        ids = torch.randint(5, 500, (num_tokens,))  # ordinary tokens, in every vocabulary
        labels = torch.where(torch.arange(num_tokens) < num_tokens - NUM_ANSWER_TOKENS, IGNORED, ids)
        self._text = Encoded(ids, labels, ())

    def __getitem__(self, index: int) -> Encoded:
        return self._text
