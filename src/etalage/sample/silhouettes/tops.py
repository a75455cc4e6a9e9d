"""Shirts, polos, sweaters and cardigans: laid flat, seen from the front."""

from etalage.sample.silhouettes.shapes import dots, fan, lines, rounded_box
from etalage.sample.silhouettes.sketch import Hanger, Item, Sketch
from etalage.sample.silhouettes.transforms import flip, mirror, mirror_line, pair

__all__ = ["cardigan", "polo", "shirt", "sweater"]


def shirt(cut: str) -> Sketch:
    """Outline a shirt: a pointed collar, a placket with buttons, a chest pocket; tails if the sleeves are long."""
    long = cut == "long-sleeve"
    hem = "L56 82Q48 84 38 96Q22 104 0 104" if long else "L58 84Q30 88 0 88"
    body = mirror(f"M0 -92L20 -110L30 -107L58 -94Q60 -60 55 -34{hem}")
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
        fabric=body + pair(sleeve) + pair(collar),
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
    """Outline a polo shirt: a soft collar, three buttons, ribbed cuffs, a straight hem."""
    long = cut == "long-sleeve"
    body = mirror("M0 -88L20 -106L30 -104L60 -90Q58 -60 56 -36L58 90Q30 95 0 95")
    sleeve = (
        "M58 -91Q75 -86 80 -58L95 58L73 64L54 -26Q51 -66 58 -91Z"
        if long
        else "M58 -91Q80 -84 98 -34L68 -20L54 -38Q51 -70 58 -91Z"
    )
    cuff = "M70 50L93 44L95 58L73 64Z" if long else "M63 -28L93 -45L98 -34L68 -20Z"
    collar = "M19 -112Q29 -108 36 -95Q34 -84 26 -74L0 -88Q12 -98 19 -112Z"
    ribs = fan((71, 50, 93, 44), (73, 64, 95, 58), 8) if long else fan((63, -28, 93, -45), (68, -20, 98, -34), 9)
    return Sketch(
        fabric=body + pair(sleeve) + pair(collar),
        back=(Item("lining", "M-20 -110Q0 -118 20 -110L8 -84L-8 -84Z"),),
        sunken="M-13 -103Q0 -109 13 -103L0 -87Z",
        raised=rounded_box(-7, -88, 7, -30, 1) + pair(cuff) + pair(collar),
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
    """Outline a sweater: ribbed at neck, cuffs and hem."""
    neck = {"crew neck": "M0 -88Q16 -90 23 -105", "roll neck": "M0 -104L23 -105", "v-neck": "M0 -54L23 -106"}[cut]
    body = mirror(f"{neck}L30 -104L58 -92Q58 -60 55 -34Q59 30 57 72Q54 84 52 94Q26 98 0 98")
    sleeve = "M56 -93Q76 -88 82 -58L98 50Q94 60 93 70L77 74Q75 66 73 58L54 -22Q50 -66 56 -93Z"
    bands = mirror("M0 80Q30 80 57 76L52 94Q26 98 0 98") + pair("M73 58L97 51L93 70L77 74Z")
    ribs = fan((-54, 80, 54, 80), (-50, 95, 50, 95), 27) + pair(fan((73, 58, 97, 51), (77, 74, 93, 70), 7))
    if cut == "roll neck":
        collar = "M-25 -103Q-27 -124 -21 -126Q0 -131 21 -126Q27 -124 25 -103Q0 -92 -25 -103Z"
        ribs += fan((-22, -124, 22, -124), (-22, -100, 22, -100), 12)
    elif cut == "crew neck":
        collar = mirror("M0 -88Q16 -90 23 -105L30 -103Q22 -80 0 -79")
        # Parabolas, which follow the round neck from rib to rib.
        ribs += "".join(lines((x, -86 - x * x / 45, x * 1.25, -78 - x * x / 36)) for x in range(-21, 22, 6))
    else:
        collar = mirror("M0 -54L23 -106L30 -103L0 -40")
        ribs += pair(fan((2, -58, 22, -103), (3, -45, 28, -100), 9))
    return Sketch(
        # Only a roll neck rises above the body; the other collars lie on it.
        fabric=body + pair(sleeve) + (collar if cut == "roll neck" else ""),
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
    """Outline a cardigan: open at the neck, with a button band down the front."""
    hem = {"short": 62, "long": 122}[cut]
    body = mirror(
        f"M0 -34L22 -104L30 -102L57 -90Q57 -58 54 -30Q58 {hem * 0.5} 56 {hem - 16}L52 {hem}Q26 {hem + 4} 0 {hem + 4}"
    )
    sleeve = "M55 -91Q75 -86 81 -56L97 48Q93 58 92 68L76 72Q74 64 72 56L53 -20Q49 -64 55 -91Z"
    band = f"M0 -32L22 -106L30 -103L7 -26L7 {hem + 4}L0 {hem + 4}Z"
    cuffs = pair("M72 56L96 49L92 68L76 72Z")
    ribs = pair(
        fan((10, hem - 13, 54, hem - 13), (10, hem + 1, 50, hem + 1), 12) + fan((72, 56, 96, 49), (76, 72, 92, 68), 7)
    )
    mouth = hem - 62 if cut == "long" else 0
    pocket = rounded_box(18, mouth, 44, mouth + (36 if cut == "long" else 28), 2)
    return Sketch(
        fabric=body + pair(sleeve),
        back=(Item("lining", "M-22 -106Q0 -114 22 -106L2 -30L-2 -30Z"),),
        raised=pair(pocket) + cuffs + flip(band) + band,
        folds=pair(f"M44 -20Q38 {hem * 0.4} 48 {hem - 18}L40 {hem - 16}Q32 {hem * 0.4} 44 -20Z"),
        seams=pair("M56 -90Q47 -60 54 -24")
        + ribs
        + mirror_line(f"M0 {hem - 14}Q28 {hem - 14} 55 {hem - 17}")
        + pair(fan((18, mouth, 44, mouth), (18, mouth + 7, 44, mouth + 7), 7)),
        front=(
            Item("metal", dots(4.2, *((3.5, y) for y in range(-18, hem - 2, 22)))),
            Item("hole", dots(1, *((3.5 + d, y) for y in range(-18, hem - 2, 22) for d in (-1.4, 1.4)))),
        ),
        hanger=Hanger(-101, 53, hem),
        drapes=True,
    )
