"""The styles that sample brands may sell, and the words that they may use for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from etalage.sample.appearance import Rgb

__all__ = [
    "CUT_WORDS",
    "DEPARTMENT_WORDS",
    "HARDWARE_WORDS",
    "LOG_FACTORS",
    "MATERIAL_WORDS",
    "PATTERN_WORDS",
    "SHADES",
    "STYLES",
    "STYLES_NAMING_METAL",
    "Style",
]


@dataclass(frozen=True)
class Style:
    """The properties of a style that are the same for every brand."""

    department: str
    """Top of the category tree, a key of DEPARTMENT_WORDS."""
    section: str
    """Second level of the category tree."""
    nouns: tuple[str, ...]
    """Its names; each brand uses one of them."""
    base_price_usd: float
    """Price before the brand's factors."""
    materials: tuple[str, ...]
    """Materials it comes in, the frequent first. If there is only one, titles do not name it."""
    patterns: tuple[str, ...] = ("plain",)
    """Patterns it comes in, the frequent first."""
    hardware: bool = False
    """Whether metal parts can be seen on it."""


_WOVEN = ("plain", "check", "striped", "dotted", "floral")
_TAILORED = ("plain", "check", "pinstripe", "houndstooth")
_KNITTED = ("plain", "striped", "check", "monogram")
_PRINTED = ("plain", "monogram", "check", "floral", "dotted")
_CARRIED = ("plain", "monogram", "check", "houndstooth")

# Brands shuffle and draw from these tables in their order: a new entry or another order changes every brand and must
# raise `drawn.VERSION`.
STYLES: Mapping[str, Style] = {
    "trench coat": Style(
        "clothing",
        "outerwear",
        ("Trench Coat", "Trench", "Raincoat"),
        1900,
        ("gabardine", "cotton", "leather"),
        ("plain", "check"),
        True,
    ),
    "puffer jacket": Style(
        "clothing",
        "outerwear",
        ("Puffer Jacket", "Down Jacket", "Puffer"),
        1150,
        ("quilted", "satin"),
        ("plain", "check", "monogram"),
    ),
    "blazer": Style(
        "clothing", "tailoring", ("Blazer", "Jacket", "Sport Coat"), 1350, ("wool", "cotton", "suede"), _TAILORED, True
    ),
    "shirt": Style(
        "clothing", "tops", ("Shirt", "Button-down", "Overshirt"), 480, ("cotton", "satin", "denim"), _WOVEN
    ),
    "polo": Style(
        "clothing", "tops", ("Polo Shirt", "Polo", "Polo Top"), 390, ("cotton", "knit"), ("plain", "striped", "check")
    ),
    "sweater": Style("clothing", "knitwear", ("Sweater", "Jumper", "Pullover"), 780, ("knit", "wool"), _KNITTED),
    "cardigan": Style("clothing", "knitwear", ("Cardigan",), 860, ("knit", "wool"), _KNITTED),
    "dress": Style(
        "clothing", "dresses and skirts", ("Dress", "Gown", "Frock"), 1250, ("cotton", "satin", "wool"), _WOVEN
    ),
    "skirt": Style("clothing", "dresses and skirts", ("Skirt", "Kilt"), 690, ("cotton", "wool", "leather"), _TAILORED),
    "trousers": Style(
        "clothing", "bottoms", ("Trousers", "Pants", "Slacks"), 620, ("cotton", "wool", "denim"), _TAILORED
    ),
    "scarf": Style(
        "accessories",
        "scarves",
        ("Scarf", "Shawl", "Stole"),
        430,
        ("wool", "satin", "knit"),
        ("check", "plain", "striped", "monogram", "dotted"),
    ),
    "cap": Style(
        "accessories", "hats", ("Cap", "Hat"), 290, ("cotton", "denim", "wool"), ("plain", "check", "monogram")
    ),
    "tote bag": Style(
        "bags", "handbags", ("Tote Bag", "Tote", "Shopper"), 1450, ("leather", "cotton", "straw"), _CARRIED, True
    ),
    "shoulder bag": Style(
        "bags",
        "handbags",
        ("Shoulder Bag", "Crossbody Bag", "Satchel"),
        1750,
        ("leather", "suede", "quilted"),
        _CARRIED,
        True,
    ),
    "backpack": Style(
        "bags", "backpacks", ("Backpack", "Rucksack"), 1250, ("leather", "cotton", "quilted"), _CARRIED, True
    ),
    "sneakers": Style(
        "shoes",
        "casual shoes",
        ("Sneakers", "Trainers"),
        690,
        ("leather", "suede", "cotton"),
        ("plain", "check", "monogram"),
    ),
    "boots": Style("shoes", "boots", ("Boots", "Booties"), 1150, ("leather", "suede"), ("plain", "check"), True),
    "pumps": Style(
        "shoes", "heels", ("Pumps", "Court Shoes"), 820, ("leather", "suede", "satin"), ("plain", "check", "dotted")
    ),
    "belt": Style(
        "accessories", "belts", ("Belt", "Waist Belt"), 420, ("leather", "suede"), ("plain", "check", "monogram"), True
    ),
    "sunglasses": Style("accessories", "eyewear", ("Sunglasses", "Shades"), 330, ("metal",), hardware=True),
    "perfume": Style(
        "beauty", "fragrance", ("Eau de Parfum", "Perfume", "Eau de Toilette"), 145, ("metal",), hardware=True
    ),
    "earrings": Style("jewellery", "earrings", ("Earrings",), 460, ("metal",), hardware=True),
    "necklace": Style("jewellery", "necklaces", ("Necklace", "Necklet"), 620, ("metal",), hardware=True),
    "watch": Style("jewellery", "watches", ("Watch", "Wristwatch"), 990, ("metal",), hardware=True),
    "umbrella": Style(
        "accessories",
        "umbrellas",
        ("Umbrella", "Brolly"),
        310,
        ("cotton",),
        ("plain", "check", "monogram", "dotted", "striped"),
    ),
}
"""Styles by the keys of CUTS."""

