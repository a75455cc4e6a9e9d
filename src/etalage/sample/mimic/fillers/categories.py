"""Fillers of columns with few different texts."""

from collections.abc import Mapping
from dataclasses import dataclass

from etalage.sample.mimic.category_path import path_contexts
from etalage.sample.mimic.fillers.draft import Draft, Filler
from etalage.sample.mimic.original import Text
from etalage.sample.mimic.suppressed_counts import SuppressedCounts

__all__ = ["Categorical", "Constant", "Lookup", "Nullable", "PriceFlag", "TreeLevel"]


@dataclass(frozen=True)
class Constant:
    """A column with one text in every row."""

    text: Text

    def fill(self, draft: Draft) -> Text:
        """Return the text."""
        return self.text


@dataclass(frozen=True)
class TreeLevel:
    """A level of the category tree."""

    level: int

    def fill(self, draft: Draft) -> Text:
        """Return the name of the row's category at this level."""
        # Paths are made of texts: an empty cell was learned as an empty one.
        return draft.path[self.level] or None


@dataclass(frozen=True)
class Categorical:
    """One of a few texts, as frequent as in the row's category."""

    name: str
    texts: SuppressedCounts[str]

    def fill(self, draft: Draft) -> Text:
        """Draw a text."""
        return self.texts.draw(path_contexts(draft.path), draft.rng(self.name).uniform()) or None


@dataclass(frozen=True)
class Lookup:
    """A text that another column's text implies."""

    source: str
    texts: Mapping[str, str]

    def fill(self, draft: Draft) -> Text:
        """Return the text that the source's text implies."""
        return self.texts.get(draft.texts[self.source] or "") or None


@dataclass(frozen=True)
class PriceFlag:
    """One of two texts, depending on whether a price is reduced."""

    price: str
    source: str
    if_reduced: str
    if_equal: str

    def fill(self, draft: Draft) -> Text:
        """Return the text that is right for the row's prices."""
        # The amounts as written, or a flag could contradict two prices that were rounded to one.
        is_reduced = draft.amounts[self.price] != draft.amounts[self.source]
        return (self.if_reduced if is_reduced else self.if_equal) or None


@dataclass(frozen=True)
class Nullable:
    """A filler whose column has gaps; columns with the same gaps lose their texts together."""

    filler: Filler
    gap: str
    """The name of the gap."""
    is_missing: SuppressedCounts[bool]

    def fill(self, draft: Draft) -> Text:
        """Return the filler's text, or None in a gap."""
        # The text is made even in a gap: columns that follow from this one need its amount.
        text = self.filler.fill(draft)
        return None if self.is_missing.draw(path_contexts(draft.path), draft.rng(self.gap).uniform()) else text
