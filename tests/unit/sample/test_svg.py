"""SVG documents are well-formed, self-contained and place the product where the scene says."""

import re
from dataclasses import replace
from itertools import product
from xml.etree import ElementTree

import pytest

from etalage.sample.appearance import BACKGROUNDS, CUTS, HARDWARE, MATERIALS, PATTERNS, POSES, Appearance, Scene
from etalage.sample.silhouettes import sketch_product
from etalage.sample.svg import svg_document

SCENE = Scene(200, 160)
SVG = "{http://www.w3.org/2000/svg}"


def appearance(style: str, cut: str | None = None, **changes: str) -> Appearance:
    base = Appearance(style, cut or CUTS[style][0], (160, 50, 60), (235, 225, 200), "check", "wool", "gold")
    return replace(base, **changes)


def parse(shown: Appearance, scene: Scene) -> ElementTree.Element:
    return ElementTree.fromstring(svg_document(shown, scene))


def frame(shown: Appearance, scene: Scene) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom in pixels of the product's box, as the document places it."""
    group = parse(shown, scene).find(f"{SVG}g")
    assert group is not None
    a, b, c, d, e, f = map(float, re.findall(r"-?[\d.]+", str(group.get("transform"))))
    left, top, right, bottom = sketch_product(shown.style, shown.cut, scene.pose).box
    corners = [(a * x + c * y + e, b * x + d * y + f) for x in (left, right) for y in (top, bottom)]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


@pytest.mark.parametrize("style", CUTS)
@pytest.mark.parametrize("pose", POSES)
def test_documents_are_well_formed_and_self_contained(style: str, pose: str) -> None:
    for number, (cut, background) in enumerate(product(CUTS[style], BACKGROUNDS)):
        shown = appearance(style, cut, pattern=PATTERNS[number % 8], material=MATERIALS[number % 11])
        scene = replace(SCENE, pose=pose, background=background, angle=7.5, flipped=bool(number % 2))
        root = parse(shown, scene)
        assert (root.get("width"), root.get("height")) == ("200", "160")
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        assert len(set(ids)) == len(ids)
        text = svg_document(shown, scene)
        used = set(re.findall(r"url\(#([\w-]+)\)", text)) | set(re.findall(r'href="#([\w-]+)"', text))
        assert used <= set(ids)
        assert "nan" not in text
        assert "inf" not in text


@pytest.mark.parametrize("style", CUTS)
@pytest.mark.parametrize("pose", POSES)
def test_products_lie_inside_the_picture(style: str, pose: str) -> None:
    for cut in CUTS[style]:
        for size in ((200, 160), (80, 240), (300, 60)):
            for angle in (0, -25, 60):
                scene = Scene(*size, pose=pose, angle=angle, scale=1.0, background="transparent", mode="RGBA")
                left, top, right, bottom = frame(appearance(style, cut), scene)
                assert left >= -1
                assert top >= -1
                assert right <= size[0] + 1
                assert bottom <= size[1] + 1


@pytest.mark.parametrize("scale", [0.4, 0.8, 1.2])
def test_scale_is_the_share_of_the_fitting_side(scale: float) -> None:
    left, top, right, bottom = frame(appearance("belt"), replace(SCENE, scale=scale))
    assert max((right - left) / 200, (bottom - top) / 160) == pytest.approx(scale, abs=0.01)


def test_shift_moves_the_middle() -> None:
    left, top, right, bottom = frame(appearance("watch"), replace(SCENE, shift=(0.1, -0.2)))
    assert (left + right) / 2 == pytest.approx(200 * 0.6, abs=0.5)
    assert (top + bottom) / 2 == pytest.approx(160 * 0.3, abs=0.5)


def test_flipping_keeps_the_frame() -> None:
    shown = appearance("shirt")
    assert frame(shown, replace(SCENE, flipped=True)) == pytest.approx(frame(shown, SCENE), abs=0.1)
    assert svg_document(shown, replace(SCENE, flipped=True)) != svg_document(shown, SCENE)


@pytest.mark.parametrize("style", CUTS)
def test_a_transparent_background_has_no_shadow(style: str) -> None:
    def has_shadow(background: str) -> bool:
        group = parse(appearance(style), replace(SCENE, background=background, mode="RGBA")).find(f"{SVG}g")
        assert group is not None
        return group.find(f"{SVG}g") is not None or group.find(f"{SVG}ellipse") is not None

    assert has_shadow("plain")
    assert not has_shadow("transparent")


@pytest.mark.parametrize("style", ["watch", "perfume"])
def test_products_without_fabric_have_a_stone_and_no_fabric(style: str) -> None:
    text = svg_document(appearance(style), SCENE)
    assert 'id="stone"' in text
    assert 'id="sheet"' not in text


@pytest.mark.parametrize("hardware", HARDWARE)
def test_metal_is_a_gradient_of_its_own(hardware: str) -> None:
    texts = {svg_document(appearance("belt", hardware=other), SCENE) for other in HARDWARE}
    assert len(texts) == 3
    assert svg_document(appearance("belt", hardware=hardware), SCENE).count('id="metal"') == 1


def num_fabric_shapes(style: str) -> int:
    text = svg_document(appearance(style, pattern="plain", material="cotton"), SCENE)
    return text.split('<pattern id="sheet"')[1].split("</pattern>")[0].count("<path")


def test_only_soft_fabric_gets_creases() -> None:
    for style in ("shirt", "boots"):
        sketch = sketch_product(style, CUTS[style][0], "flat")
        num_shapes = bool(sketch.folds) + bool(sketch.highlights) + 2 * sketch.drapes
        assert num_fabric_shapes(style) == num_shapes
    assert sketch_product("shirt", "long-sleeve", "flat").drapes
    assert not sketch_product("boots", "ankle", "flat").drapes
