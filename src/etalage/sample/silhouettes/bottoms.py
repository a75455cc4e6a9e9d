"""Dresses, skirts and trousers: laid flat, seen from the front."""

from collections.abc import Sequence

from etalage.sample.silhouettes.shapes import circle, dots, ellipse, lines, polygon, rounded_box
from etalage.sample.silhouettes.sketch import Hanger, Item, Sketch
from etalage.sample.silhouettes.transforms import mirror, mirror_line, pair

__all__ = ["dress", "skirt", "trousers"]


def dress(cut: str) -> Sketch:
    """Outline a dress.

    Mini: straps and a short flare. Midi: short sleeves, a belted waist. Maxi: long sleeves and a wide hem.
    """
    if cut == "mini":
        hem, flare = 58, 66
        body = mirror(
            f"M0 -74Q14 -74 24 -88L28 -122L35 -122L36 -88Q38 -66 42 -56Q40 -30 30 -8Q44 20 {flare} {hem}"
            f"Q54 {hem + 8} 44 {hem + 4}Q32 {hem + 12} 22 {hem + 6}Q10 {hem + 13} 0 {hem + 7}"
        )
        sleeves, lining = "", "M-24 -90Q0 -80 24 -90Q12 -72 0 -72Q-12 -72 -24 -90Z"
        neck = -118.0
    elif cut == "midi":
        hem, flare = 100, 62
        body = mirror(
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
        body = mirror(
            f"M0 -92Q16 -96 20 -112L30 -110L48 -101Q44 -70 42 -60Q40 -36 31 -18Q44 20 {flare} {hem - 6}"
            f"Q70 {hem + 6} 56 {hem}Q40 {hem + 9} 26 {hem + 2}Q12 {hem + 9} 0 {hem + 4}"
        )
        sleeves = pair("M46 -102Q62 -97 67 -74Q80 -30 88 10Q78 20 68 16Q62 -24 43 -56Q42 -80 46 -102Z")
        lining, neck = "M-21 -113Q0 -119 21 -113Q14 -90 0 -90Q-14 -90 -21 -113Z", -108.0
    waist = -8 if cut == "mini" else -12 if cut == "midi" else -18
    half = 30 if cut == "mini" else 33 if cut == "midi" else 31
    pleats = [(x, x * flare / 34 * 0.92) for x in (-24, -15, -5, 6, 16, 25)]
    return Sketch(
        fabric=body + sleeves,
        back=(Item("lining", lining),),
        raised=polygon((-half - 1, waist - 5), (half + 1, waist - 5), (half + 2, waist + 6), (-half - 2, waist + 6)),
        folds=_pleats(pleats, waist + 8, hem + 4, 9) + pair("M20 -60Q30 -50 36 -56Q30 -40 18 -48Z"),
        highlights=_pleats([(top + 4, foot + 11) for top, foot in pleats[:-1]], waist + 10, hem + 3, 4),
        seams=pair("M18 -14Q14 -40 22 -58")
        + (pair("M48 -100Q42 -80 44 -58") if sleeves else "M-24 -88Q0 -66 24 -88")
        + (pair("M70 8Q78 12 87 4") if cut == "maxi" else ""),
        stitches=f"M{-flare + 2} {hem - 6}Q0 {hem + 8} {flare - 2} {hem - 6}",
        hanger=Hanger(neck, 31 if cut == "mini" else 46, hem),
        drapes=True,
    )


def skirt(cut: str) -> Sketch:
    """Outline a skirt.

    Mini: a straight A with a button front. Midi: a wavy flare. Pleated: knife pleats down to a toothed hem.
    """
    if cut == "mini":
        body = mirror("M0 -58L42 -60Q58 -10 70 48Q36 56 0 56")
        seams = lines((-7, -46, -7, 56), (7, -46, 7, 56)) + pair("M24 -46Q30 0 36 54")
        folds = pair("M44 -20Q56 20 60 48L54 50Q50 10 44 -20Z")
        places = [(0, y) for y in (-36, -16, 4, 24, 42)]
        hem, raised = 54, pair("M16 -38L38 -38L41 -14L28 -6L17 -14Z")
    elif cut == "midi":
        body = mirror("M0 -92L36 -94Q56 -50 66 0Q76 50 92 84Q80 98 66 90Q50 104 34 95Q16 106 0 97")
        seams = lines((0, -80, 0, -50))
        folds = pair("M22 -80Q44 0 66 90L54 94Q38 0 22 -80ZM6 -70Q14 10 34 96L22 99Q8 10 6 -70Z")
        places, hem, raised = [], 92, ""
    else:
        teeth = "".join(f"L{x} 84L{x - 2} 78" for x in range(66, 4, -11))
        body = mirror(f"M0 -78L40 -80Q50 -60 74 78{teeth}L0 80")
        edges = [(x, x * 1.85) for x in (-36, -30, -24, -18, -12, -6, 0, 6, 12, 18, 24, 30, 36)]
        seams = lines(*((a, -66, b, 82) for a, b in edges))
        folds = "".join(polygon((a, -66), (b, 83), (b - 6, 80), (a - 1, -66)) for a, b in edges)
        places, hem, raised = [], 80, ""
    top = {"mini": -58, "midi": -92, "pleated": -78}[cut]
    half = {"mini": 42, "midi": 36, "pleated": 40}[cut]
    band = mirror(f"M0 {top - 2}L{half} {top - 4}L{half + 4} {top + 9}Q20 {top + 13} 0 {top + 13}")
    return Sketch(
        fabric=body + band,
        back=(Item("lining", ellipse(0, top - 2, half - 1, 4)),),
        raised=raised + band,
        folds=folds,
        seams=seams,
        stitches=mirror_line(f"M0 {top + 1}L{half} {top - 1}")
        + (f"M-68 {hem - 8}Q0 {hem} 68 {hem - 8}" if cut == "mini" else ""),
        front=(Item("pearl", dots(3.8, *places, (0 if cut == "mini" else half - 10, top + 5))),),
        hanger=Hanger(top, half, hem, at_waist=True),
        # Pleats are pressed into the fabric: no random crease runs across them.
        drapes=cut != "pleated",
    )


def trousers(cut: str) -> Sketch:
    """Outline trousers: slim, wide with a crease, or cropped with turn-ups."""
    legs = {
        # A half runs down the outer side and up the inner one: its end in the middle is the crotch, where `mirror`
        # joins the legs.
        "slim": "M0 -112L37 -113Q47 -84 47 -60L31 120Q20 123 9 120L2 -48L0 -48",
        "wide": "M0 -112L36 -113Q48 -84 54 -50L76 118Q44 124 14 118L2 -48L0 -48",
        "cropped": "M0 -92L40 -93Q52 -66 53 -44L50 82Q32 87 14 82L2 -30L0 -30",
    }[cut]
    top, crotch, hem = (-92, -30, 82) if cut == "cropped" else (-112, -48, 120)
    half = {"slim": 37, "wide": 36, "cropped": 40}[cut]
    band = mirror(f"M0 {top}L{half} {top - 1}L{half + 3} {top + 11}Q20 {top + 13} 0 {top + 13}")
    crease = {"slim": (24, 20), "wide": (26, 44), "cropped": (29, 32)}[cut]
    turn_up = pair("M13 68L51 68L51 84Q32 89 13 84Z") if cut == "cropped" else ""
    loops = "".join(rounded_box(x - 2, top - 2, x + 2, top + 14, 1) for x in (-half + 9, -14, 14, half - 9))
    return Sketch(
        fabric=mirror(legs) + turn_up,
        back=(Item("lining", ellipse(0, top, half - 1, 4)),),
        raised=turn_up + band + loops,
        folds=pair(
            f"M4 {crotch + 4}Q20 {crotch + 14} 30 {crotch + 8}Q16 {crotch + 22} 5 {crotch + 16}Z"
            f"M{crease[0] + 4} {top + 40}L{crease[1] + 12} {hem}L{crease[1] + 4} {hem}Z"
        ),
        highlights=pair(f"M{crease[0]} {top + 40}L{crease[1] + 1} {hem}L{crease[1] - 4} {hem}Z"),
        seams=pair(f"M{half - 10} {top + 14}Q{half - 6} {top + 34} {half + 8} {top + 40}")
        + pair(f"M{crease[0]} {top + 36}L{crease[1]} {hem}")
        + lines((0, top + 13, 0, crotch)),
        stitches=f"M8 {top + 13}L8 {crotch - 22}Q7 {crotch - 10} 1 {crotch - 8}"
        + (pair(f"M12 {hem - 4}L{crease[1] + 12} {hem - 4}") if cut == "slim" else ""),
        front=(Item("pearl", circle(0, top + 6, 3.8)),),
        hanger=Hanger(top, half, hem, at_waist=True),
        drapes=True,
    )


def _pleats(edges: Sequence[tuple[float, float]], top: float, hem: float, width: float) -> str:
    """Return folds that open towards the hem, each from its x at the top to its x at the foot."""
    middle = top + (hem - top) * 0.4
    return "".join(
        f"M{x} {top}Q{(x + foot) / 2 + 1:.1f} {middle:.1f} {foot:.1f} {hem}L{foot + width:.1f} {hem}"
        f"Q{(x + foot) / 2 + 5:.1f} {middle:.1f} {x} {top}Z"
        for x, foot in edges
    )
