"""Coats, jackets, tops, dresses, skirts, trousers: laid flat, seen from the front."""

from collections.abc import Sequence

from etalage.sample.silhouettes.outline import (
    across,
    circle,
    dots,
    ellipse,
    fan,
    flipped,
    lines,
    mirrored,
    pair,
    polygon,
    puffed,
    rounded,
)
from etalage.sample.silhouettes.sketch import Hanger, Item, Sketch

__all__ = [
    "blazer",
    "cardigan",
    "dress",
    "polo",
    "puffer_jacket",
    "shirt",
    "skirt",
    "sweater",
    "trench_coat",
    "trousers",
]


def trench_coat(cut: str) -> Sketch:
    """Double-breasted, belted, with epaulettes, a storm flap and cuff straps."""
    hem, flare = {"short": (38, 50), "mid-length": (80, 58), "long": (124, 66)}[cut]
    body = mirrored(
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
    buttons = [(side * 17, y) for y in (-38, 12, 36, 62, 88) if y < hem - 12 for side in (1, -1)]
    return Sketch(
        cloth=body + pair(sleeve) + pair(collar) + tail,
        back=(Item("lining", "M-19 -116Q0 -123 19 -116L8 -84L-8 -84Z"),),
        sunken="M-12 -105Q0 -112 12 -105L2 -82L-2 -82Z",
        raised=pair(epaulette)
        + flap
        + flipped(pocket)
        + pocket
        + pair(cuff)
        + lapel
        + flipped(lapel)
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
            Item("metal", rounded(-13, -21, 13, 1, 4), 4.5),
            Item("metal", lines((0, -10, 12, -10)), 3),
        ),
        hanger=Hanger(-112, 54, hem),
        drapes=True,
    )


