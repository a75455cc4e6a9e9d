"""Every product can be drawn, what decides its price can be seen, and equal arguments give equal bytes."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from etalage.sample.appearance import BACKGROUNDS, CUTS, HARDWARE, MATERIALS, PATTERNS, POSES, Appearance, Scene
from etalage.sample.draw import SUFFIXES, draw
from etalage.sample.silhouettes import VISIBLE_ATTRIBUTES
from etalage.sample.svg import svg_document

SMALL = Scene(96, 96)
MEDIUM = Scene(160, 160)

FORMATS_AND_MODES = (
    *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
    *(("PNG", mode) for mode in ("RGB", "RGBA", "L", "LA", "P")),
    *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    ("GIF", "P"),
)

OTHER_VALUES = {
    "colour": ((40, 60, 110),),
    "accent": ((60, 30, 30),),
    "pattern": tuple(pattern for pattern in PATTERNS if pattern != "check"),
    "material": tuple(material for material in MATERIALS if material != "cotton"),
    "hardware": ("silver", "black"),
}


def _appearance(style: str, cut: str | None = None) -> Appearance:
    return Appearance(style, cut or CUTS[style][0], (160, 50, 60), (235, 225, 200), "check", "cotton", "gold")


def _pixels(appearance: Appearance, scene: Scene) -> np.ndarray:
    with Image.open(io.BytesIO(draw(appearance, scene))) as image:
        return np.asarray(image.convert("RGB"), dtype=np.int16)


def _changed(one: np.ndarray, other: np.ndarray) -> float:
    """Return the share of pixels that differ visibly."""
    return float((np.abs(one - other).max(axis=2) > 12).mean())


@pytest.mark.parametrize("style", CUTS)
def test_cuts_of_a_style_have_outlines_of_their_own(style: str) -> None:
    plain = replace(SMALL, mode="RGBA", format="PNG", background="transparent")
    outlines = []
    for cut in CUTS[style]:
        with Image.open(io.BytesIO(draw(_appearance(style, cut), plain))) as image:
            outlines.append(np.asarray(image.getchannel("A")) > 127)
        assert 0.04 < outlines[-1].mean() < 0.75
    for at, one in enumerate(outlines):
        for other in outlines[at + 1 :]:
            assert (one ^ other).mean() > 0.008


@pytest.mark.parametrize("style", CUTS)
@pytest.mark.parametrize("attribute", OTHER_VALUES)
def test_what_decides_the_price_can_be_seen(style: str, attribute: str) -> None:
    appearance = _appearance(style)
    before = draw(appearance, MEDIUM)
    pixels = _pixels(appearance, MEDIUM)
    for value in OTHER_VALUES[attribute]:
        after = replace(appearance, **{attribute: value})
        if attribute in VISIBLE_ATTRIBUTES[style]:
            assert _changed(pixels, _pixels(after, MEDIUM)) > 0.003, value
        else:
            assert draw(after, MEDIUM) == before, value


@pytest.mark.parametrize("attribute", ["pattern", "material"])
def test_any_two_patterns_and_any_two_materials_differ_visibly(attribute: str) -> None:
    values = {"pattern": PATTERNS, "material": MATERIALS}[attribute]
    drawn = [
        _pixels(replace(_appearance("shirt"), **{"pattern": "plain", attribute: value}), MEDIUM) for value in values
    ]
    for at, one in enumerate(drawn):
        for other in drawn[at + 1 :]:
            assert _changed(one, other) > 0.02


def test_the_accent_colour_is_not_seen_on_a_plain_product() -> None:
    for style in CUTS:
        appearance = replace(_appearance(style), pattern="plain")
        assert draw(appearance, SMALL) == draw(replace(appearance, accent=(1, 2, 3)), SMALL)


def test_equal_arguments_give_equal_bytes_and_another_seed_another_picture() -> None:
    for style in CUTS:
        assert draw(_appearance(style), SMALL) == draw(_appearance(style), SMALL)
        assert draw(_appearance(style), SMALL) != draw(_appearance(style), replace(SMALL, seed=1))


@pytest.mark.parametrize(("format", "mode"), FORMATS_AND_MODES)
@pytest.mark.parametrize("background", ["studio", "transparent"])
def test_files_have_the_format_and_mode_of_the_scene(format: str, mode: str, background: str) -> None:
    scene = replace(SMALL, width_px=90, height_px=70, format=format, mode=mode, background=background)
    with Image.open(io.BytesIO(draw(_appearance("dress"), scene))) as image:
        opaque = (format, mode) == ("WEBP", "RGBA") and background != "transparent"  # libwebp leaves full alpha out
        assert (image.format, image.mode, image.size) == (format, "RGB" if opaque else mode, (90, 70))
        corner = image.convert("RGBA").getpixel((0, 0))
    if background == "transparent":
        assert corner[3] == 0 if mode in ("RGBA", "LA") else min(corner) > 245
    assert set(SUFFIXES) == {format for format, _ in FORMATS_AND_MODES}


@pytest.mark.parametrize("size", [(24, 24), (336, 168), (100, 200), (1500, 900)])
def test_pictures_have_the_size_of_the_scene(size: tuple[int, int]) -> None:
    for style in ("trench coat", "necklace", "belt"):
        with Image.open(io.BytesIO(draw(_appearance(style), Scene(*size)))) as image:
            assert image.size == size


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("pose", POSES)
def test_every_background_and_pose_changes_the_picture(background: str, pose: str) -> None:
    scene = replace(SMALL, background=background, pose=pose, angle=12, scale=1.15, flipped=True, light=0.9)
    for style in ("shirt", "skirt", "tote bag", "watch"):
        appearance = _appearance(style)
        assert _changed(_pixels(appearance, scene), _pixels(appearance, SMALL)) > 0.05
        assert "nan" not in svg_document(appearance, scene)


def test_a_product_shifted_out_of_the_picture_leaves_the_background() -> None:
    pixels = _pixels(_appearance("shirt"), replace(SMALL, shift=(2.0, 0.0)))
    assert pixels.std() < 2


def test_every_cut_can_be_drawn_in_every_metal() -> None:
    for style, cuts in CUTS.items():
        for cut in cuts:
            for hardware in HARDWARE:
                assert draw(replace(_appearance(style, cut), hardware=hardware, colour=(0, 0, 0)), Scene(40, 40))


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_higher_quality_makes_larger_files(format: str) -> None:
    sizes = [
        len(draw(_appearance("shirt"), replace(MEDIUM, format=format, quality=quality))) for quality in (30, 60, 95)
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_the_product_is_opaque_on_a_transparent_background(format: str) -> None:
    scene = replace(MEDIUM, format=format, mode="RGBA", background="transparent")
    with Image.open(io.BytesIO(draw(_appearance("tote bag"), scene))) as image:
        alpha = np.asarray(image.getchannel("A"))
    assert alpha[80, 80] == 255
    assert alpha[:4].max() == 0


def test_flipping_the_scene_mirrors_the_outline() -> None:
    scene = replace(MEDIUM, format="PNG", mode="RGBA", background="transparent")
    alphas = []
    for flipped in (False, True):
        with Image.open(io.BytesIO(draw(_appearance("sneakers"), replace(scene, flipped=flipped)))) as image:
            alphas.append(np.asarray(image.getchannel("A")) > 127)
    assert (alphas[0] ^ alphas[1][:, ::-1]).mean() < 0.02
    assert (alphas[0] ^ alphas[1]).mean() > 0.05
