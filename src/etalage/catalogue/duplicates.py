"""Finds products that are copies or variants of one another, which must not be split apart.

Pictures with equal pixels, near pictures (resized, recompressed, recoloured) and products with equal title families
belong together. Whatever is connected by a chain of such pairs is one group.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from etalage.chunks import chunks

__all__ = ["MIN_PLACEHOLDER_TITLES", "connected_components", "group_pictures", "near_pairs", "title_family"]

MAX_DISTANCE = 16
"""The number of bits, of 256, by which the hashes of near copies may differ; measured in docs/decisions.md. The search
is exact up to 31."""

MIN_PLACEHOLDER_TITLES = 5
"""A picture that at least this many different titles share is taken for one that shows no product in particular."""

MAX_EDGES = 1 << 22
"""The number of edges that `connected_components` holds in memory at once."""

_NUM_BANDS = 16
_MAX_PAIRS = 1 << 20  # compared at once
_GROUP_NAME_CHARS = 16

_COLOURS = """
amber anthracite apricot aqua beige black blue blush bordeaux brass bronze brown burgundy camel caramel charcoal
chocolate cobalt cognac copper coral cream crimson ecru emerald fuchsia gold golden green grey gray hazel indigo
ivory jade khaki lavender lilac lime magenta maroon mauve mint multicolor multicolour mustard natural navy nude
ochre olive orange peach petrol pink plum purple red ruby rust sage salmon sand scarlet silver sky slate tan
taupe teal terracotta turquoise vanilla violet white wine yellow dark light bright pale deep
noir blanc rouge bleu vert jaune gris marron rosa nero bianco rosso blu verde giallo grigio schwarz weiss rot blau
gelb grau braun negro blanco rojo azul amarillo
"""
COLOURS = frozenset(_COLOURS.split())
"""Words for colours that end a title and stand between a product and its variants, in several languages."""

_SIZE = re.compile(r"(?:\d+(?:[.,]\d+)?)?(?:ml|cl|kg|mm|cm|oz|inch)|\d+(?:[.,]\d+)?(?:l|g|m|in)?|x{0,3}[sl]|m")
_WORD = re.compile(r"[^\W_]+(?:[.,'’-][^\W_]+)*")


def title_family(title: str) -> str:
    """Return a title without the colours and sizes at its end, which the variants of a product share.

    "Check Wool Scarf in Navy" and "Check Wool Scarf in Red" are of one family. "Navy Check Scarf" and "Red Check Scarf"
    are not: there the colour is part of what the product is, and only near pictures make variants of them.

    >>> title_family("Check Wool Scarf in Navy")
    'check wool scarf'

    Args:
        title: The title of a product.

    Returns:
        The family in lower case; the whole title if fewer than two words would be left.
    """
    title = title.casefold()
    words = _WORD.findall(title)
    while words and (words[-1] in COLOURS or words[-1] == "in" or _SIZE.fullmatch(words[-1])):
        words.pop()
    return " ".join(words) if len(words) > 1 else title


def near_pairs(hashes: NDArray[np.uint8]) -> Iterator[NDArray[np.int64]]:
    """Yield all pairs of hashes that are at most MAX_DISTANCE bits apart.

    Hashes are cut into 16 bands of 16 bits. Two hashes that differ in at most 31 bits have a band in which they differ
    in at most one. Only hashes that share a band, or all but one bit of it, are compared.

    Args:
        hashes: Perceptual hashes, (N, 32) uint8.

    Yields:
        Pairs i < j of indices, (2, P) int64; a pair may come more than once.
    """
    words = np.ascontiguousarray(hashes).view(np.uint64)  # (N, 4)
    bands = np.ascontiguousarray(hashes).view(np.uint16)  # (N, 16)
    flips = np.array([0, *(1 << bit for bit in range(16))], np.uint16)
    for band in range(_NUM_BANDS):
        # sorted by this band, hashes with equal bands stand side by side
        order = np.argsort(bands[:, band], kind="stable")
        keys = bands[order, band]
        for flip in flips:
            first, last = (np.searchsorted(keys, keys ^ flip, side) for side in ("left", "right"))
            for start, stop in _slices(last - first):
                # of each hash in the slice, pair it with all hashes whose band is equal but for the flipped bit
                counts = (last - first)[start:stop]
                own = np.repeat(np.arange(start, stop), counts)
                offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
                pairs = order[np.stack([own, np.repeat(first[start:stop], counts) + offset])]
                # each pair turns up from both ends, and each hash with itself
                pairs = pairs[:, pairs[0] < pairs[1]]
                distance = np.bitwise_count(words[pairs[0]] ^ words[pairs[1]]).sum(axis=1)
                yield pairs[:, distance <= MAX_DISTANCE]


def _slices(counts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield consecutive ranges whose counts add up to about _MAX_PAIRS each."""
    total = np.cumsum(counts)
    start = 0
    while start < len(counts):
        limit = (total[start - 1] if start else 0) + _MAX_PAIRS
        stop = max(start + 1, int(np.searchsorted(total, limit, "right")))
        yield start, stop
        start = stop


