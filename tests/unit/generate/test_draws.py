"""Draws of sampling: they follow their distribution, and from nothing but picture, prompt, sample and token."""

import numpy as np
import torch
from PIL import Image

from etalage.generate.draws import draw_tokens, uniform_numbers

RED = Image.new("RGB", (30, 20), "red")


def test_numbers_follow_from_pixels_prompt_sample_and_token_alone(tmp_path) -> None:
    numbers = uniform_numbers("What?", RED, 3, 5)
    assert numbers.shape == (3, 5)
    assert len(np.unique(numbers)) == 15
    assert np.array_equal(uniform_numbers("What?", RED, 4, 9)[:3, :5], numbers), "more of them change none"
    RED.save(tmp_path / "a.png")
    RED.save(tmp_path / "b.bmp")
    for name in ("a.png", "b.bmp"):
        assert np.array_equal(uniform_numbers("What?", Image.open(tmp_path / name), 3, 5), numbers)
    others = [
        uniform_numbers("Who?", RED, 3, 5),
        uniform_numbers("What?", RED.resize((20, 30)), 3, 5),
        uniform_numbers("What?", Image.new("RGB", (30, 20), (254, 0, 0)), 3, 5),
    ]
    for other in others:
        assert not np.intersect1d(other, numbers).size


def test_numbers_are_the_same_on_every_machine() -> None:
    """Otherwise a run's predictions could not be repeated elsewhere."""
    found = uniform_numbers("What is shown?", RED, 2, 2)
    assert found.tolist() == [[0.25389808068819886, 0.10324212642681752], [0.9292202741269507, 0.45692496489005663]]


def test_numbers_are_uniform_over_pictures_samples_and_tokens() -> None:
    pictures = [Image.new("RGB", (2, 2), (shade, 0, 0)) for shade in range(100)]
    numbers = np.stack([uniform_numbers("", picture, 16, 10) for picture in pictures])
    for axes in ((1, 2), (0, 2), (0, 1)):
        count = numbers.size // numbers.mean(axes).size
        assert np.abs(numbers.mean(axes) - 0.5).max() < 5 / np.sqrt(12 * count)
    assert np.abs(np.histogram(numbers, 10, (0, 1))[0] / numbers.size - 0.1).max() < 0.015
    flat = numbers.reshape(-1, 10)
    assert np.abs(np.corrcoef(flat[:, :-1].ravel(), flat[:, 1:].ravel())[0, 1]) < 0.05


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    logits = torch.tensor([1.0, -2.0, 0.3, 5.0, 4.0])
    uniform = torch.from_numpy(np.random.default_rng(0).random(20_000))
    for temperature in (0.7, 2.0):
        tokens = draw_tokens(logits.expand(len(uniform), -1), temperature, uniform)
        shares = torch.bincount(tokens, minlength=5) / len(uniform)
        assert torch.allclose(shares, (logits / temperature).softmax(0), atol=0.015)


def test_impossible_tokens_are_never_drawn() -> None:
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]])
    ends = torch.tensor([0.0, 0.5, 1 - 2**-53], dtype=torch.float64)
    assert draw_tokens(logits.expand(3, -1), 0.7, ends).tolist() == [1, 3, 3]


def test_a_model_that_is_not_finite_still_gives_a_token_of_the_vocabulary() -> None:
    tokens = draw_tokens(torch.full((1, 5), torch.nan), 0.7, torch.tensor([0.5], dtype=torch.float64))
    assert 0 <= int(tokens) < 5
