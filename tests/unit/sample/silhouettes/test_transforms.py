"""Outlines are mirrored, moved and grown without a change of direction."""

import pytest

from etalage.sample.silhouettes.path import parse_path, split_subpaths
from etalage.sample.silhouettes.shapes import circle, polygon, rounded_box
from etalage.sample.silhouettes.transforms import bounds, flip, grow, mirror, mirror_line, pair, transform

TRIANGLE = polygon((10, 0), (20, 0), (20, 15))
CURVED = "M10 0Q18 4 20 10C16 20 12 20 10 14Z"


def points_of(outline: str) -> set[tuple[float, float]]:
    return {point for _, points in parse_path(outline) for point in points}


def signed_area(outline: str) -> float:
    """Return twice the area between all points, handles included; positive if clockwise, since y points down."""
    points = [point for _, points in parse_path(outline) for point in points]
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True))


def test_a_mirrored_half_is_a_closed_symmetric_outline() -> None:
    whole = mirror("M0 -10L8 -10Q12 0 6 10L0 10")
    assert whole.endswith("Z")
    assert points_of(whole) == {(-x, y) for x, y in points_of(whole)}
    assert {(8, -10), (-8, -10), (12, 0), (-12, 0)} <= points_of(whole)


def test_a_mirrored_line_stays_open_and_passes_through_the_middle() -> None:
    line = mirror_line("M0 5L10 8")
    assert [points[-1] for _, points in parse_path(line)] == [(-10, 8), (0, 5), (10, 8)]
    assert "Z" not in line


@pytest.mark.parametrize("outline", [TRIANGLE, CURVED, TRIANGLE + CURVED, "M1 2L3 4"])
def test_flipping_swaps_the_sides(outline: str) -> None:
    left, top, right, bottom = bounds(outline)
    assert bounds(flip(outline)) == (-right, top, -left, bottom)
    assert points_of(flip(flip(outline))) == points_of(outline)


@pytest.mark.parametrize("outline", [TRIANGLE, CURVED])
def test_flipping_keeps_the_direction(outline: str) -> None:
    assert signed_area(outline) > 0
    assert signed_area(flip(outline)) == pytest.approx(signed_area(outline))


def test_a_pair_is_the_outline_and_its_mirror_image() -> None:
    assert pair(TRIANGLE) == TRIANGLE + flip(TRIANGLE)
    assert len(list(split_subpaths(pair(TRIANGLE)))) == 2


def test_no_transform_changes_nothing() -> None:
    assert transform(CURVED) == CURVED


@pytest.mark.parametrize(
    ("arguments", "box"),
    [
        ({"x": 5, "y": -3}, (15, -3, 25, 12)),
        ({"scale": 2}, (20, 0, 40, 30)),
        ({"rotation": 90}, (-15, 10, 0, 20)),
        ({"rotation": 180, "x": 1}, (-19, -15, -9, 0)),
        ({"scale": 0.5, "y": 100}, (5, 100, 10, 107.5)),
    ],
)
def test_transforms_rotate_clockwise_then_scale_then_move(
    arguments: dict[str, float], box: tuple[float, float, float, float]
) -> None:
    assert bounds(transform(TRIANGLE, **arguments)) == pytest.approx(box, abs=0.01)


@pytest.mark.parametrize("distance", [1, 4])
def test_a_grown_box_is_larger_on_every_side(distance: float) -> None:
    box = polygon((0, 0), (40, 0), (40, 20), (0, 20))
    assert bounds(grow(box, distance)) == pytest.approx((-distance, -distance, 40 + distance, 20 + distance), abs=0.01)


def test_a_grown_circle_is_a_larger_polygon() -> None:
    grown = grow(circle(0, 0, 30), 2)
    assert {command for command, _ in parse_path(grown)} == {"M", "L", "Z"}
    assert bounds(grown) == pytest.approx((-32, -32, 32, 32), abs=0.3)


def test_a_sharp_corner_does_not_grow_to_infinity() -> None:
    spike = polygon((0, 0), (100, 1), (0, 2))
    assert bounds(grow(spike, 1))[2] < 104


def test_every_subpath_is_grown_on_its_own() -> None:
    grown = grow(rounded_box(0, 0, 10, 10, 2) + rounded_box(20, 0, 30, 10, 2), 1)
    assert len(list(split_subpaths(grown))) == 2
    assert bounds(grown) == pytest.approx((-1, -1, 31, 11), abs=0.1)
