"""Rows are dealt out to families exactly, and sizes and agreement are learned from at least K families."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.sample.mimic.families import Layout, family_sizes, sharing_probability
from etalage.sample.mimic.keyed_rng import KeyedRng
from etalage.sample.mimic.suppressed_counts import K


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 500), st.integers(0, 50), st.dictionaries(st.integers(1, 5), st.integers(1, 9), min_size=1))
def test_rows_are_dealt_out_exactly(rows: int, seed: int, sizes: dict[int, int]) -> None:
    shares = {size: share / sum(sizes.values()) for size, share in sizes.items()}
    layout = Layout.plan(rows, {("A",): 0.7, ("B",): 0.3}, {("A",): shares, ("B",): shares}, seed)
    families = [layout.family_of(number) for number in range(rows)]
    assert abs(sum(family.path == ("A",) for family in families) - 0.7 * rows) <= 1
    assert len({(family.number, family.member) for family in families}) == rows


def test_families_have_the_planned_sizes() -> None:
    layout = Layout.plan(120, {("A",): 1.0}, {("A",): {1: 0.25, 3: 0.75}}, 0)
    families = [layout.family_of(row) for row in range(120)]
    members: dict[int, list[int]] = {}
    for family in families:
        members.setdefault(family.number, []).append(family.member)
    sizes = [len(found) for found in members.values()]
    assert (sizes.count(1), sizes.count(3), len(sizes)) == (30, 30, 60)
    assert all(sorted(found) == list(range(len(found))) for found in members.values())


def test_neighbouring_rows_are_of_different_families() -> None:
    layout = Layout.plan(100, {("A",): 1.0}, {("A",): {4: 1.0}}, 1)
    numbers = [layout.family_of(row).number for row in range(100)]
    assert all(a != b for a, b in pairwise(numbers))


def test_rows_beyond_the_planned_ones_are_of_new_families() -> None:
    layout = Layout.plan(10, {("A",): 1.0}, {("A",): {2: 1.0}}, 5)
    first = {layout.family_of(row).number for row in range(10)}
    second = {layout.family_of(row).number for row in range(10, 20)}
    assert len(first) == len(second) == 5
    assert not first & second
    assert [layout.family_of(row).member for row in range(10)] == [
        layout.family_of(row + 10).member for row in range(10)
    ]


def test_another_seed_deals_out_differently() -> None:
    one, other = (Layout.plan(50, {("A",): 1.0}, {("A",): {2: 1.0}}, seed) for seed in (0, 1))
    assert [one.family_of(row).number for row in range(50)] != [other.family_of(row).number for row in range(50)]


def test_quantiles_of_families_are_evenly_spread() -> None:
    layout = Layout.plan(200, {("A",): 1.0}, {("A",): {1: 1.0}}, 0)
    quantiles = sorted(layout.family_of(row).quantile for row in range(200))
    assert all(abs(quantile - (n + 0.5) / 200) < 0.02 for n, quantile in enumerate(quantiles))


def test_sizes_of_families_come_from_k_families() -> None:
    groups = [f"s{n}" for n in range(20)] + [f"p{n // 2}" for n in range(20)] + [f"l{n // 9}" for n in range(18)]
    assert family_sizes(groups) == {1: 0.5, 2: 0.5}


def test_rare_sizes_are_averaged() -> None:
    sizes = (3, 4, 5, 6, 7)
    groups = [f"{size}" for size in sizes for _ in range(size)] + [f"s{n}" for n in range(25)]
    assert family_sizes(groups) == {1: 0.5, 5: 0.5}
    assert family_sizes(groups[:10]) == {1: 1.0}
    assert family_sizes([]) == {1: 1.0}


def families_of(num_families: int, size: int) -> list[str]:
    """Return the family of each row."""
    return [f"family {row // size}" for row in range(num_families * size)]


def test_values_that_families_share_always_or_never() -> None:
    groups = families_of(40, 3)
    assert sharing_probability([row // 3 for row in range(120)], groups) == pytest.approx(1, abs=0.02)
    assert sharing_probability(list(range(120)), groups) == 0
    assert sharing_probability(["same"] * 120, groups) == 0  # chance alone makes all equal


@pytest.mark.parametrize("probability", [0.3, 0.6, 0.9])
def test_the_probability_that_values_were_made_with_is_found(probability: float) -> None:
    rng = KeyedRng("sharing", probability)
    groups = families_of(3_000, 2)
    shared = [rng.bits64() for _ in range(3_000)]
    values = [shared[row // 2] if rng.uniform() < probability else rng.bits64() for row in range(6_000)]
    assert sharing_probability(values, groups) == pytest.approx(probability, abs=0.05)


def test_too_few_families_say_nothing() -> None:
    size, groups = 3, families_of(K - 1, 3)
    assert sharing_probability([row // size for row in range(len(groups))], groups) == 0
    assert sharing_probability(["a", "b"], ["one", "other"]) == 0
