"""Copies and variants share a group, whatever order they come in."""

import random

from etalage.catalogue.duplicates import group_by_shared


def test_sharing_is_passed_on() -> None:
    keys = [("p1", "scarf"), ("p2", "scarf"), ("p2", "cap"), ("p3", "boots"), ("p4", "p3")]
    assert group_by_shared(keys) == ["p1", "p1", "p1", "p3", "p4"]


def test_groups_do_not_depend_on_order() -> None:
    rng = random.Random(0)
    keys = [(f"p{rng.randrange(60)}", f"t{rng.randrange(60)}") for _ in range(80)]
    expected = dict(zip(keys, group_by_shared(keys), strict=True))
    for _ in range(10):
        rng.shuffle(keys)
        assert dict(zip(keys, group_by_shared(keys), strict=True)) == expected


def test_a_long_chain_is_one_group() -> None:
    keys = [(f"p{n // 2:05d}", f"t{(n + 1) // 2}") for n in range(5_000)]
    assert set(group_by_shared(keys)) == {"p00000"}
