"""Shapes have the size that was asked for, and run clockwise."""

import math
from itertools import pairwise

import pytest

from etalage.sample.silhouettes.path import Point, parse_path, split_subpaths
from etalage.sample.silhouettes.shapes import circle, cushions, dots, ellipse, fan, lines, polygon, rounded_box
from etalage.sample.silhouettes.transforms import bounds


def corners(outline: str) -> list[Point]:
    """Return the end points of all segments."""
    return [points[-1] for _, points in parse_path(outline) if points]


def signed_area(outline: str) -> float:
    """Return the shoelace area between the end points; positive if they run clockwise, since y points down."""
    points = corners(outline)
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise([*points, points[0]])) / 2


@pytest.mark.parametrize(
    ("outline", "box"),
    [
        (circle(10, 20, 5), (5, 15, 15, 25)),
        (ellipse(0, 0, 30, 10), (-30, -10, 30, 10)),
        (rounded_box(-10, -20, 30, 40, 6), (-10, -20, 30, 40)),
        (polygon((0, 0), (8, 0), (4, 6)), (0, 0, 8, 6)),
        (lines((0, 0, 5, 5), (-3, 2, 1, 9)), (-3, 0, 5, 9)),
        (dots(2, (0, 0), (10, 0)), (-2, -2, 12, 2)),
    ],
)
def test_shapes_fill_their_box(outline: str, box: tuple[float, float, float, float]) -> None:
    assert bounds(outline) == pytest.approx(box, abs=0.01)


@pytest.mark.parametrize("outline", [circle(3, 4, 5), ellipse(0, 0, 9, 2), rounded_box(0, 0, 20, 10, 3)])
def test_closed_shapes_run_clockwise(outline: str) -> None:
    assert outline.endswith("Z")
    assert signed_area(outline) > 0


def test_a_circle_is_nearly_round() -> None:
    segments = parse_path(circle(0, 0, 100))[:-1]
    for (_, before), (_, (start_handle, end_handle, end)) in pairwise(segments):
        start = before[-1]
        x, y = ((start[n] + 3 * start_handle[n] + 3 * end_handle[n] + end[n]) / 8 for n in (0, 1))
        assert math.hypot(*end) == pytest.approx(100)
        assert math.hypot(x, y) == pytest.approx(100, abs=0.1), "in the middle of a curve, too"


def test_dots_are_one_circle_each() -> None:
    assert dots(1.5, (0, 0), (4, 4)) == circle(0, 0, 1.5) + circle(4, 4, 1.5)
    assert dots(1.5) == ""


def test_a_fan_runs_from_one_edge_to_the_other() -> None:
    ribs = [corners(f"M{part}") for part in fan((0, 0, 10, 0), (0, 5, 20, 5), 3).split("M")[1:]]
    assert ribs == [[(0, 0), (0, 5)], [(5, 0), (10, 5)], [(10, 0), (20, 5)]]


@pytest.mark.parametrize("count", [1, 4])
def test_cushions_end_where_they_should_and_bulge_to_the_left(count: int) -> None:
    side = parse_path("M0 0" + cushions((0, 0), (0, 40), count, 8))[1:]
    assert [command for command, _ in side] == ["Q"] * count
    assert side[-1][1][-1] == (0, 40)
    assert all(handle[0] == 8 for _, (handle, _) in side), "drawn downwards, left is the picture's right"


def test_shapes_can_be_joined_into_one_path() -> None:
    joined = circle(0, 0, 1) + rounded_box(0, 0, 4, 4, 1) + polygon((0, 0), (1, 0), (1, 1))
    assert len(list(split_subpaths(joined))) == 3
