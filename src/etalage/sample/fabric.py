"""Fabric as SVG: patterns of two colours, textures, and how a material reflects the light.

Patterns come in two kinds. Checks and stripes turn with the product and are plain shapes. Prints and textures are SVG
patterns of whole pixels that lie level however the product is turned: a tile of whole pixels is copied, any other is
resampled, which takes the renderer ten times as long as the rest of the picture.
"""

import math
import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from etalage.sample.appearance import Appearance
from etalage.sample.colour import adjust_tone, luminance, to_hex
from etalage.sample.silhouettes.path import Box, format_number
from etalage.sample.silhouettes.shapes import circle, dots
from etalage.sample.silhouettes.transforms import transform

__all__ = ["bar_shapes", "light_stops", "print_tile", "texture_tile"]


def bar_shapes(appearance: Appearance, box: Box, rng: random.Random) -> list[str]:
    """Return checks or stripes as shapes in the product's coordinates.

    Args:
        appearance: The pattern and its accent colour.
        box: The part of the product to cover.
        rng: Decides where the pattern begins.

    Returns:
        SVG elements, none if the pattern is of another kind.
    """
    if appearance.pattern not in _BARS:
        return []
    left, top, right, bottom = box
    repeat, layers = _BARS[appearance.pattern]
    # A random phase, up to one repeat outside the box: real fabric is cut anywhere.
    start_x, start_y = left - rng.random() * repeat, top - rng.random() * repeat
    width, height = right - start_x, bottom - start_y
    shapes = []
    # One path per layer, not one element per bar: relative moves repeat the bar.
    for vertical, offset, thickness, opacity in layers:
        if vertical:
            count = math.ceil((width - offset) / repeat)
            path = (
                f"M{format_number(start_x + offset)} {format_number(start_y)}"
                + f"v{format_number(height)}h{thickness}v{format_number(-height)}zm{repeat} 0" * count
            )
        else:
            count = math.ceil((height - offset) / repeat)
            path = (
                f"M{format_number(start_x)} {format_number(start_y + offset)}"
                + f"h{format_number(width)}v{thickness}h{format_number(-width)}zm0 {repeat}" * count
            )
        shapes.append(f'<path d="{path}" fill="{to_hex(appearance.accent)}" fill-opacity="{opacity}"/>')
    return shapes


_BARS: Mapping[str, tuple[float, Sequence[tuple[bool, float, float, float]]]] = MappingProxyType(
    {
        "check": (40, ((True, 0, 15, 0.62), (False, 0, 15, 0.62), (True, 26, 2.4, 0.9), (False, 26, 2.4, 0.9))),
        "striped": (28, ((False, 0, 13, 1),)),
        "pinstripe": (11, ((True, 0, 2.2, 1),)),
    }
)
"""The length of a repeat, and its bars: vertical or not, offset in the repeat, thickness, and opacity of the accent
colour."""


def print_tile(appearance: Appearance, px_per_unit: float, rng: random.Random) -> str:
    """Return the SVG pattern with the id "print", or nothing if the product has no print.

    Args:
        appearance: The pattern and its accent colour.
        px_per_unit: Pixels per unit of the product's coordinates.
        rng: Decides where the first tile lies.

    Returns:
        An SVG element or an empty string.
    """
    if appearance.pattern not in _PRINTS:
        return ""
    width, height, motif = _PRINTS[appearance.pattern]
    # Tones move away from the accent, towards where there is room.
    pale = luminance(appearance.accent) > 120
    marks = motif.format(
        accent=to_hex(appearance.accent),
        leaf=to_hex(adjust_tone(appearance.accent, -0.4 if pale else 0.4)),
        heart=to_hex(adjust_tone(appearance.accent, -0.55 if pale else 0.65)),
    )
    return _tile("print", width, height, px_per_unit, marks, (rng.random(), rng.random()))


