"""The category tree has the original's columns, no rare name, and shares that sum to 1."""

from collections import Counter

import pytest

from etalage.sample.mimic.suppressed_counts import K
from etalage.sample.mimic.tree import OTHER, Tree, build_tree
from tests.unit.sample.mimic.shop import original_of

ROLES = {"title": "title", "category": "category2", "image": "photo"}


def tree_of(paths: list[tuple[str | None, str | None]]) -> Tree:
    """Build a tree of two levels, of which the narrower is the category."""
    wide, narrow = ([path[level] for path in paths] for level in (0, 1))
    return build_tree(original_of({"category1": wide, "category2": narrow}, ROLES))


def test_columns_that_differ_in_a_number_are_levels() -> None:
    rows = 60
    columns = {name: ["a", "b"] * (rows // 2) for name in ("category1", "brand", "category3", "category2", "category")}
    tree = build_tree(original_of(columns, ROLES))
    assert tree.columns == ("category1", "category3", "category2")
    assert tree.picture_level == 2


def test_a_single_category_column_is_a_tree_of_one_level() -> None:
    tree = build_tree(original_of({"kind": ["a", "b"] * 30}, {"category": "kind"}))
    assert tree.shares == {("a",): 0.5, ("b",): 0.5}
    assert tree.paths[:2] == (("a",), ("b",))
    assert tree.num_suppressed == 0


def test_shares_are_those_of_the_rows_the_largest_first() -> None:
    rows = [("W", "bag")] * 30 + [("W", "shoe")] * 50 + [("M", "shoe")] * 20
    tree = tree_of([*rows])
    assert list(tree.shares) == [("W", "shoe"), ("W", "bag"), ("M", "shoe")]
    assert tree.shares == pytest.approx({("W", "shoe"): 0.5, ("W", "bag"): 0.3, ("M", "shoe"): 0.2})


def test_rare_names_become_their_most_frequent_sibling() -> None:
    rows = [("W", "bag")] * 30 + [("W", "shoe")] * 20 + [("M", "shoe")] * 20 + [("W", "secret")] * (K - 1)
    tree = tree_of([*rows])
    assert Counter(tree.paths) == {("W", "bag"): 30 + K - 1, ("W", "shoe"): 20, ("M", "shoe"): 20}
    assert not any("secret" in path for path in tree.shares)
    assert tree.num_suppressed >= 1


def test_rare_names_without_a_sibling_become_other() -> None:
    rows = [("W", "bag")] * 30 + [("M", f"secret {n}") for n in range(K)]
    tree = tree_of([*rows])
    assert set(tree.paths) == {("W", "bag"), ("M", OTHER)}


def test_too_few_others_become_the_most_frequent_name() -> None:
    rows = [("W", "bag")] * 30 + [("M", "bag")] * K + [("X", "secret")] * (K - 1)
    tree = tree_of([*rows])
    assert not any(OTHER in path or "X" in path or "secret" in path for path in tree.paths)


def test_missing_categories_have_an_empty_name() -> None:
    tree = tree_of([("W", "bag")] * 20 + [("M", None)] * 20)
    assert tree.shares == {("M", ""): 0.5, ("W", "bag"): 0.5}


def test_shares_sum_to_1_where_much_is_suppressed() -> None:
    rows = [(f"wide {n % 7}", f"narrow {n % 45}") for n in range(300)]
    assert sum(tree_of([*rows]).shares.values()) == pytest.approx(1)
