"""Finds pictures of products that are copies or variants of one another, which must not be split apart.

Near pictures (resized, recompressed, recoloured) belong together, and so do those whose rows are linked: by a column,
by their titles and something else besides. Whatever is connected by a chain of such pairs is one group.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from etalage.chunks import chunks

__all__ = [
    "MIN_PLACEHOLDER_TITLES",
    "NEAR",
    "Groups",
    "connected_components",
    "group_pictures",
    "is_near",
    "near_pairs",
]

NEAR = "near picture"
"""The reason for which near pictures are in one group."""

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


def is_near(one: bytes, other: bytes) -> bool:
    """Return whether two perceptual hashes are those of near copies; a picture too plain for a hash has none.

    Args:
        one: 32 bytes, or none.
        other: 32 bytes, or none.
    """
    return bool(one and other) and (int.from_bytes(one) ^ int.from_bytes(other)).bit_count() <= MAX_DISTANCE


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


@dataclass(frozen=True)
class Groups:
    """The groups of pictures, by pixels' hash."""

    names: Mapping[str, str]
    """The smallest hash of the picture's group, cut to 16 characters, which does not depend on any order."""
    reasons: Mapping[str, str]
    """Why the picture is in a group with others, the reasons joined by commas; only of those that are."""
    num_near: int
    """The number of pictures that have a near copy."""
    num_kept_apart: int
    """The number of pictures that have a near copy in another group, since a column says that they are different."""


def group_pictures(
    pictures: Sequence[tuple[str, bytes]],
    links: Mapping[str, Iterable[tuple[Hashable, str]]],
    parents: Iterable[tuple[str, str]] = (),
) -> Groups:
    """Group pictures that are near one another or are linked by what their rows say, and all that is connected.

    Args:
        pictures: The pixels' hash and the perceptual hash (32 bytes or none) of each picture, sorted.
        links: By reason, pairs of a key and a picture (its pixels' hash), sorted by the key. Those with equal keys
            belong together.
        parents: Pairs of a picture (its pixels' hash) and the product that it surely belongs to. Near pictures of two
            such products are kept apart.
    """
    index_of = {pixels: index for index, (pixels, _) in enumerate(pictures)}
    parent_of = np.zeros(len(pictures), np.int64)
    numbers: dict[str, int] = {}
    for pixels, parent in parents:
        parent_of[index_of[pixels]] = numbers.setdefault(parent, len(numbers) + 1)
    linked = {reason: np.zeros(len(pictures), np.bool_) for reason in (NEAR, *links)}
    is_near_apart = np.zeros(len(pictures), np.bool_)

    def edges() -> Iterator[NDArray[np.int64]]:
        for pairs in _near_edges(pictures):
            own, other = parent_of[pairs]
            differ = (own != other) & (own > 0) & (other > 0)
            is_near_apart[pairs[:, differ]] = True
            linked[NEAR][pairs[:, ~differ]] = True
            yield pairs[:, ~differ]
        for reason, found in links.items():
            for pairs in _chain_edges(found, index_of):
                linked[reason][pairs] = True
                yield pairs

    smallest = connected_components(len(pictures), edges())
    # Pictures are sorted, so the smallest index of a group is that of its smallest hash.
    names = {pixels: pictures[smallest[index]][0][:_GROUP_NAME_CHARS] for pixels, index in index_of.items()}
    reasons = {
        pixels: ", ".join(found)
        for pixels, index in index_of.items()
        if (found := [reason for reason, is_linked in linked.items() if is_linked[index]])
    }
    return Groups(names, reasons, int((linked[NEAR] | is_near_apart).sum()), int(is_near_apart.sum()))


def _near_edges(pictures: Sequence[tuple[str, bytes]]) -> Iterator[NDArray[np.int64]]:
    # plain pictures have no hash: they would all be near one another
    hashed = np.array([index for index, (_, phash) in enumerate(pictures) if phash], np.int64)
    if len(hashed):
        hashes = np.frombuffer(b"".join(phash for _, phash in pictures if phash), np.uint8).reshape(-1, 32)
        for pairs in near_pairs(hashes):
            yield hashed[pairs]


def _chain_edges(links: Iterable[tuple[Hashable, str]], index_of: Mapping[str, int]) -> Iterator[NDArray[np.int64]]:
    """Yield pairs of neighbours with equal keys: a chain connects them with the fewest edges."""
    pairs = (
        (index_of[before], index_of[own])
        for (key_before, before), (key, own) in pairwise(links)
        if key == key_before and own != before
    )
    for chunk in chunks(pairs, _MAX_PAIRS):
        yield np.array(chunk, np.int64).T
