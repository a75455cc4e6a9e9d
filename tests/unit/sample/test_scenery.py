"""Backgrounds fill the picture."""

import random
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from etalage.sample.appearance import BACKGROUNDS, Scene
from etalage.sample.scenery import backdrop

SCENE = Scene(120, 80, tint=(200, 190, 180))


def parse(scene: Scene, seed: int = 0) -> ElementTree.Element:
    return ElementTree.fromstring(f"<svg>{backdrop(scene, random.Random(seed))}</svg>")


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("seed", range(4))
def test_backgrounds_cover_every_line_of_the_picture(background: str, seed: int) -> None:
    rows = set()
    for rect in parse(replace(SCENE, background=background), seed).iter("rect"):
        assert rect.get("width") == "120"
        top = int(rect.get("y", "0"))
        rows |= set(range(top, top + int(str(rect.get("height")))))
    assert rows == set(range(80))


@pytest.mark.parametrize(
    ("mode", "is_empty"), [("RGBA", True), ("LA", True), ("RGB", False), ("L", False), ("P", False)]
)
def test_a_transparent_background_is_white_without_alpha(mode: str, is_empty: bool) -> None:
    svg = backdrop(replace(SCENE, background="transparent", mode=mode), random.Random(0))
    assert (svg == "") == is_empty
    assert is_empty or 'fill="#fff"' in svg


def test_a_plain_background_is_the_tint() -> None:
    (rect,) = parse(SCENE)
    assert rect.get("fill") == "#c8beb4"


@pytest.mark.parametrize("background", ["gradient", "studio", "wall"])
def test_gradients_are_defined_where_they_are_used(background: str) -> None:
    svg = parse(replace(SCENE, background=background))
    defined = {f"url(#{gradient.get('id')})" for gradient in svg.iter("linearGradient")}
    assert {rect.get("fill") for rect in svg.iter("rect")} == defined


def test_a_wall_is_brighter_on_the_side_of_the_light() -> None:
    def stops(light: float) -> list[str | None]:
        return [stop.get("stop-color") for stop in parse(replace(SCENE, background="wall", light=light)).iter("stop")]

    assert stops(0.1) == stops(0.9)[::-1]
    assert stops(0.1)[0] > stops(0.1)[-1]  # type: ignore[operator]


def test_wood_has_boards_that_differ_from_seed_to_seed() -> None:
    wood = replace(SCENE, background="wood")
    assert 4 <= len(list(parse(wood).iter("rect"))) <= 7
    assert backdrop(wood, random.Random(1)) == backdrop(wood, random.Random(1))
    assert len({backdrop(wood, random.Random(seed)) for seed in range(5)}) == 5
