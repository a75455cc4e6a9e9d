"""The outlines of products, one function per style."""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from etalage.sample.silhouettes import accessories, bags, clothes, jewellery, shoes
from etalage.sample.silhouettes.holders import hung, worn
from etalage.sample.silhouettes.sketch import Hanger, Item, Sketch

__all__ = ["SHOWS", "Hanger", "Item", "Sketch", "sketch"]

_STYLES: Mapping[str, Callable[[str], Sketch]] = MappingProxyType(
    {
        "trench coat": clothes.trench_coat,
        "puffer jacket": clothes.puffer_jacket,
        "blazer": clothes.blazer,
        "shirt": clothes.shirt,
        "polo": clothes.polo,
        "sweater": clothes.sweater,
        "cardigan": clothes.cardigan,
        "dress": clothes.dress,
        "skirt": clothes.skirt,
        "trousers": clothes.trousers,
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

_CLOTH = frozenset({"colour", "accent", "pattern", "material"})
_STONE = frozenset({"colour", "hardware"})

SHOWS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **dict.fromkeys(("shirt", "polo", "sweater", "dress", "skirt", "trousers", "scarf", "cap", "sneakers"), _CLOTH),
        **dict.fromkeys(("trench coat", "puffer jacket", "blazer", "cardigan"), _CLOTH | {"hardware"}),
        **dict.fromkeys(
            ("tote bag", "shoulder bag", "backpack", "boots", "pumps", "belt", "umbrella"), _CLOTH | {"hardware"}
        ),
        **dict.fromkeys(("sunglasses", "perfume", "earrings", "necklace", "watch"), _STONE),
    }
)
"""Which of a look's attributes can be seen on a style. The accent colour is seen if the pattern is not plain."""


@cache
def sketch(style: str, cut: str, pose: str) -> Sketch:
    """The product from the front, undistorted. Made once, and used for every picture of it.

    Args:
        style: A key of CUTS, and `cut` one of its values.
        pose: One of POSES. It matters to clothes only.
    """
    product = _STYLES[style](cut)
    if product.hanger is None or pose == "flat":
        return product
    return hung(product, product.hanger) if pose == "hanging" else worn(product, product.hanger)
