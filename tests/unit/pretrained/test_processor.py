"""A processor is loaded if it consists of what Phi-3's does; all else is named, and nothing can hang."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etalage.errors import EtalageError
from etalage.models import SMALL
from etalage.phi3v import Phi3VConfig, Phi3VProcessor
from etalage.pretrained.processor import read_processor
from tests.unit.phi3v.conftest import GOLDEN
from tests.unit.phi3v.conftest import SMALL as SIZES

CONFIG = Phi3VConfig(**SIZES)
ENDLESS = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
REPLACE = {"type": "Replace", "pattern": {"Regex": "(x+x+)+y"}, "content": ""}


@pytest.mark.parametrize("place", [SMALL, GOLDEN / "tokenizer"])
def test_published_and_shipped_processors_are_taken(place: Path) -> None:
    config = Phi3VConfig.from_pretrained(SMALL) if place == SMALL else Phi3VConfig()
    ours, theirs = read_processor(place, config, "mend it"), Phi3VProcessor.from_pretrained(place)
    text = "<|user|>\n<|image_1|>What is shown?<|end|><|assistant|>\nEine Tasche für 12,90 €"
    assert ours.ids(text, [144]) == theirs.ids(text, [144])
    assert ours.image_processor.to_dict() == theirs.image_processor.to_dict()
    assert ours.tokenizer.pad_token_id == theirs.tokenizer.pad_token_id


def test_a_folder_with_remote_code_is_loaded_without_it(folder: Path, edit: Callable) -> None:
    edit("preprocessor_config.json", "auto_map", {"AutoImageProcessor": "evil.Processor"})
    edit("tokenizer_config.json", "auto_map", {"AutoTokenizer": ["evil.Tokenizer", None]})
    (folder / "evil.py").write_text("raise SystemExit")
    assert read_processor(folder, CONFIG, "mend it").image_processor.num_crops == 1


@pytest.mark.parametrize(
    ("name", "key", "value", "message"),
    [
        ("preprocessor_config.json", "num_crops", ..., "num_crops is missing"),
        ("preprocessor_config.json", "num_crops", 10**9, "num_crops is 1000000000; expected an integer from 1 to 256"),
        ("preprocessor_config.json", "num_crops", "4", "num_crops is "),
        ("preprocessor_config.json", "image_std", [0, 1, 1], r"image_std\[0\] is 0; expected a number above 0"),
        ("preprocessor_config.json", "image_mean", [0.5], "image_mean is .*; expected a list of 3 items"),
        ("preprocessor_config.json", "crop_size", 64, "crop_size is 64, but the model needs 32"),
        ("preprocessor_config.json", "num_img_tokens", 16, "num_img_tokens is 16, but the model needs 4"),
        ("preprocessor_config.json", "num_img_tokens", 5, "num_img_tokens is 5; a square crop"),
        ("preprocessor_config.json", "background", "no colour", "unknown color specifier"),
        ("tokenizer_config.json", "pad_token", ..., "pad_token is missing"),
        ("tokenizer_config.json", "pad_token", "<pad>", "pad_token '<pad>' is no token"),
        ("tokenizer_config.json", "pad_token", {"content": 5}, "pad_token.content is 5"),
        ("tokenizer_config.json", "padding_side", "up", "padding_side is"),
        ("tokenizer_config.json", "model_max_length", "long", "model_max_length is"),
        ("tokenizer.json", "pre_tokenizer", ENDLESS, "pre_tokenizer is .*; expected null"),
        ("tokenizer.json", "normalizer", REPLACE, "normalizer.pattern.String is missing"),
        ("tokenizer.json", "normalizer", {"type": "Sequence", "normalizers": [REPLACE]}, "pattern.String is missing"),
        ("tokenizer.json", "normalizer.content", "x" * 17, "normalizer.content is .*; expected a text of at most 16"),
        ("tokenizer.json", "normalizer", {"type": "Precompiled"}, "normalizer.type is"),
        ("tokenizer.json", "decoder.decoders.0", {"type": "Metaspace"}, r"decoder.decoders\[0\].type is"),
        ("tokenizer.json", "post_processor.single", [], "post_processor.single does not hold the text once"),
        ("tokenizer.json", "post_processor.single.1.Sequence.id", "B", "post_processor.single does not hold"),
        ("tokenizer.json", "model.dropout", 0.1, "model.dropout is 0.1; expected null"),
        ("tokenizer.json", "model.type", "WordPiece", "model.type is"),
        ("tokenizer.json", "model.vocab.a", 10**9, "model.vocab.a is"),
        ("tokenizer.json", "model.vocab.a", 20, "two tokens have the same number"),
        ("tokenizer.json", "model.vocab.new", 112, "a token has the number 112; the model's vocabulary has 112"),
        ("tokenizer.json", "model.merges", [["a", "zz"]], "is damaged"),
        ("tokenizer.json", "added_tokens.5.content", "<|stop|>", "two tokens have the same number"),
        ("tokenizer.json", "added_tokens.5.id", 99, "added_tokens and model.vocab give a token two numbers"),
        ("tokenizer.json", "added_tokens.5", None, r"added_tokens\[5\] is null"),
        ("tokenizer.json", "truncation", {"max_length": 1}, "truncation is .*; expected null"),
        ("tokenizer.json", "surprise", 1, "surprise is 1; expected no key of this name"),
    ],
)
def test_what_does_not_belong_is_named(
    folder: Path, edit: Callable, name: str, key: str, value: Any, message: str
) -> None:
    edit(name, key, value)
    start = time.monotonic()
    with pytest.raises(EtalageError, match=rf"{re.escape(name)}.*{message}.*; mend it"):
        read_processor(folder, CONFIG, "mend it")
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("name", ["preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(EtalageError, match=rf"{name}' cannot be read \(No such file.*; mend it"):
        read_processor(folder, CONFIG, "mend it")


def test_a_prompt_without_its_token_is_refused(folder: Path, edit: Callable) -> None:
    for key in ("added_tokens.5.content", "model.vocab.<|end|>"):
        edit("tokenizer.json", key, "<|stop|>" if key.startswith("added") else ...)
    edit("tokenizer.json", "model.vocab.<|stop|>", 5)
    with pytest.raises(EtalageError, match=r"the token <\|end\|> is missing, with which prompts"):
        read_processor(folder, CONFIG, "mend it")
