"""Outlines of simple shapes as SVG path data: lines, polygons, ellipses, boxes."""

import math

from etalage.sample.silhouettes.path import Box, Point, Segment, serialize_path

__all__ = ["circle", "cushions", "dots", "ellipse", "fan", "lines", "polygon", "rounded_box"]

_CIRCLE_HANDLE = 0.5523
"""Length of a cubic's handle, in radii, for which four cubics make a circle."""


def polygon(*points: Point) -> str:
    """Return a closed outline that is straight from corner to corner."""
    return serialize_path([("M", [points[0]]), *(("L", [point]) for point in points[1:]), ("Z", [])])


def lines(*ends: tuple[float, float, float, float]) -> str:
    """Return straight open lines, each given as x0, y0, x1, y1."""
    return "".join(serialize_path([("M", [(x0, y0)]), ("L", [(x1, y1)])]) for x0, y0, x1, y1 in ends)


def fan(start: Box, end: Box, count: int) -> str:
    """Return evenly spaced lines between two edges, such as ribs or a fringe.

    Args:
        start: The edge where the lines begin, as x0, y0, x1, y1.
        end: The edge where they end, likewise.
        count: The number of lines, at least 2.
    """
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
    """Return an ellipse, clockwise from its left end.

    Args:
        x: The middle.
        y: The middle.
        rx: Half of the width.
        ry: Half of the height.
    """
    kx, ky = rx * _CIRCLE_HANDLE, ry * _CIRCLE_HANDLE
    return serialize_path(
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
    """Return a circle, clockwise from its left end.

    Args:
        x: The middle.
        y: The middle.
        radius: Its radius.
    """
    return ellipse(x, y, radius, radius)


def dots(radius: float, *centres: Point) -> str:
    """Return equal circles, such as buttons, eyelets or beads.

    Args:
        radius: The radius of each.
        *centres: The middle of each.
    """
    return "".join(circle(x, y, radius) for x, y in centres)


def rounded_box(left: float, top: float, right: float, bottom: float, radius: float) -> str:
    """Return a box with round corners.

    Args:
        left: Left edge.
        top: Upper edge.
        right: Right edge.
        bottom: Lower edge.
        radius: Radius of the corners.
    """
    r = radius
    return serialize_path(
        [
            ("M", [(left + r, top)]),
            ("L", [(right - r, top)]),
            # Quadratic corners: at this size nobody sees that they are no exact circles, and the path is shorter.
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


def cushions(start: Point, end: Point, count: int, bulge: float) -> str:
    """Return the scalloped side of a quilted part, to be set into an outline whose pen stands at `start`.

    Args:
        start: Where the side begins; not written, since the pen is there.
        end: Where the side ends.
        count: The number of cushions along it.
        bulge: How far the curves' handles stand out, to the left of the direction of drawing.
    """
    (x0, y0), (x1, y1) = start, end
    length = math.hypot(x1 - x0, y1 - y0)
    # The direction rotated by a quarter: with y downwards this is the outside of a clockwise outline.
    out_x, out_y = (y1 - y0) / length * bulge, (x0 - x1) / length * bulge
    curves: list[Segment] = []
    for step in range(count):
        middle, stop = (step + 0.5) / count, (step + 1) / count
        handle = (x0 + (x1 - x0) * middle + out_x, y0 + (y1 - y0) * middle + out_y)
        curves.append(("Q", [handle, (x0 + (x1 - x0) * stop, y0 + (y1 - y0) * stop)]))
    return serialize_path(curves)
