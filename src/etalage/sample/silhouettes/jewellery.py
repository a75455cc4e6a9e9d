"""Sunglasses, perfume, earrings, necklaces and watches: of metal, glass and stone."""

import math
from itertools import pairwise

from etalage.sample.silhouettes.shapes import circle, dots, ellipse, lines, polygon, rounded_box
from etalage.sample.silhouettes.sketch import Item, Sketch
from etalage.sample.silhouettes.transforms import mirror, pair, transform

__all__ = ["earrings", "necklace", "perfume", "sunglasses", "watch"]


def sunglasses(cut: str) -> Sketch:
    """Outline sunglasses: lenses in the colour in a metal frame, the temples folded back."""
    lens = {
        "round": circle(50, 0, 36),
        "square": rounded_box(12, -28, 90, 30, 8),
        "cat-eye": "M13 -8Q30 -26 66 -30L100 -44Q100 -6 82 18Q60 38 34 28Q12 18 13 -8Z",
        "aviator": "M16 -22Q30 -32 60 -30Q92 -28 92 -14Q92 26 62 40Q34 46 20 18Q10 -8 16 -22Z",
    }[cut]
    bridge = {
        "round": "M-15 -6Q0 -18 15 -6",
        "square": "M-12 -12Q0 -20 12 -12",
        "cat-eye": "M-13 -8Q0 -18 13 -8",
        "aviator": "M-15 -16Q0 -8 15 -16M-20 -28L20 -28",
    }[cut]
    shine = {
        "round": "M24 -8Q30 -28 52 -29Q34 -16 30 8ZM60 -30L68 -29L36 28L30 24Z",
        "square": "M18 -22L40 -22L20 22L18 22ZM50 -22L58 -22L34 26L26 26Z",
        "cat-eye": "M20 -8Q34 -20 54 -23Q34 -8 32 22Q20 12 20 -8ZM64 -24L72 -26L50 30L42 29Z",
        "aviator": "M22 -20Q34 -26 46 -25Q30 -8 28 22Q18 -4 22 -20ZM56 -26L64 -26L44 36L38 34Z",
    }[cut]
    return Sketch(
        back=(
            Item("metal", "M-92 -18Q-60 -56 -20 -46L70 -40M92 -18Q60 -60 10 -52L-60 -46", 5),
            Item("ink", "M-24 -47Q0 -44 20 -43M18 -52Q0 -51 -16 -50", 6),
        ),
        front=(
            Item("stone", pair(lens)),
            # Moved, not mirrored: both lenses reflect the same light from the same side.
            Item("shine", shine + transform(shine, -102)),
            Item("metal", pair(lens), 7 if cut in ("square", "cat-eye") else 5),
            Item("metal", bridge, 5),
            Item("pearl", pair(ellipse(14, 12, 2.6, 5))),
            Item("metal", pair(rounded_box(88, -26, 98, -14, 2))),
        ),
        stands=True,
    )


def perfume(cut: str) -> Sketch:
    """Outline a bottle of perfume: thick glass, a liquid in the colour, cap and collar of metal."""
    glass, liquid, label, cap, top = {
        "round": (
            circle(0, 34, 72),
            mirror("M0 0Q30 -4 50 0C66 24 62 94 0 95"),
            ellipse(0, 42, 34, 24),
            circle(0, -84, 26),
            -62,
        ),
        "square": (
            rounded_box(-68, -36, 68, 104, 12),
            rounded_box(-57, -12, 57, 90, 7),
            rounded_box(-36, 14, 36, 66, 2),
            rounded_box(-30, -104, 30, -56, 5),
            -58,
        ),
        "tall": (
            mirror("M0 -48L30 -48Q42 -46 42 -34L50 108Q50 118 40 118L0 118"),
            mirror("M0 -18L33 -18L40 102Q40 106 36 106L0 106"),
            rounded_box(-24, 10, 24, 84, 2),
            mirror("M0 -124Q22 -124 22 -116L24 -66L0 -66"),
            -70,
        ),
    }[cut]
    left, y = {"round": (-22, 42), "square": (-24, 40), "tall": (-15, 46)}[cut]
    base = {"round": -38, "square": -36, "tall": -48}[cut]
    return Sketch(
        front=(
            Item("glass", glass),
            Item("stone", liquid),
            Item("shine", _gleam(cut)),
            Item("ivory", label),
            Item(
                "hole",
                rounded_box(left, y - 9, -left, y - 5, 1) + rounded_box(left * 0.6, y + 3, -left * 0.6, y + 6, 1),
            ),
            Item("metal", label, 2.4),
            Item("metal", rounded_box(-16, top, 16, base + 2, 2)),
            Item("metal", cap),
            Item(
                "shine",
                {
                    "round": "M-14 -94Q-8 -104 2 -104Q-6 -96 -10 -82Z",
                    "square": "M-24 -98L-14 -98L-14 -62L-24 -62Z",
                    "tall": "M-17 -118L-10 -118L-11 -72L-18 -72Z",
                }[cut],
            ),
        ),
        stands=True,
    )


