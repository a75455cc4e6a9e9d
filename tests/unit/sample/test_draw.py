"""Pictures: every product can be drawn, what decides its price can be seen, and nothing depends on chance."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from etalage.sample.appearance import BACKGROUNDS, CUTS, HARDWARE, MATERIALS, PATTERNS, POSES, Look, Scene
from etalage.sample.draw import SUFFIXES, draw, svg
from etalage.sample.silhouettes import SHOWS

SMALL = Scene(96, 96)
SEEN = Scene(160, 160)

WRITTEN = (
    *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
    *(("PNG", mode) for mode in ("RGB", "RGBA", "L", "LA", "P")),
    *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    ("GIF", "P"),
)

OTHER = {
    "colour": ((40, 60, 110),),
    "accent": ((60, 30, 30),),
    "pattern": tuple(pattern for pattern in PATTERNS if pattern != "check"),
    "material": tuple(material for material in MATERIALS if material != "cotton"),
    "hardware": ("silver", "black"),
}


def _look(style: str, cut: str | None = None) -> Look:
    return Look(style, cut or CUTS[style][0], (160, 50, 60), (235, 225, 200), "check", "cotton", "gold")


def _pixels(look: Look, scene: Scene) -> np.ndarray:
    with Image.open(io.BytesIO(draw(look, scene))) as image:
        return np.asarray(image.convert("RGB"), dtype=np.int16)


def _changed(one: np.ndarray, other: np.ndarray) -> float:
    """The share of pixels that differ so that an eye can tell."""
    return float((np.abs(one - other).max(axis=2) > 12).mean())


@pytest.mark.parametrize("style", CUTS)
def test_cuts_of_a_style_have_outlines_of_their_own(style: str) -> None:
    plain = replace(SMALL, mode="RGBA", format="PNG", background="transparent")
    outlines = []
    for cut in CUTS[style]:
        with Image.open(io.BytesIO(draw(_look(style, cut), plain))) as image:
            outlines.append(np.asarray(image.getchannel("A")) > 127)
        assert 0.04 < outlines[-1].mean() < 0.75
    for at, one in enumerate(outlines):
        for other in outlines[at + 1 :]:
            assert (one ^ other).mean() > 0.008


@pytest.mark.parametrize("style", CUTS)
@pytest.mark.parametrize("attribute", OTHER)
def test_what_decides_the_price_can_be_seen(style: str, attribute: str) -> None:
    look = _look(style)
    before = draw(look, SEEN)
    pixels = _pixels(look, SEEN)
    for value in OTHER[attribute]:
        after = replace(look, **{attribute: value})
        if attribute in SHOWS[style]:
            assert _changed(pixels, _pixels(after, SEEN)) > 0.003, value
        else:
            assert draw(after, SEEN) == before, value


@pytest.mark.parametrize("attribute", ["pattern", "material"])
def test_any_two_patterns_or_materials_differ(attribute: str) -> None:
    values = {"pattern": PATTERNS, "material": MATERIALS}[attribute]
    drawn = [_pixels(replace(_look("shirt"), **{"pattern": "plain", attribute: value}), SEEN) for value in values]
    for at, one in enumerate(drawn):
        for other in drawn[at + 1 :]:
            assert _changed(one, other) > 0.02


def test_the_accent_colour_is_not_seen_on_a_plain_product() -> None:
    for style in CUTS:
        look = replace(_look(style), pattern="plain")
        assert draw(look, SMALL) == draw(replace(look, accent=(1, 2, 3)), SMALL)


def test_same_look_and_scene_same_bytes_and_another_seed_another_picture() -> None:
    for style in CUTS:
        assert draw(_look(style), SMALL) == draw(_look(style), SMALL)
        assert draw(_look(style), SMALL) != draw(_look(style), replace(SMALL, seed=1))


@pytest.mark.parametrize(("format", "mode"), WRITTEN)
@pytest.mark.parametrize("background", ["studio", "transparent"])
def test_formats_and_modes_come_back(format: str, mode: str, background: str) -> None:
    scene = replace(SMALL, width_px=90, height_px=70, format=format, mode=mode, background=background)
    with Image.open(io.BytesIO(draw(_look("dress"), scene))) as image:
        opaque = (format, mode) == ("WEBP", "RGBA") and background != "transparent"  # libwebp leaves full alpha out
        assert (image.format, image.mode, image.size) == (format, "RGB" if opaque else mode, (90, 70))
        corner = image.convert("RGBA").getpixel((0, 0))
    if background == "transparent":
        assert corner[3] == 0 if mode in ("RGBA", "LA") else min(corner) > 245
    assert set(SUFFIXES) == {format for format, _ in WRITTEN}


@pytest.mark.parametrize("size", [(24, 24), (336, 168), (100, 200), (1500, 900)])
def test_any_size(size: tuple[int, int]) -> None:
    for style in ("trench coat", "necklace", "belt"):
        with Image.open(io.BytesIO(draw(_look(style), Scene(*size)))) as image:
            assert image.size == size


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("pose", POSES)
def test_scenes_change_the_picture_and_not_the_document_s_soundness(background: str, pose: str) -> None:
    scene = replace(SMALL, background=background, pose=pose, angle=12, scale=1.15, flipped=True, light=0.9)
    for style in ("shirt", "skirt", "tote bag", "watch"):
        look = _look(style)
        assert _changed(_pixels(look, scene), _pixels(look, SMALL)) > 0.05
        assert "nan" not in svg(look, scene)


def test_a_product_out_of_the_picture_leaves_the_background() -> None:
    pixels = _pixels(_look("shirt"), replace(SMALL, shift=(2.0, 0.0)))
    assert pixels.std() < 2


def test_hardware_and_colours_of_every_cut_can_be_drawn() -> None:
    for style, cuts in CUTS.items():
        for cut in cuts:
            for hardware in HARDWARE:
                assert draw(replace(_look(style, cut), hardware=hardware, colour=(0, 0, 0)), Scene(40, 40))
