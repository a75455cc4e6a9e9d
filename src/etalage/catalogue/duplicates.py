"""Which products are copies or variants of one another: those must not be split apart."""

from collections.abc import Iterable, Sequence

from etalage.catalogue.checks import CheckedProduct
from etalage.catalogue.sources import KNOWN_COLUMNS

__all__ = ["group_by_shared", "group_products"]


def group_products(products: Sequence[CheckedProduct]) -> list[str]:
    """Name a group for each product; products with the same pixels or the same title, case aside, share one.

    The title is any field that goes by one of a title's names. Variants share theirs; a field such as colour would join
    everything.
    """
    titles = KNOWN_COLUMNS["title"]
    return group_by_shared(
        [
            [product.picture.pixel_sha256, *(str(v).casefold() for name, v in product.values.items() if name in titles)]
            for product in products
        ]
    )


def group_by_shared(keys: Iterable[Sequence[str]]) -> list[str]:
    """Groups in which every member shares a key with another one.

    Args:
        keys: Per member, at least one. Keys in different positions are never the same key.
    Returns:
        Per member the smallest first key in its group, cut to 16 characters: a name that does not depend on order.
    """
    placed = [list(enumerate(member)) for member in keys]
    parent: dict[tuple[int, str], tuple[int, str]] = {}

    def root(key: tuple[int, str]) -> tuple[int, str]:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for member in placed:
        for key in member:
            low, high = sorted((root(member[0]), root(key)))
            parent[high] = low
    return [root(member[0])[1][:16] for member in placed]
