"""What a silhouette hands to the pen."""

from dataclasses import dataclass
from functools import cached_property

from etalage.sample.silhouettes.outline import Box, bounds, grown

__all__ = ["Hanger", "Item", "Sketch"]


@dataclass(frozen=True)
class Item:
    """A shape that is not of the product's cloth."""

    paint: str
    """A key of draw's paints: metal, stone, colour, dark, leather ..."""
    path: str
    width: float = 0
    """Of a stroke; 0 fills the path instead."""


@dataclass(frozen=True)
class Hanger:
    """Where a piece of clothing meets a hanger or a dress form."""

    top: float
    """The height of neck or waistband."""
    half: float
    """Half of the width there that carries: to the shoulder's end, or to the waist's."""
    hem: float
    waist: bool = False
    """Hung by the waistband, not on the shoulders."""


@dataclass(frozen=True)
class Sketch:
    """A product as outlines, from the back to the front."""

    cloth: str = ""
    """Closed outlines, clockwise: filled with colour, pattern and texture, shaded, and framed."""
    back: tuple[Item, ...] = ()
    """Behind the cloth."""
    sunken: str = ""
    """Parts of the cloth in shade: linings, the inner side of a neck, gaps."""
    raised: str = ""
    """Parts of the cloth that lie on top: lapels, pockets, flaps, bands."""
    folds: str = ""
    """Where the cloth falls away from the light: closed outlines, faintly dark."""
    glow: str = ""
    """Where it bulges towards the light: closed outlines, faintly bright."""
    seams: str = ""
    stitches: str = ""
    """Like seams, but dashed and bright."""
    front: tuple[Item, ...] = ()
    """Buttons, buckles, soles."""
    cast: tuple[Item, ...] = ()
    """What throws a shadow on the ground, if it is not the cloth. Its paint does not matter."""
    hanger: Hanger | None = None
    """Of clothes; others stand on a floor or lie."""
    stands: bool = False
    """On a floor, so that a shadow lies under it."""
    drapes: bool = False
    """Soft enough for folds of chance."""

    @cached_property
    def rim(self) -> str:
        """The cloth's outline, a little wider: lies behind the cloth, whose dark edge it is, and throws its shadow."""
        return grown(self.cloth, 1)

    @cached_property
    def cloth_box(self) -> Box:
        """Left, top, right, bottom of the cloth."""
        return bounds(self.cloth)

    @cached_property
    def box(self) -> Box:
        """Left, top, right, bottom of all that is drawn."""
        boxes = [self.cloth_box] if self.cloth else []
        for item in (*self.back, *self.front):
            left, top, right, bottom = bounds(item.path)
            half = item.width / 2
            boxes.append((left - half, top - half, right + half, bottom + half))
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)
