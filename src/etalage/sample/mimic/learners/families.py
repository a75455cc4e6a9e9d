"""Learn which rows are one product, and what they have in common."""

from collections.abc import Sequence

from etalage.sample.mimic.category_path import CategoryPath
from etalage.sample.mimic.families import Layout, family_sizes, sharing_probability
from etalage.sample.mimic.learners.analysis import Analysis
from etalage.sample.mimic.rules import Reduced
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["learn_layout", "learn_sharing"]

_MIN_ROWS_OF_CATEGORY = 50
"""Rows from which on a category has family sizes of its own."""


def learn_layout(analysis: Analysis) -> Layout:
    """Lay out the rows to make, with the original's shares of categories and sizes of families."""
    sizes = {path: _sizes_in(analysis, path) for path in analysis.tree.shares}
    return Layout.plan(analysis.num_rows, analysis.tree.shares, sizes, analysis.seed)


def _sizes_in(analysis: Analysis, path: CategoryPath) -> dict[int, float]:
    """Return the sizes of a category's families, or of the narrowest wider category with enough families."""
    for prefix in (path[:end] for end in range(len(path), -1, -1)):
        groups = [analysis.families[row] for row in analysis.rows_under(prefix)]
        if len(set(groups)) >= 2 * K and len(groups) >= _MIN_ROWS_OF_CATEGORY:
            return family_sizes(groups)
    return family_sizes(analysis.families)


def learn_sharing(analysis: Analysis) -> dict[str, float]:
    """Return, by column and by whatever else is drawn for a row, the probability of the family's value."""
    known, families = analysis.known, analysis.families
    values: dict[str, Sequence[object]] = {**known.texts, **analysis.amounts}
    values[known.roles["image"]] = known.pictures
    for name, rule in analysis.rules.items():
        # Only the factor is drawn for a reduced price: the rest follows from its source.
        if isinstance(rule, Reduced):
            # Rounded prices make factors of one discount differ in their last digits.
            values[name] = [factor and round(factor, 3) for factor in analysis.factors(name, rule.source)]
    shared = {name: sharing_probability(column, families) for name, column in values.items()}
    gaps = {f"gap {name}": sharing_probability(analysis.missing(name), families) for name in analysis.gaps.values()}
    return {name: round(share, 3) for name, share in (shared | gaps).items()}
