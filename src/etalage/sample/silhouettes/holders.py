"""Hangers and dress forms, on which clothes are shown."""

from dataclasses import replace

from etalage.sample.silhouettes.shapes import circle, ellipse, lines, rounded_box
from etalage.sample.silhouettes.sketch import Hanger, Item, Sketch
from etalage.sample.silhouettes.transforms import mirror, pair

__all__ = ["put_on_dress_form", "put_on_hanger"]

_LONG_HEM = 75
"""The y from which on a hem hides the hips of the dress form."""


def put_on_hanger(product: Sketch, hanger: Hanger) -> Sketch:
    """Hang a product on a wooden hanger, or by clips if it is held at the waist.

    Args:
        product: The product laid flat.
        hanger: Where it is held.

    Returns:
        The same product with a hanger around it.
    """
    if hanger.at_waist:
        y, reach = hanger.top - 12, hanger.half_width + 4
        inner, outer = hanger.half_width - 16, hanger.half_width - 4
        clips = Item("wood", pair(rounded_box(inner, y - 6, outer, hanger.top + 6, 2)))
        rod = Item("steel", lines((-reach, y, reach, y)), 3.4)
        # The clips hold the waistband from the front, so they are the only part drawn over it.
        return replace(product, back=(*product.back, _hook(y), rod), front=(*product.front, clips))
    y, end = hanger.top - 4, hanger.half_width - 2
    bar = f"M0 {y - 2}Q8 {y - 2} 20 {y + 6}L{end} {y + 17}L{end - 2} {y + 23}Q20 {y + 11} 0 {y + 9}"
    return replace(product, back=(*product.back, _hook(y), Item("wood", mirror(bar))))


def put_on_dress_form(product: Sketch, hanger: Hanger) -> Sketch:
    """Show a product on a dress form of linen, which stands on a pole.

    Args:
        product: The product laid flat.
        hanger: Where it is held.

    Returns:
        The same product with the form behind it.
    """
    top, hem, half = hanger.top, hanger.hem, hanger.half_width
    # A short piece still stands on a pole of a dress form's height.
    foot = max(hem + 30, top + 150)
    stand = (
        Item("wood", lines((0, hem - 20, 0, foot)), 6),
        Item("wood", mirror(f"M0 {foot - 6}Q20 {foot - 6} 40 {foot + 4}L40 {foot + 8}L0 {foot + 8}")),
    )
    if hanger.at_waist:
        waist = (
            f"M0 {top - 40}Q{half + 4} {top - 40} {half + 2} {top - 34}Q{half - 5} {top - 16} {half - 1} {top + 6}"
            f"L0 {top + 8}"
        )
        lid = Item("wood", ellipse(0, top - 40, half, 4))
        return replace(product, back=(*stand, Item("linen", mirror(waist)), lid, *product.back))
    neck = f"M0 {top - 26}L13 {top - 26}Q13 {top - 8} 20 {top}L{half - 8} {top + 14}L20 {top + 50}L0 {top + 60}"
    hips = f"M0 {hem - 40}L38 {hem - 40}Q42 {hem - 10} 38 {hem + 12}Q20 {hem + 18} 0 {hem + 18}"
    below = (Item("linen", mirror(hips)),) if hem < _LONG_HEM else ()
    knob = Item("wood", circle(0, top - 33, 6) + rounded_box(-14, top - 29, 14, top - 24, 2))
    # The neck stands inside the garment: in front of its lining, behind its fabric.
    return replace(product, back=(*stand, *below, *product.back, Item("linen", mirror(neck)), knob))


def _hook(y: float) -> Item:
    path = f"M0 {y}L0 {y - 9}Q-1 {y - 16} 6 {y - 19}C16 {y - 25} 8 {y - 40} -4 {y - 34}"
    return Item("steel", path, 3)
