"""Totes, shoulder bags, backpacks: standing, seen from the front."""

from etalage.sample.silhouettes.shapes import circle, dots, lines, polygon, rounded_box
from etalage.sample.silhouettes.sketch import Item, Sketch
from etalage.sample.silhouettes.transforms import mirror, mirror_line, pair

__all__ = ["backpack", "shoulder_bag", "tote_bag"]


def tote_bag(cut: str) -> Sketch:
    """Outline a tote bag: two handles on rings, a metal clasp, leather corners."""
    if cut == "tall":
        half, foot, top, bottom, handle_top = 56, 62, -38, 108, -122
    else:
        half, foot, top, bottom, handle_top = 96, 80, -20, 76, -92
    handle_x = half * 0.5
    body = mirror(f"M0 {top}L{half} {top}L{foot} {bottom - 8}Q{foot} {bottom} {foot - 8} {bottom}L0 {bottom}")
    handle = (
        f"M{-handle_x} {top + 18}L{-handle_x + 2} {top - 10}"
        f"C{-handle_x + 6} {handle_top} {handle_x - 6} {handle_top} {handle_x - 2} {top - 10}L{handle_x} {top + 18}"
    )
    back_handle = (
        f"M{-handle_x + 4} {top}"
        f"C{-handle_x + 8} {handle_top - 10} {handle_x - 8} {handle_top - 10} {handle_x - 4} {top}"
    )
    corner = (
        f"M{foot - 26} {bottom}Q{foot - 22} {bottom - 22} {foot + 1} {bottom - 26}L{foot} {bottom - 8}"
        f"Q{foot} {bottom} {foot - 8} {bottom}Z"
    )
    patch = rounded_box(handle_x - 8, top + 8, handle_x + 8, top + 38, 4)
    return Sketch(
        fabric=body,
        back=(
            Item("leather", back_handle, 6),
            Item("lining", polygon((-half, top), (-half + 8, top - 7), (half - 8, top - 7), (half, top))),
        ),
        raised=polygon((-half, top), (half, top), (half - 0.6, top + 7), (-half + 0.6, top + 7)),
        folds=pair(f"M{half} {top}L{foot} {bottom}L{foot - 10} {bottom}Q{half - 16} {top + 60} {half - 5} {top}Z")
        + f"M{-foot} {bottom}L{-foot} {bottom - 10}Q0 {bottom - 4} {foot} {bottom - 10}L{foot} {bottom}Z",
        seams=pair(f"M{half - 7} {top + 7}L{foot - 9} {bottom}"),
        stitches=f"M{-half + 3} {top + 10}L{half - 3} {top + 10}",
        front=(
            Item("leather", pair(corner) + pair(patch)),
            Item("leather", handle, 7),
            Item("metal", pair(circle(handle_x, top + 12, 7)), 3.4),
            Item("metal", pair(dots(2.4, (handle_x, top + 32), (foot - 9, bottom - 9)))),
            Item("leather", rounded_box(-7, top - 6, 7, top + 22, 4)),
            Item("metal", rounded_box(-8, top + 14, 8, top + 32, 4)),
            Item("hole", rounded_box(-1.4, top + 18, 1.4, top + 27, 1)),
        ),
        stands=True,
    )


def shoulder_bag(cut: str) -> Sketch:
    """Outline a shoulder bag: a box with a turn lock on a chain, or a half moon with a zip and a charm."""
    if cut == "flap":
        flap = mirror("M0 -24L76 -24Q84 -24 84 -14L80 26Q76 36 64 38Q30 44 0 44")
        links = "M-78 -18C-70 -132 70 -132 78 -18"
        return Sketch(
            fabric=mirror("M0 -26L78 -26Q86 -26 86 -16L92 70Q92 80 82 80L0 80"),
            back=(Item("chain", links, 7),),
            raised=flap,
            folds="M-80 30Q-76 42 -64 44Q0 52 64 44Q76 42 80 30L80 38Q70 52 0 56Q-70 52 -80 38Z"
            + pair("M86 -10L92 74L82 78Q80 30 86 -10Z"),
            highlights="M-76 -18Q0 -22 76 -18Q0 -10 -76 -18Z",
            stitches=mirror_line("M0 39Q30 39 62 33Q72 31 75 22L79 -14") + mirror_line("M0 74L80 74Q86 74 86 68L85 46"),
            front=(
                Item("metal", pair(circle(78, -20, 6)), 3.4),
                Item("metal", rounded_box(-15, 20, 15, 54, 6)),
                Item("hole", rounded_box(-9, 27, 9, 47, 4), 1.4),
                Item("metal", rounded_box(-4, 24, 4, 50, 3)),
            ),
            stands=True,
        )
    body = "M-96 -12Q-92 -22 -82 -16Q0 14 82 -16Q92 -22 96 -12C98 50 50 82 0 82C-50 82 -98 50 -96 -12Z"
    return Sketch(
        fabric=body,
        back=(Item("colour", "M-86 -16C-70 -124 70 -124 86 -16", 9),),
        folds="M-96 0C-92 50 -50 82 0 82C50 82 92 50 96 0C86 42 50 66 0 66C-50 66 -86 42 -96 0Z",
        highlights="M-78 6Q0 34 78 6Q60 34 0 36Q-60 34 -78 6Z",
        seams="M-92 -6Q0 26 92 -6" + pair("M62 -8Q74 20 66 50"),
        stitches="M-92 4C-86 48 -48 75 0 75C48 75 86 48 92 4" + pair("M66 -8Q78 20 70 47"),
        front=(
            Item("metal", "M-82 -12Q0 18 82 -12", 4),
            Item("metal", pair(circle(87, -18, 8)), 4),
            Item("metal", pair(circle(56, -69, 6)), 4),
            Item("leather", lines((76, -8, 78, 22)), 3),
            Item("metal", "M72 20L84 20L86 42L78 48L70 42Z"),
        ),
        stands=True,
    )