def _gleam(cut: str) -> str:
    """Return the window that the glass reflects."""
    return {
        "round": "M-62 34Q-60 -14 -20 -30Q-46 -4 -52 40Q-50 76 -30 92Q-60 78 -62 34Z",
        "square": "M-62 -30L-48 -30L-48 98L-62 98ZM-40 -12L-34 -12L-34 90L-40 90Z",
        "tall": "M-37 -40L-28 -42L-36 112L-44 110ZM-22 -18L-17 -18L-22 106L-28 106Z",
    }[cut]


def earrings(cut: str) -> Sketch:
    """Outline a pair of earrings: hoops with a stone at the foot, drops, or studs in claws."""
    right: tuple[Item, ...]
    if cut == "hoop":
        right = (
            Item("metal", circle(50, 8, 38), 8),
            Item("metal", "M50 -30L50 -42Q50 -50 44 -50", 3),
            Item("metal", circle(50, 52, 17)),
            Item("stone", circle(50, 52, 13)),
            Item("shine", "M42 48Q44 42 50 42Q46 46 45 52Z"),
        )
    elif cut == "drop":
        right = (
            Item("metal", "M44 -70Q36 -92 48 -96Q58 -96 56 -78L50 -58", 4),
            Item("metal", circle(50, -46, 11)),
            Item("metal", lines((50, -38, 50, -10)), 3.4),
            Item("metal", "M50 -20Q58 14 76 40Q82 78 50 82Q18 78 24 40Q42 14 50 -20Z"),
            Item("stone", "M50 0Q56 22 68 44Q72 72 50 74Q28 72 32 44Q44 22 50 0Z"),
            Item("shine", "M44 26Q34 44 36 56Q42 60 44 50Z"),
        )
    else:
        # Half a step of rotation lays a flat side of the octagon on top.
        points = [(50 + 34 * math.cos(a), 34 * math.sin(a)) for a in (math.pi * (k + 0.5) / 4 for k in range(8))]
        inner = [(50 + 18 * math.cos(a), 18 * math.sin(a)) for a in (math.pi * (k + 0.5) / 4 for k in range(8))]
        right = (
            Item("metal", circle(50, 0, 42)),
            Item("stone", polygon(*points)),
            Item("facet", polygon(*inner) + lines(*((*a, *b) for a, b in zip(points, inner, strict=True))), 1.2),
            Item("shine", polygon(inner[4], inner[5], points[5], points[4]) + polygon(inner[0], inner[7], (50, 0))),
            Item(
                "metal",
                dots(
                    6, *((50 + 36 * math.cos(a), 36 * math.sin(a)) for a in (math.pi * (k + 0.5) / 2 for k in range(4)))
                ),
            ),
        )
    # Moved, not mirrored, so that both stones shine on the same side.
    left = tuple(Item(item.paint, transform(item.path, -100, -4), item.stroke_width) for item in right)
    casters = tuple(item for item in (*left, *right) if item.paint == "metal")[:: 1 if cut == "drop" else 2]
    return Sketch(front=(*left, *right), shadow_casters=casters, stands=cut != "drop")


