"""The outlines of one product, in the layers in which they are painted."""

from dataclasses import dataclass
from functools import cached_property

from etalage.sample.silhouettes.path import Box
from etalage.sample.silhouettes.transforms import bounds, grow

__all__ = ["Hanger", "Item", "Sketch"]


@dataclass(frozen=True)
class Item:
    """A shape that is not of the product's fabric, such as a button or a sole."""

    paint: str
    """A key of `paint.make_paints`: metal, stone, colour, dark, leather ..."""
    path: str
    stroke_width: float = 0
    """Width of the line along the path; 0 fills the path instead."""


@dataclass(frozen=True)
class Hanger:
    """The place where a piece of clothing meets a hanger or a dress form."""

    top: float
    """The y of the neck or the waistband."""
    half_width: float
    """Half of the width that carries the piece: to the shoulder's end, or to the waist's."""
    hem: float
    """The y of the hem."""
    at_waist: bool = False
    """The piece hangs by its waistband, not on the shoulders."""


@dataclass(frozen=True)
class Sketch:
    """A product's outlines, from the back to the front."""

    fabric: str = ""
    """Closed clockwise outlines: filled with colour, pattern and texture, shaded, and framed."""
    back: tuple[Item, ...] = ()
    """Items behind the fabric."""
    sunken: str = ""
    """Parts of the fabric in shade: linings, the inner side of a neck, gaps."""
    raised: str = ""
    """Parts of the fabric that lie on top: lapels, pockets, flaps, bands."""
    folds: str = ""
    """Closed outlines, faintly dark, where the fabric falls away from the light."""
    highlights: str = ""
    """Closed outlines, faintly bright, where the fabric bulges towards the light."""
    seams: str = ""
    stitches: str = ""
    """Lines like seams, but dashed and bright."""
    front: tuple[Item, ...] = ()
    """Items in front of the fabric: buttons, buckles, soles."""
    shadow_casters: tuple[Item, ...] = ()
    """Items that throw a shadow, for products without fabric. Their paint does not matter."""
    hanger: Hanger | None = None
    """Set for clothes only; other products stand on a floor or lie."""
    stands: bool = False
    """The product stands on a floor, so that a shadow lies under it."""
    drapes: bool = False
    """The fabric is soft enough for creases in random places."""

    @cached_property
    def rim(self) -> str:
        """The fabric's outline made a little wider: behind the fabric it is a dark edge, and it throws the shadow."""
        return grow(self.fabric, 1)

    @cached_property
    def fabric_box(self) -> Box:
        """The bounding box of the fabric: left, top, right, bottom."""
        return bounds(self.fabric)

    @cached_property
    def box(self) -> Box:
        """The bounding box of everything that is drawn: left, top, right, bottom."""
        boxes = [self.fabric_box] if self.fabric else []
        for item in (*self.back, *self.front):
            left, top, right, bottom = bounds(item.path)
            # A stroke reaches half its width beyond the path.
            half = item.stroke_width / 2
            boxes.append((left - half, top - half, right + half, bottom + half))
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)
