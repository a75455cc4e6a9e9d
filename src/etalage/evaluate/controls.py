"""Controls: the same model shown a wrong picture. A model that looks at pictures must do worse on them."""

import dataclasses
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from PIL import Image

from etalage.errors import EtalageError
from etalage.task import Product

__all__ = ["blank_picture", "shuffle_pictures"]


def blank_picture(picture: Image.Image) -> Image.Image:
    """Return a plain mid-grey RGB picture of the same size, which therefore has the same number of crops and tokens."""
    return Image.new("RGB", picture.size, (128, 128, 128))


def shuffle_pictures(
    products: Sequence[Product], seed: int, *, groups: Sequence[Hashable] | None = None
) -> list[Product]:
    """Give each product another one's picture and use every picture once.

    Args:
        products: At least two.
        seed: Equal seeds give equal results.
        groups: One per product. No product gets a picture of its own group if that can be avoided. Without groups,
            products that share a picture file are a group.

    Returns:
        The products in their order, each with the image that it is shown.

    Raises:
        EtalageError: There are fewer than two products.
    """
    if len(products) < 2:
        raise EtalageError(
            f"found {len(products)} product, but showing another product's picture takes at least 2; "
            "evaluate a larger split"
        )
    groups = groups or [product.image for product in products]
    # The products stand in a circle, group by group, and take the picture that lies the largest group's size further
    # on. They land in their own group only where it fills more than half of the circle and nothing else is left.
    shuffle = np.random.default_rng(seed).permutation(len(products)).tolist()
    first_seen: dict[Hashable, int] = {}
    for index in shuffle:
        first_seen.setdefault(groups[index], len(first_seen))
    circle = sorted(shuffle, key=lambda index: first_seen[groups[index]])
    shift = min(max(Counter(groups).values()), len(products) - 1)
    shown = {own: circle[(place + shift) % len(circle)] for place, own in enumerate(circle)}
    return [dataclasses.replace(product, image=products[shown[i]].image) for i, product in enumerate(products)]
