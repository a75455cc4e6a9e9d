"""Who is trained on and who is tested on: decided by group, never by row."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import get_args

from etalage.config import Split
from etalage.errors import EtalageError

__all__ = ["assign_splits", "row_wise"]


def assign_splits(
    members: Mapping[str, Counter[str]], validation_fraction: float, test_fraction: float, seed: int
) -> dict[str, Split]:
    """Deal whole groups out to train, validation and test, category by category.

    Groups lie in a row, the categories one after another, both in an order drawn from the seed, and each goes to the
    split that is furthest behind its share of the row so far. So at every point of the row a split is off its share by
    at most 4/3 of the largest group's size, and in each category by at most twice that.

    Args:
        members: By group, its products by category; a group counts to the one that most of its products have.
        seed: The same one gives the same splits, in whatever order the groups come.
    Returns:
        A split per group. Each one whose fraction is not 0 has a product.
    Raises:
        EtalageError: fewer groups than splits to fill.
    """
    shares = _shares(validation_fraction, test_fraction)
    asked = [split for split in get_args(Split) if shares[split] > 0]
    if len(members) < len(asked):
        raise EtalageError(
            f"{sum(map(Counter.total, members.values()))} products in {len(members)} groups cannot fill "
            f"{' and '.join(asked)}: copies stay together; "
            "add products, or set --validation-fraction or --test-fraction to 0"
        )

    def order(group: str) -> tuple[str, int, str]:
        category = min(members[group], key=lambda name: (-members[group][name], name))
        return _draw(seed, category), -members[group].total(), _draw(seed, group)  # small groups last, to even out

    row = sorted(members, key=order)
    assigned: dict[str, Split] = {}
    behind = dict.fromkeys(shares, 0.0)
    for group in row:
        size = members[group].total()
        for split, share in shares.items():
            behind[split] += share * size
        chosen = max(asked, key=lambda split: behind[split])
        behind[chosen] -= size
        assigned[group] = chosen
    for split in asked:  # a catalogue of a handful: whoever has the most groups gives their smallest one
        counts = Counter(assigned.values())
        if not counts[split]:
            donor = max(asked, key=lambda name: counts[name])
            smallest = min((g for g in row if assigned[g] == donor), key=lambda g: (members[g].total(), _draw(seed, g)))
            assigned[smallest] = split
    return assigned


def row_wise(validation_fraction: float, test_fraction: float, seed: int) -> Callable[[int], Split]:
    """The split of a row by its number, with no regard for groups: what `prepare` compares its own splits with."""
    shares = _shares(validation_fraction, test_fraction)

    def split(number: int) -> Split:
        drawn = int(_draw(seed, f"row {number}")[:13], 16) / 16**13
        for name, share in shares.items():
            if drawn < share:
                return name
            drawn -= share
        return "train"

    return split


def _shares(validation_fraction: float, test_fraction: float) -> dict[Split, float]:
    return {
        "train": 1 - validation_fraction - test_fraction,
        "validation": validation_fraction,
        "test": test_fraction,
    }


def _draw(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed} {name}".encode()).hexdigest()
