"""Groups are never divided, splits are close to their fractions, and the order of rows does not matter."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.catalogue.splits import assign_splits as assign_groups
from etalage.catalogue.splits import row_splitter
from etalage.errors import EtalageError


def assign_splits(groups: Sequence[str], categories: Sequence[str], *options: Any) -> list[str]:
    """Return the split of each product, given the group and category of each."""
    group_categories = defaultdict(Counter)
    for group, category in zip(groups, categories, strict=True):
        group_categories[group][category] += 1
    split_of = assign_groups(group_categories, *options)
    return [split_of[group] for group in groups]


@settings(deadline=None, max_examples=40)
@given(sizes=st.lists(st.integers(1, 9), min_size=3, max_size=30), seed=st.integers(0, 99))
def test_groups_stay_whole_near_the_fractions_in_any_order(sizes: list[int], seed: int) -> None:
    rng = random.Random(seed)
    validation, test = rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.3)
    rows = [(f"g{group}", rng.choice("ABBB")) for group, size in enumerate(sizes) for _ in range(size)]
    groups, categories = zip(*rows, strict=True)
    splits = assign_splits(groups, categories, validation, test, seed)
    splits_of_group = defaultdict(set)
    for group, split in zip(groups, splits, strict=True):
        splits_of_group[group].add(split)
    assert all(len(found) == 1 for found in splits_of_group.values())

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


def test_the_seed_decides_the_splits() -> None:
    rows = [str(n) for n in range(100)], ["X"] * 100
    assert assign_splits(*rows, 0.1, 0.2, 0) == assign_splits(*rows, 0.1, 0.2, 0)
    assert assign_splits(*rows, 0.1, 0.2, 0) != assign_splits(*rows, 0.1, 0.2, 1)


@pytest.mark.parametrize("size", [3, 4, 5, 9])
def test_a_handful_of_products_fills_every_split(size: int) -> None:
    for seed in range(20):
        splits = assign_splits([str(n) for n in range(size)], ["X", *"Y" * (size - 1)], 0.1, 0.2, seed)
        assert set(splits) == {"train", "validation", "test"}


def test_a_fraction_of_zero_gives_an_empty_split() -> None:
    assert set(assign_splits(["a"], ["X"], 0, 0, 0)) == {"train"}
    assert set(assign_splits(["a", "b"], ["X", "X"], 0, 0.01, 0)) == {"train", "test"}


def test_too_few_groups_are_an_error() -> None:
    found = "5 products in 2 groups cannot fill train, validation and test, since copies stay together; add products, "
    with pytest.raises(EtalageError, match=f"{found}or set --validation-fraction or --test-fraction to 0"):
        assign_splits(list("aaabb"), list("XXXXX"), 0.1, 0.2, 0)
    with pytest.raises(EtalageError, match=r"1 group .* set --validation-fraction and --test-fraction to 0"):
        assign_splits(list("aaa"), list("XXX"), 0.1, 0.2, 0)
    with pytest.raises(EtalageError, match=r"^1 product cannot fill train and test; add products, or set --test-frac"):
        assign_splits(["a"], ["X"], 0, 0.2, 0)


def test_splits_by_row_have_their_fractions_and_depend_on_the_seed() -> None:
    split = row_splitter(0.1, 0.2, 0)
    counts = Counter(split(number) for number in range(1, 10_001))
    assert all(abs(counts[name] - share * 10_000) < 150 for name, share in (("validation", 0.1), ("test", 0.2)))
    assert [split(n) for n in range(50)] == [row_splitter(0.1, 0.2, 0)(n) for n in range(50)]
    assert [split(n) for n in range(50)] != [row_splitter(0.1, 0.2, 1)(n) for n in range(50)]


def test_a_group_counts_as_its_most_frequent_category() -> None:
    """Mixed groups are divided evenly too: half of them are mostly A, and half mostly B."""
    group_categories = {f"g{n}": Counter({"A": 1 + n % 2, "B": 2 - n % 2}) for n in range(100)}
    splits = assign_groups(group_categories, 0.2, 0.2, 0)
    for category in (0, 1):
        counts = Counter(splits[f"g{n}"] for n in range(100) if n % 2 == category)
        assert counts == {"train": 30, "validation": 10, "test": 10}


def test_one_huge_group_goes_to_train() -> None:
    """A placeholder that most products show must not fill the test set."""
    group_categories = {"huge": Counter(X=900), **{f"g{n}": Counter(X=1) for n in range(100)}}
    splits = assign_groups(group_categories, 0.1, 0.2, 0)
    assert splits["huge"] == "train"
    assert set(splits.values()) == {"train", "validation", "test"}


def test_splits_by_row_are_all_train_without_fractions() -> None:
    split_of = row_splitter(0, 0, 0)
    assert {split_of(number) for number in range(1000)} == {"train"}
