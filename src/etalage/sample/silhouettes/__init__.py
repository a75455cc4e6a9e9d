"""The outlines of products: one function per style."""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from etalage.sample.silhouettes import accessories, bags, bottoms, jewellery, outerwear, shoes, tops
from etalage.sample.silhouettes.holders import put_on_dress_form, put_on_hanger
from etalage.sample.silhouettes.sketch import Hanger, Item, Sketch

__all__ = ["VISIBLE_ATTRIBUTES", "Hanger", "Item", "Sketch", "sketch_product"]

_STYLES: Mapping[str, Callable[[str], Sketch]] = MappingProxyType(
    {
        "trench coat": outerwear.trench_coat,
        "puffer jacket": outerwear.puffer_jacket,
        "blazer": outerwear.blazer,
        "shirt": tops.shirt,
        "polo": tops.polo,
        "sweater": tops.sweater,
        "cardigan": tops.cardigan,
        "dress": bottoms.dress,
        "skirt": bottoms.skirt,
        "trousers": bottoms.trousers,
        "scarf": accessories.scarf,
        "cap": accessories.cap,
        "tote bag": bags.tote_bag,
        "shoulder bag": bags.shoulder_bag,
        "backpack": bags.backpack,
        "sneakers": shoes.sneakers,
        "boots": shoes.boots,
        "pumps": shoes.pumps,
        "belt": accessories.belt,
        "sunglasses": jewellery.sunglasses,
        "perfume": jewellery.perfume,
        "earrings": jewellery.earrings,
        "necklace": jewellery.necklace,
        "watch": jewellery.watch,
        "umbrella": accessories.umbrella,
    }
)

_FABRIC = frozenset({"colour", "accent", "pattern", "material"})
_FABRIC_AND_METAL = _FABRIC | {"hardware"}
_STONE_AND_METAL = frozenset({"colour", "hardware"})

VISIBLE_ATTRIBUTES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("shirt", "polo", "sweater", "dress", "skirt", "trousers", "scarf", "cap", "sneakers"), _FABRIC
        ),
        # Metal shows on cardigans, puffers, pumps and umbrellas, too; their price does not follow from it
        # (`Style.hardware`).
        **dict.fromkeys(("trench coat", "puffer jacket", "blazer", "cardigan"), _FABRIC_AND_METAL),
        **dict.fromkeys(
            ("tote bag", "shoulder bag", "backpack", "boots", "pumps", "belt", "umbrella"), _FABRIC_AND_METAL
        ),
        **dict.fromkeys(("sunglasses", "perfume", "earrings", "necklace", "watch"), _STONE_AND_METAL),
    }
)
"""The fields of `Appearance` that can be seen on each style. The accent colour is seen only in a pattern."""


@cache
def sketch_product(style: str, cut: str, pose: str) -> Sketch:
    """Return the product's outlines from the front, undistorted; made once and used for every picture of it.

    Args:
        style: A key of CUTS.
        cut: One of the style's values in CUTS.
        pose: One of POSES. It matters to clothes only.

    Returns:
        The outlines, for clothes with what they are shown on.
    """
    product = _STYLES[style](cut)
    if product.hanger is None or pose == "flat":
        return product
    return put_on_hanger(product, product.hanger) if pose == "hanging" else put_on_dress_form(product, product.hanger)
