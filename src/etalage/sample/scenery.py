"""The backgrounds of sample pictures, as SVG."""

import random
from collections.abc import Sequence
from itertools import pairwise

from etalage.sample.appearance import Rgb, Scene
from etalage.sample.colour import adjust_tone, to_hex
from etalage.sample.silhouettes.path import format_number

__all__ = ["backdrop"]


def backdrop(scene: Scene, rng: random.Random) -> str:
    """Return the background as SVG, edge to edge.

    Args:
        scene: Size, background, tint and light. A transparent background is white where the mode has no alpha.
        rng: Decides the height of the floor, and the boards of wood.

    Returns:
        SVG elements, none for a transparent background with alpha.
    """
    width, height, tint = scene.width_px, scene.height_px, scene.tint
    match scene.background:
        case "transparent":
            return "" if scene.mode in ("RGBA", "LA") else _fill(width, height, "#fff")
        case "gradient":
            return _gradient("back", (adjust_tone(tint, 0.35), adjust_tone(tint, -0.22))) + _fill(
                width, height, "url(#back)"
            )
        case "studio":
            horizon = round(height * rng.uniform(0.66, 0.82))
            wall = _gradient("back", (tint, adjust_tone(tint, -0.1)))
            floor = _gradient("floor", (adjust_tone(tint, -0.22), adjust_tone(tint, 0), adjust_tone(tint, 0.2)))
            ground = f'<rect y="{horizon}" width="{width}" height="{height - horizon}" fill="url(#floor)"/>'
            return wall + floor + _fill(width, horizon, "url(#back)") + ground
        case "wall":
            near, far = adjust_tone(tint, 0.25), adjust_tone(tint, -0.3 * (0.5 + scene.contrast))
            ends = (near, far) if scene.light < 0.5 else (far, near)
            return _gradient("back", ends, down=False) + _fill(width, height, "url(#back)")
        case "wood":
            return _planks(scene, rng)
        case _:
            return _fill(width, height, to_hex(tint))


def _fill(width: int, height: int, fill: str) -> str:
    return f'<rect width="{width}" height="{height}" fill="{fill}"/>'


def _gradient(name: str, tones: Sequence[Rgb], down: bool = True) -> str:
    """Return a gradient downwards, or to the right, through evenly spaced tones."""
    stops = "".join(
        f'<stop offset="{format_number(place / (len(tones) - 1))}" stop-color="{to_hex(tone)}"/>'
        for place, tone in enumerate(tones)
    )
    return f'<linearGradient id="{name}" x2="{0 if down else 1}" y2="{1 if down else 0}">{stops}</linearGradient>'


def _planks(scene: Scene, rng: random.Random) -> str:
    """Return boards from left to right, with their grain and the gaps between them."""
    width, height = scene.width_px, scene.height_px
    red, green, blue = scene.tint
    # Less green and still less blue turn any tint into a brown.
    wood = (round(red * 0.82), round(green * 0.66), round(blue * 0.5))
    count = rng.randint(4, 7)
    # Rounded edges: boards that meet between pixels would show a bright line.
    tops = [round(height * board / count) for board in range(count + 1)]
    tones = [to_hex(adjust_tone(wood, rng.uniform(-0.14, 0.1))) for _ in range(count)]
    boards = "".join(
        f'<rect y="{top}" width="{width}" height="{bottom - top}" fill="{tone}"/>'
        for (top, bottom), tone in zip(pairwise(tops), tones, strict=True)
    )
    grain = "".join(_grain(width, rng.uniform(0, height), rng.uniform(-0.02, 0.02) * height) for _ in range(20))
    # No gap at the picture's own edges, where no board ends.
    gaps = "".join(f"M0 {top}h{width}" for top in tops[1:-1])
    line_px = max(0.6, height / 400)
    return (
        f'{boards}<path d="{grain}" fill="none" stroke="#000" stroke-opacity=".13" stroke-width="{line_px:.1f}"/>'
        f'<path d="{gaps}" stroke="#000" stroke-opacity=".45" stroke-width="{2 * line_px:.1f}"/>'
    )


def _grain(width: int, y: float, bend: float) -> str:
    quarter, half = format_number(width / 4), format_number(width / 2)
    return f"M0 {y:.1f}q{quarter} {bend:.1f} {half} 0q{quarter} {-bend:.1f} {half} 0"
