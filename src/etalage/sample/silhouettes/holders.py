"""What clothes are shown on: hangers and dress forms."""

from dataclasses import replace

from etalage.sample.silhouettes.outline import circle, ellipse, lines, mirrored, pair, rounded
from etalage.sample.silhouettes.sketch import Hanger, Item, Sketch

__all__ = ["hung", "worn"]


def hung(product: Sketch, at: Hanger) -> Sketch:
    """On a wooden hanger, or by clips if it is worn at the waist."""
    if at.waist:
        y, reach = at.top - 12, at.half + 4
        clips = Item("wood", pair(rounded(at.half - 16, y - 6, at.half - 4, at.top + 6, 2)))
        rod = Item("steel", lines((-reach, y, reach, y)), 3.4)
        return replace(product, back=(*product.back, _hook(y), rod), front=(*product.front, clips))
    y, end = at.top - 4, at.half - 2
    bar = f"M0 {y - 2}Q8 {y - 2} 20 {y + 6}L{end} {y + 17}L{end - 2} {y + 23}Q20 {y + 11} 0 {y + 9}"
    return replace(product, back=(*product.back, _hook(y), Item("wood", mirrored(bar))))


def _hook(y: float) -> Item:
    way = f"M0 {y}L0 {y - 9}Q-1 {y - 16} 6 {y - 19}C16 {y - 25} 8 {y - 40} -4 {y - 34}"
    return Item("steel", way, 3)


def worn(product: Sketch, at: Hanger) -> Sketch:
    """On a dress form of linen, which stands on a pole."""
    foot, top, hem, half = max(at.hem + 30, at.top + 150), at.top, at.hem, at.half
    stand = (
        Item("wood", lines((0, hem - 20, 0, foot)), 6),
        Item("wood", mirrored(f"M0 {foot - 6}Q20 {foot - 6} 40 {foot + 4}L40 {foot + 8}L0 {foot + 8}")),
    )
    if at.waist:
        waist = (
            f"M0 {top - 40}Q{half + 4} {top - 40} {half + 2} {top - 34}Q{half - 5} {top - 16} {half - 1} {top + 6}"
            f"L0 {top + 8}"
        )
        lid = Item("wood", ellipse(0, top - 40, half, 4))
        return replace(product, back=(*stand, Item("linen", mirrored(waist)), lid, *product.back))
    neck = f"M0 {top - 26}L13 {top - 26}Q13 {top - 8} 20 {top}L{half - 8} {top + 14}L20 {top + 50}L0 {top + 60}"
    hips = f"M0 {hem - 40}L38 {hem - 40}Q42 {hem - 10} 38 {hem + 12}Q20 {hem + 18} 0 {hem + 18}"
    below = (Item("linen", mirrored(hips)),) if hem < 75 else ()
    knob = Item("wood", circle(0, top - 33, 6) + rounded(-14, top - 29, 14, top - 24, 2))
    return replace(product, back=(*stand, *below, *product.back, Item("linen", mirrored(neck)), knob))
