"""Which products are copies or variants of one another: those must not be split apart.

Equal pixels, near pixels (resized, recompressed, recoloured) and equal title families; each is passed on, so that a
chain of pairs is one group.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["PLACEHOLDER_TITLES", "group_pictures", "near_pairs", "title_family"]

MAX_DISTANCE = 16
"""Bits of 256 by which the hashes of near copies may differ, measured in docs/decisions.md. The search is exact up to
31."""

PLACEHOLDER_TITLES = 5
"""A picture beside at least so many different titles is taken for one that stands for no product in particular."""

_NUM_BANDS = 16
_MAX_PAIRS = 1 << 20  # held at once

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
_SIZE = re.compile(r"(?:\d+(?:[.,]\d+)?)?(?:ml|cl|kg|mm|cm|oz|inch)|\d+(?:[.,]\d+)?(?:l|g|m|in)?|x{0,3}[sl]|m")
_WORD = re.compile(r"[^\W_]+(?:[.,'’-][^\W_]+)*")


def title_family(title: str) -> str:
    """A title without the colours and sizes at its end, for variants to share; all of it if fewer than two words stay.

    So "Check Wool Scarf in Navy" and "Check Wool Scarf in Red" are of one family. "Navy Check Scarf" and "Red Check
    Scarf" are not: there the colour is part of what the product is, and only near pictures make variants of them.
    """
    title = title.casefold()
    words = _WORD.findall(title)
    while words and (words[-1] in COLOURS or words[-1] == "in" or _SIZE.fullmatch(words[-1])):
        words.pop()
    return " ".join(words) if len(words) > 1 else title


def near_pairs(hashes: NDArray[np.uint8]) -> Iterator[NDArray[np.int64]]:
    """All pairs of hashes at most MAX_DISTANCE bits apart.

    Of 16 bands of 16 bits, two such hashes have one in which they differ by one bit at most: only those that share a
    band, or all but a bit of it, are compared.

    Args:
        hashes: (N, 32) uint8.
    Returns:
        (2, P) int64 each time, pairs i < j; a pair may come more than once.
    """
    words = np.ascontiguousarray(hashes).view(np.uint64)  # (N, 4)
    bands = np.ascontiguousarray(hashes).view(np.uint16)  # (N, 16)
    probes = np.array([0, *(1 << bit for bit in range(16))], np.uint16)
    for band in range(_NUM_BANDS):
        order = np.argsort(bands[:, band], kind="stable")
        keys = bands[order, band]
        for probe in probes:
            wanted = keys ^ probe
            first, last = (np.searchsorted(keys, wanted, side) for side in ("left", "right"))
            for start, stop in _slices(last - first):
                counts = (last - first)[start:stop]
                own = np.repeat(np.arange(start, stop), counts)
                offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
                pairs = order[np.stack([own, np.repeat(first[start:stop], counts) + offset])]
                pairs = pairs[:, pairs[0] < pairs[1]]
                distance = np.bitwise_count(words[pairs[0]] ^ words[pairs[1]]).sum(axis=1)
                yield pairs[:, distance <= MAX_DISTANCE]


def _slices(counts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ranges of about _MAX_PAIRS each."""
    total = np.cumsum(counts)
    start = 0
    while start < len(counts):
        limit = (total[start - 1] if start else 0) + _MAX_PAIRS
        stop = max(start + 1, int(np.searchsorted(total, limit, "right")))
        yield start, stop
        start = stop


def group_pictures(
    pictures: Sequence[tuple[str, bytes]], families: Iterable[tuple[str, str]]
) -> tuple[dict[str, str], int]:
    """Name a group for each distinct picture.

    Args:
        pictures: Pixels' hash and perceptual hash (32 bytes or none) of each, sorted.
        families: Pixels' hash and title family of the products.
    Returns:
        By pixels' hash, the smallest one of its group cut to 16 characters: a name that does not depend on order; and
        how many pictures have a near copy.
    """
    place = {pixels: number for number, (pixels, _) in enumerate(pictures)}
    parent = list(range(len(pictures)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    def join(one: int, other: int) -> None:
        low, high = sorted((root(one), root(other)))
        parent[high] = low

    hashed = [number for number, (_, phash) in enumerate(pictures) if phash]
    near: set[int] = set()
    if hashed:
        hashes = np.frombuffer(b"".join(pictures[number][1] for number in hashed), np.uint8).reshape(-1, 32)
        for pairs in near_pairs(hashes):
            for one, other in pairs.T.tolist():
                near |= {one, other}
                join(hashed[one], hashed[other])
    first: dict[str, int] = {}
    for pixels, family in families:
        join(first.setdefault(family, place[pixels]), place[pixels])
    return {pixels: pictures[root(number)][0][:16] for pixels, number in place.items()}, len(near)
