"""Sneakers, boots, pumps: a pair seen from the side, the far shoe a little behind."""

from etalage.sample.silhouettes.shapes import circle, dots, lines, rounded_box
from etalage.sample.silhouettes.sketch import Item, Sketch
from etalage.sample.silhouettes.transforms import transform

__all__ = ["boots", "pumps", "sneakers"]


def sneakers(cut: str) -> Sketch:
    """Outline sneakers: a thick pale sole, laces, a toe cap; high ones cover the ankle."""
    high = cut == "high"
    if high:
        upper = "M-84 40Q-92 -10 -80 -84Q-60 -92 -28 -88L-24 -60Q-8 -24 30 -8Q70 0 86 20Q92 32 90 42L-84 44Z"
        tongue = "M-30 -84L-16 -98Q-4 -92 -10 -76L12 -26L-6 -30Z"
        laces = [(-25 + 7.6 * step, -66 + 10.4 * step) for step in range(6)]
        stitches = "M-76 -78L-76 36M-36 -84Q-32 -40 6 -10L2 42M-78 -74Q-60 -80 -34 -78"
        seams = "M-36 -86Q-30 -40 12 -8Q18 10 12 42M-80 -20Q-60 -30 -44 -10Q-40 10 -44 43M52 -4Q42 14 48 42"
        badge = circle(-52, -36, 12.5)
    else:
        upper = (
            "M-88 38Q-98 6 -86 -28Q-78 -34 -66 -30Q-50 -16 -28 -30L-14 -34Q8 -10 40 -4Q78 2 90 22Q96 32 93 42L-86 44Z"
        )
        tongue = "M-34 -28L-26 -48Q-10 -46 -8 -34L20 -12L0 -10Z"
        laces = [(-20 + 8.8 * step, -27 + 6.4 * step) for step in range(5)]
        stitches = "M-70 -28Q-64 4 -68 40M-32 -26Q-20 2 -16 40M-84 -22Q-76 -28 -68 -24"
        seams = "M-30 -28Q-10 0 12 4Q14 24 10 42M-88 6Q-70 0 -60 18L-58 43M58 -1Q46 16 52 42"
        badge = "M-40 40L-20 0L-8 6L-24 41ZM-18 41L0 8L10 12L0 42Z"
    sole = "M-92 38Q-20 46 94 38Q102 50 92 62Q0 70 -86 62Q-98 54 -92 38Z"
    return Sketch(
        fabric=upper,
        back=(
            *_far_shoe(Item("dark", upper), Item("sole", sole)),
            Item("dark", tongue),
            Item(
                "lining",
                "M-80 -84Q-60 -96 -28 -88Q-50 -78 -80 -84Z"
                if cut == "high"
                else "M-86 -28Q-60 -44 -26 -32Q-50 -10 -66 -28Z",
            ),
        ),
        folds="M-84 40Q0 46 90 38L90 28Q0 36 -86 28ZM20 -8Q34 2 24 20Q30 6 12 0Z",
        highlights="M50 6Q74 6 84 20Q70 14 50 14Z",
        seams=seams,
        stitches=stitches,
        front=(
            Item("ivory", badge, 5) if high else Item("ivory", badge),
            Item("sole", sole),
            Item("shade", "M-91 50Q0 58 96 50L95 54Q0 62 -92 54Z"),
            Item("sole", "M70 38Q84 20 92 40L94 48L62 48Z"),
            Item("hole", dots(2.4, *((x - 7, y + 5) for x, y in laces), *((x + 7, y - 3) for x, y in laces))),
            Item("lace", "".join(f"M{x - 8:.1f} {y + 6:.1f}L{x + 8:.1f} {y - 4:.1f}" for x, y in laces), 4),
        ),
        stands=True,
    )


