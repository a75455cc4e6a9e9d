"""No group in two splits, close to the fractions, and blind to the order of rows."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.catalogue.splits import assign_splits as assign_groups
from etalage.catalogue.splits import row_wise


def assign_splits(groups: Sequence[str], categories: Sequence[str], *how: Any) -> list[str]:
    """Of products, as a table has them."""
    members = defaultdict(Counter)
    for group, category in zip(groups, categories, strict=True):
        members[group][category] += 1
    split_of = assign_groups(members, *how)
    return [split_of[group] for group in groups]


@settings(deadline=None, max_examples=40)
@given(sizes=st.lists(st.integers(1, 9), min_size=3, max_size=30), seed=st.integers(0, 99))
def test_splits_are_whole_close_and_orderless(sizes: list[int], seed: int) -> None:
    rng = random.Random(seed)
    validation, test = rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.3)
    rows = [(f"g{group}", rng.choice("ABBB")) for group, size in enumerate(sizes) for _ in range(size)]
    groups, categories = zip(*rows, strict=True)
    splits = assign_splits(groups, categories, validation, test, seed)
    of_group = defaultdict(set)
    for group, split in zip(groups, splits, strict=True):
        of_group[group].add(split)
    assert all(len(found) == 1 for found in of_group.values())

    counts, largest = Counter(splits), max(Counter(groups).values())
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    for split, share in shares.items():
        assert counts[split] > 0
        assert (
            abs(counts[split] - share * len(rows)) <= 4 / 3 * largest + largest
        )  # and a group given to an empty split

    order = rng.sample(range(len(rows)), len(rows))
    again = assign_splits([groups[n] for n in order], [categories[n] for n in order], validation, test, seed)
    assert again == [splits[n] for n in order]


@pytest.mark.parametrize("seed", range(5))
def test_categories_are_stratified_down_to_the_rare_ones(seed: int) -> None:
    categories = ["COMMON"] * 700 + ["SOME"] * 200 + ["RARE"] * 70 + [f"SINGLE {n}" for n in range(30)]
    splits = assign_splits([str(n) for n in range(1000)], categories, 0.1, 0.2, seed)
    counts = Counter(zip(categories, splits, strict=True))
    for category, size in (("COMMON", 700), ("SOME", 200), ("RARE", 70)):
        assert abs(counts[category, "test"] - 0.2 * size) <= 2
        assert abs(counts[category, "validation"] - 0.1 * size) <= 2
    assert Counter(splits) == {"train": 700, "validation": 100, "test": 200}


def test_the_seed_decides() -> None:
    rows = [str(n) for n in range(100)], ["X"] * 100
    assert assign_splits(*rows, 0.1, 0.2, 0) == assign_splits(*rows, 0.1, 0.2, 0)
    assert assign_splits(*rows, 0.1, 0.2, 0) != assign_splits(*rows, 0.1, 0.2, 1)


@pytest.mark.parametrize("size", [3, 4, 5, 9])
def test_a_handful_fills_every_split(size: int) -> None:
    for seed in range(20):
        splits = assign_splits([str(n) for n in range(size)], ["X", *"Y" * (size - 1)], 0.1, 0.2, seed)
        assert set(splits) == {"train", "validation", "test"}


def test_fractions_of_nothing_give_nothing() -> None:
    assert set(assign_splits(["a"], ["X"], 0, 0, 0)) == {"train"}
    assert set(assign_splits(["a", "b"], ["X", "X"], 0, 0.01, 0)) == {"train", "test"}


def test_too_few_groups_are_an_error() -> None:
    with pytest.raises(ValueError, match="5 products in 2 groups cannot fill train and validation and test"):
        assign_splits(list("aaabb"), list("XXXXX"), 0.1, 0.2, 0)


def test_row_wise_splits_have_their_fractions_and_forget_groups() -> None:
    split = row_wise(0.1, 0.2, 0)
    counts = Counter(split(number) for number in range(1, 10_001))
    assert all(abs(counts[name] - share * 10_000) < 150 for name, share in (("validation", 0.1), ("test", 0.2)))
    assert [split(n) for n in range(50)] == [row_wise(0.1, 0.2, 0)(n) for n in range(50)]
    assert [split(n) for n in range(50)] != [row_wise(0.1, 0.2, 1)(n) for n in range(50)]
