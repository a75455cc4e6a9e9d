"""Text and pictures to model inputs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoProcessor

from etalage.phi3v import Phi3VProcessor

from .conftest import read_image, read_json


def test_published_files_load_and_save_the_same(
    checkpoint: Path, golden_processor: Phi3VProcessor, tmp_path: Path
) -> None:
    golden_processor.save_pretrained(tmp_path)
    assert not any("auto_map" in path.read_text() for path in tmp_path.glob("*.json"))
    for folder in (checkpoint, tmp_path):
        for again in (Phi3VProcessor.from_pretrained(folder), AutoProcessor.from_pretrained(folder)):
            assert isinstance(again, Phi3VProcessor)
            assert again.chat_template == golden_processor.chat_template is not None
            tokenizer = again.tokenizer
            assert (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id) == (1, 32000, 32000)
            assert (len(tokenizer), tokenizer.padding_side, tokenizer.model_max_length) == (32045, "right", 131072)
            for sample in read_json("prompts.json")["tokenizer"]:
                if sample["kind"] == "encode":
                    ids = tokenizer(sample["text"], add_special_tokens=sample["add_special_tokens"])["input_ids"]
                    assert ids == sample["ids"]


def test_settings_when_loading(checkpoint: Path) -> None:
    processor = Phi3VProcessor.from_pretrained(checkpoint, num_crops=4, padding_side="left")
    assert processor.image_processor.num_crops == 4
    assert processor.tokenizer.padding_side == "left"


def test_every_piece_gets_its_special_tokens(processor: Phi3VProcessor, pictures: list[Image.Image]) -> None:
    tokens = processor.image_processor([pictures[0]])["num_img_tokens"][0]
    ids = processor("a<|image_1|>b", [pictures[0]])["input_ids"]
    letters = processor.tokenizer("ab", add_special_tokens=False)["input_ids"]
    assert ids == [1, letters[0], *[-1] * tokens, 1, letters[1]]
    bare = processor("a<|image_1|>b", [pictures[0]], add_special_tokens=False)["input_ids"]
    assert bare == [letters[0], *[-1] * tokens, letters[1]]


@pytest.mark.parametrize("side", ["left", "right"])
def test_batch_equals_its_rows(processor: Phi3VProcessor, pictures: list[Image.Image], side: str) -> None:
    texts = ["no picture", "<|image_2|> and <|image_1|>", "one: <|image_1|>"]
    images = [[], pictures[:2], [np.asarray(pictures[2])]]
    processor.tokenizer.padding_side = side
    batch = processor(texts, images, padding=True, return_tensors="pt")
    rows = [processor(text, own or None, return_tensors="pt") for text, own in zip(texts, images, strict=True)]
    for row, alone in enumerate(rows):
        real = batch["attention_mask"][row].bool()
        assert batch["input_ids"][row][real].equal(alone["input_ids"][0])
        padding = batch["input_ids"][row][~real]
        assert padding.eq(processor.tokenizer.pad_token_id).all()
        assert real.tolist() == sorted(real.tolist(), reverse=side == "right")
    for key in ("pixel_values", "image_sizes"):
        assert batch[key].equal(torch.cat([rows[1][key], rows[2][key]]))


def test_lists_and_lengths(processor: Phi3VProcessor) -> None:
    assert processor("ab")["input_ids"] == processor.tokenizer("ab")["input_ids"]
    rows = processor(["ab", "abcd"])
    assert [len(ids) for ids in rows["input_ids"]] == [3, 5]
    rows = processor(["ab", "abcd"], padding=True, pad_to_multiple_of=4, return_tensors="pt")
    assert rows["input_ids"].shape == rows["attention_mask"].shape == (2, 8)
    assert processor("ab", padding="max_length", max_length=9, return_tensors="pt")["input_ids"].shape == (1, 9)
    with pytest.raises(ValueError, match=r"\[3, 5\] tokens; pass padding"):
        processor(["ab", "abcd"], return_tensors="pt")
    with pytest.raises(ValueError, match="padding is 'long'"):
        processor("ab", padding="long")


def test_truncation_cuts_text_and_never_an_image(processor: Phi3VProcessor, pictures: list[Image.Image]) -> None:
    text, image = "<|image_1|>abcdef", pictures[:1]
    whole = processor(text, image)["input_ids"]
    assert processor(text, image, truncation=True, max_length=len(whole) - 6)["input_ids"] == whole[:-6]
    with pytest.raises(ValueError, match=r"row 0: .* cutting image 1"):
        processor(text, image, truncation=True, max_length=len(whole) - 8)
    processor.tokenizer.truncation_side = "left"
    with pytest.raises(ValueError, match=r"row 0: .* cutting image 1"):
        processor(text, image, truncation=True, max_length=len(whole) - 6)


@pytest.mark.parametrize(
    ("text", "images", "message"),
    [
        ("<|image_1|>", 0, "row 0: the text names 1 images and 0"),
        ("none", 1, "row 0: the text names 0 images and 1"),
        ("<|image_1|>", 2, "names 1 images and 2"),
        ("<|image_0|><|image_1|>", 2, r"<\|image_0\|>.*from 1"),
        ("<|image_1|><|image_3|>", 2, "expected 1 to 2 without gaps"),
        ("<|image_1|><|image_1|>", 2, "repeated"),
        (["a", "<|image_1|>"], [1, 0], "row 0: the text names 0 images and 1"),
        (["a", "<|image_1|>"], 1, "2 texts and images of length 1"),
    ],
)
def test_refuses(
    text: str | list[str], images: int | list[int], message: str, processor: Phi3VProcessor, pictures: list[Image.Image]
) -> None:
    given = pictures[:images] if isinstance(images, int) else [pictures[:number] for number in images]
    with pytest.raises(ValueError, match=message):
        processor(text, given or None)


def test_refuses_pictures_alone_and_thin_ones(processor: Phi3VProcessor, pictures: list[Image.Image]) -> None:
    with pytest.raises(ValueError, match="no text"):
        processor(images=pictures[:1])
    with pytest.raises(ValueError, match="500x1"):
        processor("<|image_1|>", [Image.new("RGB", (500, 1))])


def test_decoding_leaves_images_out(processor: Phi3VProcessor, pictures: list[Image.Image]) -> None:
    ids = processor("<|user|>see <|image_1|>!", pictures[:1], return_tensors="pt")["input_ids"]
    assert processor.decode(ids[0], skip_special_tokens=True) == "see !"
    assert processor.batch_decode(ids) == ["<s><|user|>see <s>!"]


def test_chat_with_parts(processor: Phi3VProcessor, pictures: list[Image.Image]) -> None:
    parts = [{"type": "image", "image": pictures[0]}, {"type": "text", "text": "What?"}]
    question = {"role": "user", "content": parts}
    chat = [question, {"role": "assistant", "content": "A."}, question]
    text = processor.apply_chat_template(chat, add_generation_prompt=True)
    assert text == (
        "<|user|>\n<|image_1|>\nWhat?<|end|>\n<|assistant|>\nA.<|end|>\n"
        "<|user|>\n<|image_2|>\nWhat?<|end|>\n<|assistant|>\n"
    )
    assert processor.apply_chat_template([chat, chat], add_generation_prompt=True) == [text, text]
    inputs = processor.apply_chat_template(chat, add_generation_prompt=True, tokenize=True, return_tensors="pt")
    direct = processor(text, [pictures[0], pictures[0]], return_tensors="pt")
    assert inputs.keys() == direct.keys()
    assert all(inputs[key].equal(direct[key]) for key in direct)
    with pytest.raises(ValueError, match="'video'"):
        processor.apply_chat_template([{"role": "user", "content": [{"type": "video"}]}])


def test_pictures_of_any_mode(golden_processor: Phi3VProcessor, golden_pixels: Callable) -> None:
    for name in ("la120x77", "palette200x333", "bw90x140"):
        direct = golden_processor("<|image_1|>", [read_image(name)], return_tensors="pt")
        converted = golden_processor("<|image_1|>", [read_image(name).convert("RGB")], return_tensors="pt")
        assert direct["pixel_values"].equal(converted["pixel_values"])
