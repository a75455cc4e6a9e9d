"""Patterns, textures and light as SVG: complete, bounded, and of whole pixels."""

import random
import re
from xml.etree import ElementTree

import pytest

from etalage.sample.appearance import MATERIALS, PATTERNS, Appearance
from etalage.sample.fabric import bar_shapes, light_stops, print_tile, texture_tile

BARS = ("check", "striped", "pinstripe")
PRINTS = ("dotted", "monogram", "houndstooth", "floral")
SMOOTH = ("cotton", "satin")
BOX = (-50.0, -60.0, 50.0, 60.0)


def appearance(pattern: str = "plain", accent: tuple[int, int, int] = (10, 20, 30)) -> Appearance:
    return Appearance("shirt", "long-sleeve", (200, 30, 40), accent, pattern, "cotton", "gold")


def parse(elements: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<svg>{elements}</svg>")


def test_every_pattern_but_plain_is_either_bars_or_a_print() -> None:
    assert {"plain", *BARS, *PRINTS} == set(PATTERNS)
    for pattern in PATTERNS:
        has_bars = bool(bar_shapes(appearance(pattern), BOX, random.Random(0)))
        has_print = bool(print_tile(appearance(pattern), 1.0, random.Random(0)))
        assert (has_bars, has_print) == (pattern in BARS, pattern in PRINTS)


@pytest.mark.parametrize("pattern", BARS)
@pytest.mark.parametrize("seed", range(5))
def test_bars_begin_outside_the_box_and_cover_it(pattern: str, seed: int) -> None:
    for shape in parse("".join(bar_shapes(appearance(pattern), BOX, random.Random(seed)))):
        assert shape.get("fill") == "#0a141e"
        path = str(shape.get("d"))
        start = re.match(r"M(\S+) (\S+?)[vh]", path)
        repeat = re.search(r"zm(\S+) (\S+)[vh]?", path)
        assert start is not None
        assert repeat is not None
        count, vertical = path.count("z"), "v" in path[: path.index("h")]
        first, step = float(start[1 if vertical else 2]), max(map(float, re.findall(r"[\d.]+", repeat[0])))
        low, high = (BOX[0], BOX[2]) if vertical else (BOX[1], BOX[3])
        assert first < low + step
        assert first + count * step >= high - step


@pytest.mark.parametrize("pattern", PRINTS)
@pytest.mark.parametrize("px_per_unit", [0.01, 0.3, 1.0, 2.7])
def test_prints_are_tiles_of_whole_pixels(pattern: str, px_per_unit: float) -> None:
    (tile,) = parse(print_tile(appearance(pattern), px_per_unit, random.Random(3)))
    assert tile.get("id") == "print"
    for name in ("x", "y", "width", "height"):
        assert str(tile.get(name)).isdecimal()
    assert int(str(tile.get("width"))) >= 2
    assert 0 <= int(str(tile.get("x"))) <= int(str(tile.get("width")))


def test_prints_begin_in_random_places_of_the_same_tile() -> None:
    tiles = {print_tile(appearance("floral"), 2.0, random.Random(seed)) for seed in range(10)}
    assert len(tiles) > 5
    assert len({re.sub(r' [xy]="\d+"', "", tile) for tile in tiles}) == 1


@pytest.mark.parametrize("accent", [(5, 5, 5), (250, 250, 250)])
def test_a_flower_has_three_colours(accent: tuple[int, int, int]) -> None:
    fills = set(re.findall(r'fill="(#\w+)"', print_tile(appearance("floral", accent), 1.0, random.Random(0))))
    assert len(fills) == 3


@pytest.mark.parametrize("material", MATERIALS)
def test_every_material_but_the_smooth_ones_has_a_texture(material: str) -> None:
    tile = texture_tile(material, 1.5)
    assert bool(tile) == (material not in SMOOTH)
    if tile:
        (element,) = parse(tile)
        assert element.get("id") == "texture"
        colours = {shape.get("stroke", "none") for shape in element} | {shape.get("fill") for shape in element}
        assert colours <= {"#000", "#fff", "none"}, "shows on any colour"


def test_textures_grow_with_the_picture() -> None:
    small, large = (parse(texture_tile("wool", px_per_unit))[0] for px_per_unit in (0.5, 3))
    assert int(str(large.get("width"))) == 6 * int(str(small.get("width")))
    assert small.get("viewBox") == large.get("viewBox")


@pytest.mark.parametrize("material", MATERIALS)
@pytest.mark.parametrize("direction", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("contrast", [0.0, 1.0])
def test_light_is_a_gradient_in_order_with_possible_opacities(material: str, direction: float, contrast: float) -> None:
    stops = parse(light_stops(material, direction, contrast))
    offsets = [float(str(stop.get("offset"))) for stop in stops]
    assert offsets == sorted(offsets)
    assert (offsets[0], offsets[-1]) == (0, 1)
    assert all(0 <= float(str(stop.get("stop-opacity"))) <= 0.9 for stop in stops)


@pytest.mark.parametrize("material", MATERIALS)
def test_the_brightest_place_follows_the_light(material: str) -> None:
    def brightest(direction: float) -> float:
        bright = [stop for stop in parse(light_stops(material, direction, 0.5)) if stop.get("stop-color") == "#fff"]
        return float(str(max(bright, key=lambda stop: float(str(stop.get("stop-opacity")))).get("offset")))

    assert brightest(0) < brightest(0.5) < brightest(1)


def test_more_contrast_makes_stronger_light() -> None:
    def total(contrast: float) -> float:
        return sum(float(str(stop.get("stop-opacity"))) for stop in parse(light_stops("wool", 0.5, contrast)))

    assert total(0.2) < total(0.5) < total(0.9)
