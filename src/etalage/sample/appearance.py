"""What can be seen in a sample picture: the product's looks, and the scene that it is photographed in.

Words only. `draw` turns them into pixels, `world` gives them names and prices.
"""

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["BACKGROUNDS", "CUTS", "HARDWARE", "MATERIALS", "PATTERNS", "POSES", "Look", "Rgb", "Scene"]

Rgb = tuple[int, int, int]

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
"""Styles of products, each with the cuts that it comes in. All of them can be told apart by their outlines."""

PATTERNS = ("plain", "check", "striped", "pinstripe", "dotted", "monogram", "houndstooth", "floral")
"""Of the main colour and the accent colour."""

MATERIALS = ("cotton", "gabardine", "wool", "knit", "leather", "suede", "satin", "denim", "quilted", "straw", "metal")
"""Textures and how they take the light. Jewellery and watches are of metal; their colour is the stone's or dial's."""

HARDWARE = ("gold", "silver", "black")
"""Of buckles, buttons, chains, frames, caps of bottles, and of jewellery itself."""

BACKGROUNDS = ("plain", "gradient", "studio", "wall", "wood", "transparent")
"""studio: floor and wall meet; wall: lit from one side, with a shadow; transparent: only where the mode has alpha."""

POSES = ("flat", "hanging", "worn")
"""Clothes lie flat, hang on a hanger, or stand on a dress form. Other products stand, tilt or turn instead."""


@dataclass(frozen=True)
class Look:
    """All that a price or a title may follow from."""

    style: str
    """A key of CUTS."""
    cut: str
    colour: Rgb
    accent: Rgb
    pattern: str
    material: str
    hardware: str


@dataclass(frozen=True)
class Scene:
    """What varies without meaning, and how the picture is written."""

    width_px: int
    height_px: int
    background: str = "plain"
    tint: Rgb = (238, 238, 236)
    pose: str = "flat"
    angle: float = 0.0
    """Degrees, clockwise."""
    scale: float = 0.85
    """Share of the picture's shorter fitting side that the product takes; above 1 it is cropped."""
    shift: tuple[float, float] = (0.0, 0.0)
    """From the middle, as shares of width and height."""
    light: float = 0.5
    """Where it comes from: 0 left, 1 right."""
    contrast: float = 0.5
    """Of shading and shadow, 0 to 1."""
    flipped: bool = False
    mode: str = "RGB"
    """As Pillow's: RGB, RGBA, L, LA, P, CMYK."""
    format: str = "JPEG"
    """As Pillow's: JPEG, PNG, WEBP, GIF."""
    quality: int = 88
    seed: int = 0
    """For folds, speckles and the places of flowers: anything that drawing itself decides."""
