"""Copies and variants share a group, whatever order they come in."""

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.catalogue.duplicates import MAX_DISTANCE, group_pictures, near_pairs, title_family


def groups(families: list[tuple[str, str]], hashes: dict[str, bytes] | None = None) -> dict[str, str]:
    pictures = sorted({pixels: (hashes or {}).get(pixels, b"") for pixels, _ in families}.items())
    return group_pictures(pictures, families)[0]


def test_sharing_is_passed_on() -> None:
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
    found, num_near = group_pictures([("a", one), ("b", near), ("c", far), ("d", b"")], [])
    assert found == {"a": "a", "b": "a", "c": "c", "d": "d"}
    assert num_near == 2


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1 << 30), flips=st.integers(0, 60))
def test_all_near_pairs_are_found_and_no_other(seed: int, flips: int) -> None:
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 256, (40, 32), dtype=np.uint8)
    bits = np.unpackbits(hashes, axis=1)
    for copy in range(20, 40):  # of one of the first twenty, with so many bits turned
        bits[copy] = bits[copy - 20]
        bits[copy, rng.choice(256, flips, replace=False)] ^= 1
    found = {tuple(pair) for pairs in near_pairs(np.packbits(bits, axis=1)) for pair in pairs.T.tolist()}
    assert found == {(i, j) for i, j in combinations(range(40), 2) if (bits[i] != bits[j]).sum() <= MAX_DISTANCE}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Check Wool Scarf in Navy", "CHECK WOOL SCARF IN RED", True),
        ("Navy Check Scarf", "Camel Check Scarf", False),
        ("Leather Bag (Dark Green)", "Leather Bag, Black, M", True),
        ("Rose Eau de Parfum 50ml", "Rose Eau de Parfum 100 ml", True),
        ("Black Dress", "Red Dress", False),  # too little is left to tell a family
        ("Check Wool Scarf", "Check Silk Scarf", False),
        ("A120 Atomic Thruster", "A370 Atomic Thruster", False),
        ("Étole à carreaux noir", "Étole à carreaux rouge", True),
        ("手提包", "手提袋", False),
    ],
)
def test_variants_are_of_one_family(one: str, other: str, same: bool) -> None:
    assert (title_family(one) == title_family(other)) is same