def _tile(
    name: str, width: float, height: float, px_per_unit: float, marks: str, shift: tuple[float, float] = (0, 0)
) -> str:
    # SVG does not paint a tile of no pixels, and a tile of one is a flat colour.
    width_px, height_px = max(2, round(width * px_per_unit)), max(2, round(height * px_per_unit))
    return (
        # Whole pixels stretch the tile a little, by another factor in each direction: hence `preserveAspectRatio`.
        f'<pattern id="{name}" patternUnits="userSpaceOnUse" '
        f'x="{round(shift[0] * width_px)}" y="{round(shift[1] * height_px)}" width="{width_px}" height="{height_px}" '
        f'viewBox="0 0 {width} {height}" preserveAspectRatio="none">{marks}</pattern>'
    )


def _flower(x: float, y: float, size: float, rotation: float) -> str:
    """Return five petals around a heart, on two leaves; `rotation` is in radians."""
    petals = "".join(
        circle(x + math.cos(angle) * size * 0.62, y + math.sin(angle) * size * 0.62, size * 0.44)
        for angle in (rotation + step * math.tau / 5 for step in range(5))
    )
    leaves = "".join(
        transform("M0 0Q9 -7 18 0Q9 7 0 0Z", x, y, scale=size / 10, rotation=math.degrees(rotation) + degrees)
        for degrees in (36, 160)
    )
    return _filled("leaf", leaves) + _filled("accent", petals) + _filled("heart", circle(x, y, size * 0.3))


def _filled(paint: str, path: str) -> str:
    # The paint's name stays in braces: `print_tile` replaces it when the product's colours are known.
    return f'<path d="{path}" fill="{{{paint}}}"/>'


_PRINTS: Mapping[str, tuple[float, float, str]] = MappingProxyType(
    {
        "dotted": (22, 32, _filled("accent", dots(5.4, (5.5, 8), (16.5, 24)))),
        # Unpacked pairs keep the formatter from giving each number a line of its own.
        "monogram": (
            *(40, 40),
            f'<path d="{dots(8.6, (10, 10), (30, 30))}" fill="none" stroke="{{accent}}" stroke-width="2.2"/>'
            + _filled("accent", dots(3, (10, 6.8), (10, 13.2), (6.8, 10), (13.2, 10)))
            + _filled("accent", dots(3, (30, 26.8), (30, 33.2), (26.8, 30), (33.2, 30)))
            + _filled("accent", "M30 0L38.5 10L30 20L21.5 10ZM10 20L18.5 30L10 40L1.5 30Z")
            + _filled("heart", dots(2.6, (30, 10), (10, 30))),
        ),
        "houndstooth": (
            *(20, 20),
            _filled("accent", "M5 0H10V5H15L10 10V15L5 20V15H0L5 10H0V5ZM15 0L20 -5V0ZM0 20L5 15V20Z")
            + _filled("accent", "M15 20L20 15V20ZM15 5H20V10H15L20 5Z"),
        ),
        "floral": (
            *(62, 64),
            _flower(16, 16, 11.5, 0.2)
            + _flower(46, 24, 8.5, 0.9)
            + _flower(18, 47, 8.5, 1.6)
            + _flower(46, 50, 11, 2.5),
        ),
    }
)
"""The width and height of a tile, in a product's units, and the shapes in it."""


_DARK, _BRIGHT = "#000", "#fff"

