"""A row in the making, and the protocol of what fills its columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from etalage.sample.mimic.category_path import CategoryPath
from etalage.sample.mimic.families import Family
from etalage.sample.mimic.keyed_rng import KeyedRng
from etalage.sample.mimic.original import Text
from etalage.sample.mimic.writing import DateStyle, NumberStyle

__all__ = ["Draft", "Filler"]


@dataclass
class Draft:
    """A row in the making."""

    seed: int
    row: int
    family: Family
    sharing: Mapping[str, float]
    """By column, the probability that the row has its family's value."""
    residuals: dict[str, float]
    """By numeric column, the row's difference from its category, in standard deviations."""
    title_words: list[str] = field(default_factory=list)
    """The title's words before any of them was replaced to make the title a new one."""
    texts: dict[str, Text] = field(default_factory=dict)
    amounts: dict[str, float] = field(default_factory=dict)

    @property
    def path(self) -> CategoryPath:
        """The row's category path."""
        return self.family.path

    def shares_family_value(self, name: str) -> bool:
        """Return whether the row has its family's value of a column; this is as frequent as in the original."""
        share = self.sharing.get(name, 0.0)
        # The first row's value is the family's: it has nobody else's to take over.
        return self.family.member == 0 or KeyedRng(self.seed, "shares", name, self.row).uniform() < share

    def rng(self, name: str) -> KeyedRng:
        """Return the random numbers for a column: those of the family, or the row's own."""
        if self.shares_family_value(name):
            return KeyedRng(self.seed, "family", name, self.family.number)
        return KeyedRng(self.seed, "row", name, self.row)

    def write(self, name: str, style: NumberStyle | DateStyle, amount: float) -> Text:
        """Write an amount; columns that follow from it use the amount as written, with its rounding.

        Args:
            name: The column.
            style: How the column writes its amounts.
            amount: The amount.

        Returns:
            The amount as text.
        """
        # Read back: a flag that compares two prices has to agree with what the table shows.
        text = style.write(amount)
        self.amounts[name] = style.read(text) or 0.0
        return text


class Filler(Protocol):
    """The law of a column."""

    def fill(self, draft: Draft) -> Text:
        """Return the column's text for a row, from what the row has so far."""
        ...
