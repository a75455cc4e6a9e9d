"""Every style, cut and pose has an outline inside its frame, in paints that exist."""

from collections.abc import Iterator

import pytest

from etalage.sample.appearance import CUTS, POSES, Appearance
from etalage.sample.paint import make_paints
from etalage.sample.silhouettes import VISIBLE_ATTRIBUTES, Hanger, Item, Sketch, sketch_product
from etalage.sample.silhouettes.path import parse_path, split_subpaths
from etalage.sample.silhouettes.shapes import circle, lines, polygon

ALL = [(style, cut) for style, cuts in CUTS.items() for cut in cuts]
PAINTS = make_paints(Appearance("shirt", "long-sleeve", (1, 2, 3), (4, 5, 6), "plain", "cotton", "gold"))


def all_items(sketch: Sketch) -> Iterator[Item]:
    yield from (*sketch.back, *sketch.front)


def signed_area(points: list[tuple[float, float]]) -> float:
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True))


@pytest.mark.parametrize(("style", "cut"), ALL)
def test_flat_products_lie_inside_the_frame(style: str, cut: str) -> None:
    left, top, right, bottom = sketch_product(style, cut, "flat").box
    assert -125 < left < right < 125
    assert -145 < top < bottom < 135
    assert right - left > 30
    assert bottom - top > 60


@pytest.mark.parametrize(("style", "cut"), ALL)
def test_fabric_is_closed_and_runs_clockwise(style: str, cut: str) -> None:
    sketch = sketch_product(style, cut, "flat")
    for outline in (sketch.fabric, sketch.folds, sketch.highlights):
        for subpath in split_subpaths(outline):
            assert subpath[-1][0] == "Z"
    for subpath in split_subpaths(sketch.fabric):
        assert signed_area([point for _, points in subpath for point in points]) > 0


@pytest.mark.parametrize(("style", "cut"), ALL)
@pytest.mark.parametrize("pose", POSES)
def test_every_item_has_a_paint_and_a_path(style: str, cut: str, pose: str) -> None:
    sketch = sketch_product(style, cut, pose)
    for item in all_items(sketch):
        assert item.paint in PAINTS
        assert item.stroke_width >= 0
        assert parse_path(item.path)[0][0] == "M"


@pytest.mark.parametrize(("style", "cut"), ALL)
def test_what_is_visible_is_what_is_drawn(style: str, cut: str) -> None:
    sketch = sketch_product(style, cut, "flat")
    paints = {item.paint for item in all_items(sketch)}
    assert ("pattern" in VISIBLE_ATTRIBUTES[style]) == bool(sketch.fabric)
    assert ("hardware" in VISIBLE_ATTRIBUTES[style]) == bool(paints & {"metal", "chain"})
    assert ("stone" in paints) == (not sketch.fabric)


@pytest.mark.parametrize(("style", "cut"), ALL)
def test_every_product_throws_a_shadow(style: str, cut: str) -> None:
    sketch = sketch_product(style, cut, "flat")
    assert sketch.fabric or sketch.shadow_casters or sketch.stands
    assert not (sketch.fabric and sketch.shadow_casters)


@pytest.mark.parametrize(("style", "cut"), ALL)
def test_poses_change_clothes_only(style: str, cut: str) -> None:
    flat, hanging, worn = (sketch_product(style, cut, pose) for pose in ("flat", "hanging", "worn"))
    if flat.hanger is None:
        assert flat == hanging == worn
    else:
        assert flat != hanging != worn
        assert isinstance(flat.hanger, Hanger)
        assert flat.hanger.top < flat.hanger.hem
        assert flat.hanger.half_width > 0


def test_sketches_are_made_once() -> None:
    assert sketch_product("shirt", "long-sleeve", "worn") is sketch_product("shirt", "long-sleeve", "worn")


def test_the_box_covers_strokes_and_fabric() -> None:
    fabric = polygon((0, 0), (10, 0), (10, 10), (0, 10))
    sketch = Sketch(fabric, back=(Item("metal", lines((-5, 5, 5, 5)), 4),), front=(Item("pearl", circle(12, 5, 3)),))
    assert sketch.box == (-7, 0, 15, 10)
    assert sketch.fabric_box == (0, 0, 10, 10)


def test_a_product_without_fabric_has_the_box_of_its_items() -> None:
    assert Sketch(front=(Item("stone", circle(0, 0, 8)),)).box == (-8, -8, 8, 8)


def test_the_rim_surrounds_the_fabric() -> None:
    sketch = sketch_product("shirt", "short-sleeve", "flat")
    left, top, right, bottom = sketch.fabric_box
    rim = [point for _, points in parse_path(sketch.rim) for point in points]
    assert min(x for x, _ in rim) < left
    assert max(x for x, _ in rim) > right
    assert max(y for _, y in rim) > bottom
    assert min(y for _, y in rim) < top + 1
