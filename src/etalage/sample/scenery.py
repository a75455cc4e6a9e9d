"""Backgrounds."""

import random
from collections.abc import Sequence
from itertools import pairwise

from etalage.sample.appearance import Rgb, Scene
from etalage.sample.fabric import hexed, toned
from etalage.sample.silhouettes.outline import number

__all__ = ["backdrop"]


def backdrop(scene: Scene, rng: random.Random) -> str:
    """Behind the product, edge to edge. Transparent is white where the mode has no alpha."""
    width, height, tint = scene.width_px, scene.height_px, scene.tint
    match scene.background:
        case "transparent":
            return "" if scene.mode in ("RGBA", "LA") else _sheet(width, height, "#fff")
        case "gradient":
            return _fade("back", (toned(tint, 0.35), toned(tint, -0.22))) + _sheet(width, height, "url(#back)")
        case "studio":
            line = round(height * rng.uniform(0.66, 0.82))
            wall = _fade("back", (tint, toned(tint, -0.1)))
            floor = _fade("floor", (toned(tint, -0.22), toned(tint, 0), toned(tint, 0.2)))
            low = f'<rect y="{line}" width="{width}" height="{height - line}" fill="url(#floor)"/>'
            return wall + floor + _sheet(width, line, "url(#back)") + low
        case "wall":
            near, far = toned(tint, 0.25), toned(tint, -0.3 * (0.5 + scene.contrast))
            ends = (near, far) if scene.light < 0.5 else (far, near)
            return _fade("back", ends, down=False) + _sheet(width, height, "url(#back)")
        case "wood":
            return _planks(scene, rng)
        case _:
            return _sheet(width, height, hexed(tint))


def _sheet(width: int, height: int, fill: str) -> str:
    return f'<rect width="{width}" height="{height}" fill="{fill}"/>'


def _fade(name: str, tones: Sequence[Rgb], down: bool = True) -> str:
    """A gradient downwards, or to the right, through evenly spaced tones."""
    stops = "".join(
        f'<stop offset="{number(at / (len(tones) - 1))}" stop-color="{hexed(tone)}"/>' for at, tone in enumerate(tones)
    )
    return f'<linearGradient id="{name}" x2="{0 if down else 1}" y2="{1 if down else 0}">{stops}</linearGradient>'


def _planks(scene: Scene, rng: random.Random) -> str:
    """Boards from left to right, with their grain and the gaps between them."""
    width, height = scene.width_px, scene.height_px
    red, green, blue = scene.tint
    wood = (round(red * 0.82), round(green * 0.66), round(blue * 0.5))
    count = rng.randint(4, 7)
    tops = [round(height * at / count) for at in range(count + 1)]
    tones = [hexed(toned(wood, rng.uniform(-0.14, 0.1))) for _ in range(count)]
    boards = "".join(
        f'<rect y="{top}" width="{width}" height="{bottom - top}" fill="{tone}"/>'
        for (top, bottom), tone in zip(pairwise(tops), tones, strict=True)
    )
    grain = "".join(_grain(width, rng.uniform(0, height), rng.uniform(-0.02, 0.02) * height) for _ in range(20))
    gaps = "".join(f"M0 {top}h{width}" for top in tops[1:-1])
    thin = max(0.6, height / 400)
    return (
        f'{boards}<path d="{grain}" fill="none" stroke="#000" stroke-opacity=".13" stroke-width="{thin:.1f}"/>'
        f'<path d="{gaps}" stroke="#000" stroke-opacity=".45" stroke-width="{2 * thin:.1f}"/>'
    )


def _grain(width: int, y: float, bend: float) -> str:
    quarter, half = number(width / 4), number(width / 2)
    return f"M0 {y:.1f}q{quarter} {bend:.1f} {half} 0q{quarter} {-bend:.1f} {half} 0"
