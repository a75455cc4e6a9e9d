"""Coats, jackets and blazers: laid flat, seen from the front."""

from etalage.sample.silhouettes.shapes import cushions, dots, lines, polygon, rounded_box
from etalage.sample.silhouettes.sketch import Hanger, Item, Sketch
from etalage.sample.silhouettes.transforms import flip, mirror, pair

__all__ = ["blazer", "puffer_jacket", "trench_coat"]


def trench_coat(cut: str) -> Sketch:
    """Outline a trench coat: double-breasted, belted, with epaulettes, a storm flap and cuff straps."""
    hem, flare = {"short": (38, 50), "mid-length": (80, 58), "long": (124, 66)}[cut]
    body = mirror(
        f"M0 -100L18 -116L28 -113L56 -98Q54 -60 47 -36Q42 -18 42 -8Q44 8 {flare} {hem}Q30 {hem + 5} 0 {hem + 4}"
    )
    sleeve = "M54 -99Q70 -94 76 -66L93 26Q82 34 70 33L52 -34Q48 -70 54 -99Z"
    collar = "M16 -118Q26 -113 34 -98L29 -84L12 -78L4 -92Q10 -104 16 -118Z"
    lapel = "M12 -78L29 -84L41 -79L34 -60L0 -28L-3 -44L6 -62Z"
    belt = polygon((-44, -17), (44, -17), (44.5, -3), (-44.5, -3))
    tail = "M18 -6L30 -4L35 26L29 34L22 29Z"
    cuff = "M66 17L89 8L90.5 16L69 25Z"
    pocket = "M26 14L35 11L42 38L33 41Z"
    epaulette = "M27 -112L53 -98L50 -90L25 -103Z"
    flap = "M41 -79L54 -86Q53 -62 47 -48Q36 -44 24 -51L34 -60Z"
    # A short coat ends above the lower buttons.
    buttons = [(side * 17, y) for y in (-38, 12, 36, 62, 88) if y < hem - 12 for side in (1, -1)]
    return Sketch(
        fabric=body + pair(sleeve) + pair(collar) + tail,
        back=(Item("lining", "M-19 -116Q0 -123 19 -116L8 -84L-8 -84Z"),),
        sunken="M-12 -105Q0 -112 12 -105L2 -82L-2 -82Z",
        raised=pair(epaulette)
        + flap
        + flip(pocket)
        + pocket
        + pair(cuff)
        + lapel
        + flip(lapel)
        + pair(collar)
        + tail
        + belt,
        folds=pair(f"M34 2Q38 {hem * 0.6} {flare - 14} {hem}L{flare - 22} {hem + 2}Q34 {hem * 0.5} 34 2Z")
        + pair("M56 -60Q66 -30 74 10L68 10Q60 -30 56 -60Z"),
        seams=lines((-7, -3, -9, hem + 4)) + pair("M54 -98Q49 -70 52 -36"),
        stitches=pair("M91 22Q82 29 70 28") + f"M{-flare + 3} {hem - 5}Q0 {hem} {flare - 3} {hem - 5}",
        front=(
            Item("metal", dots(4.4, *buttons)),
            Item("metal", dots(2.4, (34, -98), (-34, -98), (84, 14), (-84, 14))),
            Item("metal", rounded_box(-13, -21, 13, 1, 4), 4.5),
            Item("metal", lines((0, -10, 12, -10)), 3),
        ),
        hanger=Hanger(-112, 54, hem),
        drapes=True,
    )