def necklace(cut: str) -> Sketch:
    """Outline a necklace: a fine chain with a pendant, a chain of large links, or a string of beads."""
    if cut == "pendant":
        return Sketch(
            front=(
                Item("chain", "M-70 -112Q-66 -10 0 40Q66 -10 70 -112", 4),
                Item("metal", circle(0, 44, 7), 3.4),
                Item("metal", "M0 50L32 80L0 120L-32 80Z"),
                Item("stone", "M0 58L24 81L0 110L-24 81Z"),
                Item("facet", "M0 58L0 110M-24 81L24 81M-10 70L0 81L10 70", 1.2),
                Item("shine", "M-18 80L-4 66L-2 80Z"),
            ),
            shadow_casters=(
                Item("chain", "M-70 -112Q-66 -10 0 40Q66 -10 70 -112", 3),
                Item("metal", "M0 50L32 80L0 120L-32 80Z"),
            ),
        )
    # With y downwards, angles run clockwise; the gap of 60 degrees at the top is the neck.
    places = [(92 * math.cos(a), -30 + 108 * math.sin(a)) for a in (math.radians(d) for d in range(-62, 243, 15))]
    # One line throws the shadow of all beads or links: many small shapes are what takes the renderer's time.
    string = Item("metal", "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places), 14)
    if cut == "beaded":
        # Larger towards the front, which hangs lowest.
        beads = [(x, y, 7 + 6 * max(0, (y + 30) / 108)) for x, y in places]
        between = [((x0 + x1) / 2, (y0 + y1) / 2) for (x0, y0), (x1, y1) in pairwise(places)]
        return Sketch(
            front=(
                Item("metal", string.path, 4),
                Item("stone", "".join(circle(x, y, size) for x, y, size in beads)),
                Item("shine", "".join(circle(x - size * 0.35, y - size * 0.4, size * 0.28) for x, y, size in beads)),
                Item("metal", dots(4, *between)),
                Item("metal", rounded_box(-30, -134, 30, -122, 5)),
            ),
            shadow_casters=(string,),
        )
    links = "".join(
        # A right angle to the radius, so that links lie along the chain.
        transform(rounded_box(-13, -8, 13, 8, 7), x, y, rotation=math.degrees(math.atan2(y + 30, x)) + 90)
        for x, y in places
    )
    return Sketch(
        front=(
            Item("metal", links, 5),
            Item("stone", circle(0, 82, 20)),
            Item("metal", circle(0, 82, 20), 5),
            Item("shine", "M-12 78Q-8 68 2 67Q-6 74 -7 84Z"),
        ),
        shadow_casters=(string,),
    )


def watch(cut: str) -> Sketch:
    """Outline a watch: a dial in the colour on a bracelet of links."""
    case, dial = (
        (circle(0, 0, 52), circle(0, 0, 41))
        if cut == "round"
        else (rounded_box(-46, -54, 46, 54, 12), rounded_box(-36, -44, 36, 44, 6))
    )
    rim_x, rim_y = (36, 36) if cut == "round" else (30, 38)
    marks = []
    for hour in range(12):
        # Clockwise from 12, with y downwards.
        x, y = math.sin(math.pi * hour / 6), -math.cos(math.pi * hour / 6)
        # On a square dial the hours are moved outwards from the circle to the edge of the square.
        stretch = 1 if cut == "round" else 1 / max(abs(x), abs(y))
        x, y = x * stretch, y * stretch
        marks.append((x * rim_x, y * rim_y, x * (rim_x - 7), y * (rim_y - 7)))
    rows = [y for side in (1, -1) for y in (side * 61, side * 75, side * 89, side * 103, side * 117)]
    wide = "".join(rounded_box(-11, y - 6, 11, y + 6, 2) for y in rows)
    narrow = "".join(
        rounded_box(-30 + abs(y) / 12, y - 6, -13, y + 6, 2) + rounded_box(13, y - 6, 30 - abs(y) / 12, y + 6, 2)
        for y in rows
    )
    return Sketch(
        back=(Item("metal", wide + narrow), Item("shade", wide)),
        # One outline stands for the bracelet's links.
        shadow_casters=(Item("metal", mirror("M0 -122L20 -122L27 -50L27 50L20 122L0 122")), Item("metal", case)),
        front=(
            Item("metal", rounded_box(46, -7, 60, 7, 3)),
            Item("metal", case),
            Item("stone", dial),
            Item("metal", dial, 2.4),
            Item("mark", lines(*marks), 3),
            Item("mark", lines((0, 0, -17, -14), (0, 0, 9, -27)), 3.6),
            Item("mark", circle(0, 0, 3.4)),
            Item("metal", lines((0, 8, 0, -30)), 1.2),
            Item("shine", "M-34 -12Q-28 -34 -4 -38Q-22 -20 -24 14Z" if cut == "round" else "M-34 -42L-6 -42L-34 20Z"),
        ),
    )
