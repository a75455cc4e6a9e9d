"""Learn the distributions of numbers and dates, and how they depend on each other."""

from collections import Counter
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from etalage.sample.mimic.category_path import CategoryPath, longest_known_prefix
from etalage.sample.mimic.copula import ScoreMixture, between_group_share, correlation_factor, normal_scores
from etalage.sample.mimic.effects import Effects
from etalage.sample.mimic.fillers.categories import Constant
from etalage.sample.mimic.fillers.draft import Filler
from etalage.sample.mimic.fillers.numbers import Number, ReducedPrice, Scaled
from etalage.sample.mimic.learners.analysis import Analysis
from etalage.sample.mimic.marginals import Marginal
from etalage.sample.mimic.original import Column
from etalage.sample.mimic.rounding import Rounding
from etalage.sample.mimic.rules import Ratio, Reduced
from etalage.sample.mimic.suppressed_counts import K, SuppressedCounts

__all__ = ["NumberLearner"]

_MIN_ROWS_OF_CATEGORY = 50
"""Rows from which on a category has a marginal of its own: ten ranges of K."""
_MIN_OWN_ROWS = 5 * K
"""Rows that a wider category needs beyond those of narrower marginals; with fewer, it learns from all of its rows."""

_Marginals = dict[CategoryPath, tuple[Marginal, ScoreMixture]]


class NumberLearner:
    """Learns the columns of numbers and dates.

    Args:
        analysis: The original's rows.
    """

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._marginals: dict[str, _Marginals] = {}
        self._residuals = np.full((len(analysis.known), len(analysis.numbers)), np.nan)
        for index, name in enumerate(analysis.numbers):
            self._marginals[name], self._residuals[:, index] = self._learn_marginals(name)

    def filler(self, name: str) -> Filler:
        """Return the filler of a column of amounts."""
        analysis = self._analysis
        column = analysis.columns[name]
        if not analysis.has_values(name):
            return Constant(None)
        rule = analysis.rules.get(name)
        style = column.number or column.date
        assert style is not None
        if rule is None:
            given = [amount for amount in analysis.amounts[name] if amount is not None]
            return Number(name, style, self._marginals[name], self._learn_rounding(name, given))
        assert column.number is not None
        if isinstance(rule, Ratio):
            return Scaled(name, rule.source, rule.factor, column.number)
        return self._learn_reduced_price(name, rule, column)

    @cached_property
    def effects(self) -> Effects:
        """The effects of titles on the numbers."""
        analysis = self._analysis
        return Effects.learn(analysis.titles, analysis.tree.paths, analysis.numbers, self._residuals)

    def correlation_factor(self) -> tuple[tuple[float, ...], ...]:
        """Return the factor that correlates independent normal numbers as those of the rows are correlated."""
        return correlation_factor(self._unexplained) if self._analysis.numbers else ()

    def family_variance_shares(self) -> tuple[float, ...]:
        """Return, by number, the share of the variance between families; category and title are accounted for."""
        return tuple(between_group_share(column, self._analysis.families) for column in self._unexplained.T)

    @cached_property
    def _unexplained(self) -> NDArray[np.float64]:
        """(N, C) float64: the residuals without what titles say about them."""
        rows = zip(self._analysis.titles, self._analysis.tree.paths, strict=True)
        predicted = [self.effects.predict(title.split(" "), path) for title, path in rows]
        return self._residuals - np.array(predicted).reshape(self._residuals.shape)

    def _learn_marginals(self, name: str) -> tuple[_Marginals, NDArray[np.float64]]:
        """Return marginals by the beginnings of category paths, and (N,) float64: the residual of each row."""
        amounts, tree = self._analysis.amounts[name], self._analysis.tree
        given = [row for row, amount in enumerate(amounts) if amount is not None]
        counts = Counter(tree.paths[row][:end] for row in given for end in range(len(tree.columns) + 1))
        prefixes: dict[CategoryPath, None] = {
            prefix: None for prefix, count in counts.items() if count >= _MIN_ROWS_OF_CATEGORY or not prefix
        }
        marginals: _Marginals = {}
        residuals = np.full(len(self._analysis.known), np.nan)
        for prefix in prefixes:
            own = [row for row in given if longest_known_prefix(tree.paths[row], prefixes) == prefix]
            # Fewer rows than that would give a poor marginal: rows with a narrower marginal count here, too.
            rows = own if len(own) >= _MIN_OWN_ROWS else [r for r in given if tree.paths[r][: len(prefix)] == prefix]
            values = np.array([amounts[row] for row in rows], np.float64)
            scores = dict(zip(rows, normal_scores(values).tolist(), strict=True))
            by_path: dict[CategoryPath, list[float]] = {}
            for row, score in scores.items():
                by_path.setdefault(tree.paths[row], []).append(score)
            shares = {p: share for p, share in tree.shares.items() if longest_known_prefix(p, prefixes) == prefix}
            mixture = ScoreMixture.learn(by_path, shares)
            marginals[prefix] = Marginal.learn(values.tolist()), mixture
            for row in own:
                # By the marginal that new rows of this path will use, even where that one learned from more rows.
                residuals[row] = mixture.residual(tree.paths[row], scores[row])
        return marginals, residuals

    def _learn_rounding(self, name: str, amounts: list[float]) -> Rounding:
        decimals = self._analysis.decimals(name)
        # A date is not rounder for ending in 0.
        if self._analysis.columns[name].kind == "date" or not amounts:
            return Rounding(decimals, SuppressedCounts.learn([], 0))
        return Rounding.learn(amounts, decimals)

    def _learn_reduced_price(self, name: str, rule: Reduced, column: Column) -> ReducedPrice:
        assert column.number is not None
        factors = self._analysis.factors(name, rule.source)
        # A missing price stays None, which is not counted.
        is_reduced = self._analysis.count_by_category([factor and factor != 1 for factor in factors], fallback=False)
        # Rounded, so that rows of one discount share a value that can be kept.
        changed = [round(factor, 4) for factor in factors if factor and factor != 1]
        amounts = zip(self._analysis.amounts[name], factors, strict=True)
        reduced = [amount for amount, factor in amounts if amount is not None and factor and factor != 1]
        return ReducedPrice(
            name=name,
            source=rule.source,
            is_reduced=is_reduced,
            factors=Marginal.learn(changed) if len(changed) >= K else None,
            rounding=self._learn_rounding(name, reduced),
            style=column.number,
            downwards=rule.downwards,
        )
