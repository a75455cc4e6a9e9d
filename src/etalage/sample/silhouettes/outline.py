"""Outlines as SVG path data, and what can be done with them: mirror, move, join.

Written by hand in a product's own coordinates: x from -100 to 100, y from -125 to 125, y downwards; absolute commands
only (M, L, Q, C, Z). Closed outlines that are filled together run clockwise, or overlaps would become holes.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

__all__ = [
    *(
        "across",
        "bounds",
        "circle",
        "closed",
        "dots",
        "ellipse",
        "fan",
        "flipped",
        "grown",
        "lines",
        "mirrored",
        "moved",
        "number",
        "pair",
    ),
    *("polygon", "puffed", "rounded"),
]

Point = tuple[float, float]
Segment = tuple[str, list[Point]]
Box = tuple[float, float, float, float]

_ROUND = 0.5523
"""Where the handles of a cubic stand, so that four of them make a circle."""

_TOKEN = re.compile(r"([MLQCZ])([^MLQCZ]*)")
_NUMBER = re.compile(r"-?\d+\.?\d*")


def number(value: float) -> str:
    """Short: two decimals at most, no trailing zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def mirrored(half: str) -> str:
    """A whole from its right half, which runs from the middle's top to the middle's bottom."""
    (start, *way), back = _parsed(half), _reversed(_turned(_parsed(half)))
    return _written([start, *way, ("L", back[0][1]), *back[1:], ("Z", [])])


def across(half: str) -> str:
    """A whole line, open, from its right half, which starts in the middle."""
    start, *way = _parsed(half)
    return _written([*_reversed(_turned([start, *way])), *way])


def flipped(outline: str) -> str:
    """On the other side. It runs the other way round, so that it still is clockwise."""
    return "".join(_written(_reversed(_turned(part))) for part in _parts(outline))


def pair(outline: str) -> str:
    """A part of the right side, and its twin of the left."""
    return outline + flipped(outline)


def polygon(*points: Point) -> str:
    """Straight from corner to corner, and closed."""
    return _written([("M", [points[0]]), *(("L", [point]) for point in points[1:]), ("Z", [])])


def lines(*ways: tuple[float, float, float, float]) -> str:
    """Straight lines, each from (x, y) to (x, y)."""
    return "".join(_written([("M", [(x0, y0)]), ("L", [(x1, y1)])]) for x0, y0, x1, y1 in ways)


def fan(start: Box, end: Box, count: int) -> str:
    """Lines side by side, each from a place on the way `start` to the same place on the way `end`: ribs, fringes."""
    x0, y0, x1, y1 = start
    to_x0, to_y0, to_x1, to_y1 = end
    shares = [step / (count - 1) for step in range(count)]
    return lines(
        *(
            (x0 + (x1 - x0) * s, y0 + (y1 - y0) * s, to_x0 + (to_x1 - to_x0) * s, to_y0 + (to_y1 - to_y0) * s)
            for s in shares
        )
    )


def ellipse(x: float, y: float, rx: float, ry: float) -> str:
    """Clockwise from the left."""
    kx, ky = rx * _ROUND, ry * _ROUND
    return _written(
        [
            ("M", [(x - rx, y)]),
            ("C", [(x - rx, y - ky), (x - kx, y - ry), (x, y - ry)]),
            ("C", [(x + kx, y - ry), (x + rx, y - ky), (x + rx, y)]),
            ("C", [(x + rx, y + ky), (x + kx, y + ry), (x, y + ry)]),
            ("C", [(x - kx, y + ry), (x - rx, y + ky), (x - rx, y)]),
            ("Z", []),
        ]
    )


def circle(x: float, y: float, radius: float) -> str:
    return ellipse(x, y, radius, radius)


def dots(radius: float, *places: Point) -> str:
    """Buttons, eyelets, beads."""
    return "".join(circle(x, y, radius) for x, y in places)


def rounded(left: float, top: float, right: float, bottom: float, radius: float) -> str:
    """A box with round corners."""
    r = radius
    return _written(
        [
            ("M", [(left + r, top)]),
            ("L", [(right - r, top)]),
            ("Q", [(right, top), (right, top + r)]),
            ("L", [(right, bottom - r)]),
            ("Q", [(right, bottom), (right - r, bottom)]),
            ("L", [(left + r, bottom)]),
            ("Q", [(left, bottom), (left, bottom - r)]),
            ("L", [(left, top + r)]),
            ("Q", [(left, top), (left + r, top)]),
            ("Z", []),
        ]
    )


