"""Copies and variants share a group, in whatever order they come."""

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.catalogue import duplicates
from etalage.catalogue.duplicates import (
    MAX_DISTANCE,
    Groups,
    connected_components,
    group_pictures,
    is_near,
    near_pairs,
)


def groups(families: list[tuple[str, str]], hashes: dict[str, bytes] | None = None) -> dict[str, str]:
    """Group pictures by pairs of a picture and a family."""
    pictures = sorted({pixels: (hashes or {}).get(pixels, b"") for pixels, _ in families}.items())
    links = sorted((family, pixels) for pixels, family in families)
    return dict(group_pictures(pictures, {"same name": links}).names)


def test_pictures_linked_through_others_share_a_group() -> None:
    found = groups([("p1", "scarf"), ("p2", "scarf"), ("p2", "cap"), ("p3", "boots"), ("p4", "p3")])
    assert found == {"p1": "p1", "p2": "p1", "p3": "p3", "p4": "p4"}


def test_groups_do_not_depend_on_order() -> None:
    rng = random.Random(0)
    families = [(f"p{rng.randrange(60)}", f"t{rng.randrange(60)}") for _ in range(80)]
    expected = groups(families)
    for _ in range(10):
        rng.shuffle(families)
        assert groups(families) == expected


def test_a_long_chain_is_one_group() -> None:
    assert set(groups([(f"p{n // 2:05d}", f"t{(n + 1) // 2}") for n in range(5_000)]).values()) == {"p00000"}


def test_near_pictures_share_a_group() -> None:
    one = bytes(32)
    near = bytes([0x0F] * 4 + [0] * 28)
    far = bytes([0xFF] * 32)
    found = group_pictures([("a", one), ("b", near), ("c", far), ("d", b"")], {})
    assert found.names == {"a": "a", "b": "a", "c": "c", "d": "d"}
    assert found.reasons == {"a": "near picture", "b": "near picture"}
    assert found.num_near == 2


def test_each_picture_knows_why_it_is_in_a_group_with_others() -> None:
    hashes = [("a", bytes(32)), ("b", bytes([1] + [0] * 31)), ("c", b""), ("d", b""), ("e", b"")]
    links = {
        "same name": [("scarf", "b"), ("scarf", "c"), ("cap", "e")],
        "name and code": [(7, "c"), (7, "d"), (8, "d")],
    }
    found = group_pictures(hashes, links)
    assert set(found.names.values()) == {"a", "e"}
    assert found.reasons == {
        "a": "near picture",
        "b": "near picture, same name",
        "c": "same name, name and code",
        "d": "name and code",
    }


def test_near_pictures_of_what_is_surely_two_products_are_kept_apart_and_counted() -> None:
    hashes = [(name, bytes([bits] + [0] * 31)) for name, bits in (("a", 0), ("b", 1), ("c", 3), ("d", 7))]
    found = group_pictures(hashes, {}, [("a", "P1"), ("b", "P2"), ("d", "P1")])
    assert found.names == {"a": "a", "b": "a", "c": "a", "d": "a"}, "c is of neither, and near to all"
    assert (found.num_near, found.num_kept_apart) == (4, 3)
    found = group_pictures(hashes[:2], {}, [("a", "P1"), ("b", "P2")])
    assert found.names == {"a": "a", "b": "b"}
    assert found.reasons == {}


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1 << 30), flips=st.integers(0, 60))
def test_all_near_pairs_are_found_and_no_other(seed: int, flips: int) -> None:
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 256, (40, 32), dtype=np.uint8)
    bits = np.unpackbits(hashes, axis=1)
    for copy in range(20, 40):  # of one of the first twenty, with some bits flipped
        bits[copy] = bits[copy - 20]
        bits[copy, rng.choice(256, flips, replace=False)] ^= 1
    found = {tuple(pair) for pairs in near_pairs(np.packbits(bits, axis=1)) for pair in pairs.T.tolist()}
    assert found == {(i, j) for i, j in combinations(range(40), 2) if (bits[i] != bits[j]).sum() <= MAX_DISTANCE}


def test_no_pictures_make_no_groups() -> None:
    assert group_pictures([], {}) == Groups({}, {}, 0, 0)


def test_a_near_copy_is_counted_once_however_many_it_has() -> None:
    phashes = [bytes(32), bytes([1] + [0] * 31), bytes([3] + [0] * 31), bytes([0xFF] * 32)]
    found = group_pictures([(name, phash) for name, phash in zip("abcd", phashes, strict=True)], {})
    assert found.names == {"a": "a", "b": "a", "c": "a", "d": "d"}
    assert found.num_near == 3


def test_groups_are_named_by_the_first_characters_of_their_smallest_hash() -> None:
    names = ["b" * 32, "c" * 32]
    assert groups([(name, "scarf") for name in names]) == dict.fromkeys(names, "b" * 16)


@settings(max_examples=30, deadline=None)
@given(
    num_nodes=st.integers(1, 30),
    pairs=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40),
    batch_size=st.integers(1, 50),
)
def test_components_are_the_same_in_any_batches(num_nodes: int, pairs: list[tuple[int, int]], batch_size: int) -> None:
    pairs = [(one % num_nodes, other % num_nodes) for one, other in pairs]
    expected = list(range(num_nodes))
    for _ in range(num_nodes):  # spread the smallest number along the edges until nothing changes
        for one, other in pairs:
            expected[one] = expected[other] = min(expected[one], expected[other])
    edges = [np.array(pairs[start : start + 3], np.int64).T for start in range(0, len(pairs), 3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "MAX_EDGES", batch_size)
        assert connected_components(num_nodes, edges).tolist() == expected


def test_two_hashes_are_near_as_pairs_are() -> None:
    one, near, far = bytes(32), bytes([0xFF, 0xFF] + [0] * 30), bytes([0xFF, 0xFF, 1] + [0] * 29)
    assert is_near(one, near)
    assert not is_near(one, far)
    assert not is_near(b"", b"")