def puffer_jacket(cut: str) -> Sketch:
    """Outline a puffer jacket: rows of cushions, a high collar and a long zip."""
    hem, count = {"short": (52, 6), "long": (124, 9), "sleeveless": (62, 6)}[cut]
    sleeveless = cut == "sleeveless"
    shoulder, top = (44, -96) if sleeveless else (54, -92), -58
    spacing = (hem - top) / count
    body = mirror(
        f"M0 -96L22 -106Q40 -104 {shoulder[0]} {shoulder[1]}L48 {top}"
        + cushions((48, top), (56, hem), count, 12)
        + f"Q28 {hem + 6} 0 {hem + 6}"
    )
    sleeve = (
        "M50 -96Q66 -94 72 -78"
        + cushions((72, -78), (92, 38), 6, 11)
        + "Q82 46 68 43"
        + cushions((68, 43), (50, -46), 5, 5)
        + "Z"
    )
    # Seams meet the side where its scallops do, as both are `count` even steps from top to hem.
    rows = [top + spacing * row for row in range(count + 1)]
    arms = [(56 + row * 3.6, 75 + row * 3.4, -58 + row * 19.3) for row in range(6)]
    return Sketch(
        fabric=body
        + ("" if sleeveless else pair(sleeve))
        + "M-27 -98Q-31 -124 -22 -124Q0 -130 22 -124Q31 -124 27 -98Q0 -88 -27 -98Z",
        back=(Item("lining", pair("M40 -98L50 -60L40 -50Z")),) if sleeveless else (),
        raised="M-27 -98Q-31 -124 -22 -124Q0 -130 22 -124Q31 -124 27 -98Q0 -88 -27 -98Z",
        sunken=polygon((-5, -122), (5, -122), (5, hem + 5), (-5, hem + 5)),
        folds="".join(
            f"M-56 {y - 6:.1f}Q0 {y:.1f} 56 {y - 6:.1f}L56 {y:.1f}Q0 {y + 6:.1f} -56 {y:.1f}Z" for y in rows[1:]
        )
        + "M-30 -102Q0 -92 30 -102L30 -110Q0 -102 -30 -110Z",
        highlights=pair(
            "".join(f"M10 {y + 4:.1f}Q34 {y + 1:.1f} 52 {y + 5:.1f}Q34 {y + 11:.1f} 10 {y + 9:.1f}Z" for y in rows[:-1])
        ),
        seams="".join(f"M-55 {y:.1f}Q0 {y + 6:.1f} 55 {y:.1f}" for y in rows)
        + "M-28 -110Q0 -104 28 -110"
        + pair("M50 -94Q44 -70 50 -46" if not sleeveless else "M38 -97Q36 -76 46 -58")
        + (
            ""
            if sleeveless
            else pair(
                "".join(
                    f"M{x0:.1f} {y + 5:.1f}Q{(x0 + x1) / 2:.1f} {y + 7:.1f} {x1 + 4:.1f} {y - 4:.1f}"
                    for x0, x1, y in arms
                )
            )
        )
        + pair(f"M30 {hem - spacing * 2.2:.1f}L44 {hem - spacing:.1f}"),
        front=(
            Item("metal", lines((0, -120, 0, hem + 4)), 3.6),
            Item("metal", rounded_box(-4, -102, 4, -84, 3)),
            Item("metal", dots(3, (32, hem - spacing * 1.9), (-32, hem - spacing * 1.9))),
        ),
        hanger=Hanger(-112, 52, hem),
    )


def blazer(cut: str) -> Sketch:
    """Outline a blazer: notched lapels, a welt at the chest, two flap pockets, metal buttons."""
    double = cut == "double-breasted"
    # Two rows of buttons close the coat to the hem; with one, the fronts curve apart below the last button.
    front = "Q40 74 12 72L0 72" if double else "Q58 68 34 70Q14 70 3 40L0 30"
    # The middle begins below the neck, and for one row of buttons ends above the hem: the lining shows in both gaps.
    body = mirror("M0 -34L20 -102L30 -100L56 -88Q54 -50 47 -20Q46 0 54 68" + front)
    sleeve = "M54 -90Q71 -84 77 -58L93 58Q83 66 71 64L52 -22Q48 -62 54 -90Z"
    lapel_end = -22 if double else 2
    collar = "M17 -106Q26 -100 33 -84L27 -71L14 -76Q8 -90 17 -106Z"
    lapel = (
        f"M12 -78L25 -71L42 -72L38 -58L2 {lapel_end}L-3 {lapel_end - 10}Z"
        if double
        else f"M12 -78L25 -71L36 -62L33 -52L2 {lapel_end}L-2 {lapel_end - 12}Z"
    )
    pocket = "M20 20L46 18L47 29L21 31Z"
    if double:
        buttons = [(side * x, y) for x, y in ((16, -8), (16, 14), (16, 36)) for side in (1, -1)]
    else:
        buttons = [(0, 8), (0, 30)]
    cuffs = [(74 + 0.9 * step, 40 + 6.5 * step) for step in range(3)]
    return Sketch(
        fabric=body + pair(sleeve) + pair(collar),
        back=(
            Item("lining", f"M-21 -106Q0 -112 21 -106L30 -70L0 {lapel_end + 4}L-30 -70Z"),
            *(() if double else (Item("lining", "M-34 68L0 24L34 68Z"),)),
        ),
        raised=pair(pocket) + "M18 -34L38 -38L38 -31L18 -27Z" + flip(lapel) + lapel + pair(collar),
        folds=pair("M34 -30Q36 -4 40 18L34 18Q32 -8 34 -30Z") + pair("M58 -50Q68 -10 76 36L71 36Q62 -10 58 -50Z"),
        seams=pair("M54 -88Q48 -60 52 -24M36 -30Q30 0 34 20") + ("M-8 -12L-8 72" if double else "M2 4Q-2 30 -6 44"),
        stitches=pair("M20 20L46 18"),
        front=(
            Item("metal", dots(5, *buttons)),
            Item("hole", dots(1, *((x + d, y) for x, y in buttons for d in (-1.6, 1.6)))),
            Item("metal", dots(2.4, *cuffs, *((-x, y) for x, y in cuffs))),
            Item("ivory", "M20 -35L24 -46L29 -38L33 -48L37 -38Z"),
        ),
        hanger=Hanger(-102, 54, 70),
        drapes=True,
    )
