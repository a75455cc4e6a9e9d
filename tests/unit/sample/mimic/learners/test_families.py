"""The rows to make get the original's sizes of families, and share what its families share."""

from collections import Counter

import pytest

from etalage.sample.mimic.learners.families import learn_layout, learn_sharing
from tests.unit.sample.mimic.shop import analysis_of, shop_columns


def families_of_three(
    rows: int = 300, shared: tuple[str, ...] = ("title", "full_price")
) -> dict[str, list[str | None]]:
    """Return a table in which every three rows are of one family."""
    columns = shop_columns(rows)
    for row in range(0, rows, 3):
        for name in ("category1", "category2", *shared):
            columns[name][row + 1 : row + 3] = [columns[name][row]] * 2
    return columns


def test_new_rows_are_in_families_of_the_same_sizes() -> None:
    groups = [f"family {row // 3}" for row in range(300)]
    layout = learn_layout(analysis_of(families_of_three(), groups=groups, num_rows=90))
    sizes = Counter(Counter(layout.family_of(row).number for row in range(90)).values())
    assert sizes[3] >= 26


def test_rows_of_their_own_stay_so() -> None:
    layout = learn_layout(analysis_of(shop_columns(300), num_rows=90))
    assert all(layout.family_of(row).member == 0 for row in range(90))


def test_categories_get_their_exact_shares() -> None:
    analysis = analysis_of(shop_columns(400), num_rows=1_000)
    layout = learn_layout(analysis)
    counts = Counter(layout.family_of(row).path for row in range(1_000))
    assert all(abs(counts[path] - 1_000 * share) <= 1 for path, share in analysis.tree.shares.items())


def test_shared_columns_have_a_high_probability() -> None:
    sharing = learn_sharing(analysis_of(families_of_three(), groups=[f"family {row // 3}" for row in range(300)]))
    assert sharing["title"] == sharing["full_price"] == pytest.approx(1, abs=0.01)
    assert sharing["sku"] == sharing["photo"] == 0
    assert sharing["listed"] < 0.3
    assert {"gap weight", "words of text"} <= set(sharing)


def test_only_the_factor_of_a_reduced_price_is_shared() -> None:
    sharing = learn_sharing(analysis_of(families_of_three(), groups=[f"family {row // 3}" for row in range(300)]))
    assert sharing["price"] < 0.4  # its source is equal within families, its factor is not


def test_nothing_is_shared_without_families() -> None:
    assert set(learn_sharing(analysis_of(shop_columns(120))).values()) == {0.0}