def backpack(cut: str) -> Sketch:
    """Outline a backpack: a dome with a curved zip, or a square one with a flap and two buckled straps."""
    if cut == "round":
        pocket = mirror("M0 22L44 22Q52 22 52 32L52 84Q52 92 44 92L0 92")
        return Sketch(
            fabric=mirror("M0 -92Q66 -90 70 -14L72 84Q72 100 56 100L0 100")
            + pair("M70 20Q84 26 84 44L84 80Q84 90 72 90Z"),
            back=(
                Item("colour", pair("M58 -40Q88 10 78 96"), 9),
                Item("leather", "M-16 -90C-16 -124 16 -124 16 -90", 7),
            ),
            raised=pocket,
            folds=pair("M66 -20L70 90L60 98Q58 30 66 -20Z") + "M-46 22L46 22L46 30Q0 24 -46 30Z"
            "M-72 84Q-72 100 -56 100L56 100Q72 100 72 84Q66 92 50 92L-50 92Q-66 92 -72 84Z",
            highlights="M-50 -40Q-40 -78 0 -82Q-30 -66 -40 -20Z",
            seams=pair("M70 24Q66 60 71 90") + mirror_line("M0 8L66 8"),
            stitches=mirror_line("M0 86L44 86Q47 86 47 82L47 30"),
            front=(
                Item("metal", "M-56 4Q-60 -72 0 -74Q60 -72 56 4", 3.6),
                Item("metal", lines((-44, 30, 44, 30)), 3.6),
                Item("metal", rounded_box(40, 28, 48, 46, 3) + rounded_box(52, 0, 60, 20, 3)),
                Item("leather", rounded_box(-16, -50, 16, -26, 4)),
                Item("metal", circle(0, -38, 6), 3),
                Item("metal", pair(dots(4, (78, 34)))),
            ),
            stands=True,
        )
    flap = mirror("M0 -84L60 -84Q72 -84 72 -70L72 4Q72 16 58 16L0 16")
    pocket = mirror("M0 36L46 36L46 84Q46 90 40 90L0 90")
    straps = pair(rounded_box(26, -20, 40, 62, 2))
    return Sketch(
        fabric=mirror("M0 -78L64 -78Q68 -78 68 -70L70 92Q70 100 62 100L0 100") + pair("M68 30L84 36L84 88L69 92Z"),
        back=(
            Item("colour", pair("M54 -60Q92 0 80 98"), 9),
            Item("leather", "M-18 -84L-16 -108Q0 -116 16 -108L18 -84", 7),
        ),
        raised=pocket + flap,
        folds="M-72 4Q-72 16 -58 16L58 16Q72 16 72 4L71 22Q60 28 0 28Q-60 28 -71 22Z"
        + pair("M62 24L70 92L64 99L56 98Z"),
        highlights="M-62 -78Q0 -82 62 -78Q0 -68 -62 -78Z",
        seams=pair("M70 34L70 90") + lines((-46, 46, 46, 46)),
        stitches=mirror_line("M0 10L56 10Q66 10 66 2L66 -70") + mirror_line("M0 84L41 84L41 50"),
        front=(
            Item("leather", straps),
            Item("metal", pair(rounded_box(23, 16, 43, 36, 3)), 4),
            Item("metal", pair(lines((33, 16, 33, 34))), 2.6),
            Item("metal", pair(dots(3, (33, -14), (33, 56)))),
            Item("metal", pair(dots(4, (77, 46)))),
        ),
        stands=True,
    )