def puffed(start: Point, end: Point, count: int, swell: float) -> str:
    """A side of `count` cushions, to be set into an outline: it draws from `start`, where the pen stands, to `end`."""
    (x0, y0), (x1, y1) = start, end
    length = math.hypot(x1 - x0, y1 - y0)
    out_x, out_y = (y1 - y0) / length * swell, (x0 - x1) / length * swell
    ways: list[Segment] = []
    for step in range(count):
        middle, to = (step + 0.5) / count, (step + 1) / count
        pull = (x0 + (x1 - x0) * middle + out_x, y0 + (y1 - y0) * middle + out_y)
        ways.append(("Q", [pull, (x0 + (x1 - x0) * to, y0 + (y1 - y0) * to)]))
    return _written(ways)


def moved(outline: str, x: float = 0, y: float = 0, scale: float = 1, turn: float = 0) -> str:
    """Turned by degrees clockwise about the origin and scaled, then moved."""
    cos, sin = math.cos(math.radians(turn)) * scale, math.sin(math.radians(turn)) * scale
    return _written(
        (command, [(px * cos - py * sin + x, px * sin + py * cos + y) for px, py in points])
        for command, points in _parsed(outline)
    )


def grown(outline: str, by: float) -> str:
    """Closed outlines of straight lines, as far outside the given ones: filled in half the time of a stroke."""
    whole = []
    for part in _parts(outline):
        corners = _corners(part)
        points = [point for point, after in pairwise([*corners, corners[0]]) if math.dist(point, after) > 0.05]
        moved_out = []
        for before, (x, y), after in zip(points[-1:] + points[:-1], points, points[1:] + points[:1], strict=True):
            come, go = math.atan2(y - before[1], x - before[0]), math.atan2(after[1] - y, after[0] - x)
            turn = math.remainder(go - come, math.tau) / 2
            reach = by / max(math.cos(turn), 0.4)
            moved_out.append((x + math.sin(come + turn) * reach, y - math.cos(come + turn) * reach))
        whole.append(polygon(*moved_out))
    return "".join(whole)


def _corners(part: list[Segment]) -> list[Point]:
    """A subpath's points, with as many more on each curve as make straight lines between them look like it."""
    corners: list[Point] = []
    for _, points in part:
        if len(points) > 1:
            way = [corners[-1], *points]
            neighbours = zip(way[:-2], way[1:-1], way[2:], strict=True)
            bend = max(math.dist(_between([one, two], 0.5), handle) for one, handle, two in neighbours)
            steps = math.ceil(math.sqrt(bend / 0.2))
            corners.extend(_between(way, step / steps) for step in range(1, steps))
        corners.extend(points[-1:])
    return corners


def _between(way: Sequence[Point], share: float) -> Point:
    """On a curve with these handles, by de Casteljau."""
    while len(way) > 1:
        way = [(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share) for (x0, y0), (x1, y1) in pairwise(way)]
    return way[0]


def bounds(outline: str) -> Box:
    """Left, top, right, bottom of the points; handles of curves count, so it may be a little too large."""
    points = [point for _, some in _parsed(outline) for point in some]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _parsed(outline: str) -> list[Segment]:
    parsed: list[Segment] = []
    for command, text in _TOKEN.findall(outline):
        values = [float(value) for value in _NUMBER.findall(text)]
        points = list(zip(values[::2], values[1::2], strict=True))
        size = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 1}[command]
        parsed.extend((command, points[at : at + size]) for at in range(0, max(1, len(points)), size))
    return parsed


def _parts(outline: str) -> Iterator[list[Segment]]:
    """The subpaths, each from its M on."""
    part: list[Segment] = []
    for command, points in _parsed(outline):
        if command == "M" and part:
            yield part
            part = []
        part.append((command, points))
    if part:
        yield part


def _turned(part: list[Segment]) -> list[Segment]:
    return [(command, [(-x, y) for x, y in points]) for command, points in part]


def _reversed(part: list[Segment]) -> list[Segment]:
    """The same subpath from its end to its start."""
    ways = [(command, points) for command, points in part if command != "Z"]
    back: list[Segment] = [("M", [ways[-1][1][-1]])]
    for (_, before), (command, points) in zip(ways[-2::-1], ways[:0:-1], strict=True):
        back.append((command, [*points[-2::-1], before[-1]]))
    if len(ways) < len(part):
        back.append(("Z", []))
    return back


def _written(segments: Iterable[Segment]) -> str:
    return "".join(command + " ".join(f"{number(x)} {number(y)}" for x, y in points) for command, points in segments)
