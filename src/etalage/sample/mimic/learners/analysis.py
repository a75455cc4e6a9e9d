"""What several learners need to know about the original's rows."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from etalage.sample.mimic.category_path import CategoryPath, path_contexts
from etalage.sample.mimic.original import Column, Original
from etalage.sample.mimic.rules import find_amount_rules
from etalage.sample.mimic.suppressed_counts import K, Observation, SuppressedCounts
from etalage.sample.mimic.tree import build_tree
from etalage.sample.mimic.writing import NumberStyle

__all__ = ["Analysis", "length_name"]

_COUNT = NumberStyle("", "", "", ".", 0, 0, has_leading_zero=True, is_plain=True, parse_mark=".")


class Analysis:
    """The original's rows with their category paths, families, amounts, gaps, and the rules between prices.

    Args:
        everything: All rows; only hashes of their texts are used, of what must not be made again.
        known: The rows to learn from.
        seed: Decides everything that is drawn.
        num_rows: Rows to make.
    """

    def __init__(self, everything: Original, known: Original, *, seed: int, num_rows: int) -> None:
        self.everything = everything
        self.known = known
        self.seed = seed
        self.num_rows = num_rows
        self.tree = build_tree(known)
        self.titles = [text or "" for text in known.texts[known.roles["title"]]]
        self.columns = {column.name: column for column in known.columns}
        self.families = [
            # A placeholder picture says nothing about being one product.
            f"row {row}" if placeholder else f"{group} {path}"
            for row, (group, path, placeholder) in enumerate(
                zip(known.groups, self.tree.paths, known.placeholders, strict=True)
            )
        ]
        self.amounts = {
            column.name: [column.read(text) for text in known.texts[column.name]]
            for column in known.columns
            if column.kind in ("number", "date")
        }
        for name in self.names_of("text"):
            length = length_name(name)
            # Lengths of long texts are numbers like others, so that they depend on price and category as well.
            self.amounts[length] = [float(len(text.split())) if text else None for text in known.texts[name]]
            self.columns[length] = Column(length, "number", number=_COUNT)
        prices = {
            name: amounts
            for name, amounts in self.amounts.items()
            if name in known.texts and self.columns[name].kind == "number" and self.has_values(name)
        }
        self.rules = find_amount_rules(prices, {name: self.decimals(name) for name in prices})

    def names_of(self, *kinds: str) -> list[str]:
        """Return the names of the columns of some kinds."""
        return [name for name, column in self.columns.items() if column.kind in kinds]

    def rows_under(self, prefix: CategoryPath) -> list[int]:
        """Return the rows whose category path begins with a prefix."""
        return [row for row, path in enumerate(self.tree.paths) if path[: len(prefix)] == prefix]

    def has_values(self, name: str) -> bool:
        """Return whether enough rows have an amount in a column."""
        return sum(amount is not None for amount in self.amounts[name]) >= 2 * K

    def decimals(self, name: str) -> int:
        """Return the digits after the point that a column of amounts is written with."""
        column = self.columns[name]
        if column.number is not None:
            return column.number.max_decimals
        # A hundred-thousandth of a day is just below a second.
        return 0 if column.date is None or column.date.is_whole_days else 5

    def factors(self, name: str, source: str) -> list[float | None]:
        """Return a column's amount divided by another's, for each row.

        Args:
            name: The column of the numerator.
            source: The column of the denominator.

        Returns:
            The factors; None where an amount is missing or the denominator is 0.
        """
        pairs = zip(self.amounts[name], self.amounts[source], strict=True)
        return [None if a is None or not b else a / b for a, b in pairs]

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The columns of numbers and dates that follow from no other column."""
        return tuple(name for name in self.amounts if name not in self.rules and self.has_values(name))

    @property
    def price_number(self) -> str:
        """The number that is the price, or that the price follows from; empty if there is none."""
        name = self.known.roles.get("price", "")
        # Ends, since rules never run in a circle.
        while name in self.rules:
            name = self.rules[name].source
        return name if name in self.numbers else ""

    @cached_property
    def gaps(self) -> dict[str, str]:
        """By column with gaps, the first column that has the same ones."""
        first: dict[tuple[bool, ...], str] = {}
        found = {}
        for name, column in self.columns.items():
            if name in self.known.texts and column.kind in ("number", "date", "words", "text", "link", "constant"):
                missing = tuple(self.missing(name))
                if sum(missing) >= K:
                    # Columns that are empty in the same rows share one draw: they stay empty together.
                    found[name] = first.setdefault(missing, name)
        return found

    def missing(self, name: str) -> list[bool]:
        """Return which rows have no text, or no amount, in a column."""
        values: Sequence[object] = self.amounts[name] if name in self.amounts else self.known.texts[name]
        return [value is None for value in values]

    def count_by_category(self, values: Sequence[Any], fallback: Any) -> SuppressedCounts[Any]:
        """Count values by category path.

        Args:
            values: The value of each row; None is not counted.
            fallback: The only value if nothing is frequent enough.

        Returns:
            The counts.
        """
        observations: list[Observation[Any]] = [
            (path_contexts(path), value, row)
            for row, (path, value) in enumerate(zip(self.tree.paths, values, strict=True))
            if value is not None
        ]
        return SuppressedCounts.learn(observations, fallback)


def length_name(name: str) -> str:
    """Return the name of the number that holds the number of words in a column of long texts."""
    return f"words of {name}"
