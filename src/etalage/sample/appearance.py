"""What can be seen in a sample picture: the product's appearance, and the scene in which it is photographed.

This module holds words only: `draw` turns them into pixels, `brands` gives them names and prices.
"""

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["BACKGROUNDS", "CUTS", "HARDWARE", "MATERIALS", "PATTERNS", "POSES", "Appearance", "Rgb", "Scene"]

Rgb = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

# The order counts: brands draw from the tuples of cuts, and earlier ones more often.
CUTS = MappingProxyType(
    {
        "trench coat": ("short", "mid-length", "long"),
        "puffer jacket": ("short", "long", "sleeveless"),
        "blazer": ("single-breasted", "double-breasted"),
        "shirt": ("long-sleeve", "short-sleeve"),
        "polo": ("short-sleeve", "long-sleeve"),
        "sweater": ("crew neck", "roll neck", "v-neck"),
        "cardigan": ("short", "long"),
        "dress": ("mini", "midi", "maxi"),
        "skirt": ("mini", "midi", "pleated"),
        "trousers": ("slim", "wide", "cropped"),
        "scarf": ("long", "square"),
        "cap": ("baseball", "bucket"),
        "tote bag": ("tall", "wide"),
        "shoulder bag": ("flap", "crescent"),
        "backpack": ("round", "square"),
        "sneakers": ("low", "high"),
        "boots": ("ankle", "knee-high"),
        "pumps": ("stiletto", "block heel"),
        "belt": ("square buckle", "round buckle"),
        "sunglasses": ("round", "square", "cat-eye", "aviator"),
        "perfume": ("round", "square", "tall"),
        "earrings": ("hoop", "drop", "stud"),
        "necklace": ("pendant", "chain", "beaded"),
        "watch": ("round", "square"),
        "umbrella": ("open", "folded"),
    }
)
"""Styles of products, each with its cuts. The cuts of a style can be told apart by their outlines."""

PATTERNS = ("plain", "check", "striped", "pinstripe", "dotted", "monogram", "houndstooth", "floral")
"""Patterns; all but plain are of the main colour and the accent colour."""

MATERIALS = ("cotton", "gabardine", "wool", "knit", "leather", "suede", "satin", "denim", "quilted", "straw", "metal")
"""Materials, each with a texture and a gloss. Jewellery and watches are of metal; their colour is the stone's or the
dial's."""

HARDWARE = ("gold", "silver", "black")
"""Metals of buckles, buttons, chains, frames, caps of bottles, and of jewellery itself."""

BACKGROUNDS = ("plain", "gradient", "studio", "wall", "wood", "transparent")
"""Backgrounds. studio: a floor meets a wall; wall: lit from one side, with a shadow; transparent: white where the mode
has no alpha."""

POSES = ("flat", "hanging", "worn")
"""Poses. Clothes lie flat, hang on a hanger, or stand on a dress form; other products stand, tilt or turn instead."""


@dataclass(frozen=True)
class Appearance:
    """Everything about a product that its price and its title may follow from."""

    style: str
    """A key of CUTS."""
    cut: str
    """One of the style's values in CUTS."""
    colour: Rgb
    accent: Rgb
    """Second colour of a pattern."""
    pattern: str
    """One of PATTERNS."""
    material: str
    """One of MATERIALS."""
    hardware: str
    """One of HARDWARE."""


@dataclass(frozen=True)
class Scene:
    """Everything about a picture that varies without meaning, and the file format it is written in."""

    width_px: int
    height_px: int
    background: str = "plain"
    """One of BACKGROUNDS."""
    tint: Rgb = (238, 238, 236)
    """Colour of the background."""
    pose: str = "flat"
    """One of POSES."""
    angle: float = 0.0
    """Rotation in degrees, clockwise."""
    scale: float = 0.85
    """Size of the product as a share of what fits into the picture; above 1 it is cropped."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Distance from the middle, as shares of width and height."""
    light: float = 0.5
    """Side that the light comes from: 0 is left, 1 is right."""
    contrast: float = 0.5
    """Strength of shading and shadow, 0 to 1."""
    flipped: bool = False
    """Whether left and right are swapped."""
    mode: str = "RGB"
    """Pillow's name of the mode: RGB, RGBA, L, LA, P, CMYK."""
    format: str = "JPEG"
    """Pillow's name of the file format: JPEG, PNG, WEBP, GIF."""
    quality: int = 88
    """Quality of JPEG and WebP, up to 100."""
    seed: int = 0
    """Seed of everything that drawing decides itself: creases, wood grain, the offset of a print."""