_TEXTURES: Mapping[str, tuple[float, float, Sequence[tuple[str, str, float, float]]]] = MappingProxyType(
    {
        # Lines run past the edges: cut there, they join those of the next tile without a gap.
        "gabardine": (
            *(5, 5),
            (
                ("M-1 6L6 -1M-1 1L1 -1M4 6L6 4", _DARK, 0.26, 1.3),
                ("M-1 3.5L3.5 -1M1.5 6L6 1.5", _BRIGHT, 0.16, 1.1),
            ),
        ),
        "wool": (
            *(26, 26),
            (
                (
                    "M2 4l5 2M12 2l4 -1M20 6l4 3M6 12l-3 3M14 11l5 1M9 20l4 3M20 17l3 -3M3 23l3 -1M16 23l5 1",
                    *(_DARK, 0.3, 1.7),
                ),
                (
                    "M7 2l3 2M17 8l4 -2M3 9l4 1M11 15l3 3M22 12l2 3M5 18l3 -2M15 19l4 1M23 22l2 -2M11 7l2 1",
                    *(_BRIGHT, 0.42, 1.7),
                ),
            ),
        ),
        "knit": (
            *(8, 7),
            (
                ("M0 0L4 5L8 0M0 7L4 12L8 7M0 -7L4 -2L8 -7", _DARK, 0.34, 1.6),
                ("M1.5 0L4 3L6.5 0", _BRIGHT, 0.34, 1.2),
            ),
        ),
        "leather": (
            *(13, 13),
            (
                ("M1 3q3 -2 5 1t5 0M3 9q2 -3 5 -1t4 2M8 12q1 -2 3 -2", _DARK, 0.2, 1),
                ("M2 5q3 -1 4 1M8 7q2 -1 4 1M4 11q2 -1 3 0", _BRIGHT, 0.2, 1),
            ),
        ),
        "suede": (
            *(15, 15),
            (
                (dots(1.1, (2, 3), (7, 1.5), (12, 4), (4.5, 8), (10, 9), (13.5, 12), (6, 13)), _BRIGHT, 0.3, 0),
                (dots(1.2, (4.5, 4), (9.5, 5), (13.5, 8), (1.5, 10), (7.5, 11), (11, 13.5), (3, 13.5)), _DARK, 0.26, 0),
            ),
        ),
        "denim": (
            *(8, 8),
            (
                ("M-1 9L9 -1M-1 5L5 -1M3 9L9 3M-1 1L1 -1M7 9L9 7", _BRIGHT, 0.34, 1.1),
                ("M1 6l2 -2M5 3l1 -1", _DARK, 0.5, 1.3),
            ),
        ),
        "quilted": (
            *(25, 25),
            (
                ("M12.5 0L25 12.5L12.5 25L0 12.5Z", _BRIGHT, 0.1, 0),
                ("M12.5 25L25 12.5H20L12.5 20L5 12.5H0ZM0 0H5L0 5ZM25 0H20L25 5Z", _DARK, 0.16, 0),
                ("M12.5 4L4.5 12.5M0 17L8 25", _BRIGHT, 0.34, 2.2),
                (
                    "M-1 11.5L13.5 26M11.5 -1L26 13.5M-1 13.5L13.5 -1M11.5 26L26 11.5",
                    *(_DARK, 0.5, 1.7),
                ),
            ),
        ),
        "straw": (
            *(16, 16),
            (
                ("M0 1.3H8M0 4H8M0 6.7H8M8 9.3H16M8 12H16M8 14.7H16", _BRIGHT, 0.36, 1.3),
                ("M9.3 0V8M12 0V8M14.7 0V8M1.3 8V16M4 8V16M6.7 8V16", _BRIGHT, 0.36, 1.3),
                ("M0 0H16M0 8H16M0 0V16M8 0V16", _DARK, 0.46, 1.4),
                ("M0 2.7H8M0 5.3H8M8 10.7H16M8 13.3H16", _DARK, 0.22, 0.9),
                ("M10.7 0V8M13.3 0V8M2.7 8V16M5.3 8V16", _DARK, 0.22, 0.9),
            ),
        ),
        "metal": (
            *(12, 10),
            (
                (
                    "M0 0A6 6 0 0 0 12 0M-6 5A6 6 0 0 0 6 5A6 6 0 0 0 18 5M0 10A6 6 0 0 0 12 10M-6 -5A6 6 0 0 0 6 -5"
                    "A6 6 0 0 0 18 -5",
                    *(_DARK, 0.42, 1.3),
                ),
                ("M3 1.5L6 4M9 6.5L12 9M-3 6.5L0 9", _BRIGHT, 0.75, 1.8),
            ),
        ),
    }
)
"""The width and height of a tile, in a product's units, and its marks: path, tone, opacity, and stroke width (0 fills).
Marks are dark and bright, so that they show on any colour. Cotton and satin are smooth."""


