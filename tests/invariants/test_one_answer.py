"""A picture has one answer: in any batch, order, company and verb, and from any file that holds its pixels."""

import json
from functools import partial
from itertools import chain

import pytest
import torch
from PIL import Image, ImageDraw

from etalage.cli import main
from etalage.generate.consensus import consensus
from etalage.generate.engine import generate_answers


@pytest.fixture
def exact(small):
    """Return the small model in float64, where no rounding of a batch comes near a draw."""
    model, processor = small
    processor.image_processor.num_crops = 1
    return model.double(), processor


@pytest.fixture(scope="module")
def pictures():
    """Pictures of several shapes, so that prompts of several lengths are padded."""
    pictures = []
    for number, size in enumerate([(64, 64), (90, 40), (40, 120), (64, 64), (200, 60)]):
        picture = Image.new("RGB", size, (50 * number, 200 - 40 * number, 90))
        ImageDraw.Draw(picture).ellipse((5, 5, 30, 35), fill=(250 - 60 * number, 30, 60 * number))
        pictures.append(picture)
    return pictures


def answer(exact, task, pictures, **options):
    settings = {"batch_size": 5, "max_new_tokens": 6, "num_samples": 3, "choose": " / ".join, **options}
    return list(generate_answers(*exact, [(task.prompt, picture) for picture in pictures], **settings))


def test_alone_in_company_in_any_order_and_batch_size(exact, task, pictures):
    together = answer(exact, task, pictures)
    assert len(set(together)) == len(pictures)
    assert all(len(set(text.split(" / "))) > 1 for text in together), "samples differ, so draws matter"
    assert [answer(exact, task, [picture])[0] for picture in pictures] == together
    assert answer(exact, task, pictures, batch_size="auto") == together
    for order in ([4, 3, 2, 1, 0], [1, 1, 4]):
        assert answer(exact, task, [pictures[n] for n in order], batch_size=2) == [together[n] for n in order]


def test_whatever_was_drawn_before(exact, task, pictures):
    first = answer(exact, task, pictures[:2])
    torch.manual_seed(7)
    torch.rand(100)
    assert answer(exact, task, pictures[:2]) == first


def test_more_tokens_and_more_samples_leave_the_first_ones_as_they_are(exact, task, pictures):
    short, long, many = (
        [text.split(" / ") for text in answer(exact, task, pictures[:2], **options)]
        for options in ({}, {"max_new_tokens": 12}, {"num_samples": 6})
    )
    for cut, longer in zip(chain(*short), chain(*long), strict=True):
        assert longer.startswith(cut.removesuffix("<|end|>"))
    assert [texts[:3] for texts in many] == short


def test_near_the_rope_switch_too(exact, task, pictures, monkeypatch):
    monkeypatch.setattr(exact[0].config, "original_max_position_embeddings", 50)
    monkeypatch.setitem(exact[0].config.rope_parameters, "original_max_position_embeddings", 50)
    by_generate = answer(exact, task, pictures[:3])
    assert [answer(exact, task, [picture])[0] for picture in pictures[:3]] == by_generate


def test_with_augmentations(exact, task, pictures):
    options = {"num_augmentations": 2, "num_samples": 4, "choose": partial(consensus, task)}
    together = answer(exact, task, pictures[:3], **options)
    assert [answer(exact, task, [picture], **options)[0] for picture in pictures[:3]] == together


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU rounds differently in batches of different sizes")
def test_evaluate_and_predict_give_a_picture_the_same_answer(tmp_path):
    """`evaluate` in float32 as it is, `predict` in batches of another size, in another order, from other files."""
    main(["sample", str(tmp_path / "sample"), "--rows", "20", "--seed", "3"])
    main(["prepare", str(tmp_path / "sample/catalogue.csv"), "--out", str(tmp_path / "catalogue")])
    train = ["train", str(tmp_path / "catalogue"), "--out", str(tmp_path / "run")]
    main([*train, "--track", "none", "--num-crops", "1", "--num-augmentations", "2", "--epochs", "1"])
    short = ["--max-new-tokens", "12", "--num-samples", "4"]
    main(["evaluate", str(tmp_path / "run"), "--track", "none", "--batch-size", "3", *short])
    lines = [json.loads(line) for line in (tmp_path / "run/predictions.jsonl").read_text().splitlines()]
    evaluated = {line["image"]: line["answer"] for line in lines}
    assert len(evaluated) >= 3
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert metrics["num_cut"] == metrics["num_examples"] == len(lines), "no answer ends within 12 tokens"
    assert all((line["problem"], line["values"]) == ("cut", None) for line in lines)
    copies = {}
    for number, image in enumerate(sorted(evaluated)):
        copies[str(tmp_path / f"{number}.png")] = evaluated[image]
        Image.open(image).convert("RGB").save(tmp_path / f"{number}.png")
    for images in (list(copies)[::-1], list(copies)[:1]):
        main(["predict", str(tmp_path / "run"), *images, "--out", str(tmp_path / "out.jsonl"), *short])
        lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert [(line["answer"], line["problem"]) for line in lines] == [(copies[image], "cut") for image in images]
