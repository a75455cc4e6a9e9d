"""Scarves, caps, belts, umbrellas."""

from etalage.sample.silhouettes.shapes import circle, dots, ellipse, fan, lines, polygon, rounded_box
from etalage.sample.silhouettes.sketch import Item, Sketch
from etalage.sample.silhouettes.transforms import mirror, mirror_line, pair

__all__ = ["belt", "cap", "scarf", "umbrella"]


def scarf(cut: str) -> Sketch:
    """Outline a scarf: looped once with two fringed ends, or a silk square with one corner folded over."""
    if cut == "square":
        corner = "M38 -84L84 -38Q50 -26 30 -30Q26 -50 38 -84Z"
        return Sketch(
            fabric="M-84 -84Q-20 -78 38 -84L84 -38Q78 20 84 84Q20 78 -84 84Q-78 20 -84 -84Z",
            raised=corner,
            sunken="M30 -30Q50 -26 84 -38L84 -28Q48 -14 24 -20Z",
            folds="M-84 -10Q-20 6 20 84L8 84Q-26 16 -84 4ZM-20 -81Q0 -20 84 30L84 42Q-14 -10 -32 -82Z",
            highlights="M-84 6Q-30 20 6 84L-6 84Q-36 28 -84 18ZM-34 -82Q-16 -8 84 44L84 54Q-30 4 -46 -82Z",
            seams="M-74 -75Q-20 -69 34 -74M74 -34Q70 20 75 75Q20 70 -74 75Q-70 20 -74 -75",
            stitches="M-81 -81Q-20 -75 38 -81M81 -38Q75 20 81 81Q20 75 -81 81Q-75 20 -81 -81",
            drapes=True,
        )
    tails = "M-34 -40L-2 -34Q0 20 -8 88L-54 84Q-44 20 -34 -40ZM2 -34L36 -42Q44 10 56 62L10 68Q6 20 2 -34Z"
    ring = "M-58 -66Q-54 -108 0 -110Q54 -108 58 -66Q54 -28 0 -24Q-54 -28 -58 -66Z"
    return Sketch(
        fabric=tails + ring,
        back=(
            Item(
                "fringe",
                fan((-53, 84, -9, 84), (-56, 108, -10, 108), 12) + fan((11, 64, 55, 64), (12, 87, 60, 87), 12),
                2.4,
            ),
        ),
        raised=ring,
        sunken="M-34 -82Q-30 -98 0 -99Q30 -98 34 -82Q20 -72 0 -72Q-20 -72 -34 -82Z",
        folds="M-54 -56Q-20 -34 50 -52Q10 -26 -36 -34ZM-50 -84Q-40 -60 30 -62Q-20 -54 -46 -64Z"
        "M-24 -34Q-30 20 -36 84L-28 86Q-22 20 -18 -30ZM24 -36Q26 20 38 64L30 66Q20 20 18 -34Z",
        highlights="M-46 -52Q0 -36 48 -58Q10 -44 -40 -60ZM-18 -32Q-20 20 -24 86L-16 86Q-12 20 -12 -32Z",
        seams="M-54 -56Q-10 -36 52 -62M-48 -80Q-30 -54 46 -64" + lines((-53, 80, -9, 84), (11, 63, 54, 58)),
        drapes=True,
    )


def cap(cut: str) -> Sketch:
    """Outline a cap: six panels and a long visor, or a bucket hat with a stitched brim all round."""
    if cut == "bucket":
        brim = "M-54 4Q0 24 54 4Q86 26 98 56Q60 84 0 84Q-60 84 -98 56Q-86 26 -54 4Z"
        rings = "".join(f"M{-58 - 9 * s} {10 + 11 * s}Q0 {34 + 14 * s} {58 + 9 * s} {10 + 11 * s}" for s in range(5))
        return Sketch(
            fabric=mirror("M0 -72Q34 -72 40 -60Q50 -20 56 8Q30 18 0 18") + brim,
            raised=brim,
            folds="M-54 4Q0 24 54 4L58 12Q0 34 -58 12Z" + pair("M30 -64Q42 -20 48 6L36 10Q36 -30 30 -64Z"),
            highlights="M-90 54Q-60 76 0 77Q60 76 90 54Q60 68 0 68Q-60 68 -90 54Z",
            seams=mirror_line("M0 -58Q30 -58 41 -56") + lines((0, -72, 0, 18)) + "M-54 4Q0 24 54 4",
            stitches=rings,
            front=(Item("dark", dots(3, (-30, -22), (-22, -22))),),
            stands=True,
        )
    crown = "M-74 34Q-82 -62 -8 -64Q58 -62 62 30Q0 48 -74 34Z"
    visor = "M-10 40Q20 28 62 30Q98 36 112 58Q112 66 100 68Q60 50 -2 56Q-12 50 -10 40Z"
    return Sketch(
        fabric=crown + visor,
        back=(Item("dark", ellipse(-8, -65, 8, 4)),),
        raised=visor,
        sunken="M-2 56Q60 50 100 68Q108 68 112 60Q114 68 106 74Q60 58 2 62Z",
        folds="M-74 34Q-82 -40 -40 -56Q-64 -20 -56 37ZM-10 40Q20 28 62 30L61 22Q20 22 -12 34Z",
        highlights="M4 -54Q40 -44 46 4Q36 -30 4 -54ZM20 40Q70 36 98 56Q60 42 20 46Z",
        seams="M-8 -64Q-34 -20 -28 39M-8 -64Q30 -30 30 30M-74 34Q0 48 62 30",
        stitches="M-10 -60Q-38 -20 -33 39M-3 -62Q36 -30 36 29M-72 28Q0 42 60 25M4 45Q60 36 104 62M2 50Q60 42 102 66",
        front=(Item("dark", dots(2.6, (-40, -26), (2, -34), (38, -20))),),
        stands=True,
    )


