"""Colours are formatted, mixed and compared."""

import random

import pytest

from etalage.sample.appearance import Rgb
from etalage.sample.colour import adjust_tone, jitter, luminance, to_hex


@pytest.mark.parametrize(
    ("colour", "text"), [((0, 0, 0), "#000000"), ((255, 128, 1), "#ff8001"), ((255, 255, 255), "#ffffff")]
)
def test_colours_are_formatted_for_svg(colour: Rgb, text: str) -> None:
    assert to_hex(colour) == text


@pytest.mark.parametrize(
    ("amount", "expected"),
    [(0, (100, 50, 200)), (1, (255, 255, 255)), (-1, (0, 0, 0)), (-0.5, (50, 25, 100)), (0.5, (178, 152, 228))],
)
def test_tones_run_from_black_to_white(amount: float, expected: Rgb) -> None:
    assert adjust_tone((100, 50, 200), amount) == expected


def test_a_brighter_tone_has_more_luminance() -> None:
    luminances = [luminance(adjust_tone((120, 60, 30), amount / 10)) for amount in range(-10, 11)]
    assert luminances == sorted(luminances)
    assert luminances[0] == 0
    assert luminances[-1] == pytest.approx(255)


def test_green_looks_brighter_than_red_and_red_than_blue() -> None:
    assert luminance((0, 255, 0)) > luminance((255, 0, 0)) > luminance((0, 0, 255))


def test_jitter_stays_near_and_inside_the_range() -> None:
    rng = random.Random(1)
    for colour in ((0, 255, 128), (3, 250, 7)):
        for _ in range(200):
            near = jitter(rng, colour, 8)
            assert all(0 <= part <= 255 for part in near)
            assert all(abs(part - other) <= 8 for part, other in zip(near, colour, strict=True))
    assert jitter(rng, (9, 9, 9), 0) == (9, 9, 9)