def boots(cut: str) -> Sketch:
    """Outline boots: a strap with a buckle, a stacked heel; knee-high ones have a long shaft."""
    if cut == "knee-high":
        upper = (
            "M-62 -118Q-30 -124 8 -118Q10 -40 -2 20Q2 52 28 66Q64 72 76 92Q80 102 78 106L-20 106Q-44 98 -60 106"
            "Q-66 60 -58 20Q-72 -40 -62 -118Z"
        )
        strap, band = "M-60 34Q-28 44 2 34L6 46Q-28 56 -62 46Z", "M-64 -118Q-30 -124 8 -118L8 -104Q-30 -110 -65 -104Z"
        seams, zips = "M-27 -120Q-22 -20 -30 30M-58 60Q-30 50 6 62", lines((-50, -112, -54, 28))
        (x, y), top, foot, toe, heel, offset = (-22, 45), -118, 106, 80, -62, 34
    else:
        upper = (
            "M-66 -58Q-34 -66 2 -58Q0 -20 6 6Q16 34 46 42Q80 48 90 72Q94 84 90 90L-20 90Q-44 82 -68 90Q-76 40 -66 -58Z"
        )
        strap, band = "M-70 6Q-30 20 8 8L14 20Q-30 34 -71 20Z", "M-68 -58Q-30 -64 3 -58L2 -44Q-30 -50 -69 -44Z"
        seams, zips = "M-30 -62Q-26 -20 -30 10M-66 46Q-30 34 20 42", lines((-54, -54, -60, 4))
        (x, y), top, foot, toe, heel, offset = (-18, 22), -58, 90, 92, -70, 26
    sole = (
        f"M{heel} {foot - 6}Q-40 {foot - 6} -20 {foot}L{toe - 2} {foot - 4}Q{toe + 4} {foot + 2} {toe - 2} {foot + 6}"
        f"L-18 {foot + 8}L-26 {foot + 18}L{heel - 2} {foot + 18}Z"
    )
    heel_fold = f"M-46 {top + 30}Q-52 {foot - 60} -56 {foot - 4}L-66 {foot - 4}Q-70 {foot - 60} -62 {top + 20}Z"
    ankle_fold = f"M-4 {foot - 76}Q0 {foot - 50} 22 {foot - 42}Q6 {foot - 36} -10 {foot - 56}Z"
    shin = f"M-16 {top + 20}Q-12 {foot - 80} -18 {foot - 60}Q-26 {foot - 80} -26 {top + 20}Z"
    instep = f"M30 {foot - 34}Q60 {foot - 28} 68 {foot - 12}Q50 {foot - 22} 30 {foot - 26}Z"
    return Sketch(
        fabric=upper,
        back=_far_shoe(Item("dark", upper), Item("ink", sole), x=offset),
        raised=band + strap,
        folds=heel_fold + ankle_fold,
        highlights=shin + instep,
        seams=seams,
        stitches=f"M{heel + 6} {foot - 12}Q0 {foot - 6} {toe - 8} {foot - 10}",
        front=(
            Item("ink", sole),
            Item("metal", zips, 3),
            Item("metal", rounded_box(x - 12, y - 13, x + 12, y + 13, 4), 5),
            Item("metal", lines((x - 2, y, x + 12, y)), 3),
            Item("metal", circle(x + 22, y - 3, 2.6)),
        ),
        stands=True,
    )


def pumps(cut: str) -> Sketch:
    """Outline pumps: a low vamp on a thin heel or a block heel, with a clip on the toe."""
    if cut == "stiletto":
        upper = (
            "M-92 -34Q-84 -44 -72 -40Q-58 2 -12 18Q10 22 26 14Q62 20 96 46Q104 54 96 58Q50 62 18 54Q-30 40 -60 6"
            "Q-84 0 -92 -34Z"
        )
        heel = "M-90 -24Q-84 4 -62 6Q-76 26 -80 62L-87 62Q-90 20 -90 -24Z"
        sole, clip = "M-64 5Q-30 40 18 54Q50 62 98 57L96 62Q40 66 12 58Q-34 44 -68 8Z", (40, 26)
    else:
        upper = (
            "M-90 -26Q-80 -36 -68 -32Q-56 6 -14 18Q8 22 24 14Q60 18 92 40Q104 50 96 58Q50 62 14 56Q-30 46 -56 22"
            "Q-84 10 -90 -26Z"
        )
        heel = "M-89 -16Q-84 18 -50 26L-54 64L-92 64Q-94 20 -89 -16Z"
        sole, clip = "M-52 25Q-26 48 14 56Q50 62 98 57L96 63Q40 67 8 60Q-30 50 -54 30Z", (38, 26)
    x, y = clip
    return Sketch(
        fabric=upper + heel,
        back=(
            *_far_shoe(Item("dark", upper + heel), Item("ink", sole), x=16, y=-16),
            Item("lining", "M-90 -34Q-80 -48 -70 -40Q-40 -6 26 14Q0 26 -20 18Q-62 2 -72 -38Z"),
        ),
        folds="M-60 6Q-30 40 18 54Q50 62 96 58L94 52Q40 54 10 44Q-30 26 -58 -4Z",
        highlights="M44 24Q74 30 90 46Q66 36 44 34ZM-84 -30Q-78 -34 -74 -28Q-70 -12 -62 -2Q-78 -10 -84 -30Z",
        seams="M-60 6Q-74 2 -82 -12",
        stitches="M-70 -34Q-54 6 -12 21Q10 26 28 18",
        front=(
            Item("ink", sole),
            Item("metal", transform(rounded_box(-16, -9, 16, 9, 4), x, y, rotation=14), 5),
            Item("metal", transform(rounded_box(-5, -9, 5, 9, 2), x, y, rotation=14)),
            Item(
                "metal", "M-87 57L-79.500 57L-80 63L-88 63Z" if cut == "stiletto" else "M-92 56L-53 56L-54 64L-92 64Z"
            ),
        ),
        stands=True,
    )


def _far_shoe(*items: Item, x: float = 22, y: float = -14) -> tuple[Item, ...]:
    """Return the far shoe of the pair: the near one, moved."""
    # Paths are moved here rather than by SVG, so that `Sketch.box` finds the far shoe where it is.
    return tuple(Item(item.paint, transform(item.path, x, y), item.stroke_width) for item in items)