SHADES: Sequence[tuple[Rgb, tuple[str, ...]]] = (
    ((34, 34, 38), ("Black", "Noir", "Anthracite")),
    ((240, 238, 232), ("White", "Blanc", "Bright White")),
    ((196, 152, 100), ("Camel", "Sand", "Beige")),
    ((30, 44, 92), ("Navy", "Indigo", "Dark Blue")),
    ((190, 28, 42), ("Red", "Scarlet", "Crimson")),
    ((132, 134, 138), ("Grey", "Slate", "Gris")),
    ((30, 104, 66), ("Green", "Emerald", "Jade")),
    ((96, 62, 40), ("Brown", "Chocolate", "Marron")),
    ((236, 150, 178), ("Pink", "Rosa", "Blush")),
    ((100, 158, 216), ("Blue", "Sky", "Pale Blue")),
    ((110, 22, 44), ("Burgundy", "Bordeaux", "Wine")),
    ((240, 200, 60), ("Yellow", "Mustard", "Golden")),
    ((108, 112, 58), ("Olive", "Khaki", "Sage")),
    ((228, 216, 188), ("Cream", "Ivory", "Vanilla")),
    ((226, 112, 40), ("Orange", "Apricot", "Amber")),
    ((112, 66, 148), ("Purple", "Violet", "Plum")),
    ((24, 122, 128), ("Teal", "Petrol", "Turquoise")),
    ((176, 84, 54), ("Rust", "Terracotta", "Copper")),
)
"""Colours and their names. `catalogue.title_family` recognises every name at the end of a title."""

CUT_WORDS: Mapping[str, tuple[str, ...]] = {
    "short": ("Short", "Cropped", "Mini"),
    "mid-length": ("Mid-length", "Midi", "Knee-length"),
    "long": ("Long", "Full-length", "Maxi"),
    "sleeveless": ("Sleeveless", "Gilet-style"),
    "long-sleeve": ("Long-sleeve", "Full-sleeve"),
    "short-sleeve": ("Short-sleeve", "Half-sleeve"),
    "crew neck": ("Crew Neck", "Round Neck"),
    "roll neck": ("Roll Neck", "Turtleneck", "Funnel Neck"),
    "v-neck": ("V-neck", "Deep-neck"),
}
"""Words for cuts that have several; the other cuts go by their own name."""

PATTERN_WORDS: Mapping[str, tuple[str, ...]] = {
    "check": ("Check", "Vintage Check", "Tartan"),
    "striped": ("Striped", "Stripe", "Breton Stripe"),
    "pinstripe": ("Pinstripe", "Pinstriped"),
    "dotted": ("Polka Dot", "Dotted", "Spot Print"),
    "monogram": ("Monogram", "Logo Print", "Cipher"),
    "houndstooth": ("Houndstooth", "Dogtooth"),
    "floral": ("Floral", "Floral Print", "Blossom"),
}
"""Words for patterns; plain has none."""

MATERIAL_WORDS: Mapping[str, tuple[str, ...]] = {
    "cotton": ("Cotton", "Cotton Poplin", "Organic Cotton"),
    "gabardine": ("Gabardine", "Cotton Gabardine"),
    "wool": ("Wool", "Virgin Wool", "Merino Wool"),
    "knit": ("Cashmere", "Cable Knit", "Rib Knit"),
    "leather": ("Leather", "Calfskin", "Grainy Leather"),
    "suede": ("Suede", "Nubuck"),
    "satin": ("Silk", "Satin", "Silk Satin"),
    "denim": ("Denim", "Japanese Denim"),
    "quilted": ("Quilted", "Diamond Quilted", "Padded"),
    "straw": ("Raffia", "Straw", "Woven"),
}
"""Words for materials; metal has none, since titles name the kind of metal instead."""

HARDWARE_WORDS: Mapping[str, tuple[str, ...]] = {
    "gold": ("Gold-tone", "Gold", "Gilded"),
    "silver": ("Silver-tone", "Silver", "Palladium"),
    "black": ("Gunmetal", "Black-tone", "Ruthenium"),
}
"""Words for the metals of HARDWARE."""

LOG_FACTORS: Mapping[str, float] = {
    **{"cotton": 0.0, "gabardine": 0.1, "wool": 0.15, "knit": 0.2, "leather": 0.45, "suede": 0.35, "satin": 0.25},
    **{"denim": -0.1, "quilted": 0.1, "straw": -0.2, "metal": 0.0, "plain": 0.0, "check": 0.2, "striped": 0.08},
    **{"pinstripe": 0.1, "dotted": 0.1, "monogram": 0.3, "houndstooth": 0.15, "floral": 0.18},
    **{"gold": 0.12, "silver": 0.0, "black": -0.08},
}
"""Logarithms of the factors by which a material, pattern or metal multiplies a price; means over all brands."""

STYLES_NAMING_METAL = ("sunglasses", "earrings", "necklace", "watch")
"""Styles whose titles name the metal, since it is what they are made of."""

DEPARTMENT_WORDS: Mapping[str, tuple[str, ...]] = {
    "clothing": ("Clothing", "Apparel", "Ready-to-wear"),
    "bags": ("Bags", "Leather Goods", "Bags and Luggage"),
    "shoes": ("Shoes", "Footwear"),
    "accessories": ("Accessories", "Small Accessories"),
    "beauty": ("Beauty", "Fragrance and Beauty"),
    "jewellery": ("Jewellery", "Watches and Jewellery"),
}
"""Words for the departments of `Style`."""