def connected_components(num_nodes: int, edges: Iterable[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the smallest node of each node's component.

    The edges are taken in batches of MAX_EDGES: a table in which most pictures are near copies has far more of them
    than fit into memory.

    Args:
        num_nodes: The number of nodes.
        edges: Arrays of pairs of nodes, (2, E) int64 each.

    Returns:
        Nodes, (num_nodes,) int64.
    """
    smallest = np.arange(num_nodes)
    waiting: list[NDArray[np.int64]] = []
    num_waiting = 0
    for batch in edges:
        waiting.append(batch)
        num_waiting += batch.shape[1]
        if num_waiting >= MAX_EDGES:
            smallest = _merge(smallest, np.concatenate(waiting, axis=1))
            waiting, num_waiting = [], 0
    return _merge(smallest, np.concatenate(waiting, axis=1)) if num_waiting else smallest


def _merge(smallest: NDArray[np.int64], edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the smallest nodes of the components that further edges make of those known so far."""
    # here, since it takes most of a second and the command line should not wait for it
    from scipy.sparse import coo_array, csgraph

    num_nodes = len(smallest)
    between = smallest[edges].astype(np.int32)  # between components, each in place of its nodes
    # an edge may come more than once: entries add up, and any that is not 0 counts as an edge
    graph = coo_array((np.ones(between.shape[1], np.bool_), tuple(between)), shape=(num_nodes, num_nodes))
    num_labels, labels = csgraph.connected_components(graph, directed=False)
    # scipy promises no order of labels
    smallest_of_label = np.full(num_labels, num_nodes)
    np.minimum.at(smallest_of_label, labels, np.arange(num_nodes))
    return smallest_of_label[labels][smallest]


def group_pictures(
    pictures: Sequence[tuple[str, bytes]], families: Iterable[tuple[str, str]]
) -> tuple[dict[str, str], int]:
    """Return the group of each distinct picture.

    Args:
        pictures: The pixels' hash and the perceptual hash (32 bytes or none) of each picture, sorted.
        families: Pairs of a picture (its pixels' hash) and a title family that one of its products has.

    Returns:
        Names of groups by pixels' hash: the smallest hash of the group, cut to 16 characters, which does not depend on
        any order; and the number of pictures that have a near copy.
    """
    index_of = {pixels: index for index, (pixels, _) in enumerate(pictures)}
    has_near_copy = np.zeros(len(pictures), np.bool_)

    def edges() -> Iterator[NDArray[np.int64]]:
        # plain pictures have no hash: they would all be near one another
        hashed = np.array([index for index, (_, phash) in enumerate(pictures) if phash], np.int64)
        if len(hashed):
            hashes = np.frombuffer(b"".join(phash for _, phash in pictures if phash), np.uint8).reshape(-1, 32)
            for pairs in near_pairs(hashes):
                has_near_copy[hashed[pairs]] = True
                yield hashed[pairs]
        # a star for each family, from its first picture to the others, connects it with the fewest edges
        first_of_family: dict[str, int] = {}
        for chunk in chunks(families, _MAX_PAIRS):
            own = [index_of[pixels] for pixels, _ in chunk]
            first = [first_of_family.setdefault(family, index) for (_, family), index in zip(chunk, own, strict=True)]
            yield np.array([first, own], np.int64)

    smallest = connected_components(len(pictures), edges())
    # Pictures are sorted, so the smallest index of a group is that of its smallest hash.
    names = [pixels[:_GROUP_NAME_CHARS] for pixels, _ in pictures]
    groups = {pixels: names[smallest[index]] for pixels, index in index_of.items()}
    return groups, int(has_near_copy.sum())
