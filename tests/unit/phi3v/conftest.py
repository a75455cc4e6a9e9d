"""One golden checkpoint, one small preset, each loaded once."""

import json
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors
from transformers import BatchFeature, PreTrainedTokenizerFast

from etalage.phi3v import Phi3VConfig, Phi3VForCausalLM, Phi3VImageProcessor, Phi3VProcessor

GOLDEN = Path(__file__).parents[2] / "golden" / "phi3v"

# Letters and the chat's special tokens: enough to run every path in milliseconds.
SMALL = {
    "vocab_size": 112,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 512,
    "original_max_position_embeddings": 64,
    "rope_scaling": {
        "type": "su",
        "short_factor": [1.0, 1.1, 1.3, 1.6],
        "long_factor": [1.0, 2.0, 4.0, 8.0],
    },
    "bos_token_id": 1,
    "eos_token_id": [2, 5],
    "pad_token_id": 2,
    "initializer_range": 0.4,
    "img_processor": {
        "clip_config": {
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 3,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
            "initializer_range": 0.3,
        },
        "image_dim_out": 16,
        "num_img_tokens": 4,
    },
}


def read_json(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def read_case(name: str) -> dict[str, torch.Tensor]:
    tensors = load_file(GOLDEN / f"{name}.safetensors")
    return {key: value.long() if value.dtype == torch.int32 else value for key, value in tensors.items()}


def read_image(name: str) -> Image.Image:
    with Image.open(GOLDEN / "images" / f"{name}.png") as image:
        image.load()
    return image


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["case"]) for case in read_json("cases.json")["cases"] if case["kind"] == kind]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden model and the published tokenizer in one folder, as on the hub."""
    folder = tmp_path_factory.mktemp("checkpoint")
    for source in [*(GOLDEN / "model").iterdir(), *(GOLDEN / "tokenizer").iterdir()]:
        shutil.copyfile(source, folder / source.name)
    return folder


@pytest.fixture(scope="session")
def golden_processor(checkpoint: Path) -> Phi3VProcessor:
    return Phi3VProcessor.from_pretrained(checkpoint)


@pytest.fixture(scope="session")
def golden_model(checkpoint: Path) -> Callable[..., Phi3VForCausalLM]:
    """The golden model with its configuration overridden; shared, so leave it as it is."""

    @cache
    def load(**overrides: Any) -> Phi3VForCausalLM:
        config = Phi3VConfig.from_pretrained(checkpoint, **overrides)
        return Phi3VForCausalLM.from_pretrained(checkpoint, config=config).eval()

    return load


@pytest.fixture(scope="session")
def golden_pixels(golden_processor: Phi3VProcessor) -> Callable[[tuple[str, ...], int], BatchFeature]:
    @cache
    def prepare(names: tuple[str, ...], num_crops: int) -> BatchFeature:
        settings = golden_processor.image_processor.to_dict() | {"num_crops": num_crops}
        return Phi3VImageProcessor(**settings)([read_image(name) for name in names])

    return prepare


def small_tokenizer() -> PreTrainedTokenizerFast:
    """One token per printable character, special tokens first."""
    specials = ["<unk>", "<s>", "<|endoftext|>", "<|user|>", "<|assistant|>", "<|end|>", "<|system|>"]
    letters = ["▁", "\n", *map(chr, range(33, 127))]
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(specials + letters)}, [], unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in specials])
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    template = (
        "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n' }}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        unk_token="<unk>",
        model_max_length=512,
        chat_template=template,
        clean_up_tokenization_spaces=False,
    )


@pytest.fixture
def processor() -> Phi3VProcessor:
    return Phi3VProcessor(Phi3VImageProcessor(num_crops=4, crop_size=32, num_img_tokens=4), small_tokenizer())


def small_model(**overrides: Any) -> Phi3VForCausalLM:
    """The small preset with random weights, always the same; separators are not zero, as in training."""
    torch.manual_seed(0)
    model = Phi3VForCausalLM(Phi3VConfig(**SMALL | overrides)).eval()
    for separator in (model.model.vision_embed_tokens.glb_GN, model.model.vision_embed_tokens.sub_GN):
        torch.nn.init.normal_(separator)
    return model


def switch_checkpointing(model: Phi3VForCausalLM, *, on: bool) -> None:
    """Under the name that the installed transformers prefers: 5.17 knows the first, 5.23 deprecates it."""
    names = ("gradient_checkpointing", "activation_checkpointing")
    name = next(name for name in reversed(names) if hasattr(model, f"{name}_enable"))
    getattr(model, f"{name}_enable")({"use_reentrant": False}) if on else getattr(model, f"{name}_disable")()


@pytest.fixture(scope="session")
def shared_model() -> Phi3VForCausalLM:
    """The small preset, shared: leave it as it is."""
    return small_model()


@pytest.fixture
def model() -> Phi3VForCausalLM:
    return small_model()


@pytest.fixture(scope="session")
def pictures() -> list[Image.Image]:
    """Six random pictures of different shapes."""
    random = np.random.default_rng(0)
    sizes = [(40, 40), (90, 30), (30, 80), (64, 64), (20, 100), (50, 41)]
    return [Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]


@pytest.fixture(autouse=True)
def _same_random_numbers() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