def belt(cut: str) -> Sketch:
    """Outline a belt, rolled to a ring with the buckle in front."""
    # The front half of the ring is fabric; the back half, seen from the inside, is lining.
    loop = "M-100 -16C-100 24 -50 40 0 40C50 40 100 24 100 -16L100 16C100 56 50 74 0 74C-50 74 -100 56 -100 16Z"
    inner = "M-100 -16C-100 -50 -50 -62 0 -62C50 -62 100 -50 100 -16L100 6C96 -24 50 -36 0 -36C-50 -36 -96 -24 -100 6Z"
    if cut == "square buckle":
        frame = Item("metal", rounded_box(-27, 34, 21, 82, 5), 9)
        prong = Item("metal", lines((-26, 57, 20, 58)), 5)
    else:
        frame = Item("metal", circle(-3, 58, 27), 9)
        prong = Item("metal", lines((-29, 57, 22, 58)), 5)
    return Sketch(
        fabric=loop,
        back=(Item("lining", inner),),
        raised="M-34 38.500L-46 36L-46 69L-34 72Z",
        folds="M-100 16C-100 56 -50 74 0 74C50 74 100 56 100 16L100 8C98 46 50 64 0 64C-50 64 -98 46 -100 8Z",
        highlights="M-96 -2C-90 34 -40 48 0 49C40 48 90 34 96 -2C88 28 40 40 0 40C-40 40 -88 28 -96 -2Z",
        stitches="M-97 -6C-92 28 -46 45 0 45C46 45 92 28 97 -6M-97 12C-94 50 -48 69 0 69C48 69 94 50 97 12",
        front=(
            Item("hole", dots(2.6, (44, 52), (58, 47), (71, 40), (83, 31))),
            frame,
            prong,
            Item("metal", "M-46 34L-36 37L-36 74L-46 71Z"),
        ),
        stands=True,
    )


def umbrella(cut: str) -> Sketch:
    """Outline an umbrella: open on eight ribs, or rolled and strapped; with a crook of wood."""
    if cut == "folded":
        roll = "M-6 -96L6 -96Q20 -60 18 20Q17 50 10 66L-10 66Q-17 50 -18 20Q-20 -60 -6 -96Z"
        return Sketch(
            fabric=roll,
            back=(
                Item("metal", lines((0, -122, 0, 90)), 5),
                Item("wood", "M0 76L0 100Q0 122 16 122Q32 122 32 102", 10),
            ),
            raised="M-19 10L19 2L19 14L-19 22Z",
            folds="M6 -94Q20 -60 18 20Q17 50 10 66L4 66Q10 20 10 -20ZM-12 -60Q-4 0 -6 66L-11 66Q-14 20 -12 -60Z",
            highlights="M-3 -90Q2 -20 -1 66L-5 66Q-6 -20 -3 -90Z",
            seams="M-2 -96Q-12 -30 -8 66M3 -96Q6 -30 1 66M5 -96Q16 -30 8 66M-18 30Q0 40 18 20",
            front=(
                Item("metal", polygon((-3, -124), (3, -124), (6, -94), (-6, -94))),
                Item("metal", rounded_box(-11, 64, 11, 76, 3)),
                Item("metal", circle(12, 9, 4)),
                Item("metal", lines((26, 102, 38, 102)), 5),
            ),
        )
    # Two arcs of this half: with their mirror images the edge hangs from the tips of the ribs.
    scallops = "Q75 2 50 14Q25 2 0 14"
    return Sketch(
        fabric=mirror("M0 -98Q84 -92 100 14" + scallops),
        back=(
            Item("metal", lines((0, -118, 0, 84)), 5),
            Item("wood", "M0 78L0 96Q0 114 16 114Q32 114 32 98", 9),
            Item("hole", pair("M0 40L48 12M0 40L24 10"), 1.2),
            Item("metal", rounded_box(-5, 36, 5, 46, 2)),
        ),
        folds=pair("M0 -98Q84 -92 100 14L86 5Q66 -70 0 -98Z") + pair("M0 -98Q44 -60 50 14L40 6Q36 -50 0 -98Z"),
        highlights="M0 -98Q-40 -60 -48 12L-28 6Q-26 -50 0 -98ZM0 -98Q14 -50 14 6L4 12Q6 -40 0 -98Z",
        seams=pair("M0 -98Q44 -60 50 14") + lines((0, -98, 0, 14)),
        front=(Item("metal", polygon((-3, -122), (3, -122), (5, -96), (-5, -96))),),
    )