def texture_tile(material: str, px_per_unit: float) -> str:
    """Return the SVG pattern with the id "texture", or nothing if the material is smooth.

    Args:
        material: One of MATERIALS.
        px_per_unit: Pixels per unit of the product's coordinates.

    Returns:
        An SVG element or an empty string.
    """
    if material not in _TEXTURES:
        return ""
    width, height, marks = _TEXTURES[material]
    shapes = "".join(
        f'<path d="{path}" fill="none" stroke="{tone}" stroke-opacity="{opacity}" stroke-width="{thickness}"/>'
        if thickness
        else f'<path d="{path}" fill="{tone}" fill-opacity="{opacity}"/>'
        for path, tone, opacity, thickness in marks
    )
    return _tile("texture", width, height, px_per_unit, shapes)


_Stop = tuple[float, str, float]


def light_stops(material: str, direction: float, contrast: float) -> str:
    """Return the stops of the gradient of light from left to right over the product.

    Args:
        material: One of MATERIALS; decides how sharp the reflection is.
        direction: Side that the light comes from: 0 is left, 1 is right.
        contrast: Strength of the light, 0 to 1.

    Returns:
        SVG elements for inside a gradient.
    """
    strength = 0.45 + 1.1 * contrast
    # The brightest place stays inside the product, even where the light comes from the far left or right.
    peak = 0.18 + 0.64 * direction
    stops = [
        # -1 and 1 stay at the edges wherever the light is, so that the stops keep their order.
        (offset if abs(offset) == 1 else min(0.99, max(0.01, peak + offset)), tone, min(0.9, opacity * strength))
        for offset, tone, opacity in _GLOSS.get(material, _MATT)
    ]
    return "".join(
        f'<stop offset="{format_number(max(0, offset))}" stop-color="{tone}" stop-opacity="{format_number(opacity)}"/>'
        for offset, tone, opacity in stops
    )


_MATT: Sequence[_Stop] = (
    (-1, _DARK, 0.3),
    (-0.25, _DARK, 0.02),
    (0, _BRIGHT, 0.14),
    (0.25, _DARK, 0.02),
    (1, _DARK, 0.3),
)

_GLOSS: Mapping[str, Sequence[_Stop]] = MappingProxyType(
    {
        "suede": ((-1, _DARK, 0.12), (0, _BRIGHT, 0.04), (1, _DARK, 0.12)),
        "leather": (
            *(
                (-1, _DARK, 0.45),
                (-0.14, _DARK, 0.1),
                (-0.06, _BRIGHT, 0.5),
                (0.0, _BRIGHT, 0.42),
                (0.06, _DARK, 0.05),
                (0.2, _DARK, 0.18),
            ),
            *((0.28, _BRIGHT, 0.2), (0.36, _DARK, 0.16), (1, _DARK, 0.5)),
        ),
        "satin": (
            *(
                (-1, _DARK, 0.3),
                (-0.36, _DARK, 0.28),
                (-0.26, _BRIGHT, 0.5),
                (-0.16, _DARK, 0.2),
                (-0.04, _BRIGHT, 0.55),
                (0.02, _BRIGHT, 0.6),
            ),
            *((0.12, _DARK, 0.3), (0.22, _BRIGHT, 0.42), (0.34, _DARK, 0.3), (1, _DARK, 0.34)),
        ),
        "metal": (
            *(
                (-1, _DARK, 0.5),
                (-0.3, _BRIGHT, 0.3),
                (-0.2, _DARK, 0.4),
                (-0.04, _BRIGHT, 0.6),
                (0.06, _BRIGHT, 0.2),
                (0.16, _DARK, 0.45),
            ),
            *((0.3, _BRIGHT, 0.4), (0.42, _DARK, 0.4), (1, _DARK, 0.3)),
        ),
        "quilted": ((-1, _DARK, 0.34), (-0.1, _DARK, 0.04), (0, _BRIGHT, 0.3), (0.1, _DARK, 0.02), (1, _DARK, 0.36)),
    }
)
"""Stops: offset from the brightest place (-1 and 1 are the product's edges), tone, and opacity at medium contrast."""
