"""What to fall short of: the same model, robbed of the right picture."""

import dataclasses
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from PIL import Image

from etalage.errors import EtalageError
from etalage.task import Product

__all__ = ["blank", "shuffled"]


def blank(picture: Image.Image) -> Image.Image:
    """A plain mid-grey picture of the same size, hence of the same number of crops and tokens."""
    return Image.new("RGB", picture.size, (128, 128, 128))


def shuffled(products: Sequence[Product], seed: int, *, groups: Sequence[Hashable] | None = None) -> list[Product]:
    """Give each product another one's picture, every picture being used once.

    Args:
        groups: One per product. No product gets a picture of its own group if that can be avoided; without groups,
            products that share a picture file are one.
    Returns:
        The products in their order, each with the image that it is shown.
    Raises:
        EtalageError: fewer than two products.
    """
    if len(products) < 2:
        raise EtalageError(f"{len(products)} product: to show another one's picture takes at least 2")
    groups = groups or [product.image for product in products]
    # Groups side by side, shifted by the largest group's size: a product then lands in its own group only where that
    # group fills more than half of the circle and nothing else is left for it.
    shuffle = np.random.default_rng(seed).permutation(len(products)).tolist()
    first_seen: dict[Hashable, int] = {}
    for index in shuffle:
        first_seen.setdefault(groups[index], len(first_seen))
    circle = sorted(shuffle, key=lambda index: first_seen[groups[index]])
    shift = min(max(Counter(groups).values()), len(products) - 1)
    shown = {own: circle[(place + shift) % len(circle)] for place, own in enumerate(circle)}
    return [dataclasses.replace(product, image=products[shown[i]].image) for i, product in enumerate(products)]
