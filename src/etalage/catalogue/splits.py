"""Decides which products are trained on and which are tested on: by group, never by row."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import get_args

from etalage.config import Split
from etalage.errors import EtalageError
from etalage.wording import count

__all__ = ["assign_splits", "row_splitter"]


def assign_splits(
    group_categories: Mapping[str, Counter[str]], validation_fraction: float, test_fraction: float, seed: int
) -> dict[str, Split]:
    """Divide whole groups among train, validation and test, category by category.

    Groups stand in a row, one category after another, in an order drawn from the seed. Each group goes to the split
    that is furthest below its share of the row so far. At every point of the row a split is therefore off its share by
    at most 4/3 of the largest group's size, and in each category by at most twice that.

    Args:
        group_categories: The number of products by category, of each group. A group counts as the category that most
            of its products have.
        validation_fraction: The share of products in validation.
        test_fraction: The share of products in test.
        seed: The same seed gives the same splits, in whatever order the groups come.

    Returns:
        A split per group. Each split whose fraction is not 0 has a product.

    Raises:
        EtalageError: There are fewer groups than splits to fill.
    """
    shares = _split_shares(validation_fraction, test_fraction)
    splits = [split for split in get_args(Split) if shares[split] > 0]
    sizes = {group: categories.total() for group, categories in group_categories.items()}
    if len(sizes) < len(splits):
        num_products = sum(sizes.values())
        found, why = count(num_products, "product"), ""
        if len(sizes) < num_products:
            found, why = f"{found} in {count(len(sizes), 'group')}", ", since copies stay together"
        fractions = [f"--{split}-fraction" for split in splits if split != "train"]
        # With a single group, no split can be held out.
        zero = (" and " if len(sizes) == 1 else " or ").join(fractions)
        *others, last = splits
        raise EtalageError(f"{found} cannot fill {', '.join(others)} and {last}{why}; add products, or set {zero} to 0")

    def sort_key(group: str) -> tuple[str, int, str]:
        categories = group_categories[group]
        category = min(categories, key=lambda name: (-categories[name], name))
        # small groups come last in their category, since they even out best
        return _keyed_hash(seed, category), -sizes[group], _keyed_hash(seed, group)

    assigned: dict[str, Split] = {}
    # how many products each split is below its share of the row so far
    deficits = dict.fromkeys(shares, 0.0)
    for group in sorted(sizes, key=sort_key):
        for split, share in shares.items():
            deficits[split] += share * sizes[group]
        chosen = max(splits, key=lambda split: deficits[split])
        deficits[chosen] -= sizes[group]
        assigned[group] = chosen
    _fill_empty_splits(assigned, splits, sizes, seed)
    return assigned


def _fill_empty_splits(assigned: dict[str, Split], splits: list[Split], sizes: Mapping[str, int], seed: int) -> None:
    """Give each empty split the smallest group of the split with the most groups; only tiny catalogues need it."""
    for split in splits:
        # counted again each time, since the split before may have taken a group
        counts = Counter(assigned.values())
        if counts[split]:
            continue
        donor = max(splits, key=lambda name: counts[name])
        candidates = (group for group in assigned if assigned[group] == donor)
        smallest = min(candidates, key=lambda group: (sizes[group], _keyed_hash(seed, group)))
        assigned[smallest] = split


def row_splitter(validation_fraction: float, test_fraction: float, seed: int) -> Callable[[int], Split]:
    """Return a function from a row's number to a split that ignores groups.

    `prepare` compares its own splits with these.

    Args:
        validation_fraction: The probability of validation.
        test_fraction: The probability of test.
        seed: The same seed gives the same splits.
    """
    shares = _split_shares(validation_fraction, test_fraction)

    def split_of(number: int) -> Split:
        drawn = int(_keyed_hash(seed, f"row {number}")[:13], 16) / 16**13  # 52 bits, which a float holds exactly
        for split, share in shares.items():
            if drawn < share:
                return split
            drawn -= share
        return "train"  # the shares may add up to a little less than 1

    return split_of


def _split_shares(validation_fraction: float, test_fraction: float) -> dict[Split, float]:
    return {
        "train": 1 - validation_fraction - test_fraction,
        "validation": validation_fraction,
        "test": test_fraction,
    }


def _keyed_hash(seed: int, name: str) -> str:
    """Return a hash that orders names as if drawn at random, the same in every run and on every machine."""
    return hashlib.sha256(f"{seed} {name}".encode()).hexdigest()
