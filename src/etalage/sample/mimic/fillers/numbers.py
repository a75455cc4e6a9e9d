"""Fillers of columns with numbers and dates."""

from collections.abc import Mapping
from dataclasses import dataclass

from etalage.sample.mimic.category_path import CategoryPath, longest_known_prefix, path_contexts
from etalage.sample.mimic.copula import ScoreMixture
from etalage.sample.mimic.fillers.draft import Draft
from etalage.sample.mimic.marginals import Marginal
from etalage.sample.mimic.original import Text
from etalage.sample.mimic.rounding import Rounding
from etalage.sample.mimic.suppressed_counts import SuppressedCounts
from etalage.sample.mimic.writing import DateStyle, NumberStyle

__all__ = ["Number", "ReducedPrice", "Scaled"]


@dataclass(frozen=True)
class Number:
    """A number or a date: the row's difference from its category gives a quantile of the category's marginal."""

    name: str
    style: NumberStyle | DateStyle
    marginals: Mapping[CategoryPath, tuple[Marginal, ScoreMixture]]
    """By the beginnings of category paths; the longest one that is there counts."""
    rounding: Rounding

    def fill(self, draft: Draft) -> Text:
        """Return the number for the row's residual."""
        marginal, mixture = self.marginals[longest_known_prefix(draft.path, self.marginals)]
        # A copula in two steps: the residual becomes a quantile among all categories, and this one a value.
        value, is_kept = marginal.quantile(mixture.quantile(draft.path, draft.residuals[self.name]))
        # A kept value is written as K rows have it, not rounded again.
        if not is_kept:
            value = self.rounding.round(value, draft.rng(f"grain of {self.name}").uniform())
        return draft.write(self.name, self.style, value)


@dataclass(frozen=True)
class Scaled:
    """Another column's amount times a factor."""

    name: str
    source: str
    factor: float
    style: NumberStyle

    def fill(self, draft: Draft) -> Text:
        """Return the product."""
        return draft.write(self.name, self.style, draft.amounts[self.source] * self.factor)


@dataclass(frozen=True)
class ReducedPrice:
    """Another column's amount, or a part of it: a price and what it is reduced to."""

    name: str
    source: str
    is_reduced: SuppressedCounts[bool]
    factors: Marginal | None
    """The factors of reduced rows; None where there are too few."""
    rounding: Rounding
    style: NumberStyle
    downwards: bool

    def fill(self, draft: Draft) -> Text:
        """Return the source's amount, reduced as often and as far as in the original."""
        full, rng = draft.amounts[self.source], draft.rng(self.name)
        amount = full
        if self.is_reduced.draw(path_contexts(draft.path), rng.uniform()) and self.factors is not None:
            factor, is_kept = self.factors.quantile(rng.uniform())
            amount = full * factor if is_kept else self.rounding.round(full * factor, rng.uniform())
        # Rounding may have carried the amount past its source.
        return draft.write(self.name, self.style, min(amount, full) if self.downwards else max(amount, full))