def puffer_jacket(cut: str) -> Sketch:
    """Cushions side by side, a high collar and a long zip."""
    hem, count = {"short": (52, 6), "long": (124, 9), "sleeveless": (62, 6)}[cut]
    sleeveless = cut == "sleeveless"
    shoulder, top = (44, -96) if sleeveless else (54, -92), -58
    step = (hem - top) / count
    body = mirrored(
        f"M0 -96L22 -106Q40 -104 {shoulder[0]} {shoulder[1]}L48 {top}"
        + puffed((48, top), (56, hem), count, 12)
        + f"Q28 {hem + 6} 0 {hem + 6}"
    )
    sleeve = (
        "M50 -96Q66 -94 72 -78"
        + puffed((72, -78), (92, 38), 6, 11)
        + "Q82 46 68 43"
        + puffed((68, 43), (50, -46), 5, 5)
        + "Z"
    )
    rows = [top + step * at for at in range(count + 1)]
    arms = [(56 + at * 3.6, 75 + at * 3.4, -58 + at * 19.3) for at in range(6)]
    return Sketch(
        cloth=body
        + ("" if sleeveless else pair(sleeve))
        + "M-27 -98Q-31 -124 -22 -124Q0 -130 22 -124Q31 -124 27 -98Q0 -88 -27 -98Z",
        back=(Item("lining", pair("M40 -98L50 -60L40 -50Z")),) if sleeveless else (),
        raised="M-27 -98Q-31 -124 -22 -124Q0 -130 22 -124Q31 -124 27 -98Q0 -88 -27 -98Z",
        sunken=polygon((-5, -122), (5, -122), (5, hem + 5), (-5, hem + 5)),
        folds="".join(
            f"M-56 {y - 6:.1f}Q0 {y:.1f} 56 {y - 6:.1f}L56 {y:.1f}Q0 {y + 6:.1f} -56 {y:.1f}Z" for y in rows[1:]
        )
        + "M-30 -102Q0 -92 30 -102L30 -110Q0 -102 -30 -110Z",
        glow=pair(
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
        + pair(f"M30 {hem - step * 2.2:.1f}L44 {hem - step:.1f}"),
        front=(
            Item("metal", lines((0, -120, 0, hem + 4)), 3.6),
            Item("metal", rounded(-4, -102, 4, -84, 3)),
            Item("metal", dots(3, (32, hem - step * 1.9), (-32, hem - step * 1.9))),
        ),
        hanger=Hanger(-112, 52, hem),
    )


def blazer(cut: str) -> Sketch:
    """Notched lapels, a welt at the chest, two flap pockets, metal buttons."""
    double = cut == "double-breasted"
    front = "Q40 74 12 72L0 72" if double else "Q58 68 34 70Q14 70 3 40L0 30"
    body = mirrored("M0 -34L20 -102L30 -100L56 -88Q54 -50 47 -20Q46 0 54 68" + front)
    sleeve = "M54 -90Q71 -84 77 -58L93 58Q83 66 71 64L52 -22Q48 -62 54 -90Z"
    deep = -22 if double else 2
    collar = "M17 -106Q26 -100 33 -84L27 -71L14 -76Q8 -90 17 -106Z"
    lapel = (
        f"M12 -78L25 -71L42 -72L38 -58L2 {deep}L-3 {deep - 10}Z"
        if double
        else f"M12 -78L25 -71L36 -62L33 -52L2 {deep}L-2 {deep - 12}Z"
    )
    pocket = "M20 20L46 18L47 29L21 31Z"
    if double:
        buttons = [(side * x, y) for x, y in ((16, -8), (16, 14), (16, 36)) for side in (1, -1)]
    else:
        buttons = [(0, 8), (0, 30)]
    cuffs = [(74 + 0.9 * at, 40 + 6.5 * at) for at in range(3)]
    return Sketch(
        cloth=body + pair(sleeve) + pair(collar),
        back=(
            Item("lining", f"M-21 -106Q0 -112 21 -106L30 -70L0 {deep + 4}L-30 -70Z"),
            *(() if double else (Item("lining", "M-34 68L0 24L34 68Z"),)),
        ),
        raised=pair(pocket) + "M18 -34L38 -38L38 -31L18 -27Z" + flipped(lapel) + lapel + pair(collar),
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


def shirt(cut: str) -> Sketch:
    """A pointed collar, a placket with pearly buttons, a chest pocket; tails if the sleeves are long."""
    long = cut == "long-sleeve"
    hem = "L56 82Q48 84 38 96Q22 104 0 104" if long else "L58 84Q30 88 0 88"
    body = mirrored(f"M0 -92L20 -110L30 -107L58 -94Q60 -60 55 -34{hem}")
    sleeve = (
        "M56 -95Q74 -90 80 -62L97 62L74 69L54 -26Q50 -66 56 -95Z"
        if long
        else "M56 -95Q76 -90 95 -42L66 -26L54 -44Q50 -72 56 -95Z"
    )
    collar = "M20 -115Q27 -111 32 -101L25 -76L0 -91Q12 -100 20 -115Z"
    bottom = 104 if long else 88
    seams = pair("M57 -94Q50 -66 55 -30") + lines((-6, -86, -6, bottom), (6, -86, 6, bottom)) + "M-54 -80Q0 -90 54 -80"
    cuffs = pair("M70 50L94 43L97 62L74 69Z") if long else pair("M62 -32L91 -50L95 -42L66 -26Z")
    return Sketch(
        cloth=body + pair(sleeve) + pair(collar),
        back=(Item("lining", "M-21 -113Q0 -121 21 -113L8 -86L-8 -86Z"),),
        sunken="M-14 -106Q0 -112 14 -106Q8 -96 0 -91Q-8 -96 -14 -106Z",
        raised="M20 -56L42 -56L42 -34L31 -27L20 -34Z" + cuffs + pair(collar),
        folds=pair("M40 -20Q36 40 44 80L38 84Q30 40 40 -20Z")
        + (pair("M60 -50Q70 -10 78 40L73 41Q64 -10 60 -50Z") if long else ""),
        seams=seams,
        stitches=lines((20, -50, 42, -50)) + pair("M27 -105L22 -80"),
        front=(
            Item("pearl", dots(2.9, *((0, y) for y in range(-78, bottom - 10, 24)))),
            Item("pearl", dots(2.4, *((side * 79, 57) for side in (1, -1))))
            if long
            else Item("pearl", dots(2.4, (31, -50))),
        ),
        hanger=Hanger(-106, 54, bottom),
        drapes=True,
    )


def polo(cut: str) -> Sketch:
    """A soft collar, three buttons, ribbed cuffs, a straight hem."""
    long = cut == "long-sleeve"
    body = mirrored("M0 -88L20 -106L30 -104L60 -90Q58 -60 56 -36L58 90Q30 95 0 95")
    sleeve = (
        "M58 -91Q75 -86 80 -58L95 58L73 64L54 -26Q51 -66 58 -91Z"
        if long
        else "M58 -91Q80 -84 98 -34L68 -20L54 -38Q51 -70 58 -91Z"
    )
    cuff = "M70 50L93 44L95 58L73 64Z" if long else "M63 -28L93 -45L98 -34L68 -20Z"
    collar = "M19 -112Q29 -108 36 -95Q34 -84 26 -74L0 -88Q12 -98 19 -112Z"
    ribs = fan((71, 50, 93, 44), (73, 64, 95, 58), 8) if long else fan((63, -28, 93, -45), (68, -20, 98, -34), 9)
    return Sketch(
        cloth=body + pair(sleeve) + pair(collar),
        back=(Item("lining", "M-20 -110Q0 -118 20 -110L8 -84L-8 -84Z"),),
        sunken="M-13 -103Q0 -109 13 -103L0 -87Z",
        raised=rounded(-7, -88, 7, -30, 1) + pair(cuff) + pair(collar),
        folds=pair("M42 -20Q38 30 46 86L39 90Q32 30 42 -20Z"),
        seams=pair("M59 -90Q50 -62 56 -30")
        + pair(ribs)
        + lines((-58, 84, -40, 86))
        + "M-58 84Q0 92 58 84"
        + pair("M26 -107Q30 -98 24 -80"),
        stitches=lines((-5, -34, 5, -34)) + "M-57 87Q0 94 57 87",
        front=(Item("pearl", dots(3.2, (0, -78), (0, -60), (0, -42))),),
        hanger=Hanger(-103, 56, 94),
        drapes=True,
    )


def sweater(cut: str) -> Sketch:
    """Ribbed at neck, cuffs and hem."""
    neck = {"crew neck": "M0 -88Q16 -90 23 -105", "roll neck": "M0 -104L23 -105", "v-neck": "M0 -54L23 -106"}[cut]
    body = mirrored(f"{neck}L30 -104L58 -92Q58 -60 55 -34Q59 30 57 72Q54 84 52 94Q26 98 0 98")
    sleeve = "M56 -93Q76 -88 82 -58L98 50Q94 60 93 70L77 74Q75 66 73 58L54 -22Q50 -66 56 -93Z"
    bands = mirrored("M0 80Q30 80 57 76L52 94Q26 98 0 98") + pair("M73 58L97 51L93 70L77 74Z")
    ribs = fan((-54, 80, 54, 80), (-50, 95, 50, 95), 27) + pair(fan((73, 58, 97, 51), (77, 74, 93, 70), 7))
    if cut == "roll neck":
        collar = "M-25 -103Q-27 -124 -21 -126Q0 -131 21 -126Q27 -124 25 -103Q0 -92 -25 -103Z"
        ribs += fan((-22, -124, 22, -124), (-22, -100, 22, -100), 12)
    elif cut == "crew neck":
        collar = mirrored("M0 -88Q16 -90 23 -105L30 -103Q22 -80 0 -79")
        ribs += "".join(lines((x, -86 - x * x / 45, x * 1.25, -78 - x * x / 36)) for x in range(-21, 22, 6))
    else:
        collar = mirrored("M0 -54L23 -106L30 -103L0 -40")
        ribs += pair(fan((2, -58, 22, -103), (3, -45, 28, -100), 9))
    return Sketch(
        cloth=body + pair(sleeve) + (collar if cut == "roll neck" else ""),
        back=()
        if cut == "roll neck"
        else (
            Item(
                "lining",
                "M-24 -106Q0 -114 24 -106Q16 -84 0 -50Q-16 -84 -24 -106Z"
                if cut == "v-neck"
                else "M-24 -106Q0 -114 24 -106Q16 -84 0 -82Q-16 -84 -24 -106Z",
            ),
        ),
        raised=bands + collar,
        folds=pair("M44 -20Q38 30 46 70L38 74Q32 30 44 -20Z") + pair("M60 -50Q72 -10 80 36L74 38Q64 -10 60 -50Z"),
        seams=pair("M57 -92Q48 -62 55 -26") + ribs,
        hanger=Hanger(-103, 54, 96),
        drapes=True,
    )


def cardigan(cut: str) -> Sketch:
    """Open at the neck, with a button band down the front."""
    hem = {"short": 62, "long": 122}[cut]
    body = mirrored(
        f"M0 -34L22 -104L30 -102L57 -90Q57 -58 54 -30Q58 {hem * 0.5} 56 {hem - 16}L52 {hem}Q26 {hem + 4} 0 {hem + 4}"
    )
    sleeve = "M55 -91Q75 -86 81 -56L97 48Q93 58 92 68L76 72Q74 64 72 56L53 -20Q49 -64 55 -91Z"
    band = f"M0 -32L22 -106L30 -103L7 -26L7 {hem + 4}L0 {hem + 4}Z"
    cuffs = pair("M72 56L96 49L92 68L76 72Z")
    ribs = pair(
        fan((10, hem - 13, 54, hem - 13), (10, hem + 1, 50, hem + 1), 12) + fan((72, 56, 96, 49), (76, 72, 92, 68), 7)
    )
    mouth = hem - 62 if cut == "long" else 0
    pocket = rounded(18, mouth, 44, mouth + (36 if cut == "long" else 28), 2)
    return Sketch(
        cloth=body + pair(sleeve),
        back=(Item("lining", "M-22 -106Q0 -114 22 -106L2 -30L-2 -30Z"),),
        raised=pair(pocket) + cuffs + flipped(band) + band,
        folds=pair(f"M44 -20Q38 {hem * 0.4} 48 {hem - 18}L40 {hem - 16}Q32 {hem * 0.4} 44 -20Z"),
        seams=pair("M56 -90Q47 -60 54 -24")
        + ribs
        + across(f"M0 {hem - 14}Q28 {hem - 14} 55 {hem - 17}")
        + pair(fan((18, mouth, 44, mouth), (18, mouth + 7, 44, mouth + 7), 7)),
        front=(
            Item("metal", dots(4.2, *((3.5, y) for y in range(-18, hem - 2, 22)))),
            Item("hole", dots(1, *((3.5 + d, y) for y in range(-18, hem - 2, 22) for d in (-1.4, 1.4)))),
        ),
        hanger=Hanger(-101, 53, hem),
        drapes=True,
    )


def dress(cut: str) -> Sketch:
    """Mini: straps and a short flare. Midi: short sleeves, a belted waist. Maxi: long sleeves and a wide hem."""
    if cut == "mini":
        hem, flare = 58, 66
        body = mirrored(
            f"M0 -74Q14 -74 24 -88L28 -122L35 -122L36 -88Q38 -66 42 -56Q40 -30 30 -8Q44 20 {flare} {hem}"
            f"Q54 {hem + 8} 44 {hem + 4}Q32 {hem + 12} 22 {hem + 6}Q10 {hem + 13} 0 {hem + 7}"
        )
        sleeves, lining = "", "M-24 -90Q0 -80 24 -90Q12 -72 0 -72Q-12 -72 -24 -90Z"
        neck = -118.0
    elif cut == "midi":
        hem, flare = 100, 62
        body = mirrored(
            f"M0 -70L22 -112L30 -110L50 -100Q46 -70 44 -56Q42 -34 33 -12Q42 20 {flare} {hem}"
            f"Q46 {hem + 9} 34 {hem + 4}Q18 {hem + 12} 0 {hem + 6}"
        )
        sleeves, lining = (
            pair("M48 -101Q66 -94 76 -60L56 -48L44 -58Q44 -80 48 -101Z"),
            "M-22 -113Q0 -121 22 -113L4 -70L-4 -70Z",
        )
        neck = -108.0
    else:
        hem, flare = 125, 84
        body = mirrored(
            f"M0 -92Q16 -96 20 -112L30 -110L48 -101Q44 -70 42 -60Q40 -36 31 -18Q44 20 {flare} {hem - 6}"
            f"Q70 {hem + 6} 56 {hem}Q40 {hem + 9} 26 {hem + 2}Q12 {hem + 9} 0 {hem + 4}"
        )
        sleeves = pair("M46 -102Q62 -97 67 -74Q80 -30 88 10Q78 20 68 16Q62 -24 43 -56Q42 -80 46 -102Z")
        lining, neck = "M-21 -113Q0 -119 21 -113Q14 -90 0 -90Q-14 -90 -21 -113Z", -108.0
    waist = -8 if cut == "mini" else -12 if cut == "midi" else -18
    half = 30 if cut == "mini" else 33 if cut == "midi" else 31
    pleats = [(x, x * flare / 34 * 0.92) for x in (-24, -15, -5, 6, 16, 25)]
    return Sketch(
        cloth=body + sleeves,
        back=(Item("lining", lining),),
        raised=polygon((-half - 1, waist - 5), (half + 1, waist - 5), (half + 2, waist + 6), (-half - 2, waist + 6)),
        folds=_pleats(pleats, waist + 8, hem + 4, 9) + pair("M20 -60Q30 -50 36 -56Q30 -40 18 -48Z"),
        glow=_pleats([(top + 4, foot + 11) for top, foot in pleats[:-1]], waist + 10, hem + 3, 4),
        seams=pair("M18 -14Q14 -40 22 -58")
        + (pair("M48 -100Q42 -80 44 -58") if sleeves else "M-24 -88Q0 -66 24 -88")
        + (pair("M70 8Q78 12 87 4") if cut == "maxi" else ""),
        stitches=f"M{-flare + 2} {hem - 6}Q0 {hem + 8} {flare - 2} {hem - 6}",
        hanger=Hanger(neck, 31 if cut == "mini" else 46, hem),
        drapes=True,
    )


def _pleats(edges: Sequence[tuple[float, float]], top: float, hem: float, width: float) -> str:
    """Folds that open towards the hem, each from x at its top to x at its foot."""
    middle = top + (hem - top) * 0.4
    return "".join(
        f"M{x} {top}Q{(x + foot) / 2 + 1:.1f} {middle:.1f} {foot:.1f} {hem}L{foot + width:.1f} {hem}"
        f"Q{(x + foot) / 2 + 5:.1f} {middle:.1f} {x} {top}Z"
        for x, foot in edges
    )


def skirt(cut: str) -> Sketch:
    """Mini: a straight A with a button front. Midi: a wavy flare. Pleated: knife pleats to a toothed hem."""
    if cut == "mini":
        body = mirrored("M0 -58L42 -60Q58 -10 70 48Q36 56 0 56")
        seams = lines((-7, -46, -7, 56), (7, -46, 7, 56)) + pair("M24 -46Q30 0 36 54")
        folds = pair("M44 -20Q56 20 60 48L54 50Q50 10 44 -20Z")
        places = [(0, y) for y in (-36, -16, 4, 24, 42)]
        hem, raised = 54, pair("M16 -38L38 -38L41 -14L28 -6L17 -14Z")
    elif cut == "midi":
        body = mirrored("M0 -92L36 -94Q56 -50 66 0Q76 50 92 84Q80 98 66 90Q50 104 34 95Q16 106 0 97")
        seams = lines((0, -80, 0, -50))
        folds = pair("M22 -80Q44 0 66 90L54 94Q38 0 22 -80ZM6 -70Q14 10 34 96L22 99Q8 10 6 -70Z")
        places, hem, raised = [], 92, ""
    else:
        teeth = "".join(f"L{x} 84L{x - 2} 78" for x in range(66, 4, -11))
        body = mirrored(f"M0 -78L40 -80Q50 -60 74 78{teeth}L0 80")
        edges = [(x, x * 1.85) for x in (-36, -30, -24, -18, -12, -6, 0, 6, 12, 18, 24, 30, 36)]
        seams = lines(*((a, -66, b, 82) for a, b in edges))
        folds = "".join(polygon((a, -66), (b, 83), (b - 6, 80), (a - 1, -66)) for a, b in edges)
        places, hem, raised = [], 80, ""
    top = {"mini": -58, "midi": -92, "pleated": -78}[cut]
    half = {"mini": 42, "midi": 36, "pleated": 40}[cut]
    band = mirrored(f"M0 {top - 2}L{half} {top - 4}L{half + 4} {top + 9}Q20 {top + 13} 0 {top + 13}")
    return Sketch(
        cloth=body + band,
        back=(Item("lining", ellipse(0, top - 2, half - 1, 4)),),
        raised=raised + band,
        folds=folds,
        seams=seams,
        stitches=across(f"M0 {top + 1}L{half} {top - 1}")
        + (f"M-68 {hem - 8}Q0 {hem} 68 {hem - 8}" if cut == "mini" else ""),
        front=(Item("pearl", dots(3.8, *places, (0 if cut == "mini" else half - 10, top + 5))),),
        hanger=Hanger(top, half, hem, waist=True),
        drapes=cut != "pleated",
    )


def trousers(cut: str) -> Sketch:
    """Slim, wide with a crease, or cropped with turn-ups."""
    legs = {
        "slim": "M0 -112L37 -113Q47 -84 47 -60L31 120Q20 123 9 120L2 -48L0 -48",
        "wide": "M0 -112L36 -113Q48 -84 54 -50L76 118Q44 124 14 118L2 -48L0 -48",
        "cropped": "M0 -92L40 -93Q52 -66 53 -44L50 82Q32 87 14 82L2 -30L0 -30",
    }[cut]
    top, crotch, hem = (-92, -30, 82) if cut == "cropped" else (-112, -48, 120)
    half = {"slim": 37, "wide": 36, "cropped": 40}[cut]
    band = mirrored(f"M0 {top}L{half} {top - 1}L{half + 3} {top + 11}Q20 {top + 13} 0 {top + 13}")
    crease = {"slim": (24, 20), "wide": (26, 44), "cropped": (29, 32)}[cut]
    turn_up = pair("M13 68L51 68L51 84Q32 89 13 84Z") if cut == "cropped" else ""
    loops = "".join(rounded(x - 2, top - 2, x + 2, top + 14, 1) for x in (-half + 9, -14, 14, half - 9))
    return Sketch(
        cloth=mirrored(legs) + turn_up,
        back=(Item("lining", ellipse(0, top, half - 1, 4)),),
        raised=turn_up + band + loops,
        folds=pair(
            f"M4 {crotch + 4}Q20 {crotch + 14} 30 {crotch + 8}Q16 {crotch + 22} 5 {crotch + 16}Z"
            f"M{crease[0] + 4} {top + 40}L{crease[1] + 12} {hem}L{crease[1] + 4} {hem}Z"
        ),
        glow=pair(f"M{crease[0]} {top + 40}L{crease[1] + 1} {hem}L{crease[1] - 4} {hem}Z"),
        seams=pair(f"M{half - 10} {top + 14}Q{half - 6} {top + 34} {half + 8} {top + 40}")
        + pair(f"M{crease[0]} {top + 36}L{crease[1]} {hem}")
        + lines((0, top + 13, 0, crotch)),
        stitches=f"M8 {top + 13}L8 {crotch - 22}Q7 {crotch - 10} 1 {crotch - 8}"
        + (pair(f"M12 {hem - 4}L{crease[1] + 12} {hem - 4}") if cut == "slim" else ""),
        front=(Item("pearl", circle(0, top + 6, 3.8)),),
        hanger=Hanger(top, half, hem, waist=True),
        drapes=True,
    )
