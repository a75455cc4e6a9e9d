"""SVG path data: parsing, serializing and the types that the rest of this package passes around.

Outlines are written by hand in a product's own coordinates: about -100 to 100 in x and -125 to 125 in y, y downwards;
absolute commands only (M, L, Q, C, Z). Closed outlines that are filled together run clockwise: SVG fills by winding
number, and an overlap with a counter-clockwise outline would become a hole.
"""

import re
from collections.abc import Iterable, Iterator

__all__ = ["Box", "Point", "Segment", "format_number", "parse_path", "serialize_path", "split_subpaths"]

Point = tuple[float, float]
"""x and y."""
Segment = tuple[str, list[Point]]
"""A command letter and its points: none for Z, one for M and L, two for Q, three for C."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_POINTS_PER_COMMAND = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 1}
_TOKEN = re.compile(r"([MLQCZ])([^MLQCZ]*)")
# Neither .5 nor 1e-3 is read: outlines are written by hand, and `format_number` writes neither.
_NUMBER = re.compile(r"-?\d+\.?\d*")


def format_number(value: float) -> str:
    """Format a coordinate with at most two decimals and without trailing zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text  # -0.001 rounds to it


def parse_path(outline: str) -> list[Segment]:
    """Split path data into segments; a command that is followed by more points than it takes is repeated."""
    parsed: list[Segment] = []
    for command, text in _TOKEN.findall(outline):
        values = [float(value) for value in _NUMBER.findall(text)]
        points = list(zip(values[::2], values[1::2], strict=True))
        size = _POINTS_PER_COMMAND[command]
        # Z has no points, but is a segment all the same.
        parsed.extend((command, points[start : start + size]) for start in range(0, max(1, len(points)), size))
    return parsed


def serialize_path(segments: Iterable[Segment]) -> str:
    """Write segments as path data."""
    return "".join(
        command + " ".join(f"{format_number(x)} {format_number(y)}" for x, y in points) for command, points in segments
    )


def split_subpaths(outline: str) -> Iterator[list[Segment]]:
    """Yield the segments of each subpath, starting with its M."""
    subpath: list[Segment] = []
    for command, points in parse_path(outline):
        if command == "M" and subpath:
            yield subpath
            subpath = []
        subpath.append((command, points))
    if subpath:
        yield subpath
