"""Learn a filler for each column."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from etalage.sample.mimic.fillers.categories import Categorical, Constant, Lookup, Nullable, PriceFlag, TreeLevel
from etalage.sample.mimic.fillers.draft import Filler
from etalage.sample.mimic.learners.analysis import Analysis
from etalage.sample.mimic.learners.numbers import NumberLearner
from etalage.sample.mimic.learners.texts import TextLearner
from etalage.sample.mimic.original import Text
from etalage.sample.mimic.rules import FlagRule, find_flag_rule, find_lookup_rule

__all__ = ["ColumnLearner", "count_suppressed", "scalar_type"]


class ColumnLearner:
    """Learns all columns.

    Args:
        analysis: The original's rows.
        numbers: Learns columns of numbers and dates.
        texts: Learns columns of texts.
    """

    def __init__(self, analysis: Analysis, numbers: NumberLearner, texts: TextLearner) -> None:
        self._analysis = analysis
        self._numbers = numbers
        self._texts = texts

    def fillers(self) -> dict[str, Filler]:
        """Return fillers by column, in an order in which each follows what it depends on."""
        analysis = self._analysis
        found: dict[str, Filler] = {}
        for names in (analysis.names_of("empty", "constant", "picture"), analysis.tree.columns, self._categoricals):
            found |= {name: self._simple(name, found) for name in names}
        # Titles before numbers, which they shift; flags after the prices they compare; codes and links last, since they
        # mention titles.
        found |= {name: self._texts.title(name) for name in analysis.names_of("title")}
        amounts = (*analysis.numbers, *analysis.rules, *analysis.amounts)
        found |= {name: self._numbers.filler(name) for name in dict.fromkeys(amounts) if name not in found}
        found |= {name: self._simple(name, found) for name in analysis.names_of("category") if name not in found}
        found |= {name: self._texts.code(name) for name in analysis.names_of("code")}
        found |= {name: self._texts.free_text(name) for name in analysis.names_of("words", "text", "link")}
        return {name: self._with_gaps(name, filler) for name, filler in found.items()}

    @cached_property
    def _categoricals(self) -> list[str]:
        """The categories outside the tree that flag no reduced price."""
        names = self._analysis.names_of("category")
        return [name for name in names if name not in self._analysis.tree.columns and not self._flag_rule(name)]

    def _flag_rule(self, name: str) -> FlagRule | None:
        return find_flag_rule(self._analysis.known.texts[name], self._analysis.amounts, self._analysis.rules)

    def _simple(self, name: str, found: Mapping[str, Filler]) -> Filler:
        analysis = self._analysis
        kind = analysis.columns[name].kind
        if kind in ("empty", "picture"):
            return Constant(None)
        if kind == "constant":
            return Constant(next(text for text in analysis.known.texts[name] if text is not None))
        if name in analysis.tree.columns:
            return TreeLevel(analysis.tree.columns.index(name))
        if flag := self._flag_rule(name):
            return PriceFlag(flag.price, flag.source, flag.if_reduced, flag.if_equal)
        # The narrowest category first: it says the most.
        sources = [*reversed(analysis.tree.columns), *(n for n in self._categoricals if n in found)]
        if rule := find_lookup_rule(self._texts_to_make, name, sources):
            return Lookup(rule.source, rule.values)
        texts = [text or "" for text in analysis.known.texts[name]]
        return Categorical(name, analysis.count_by_category(texts, fallback=""))

    @cached_property
    def _texts_to_make(self) -> dict[str, Sequence[Text]]:
        """Texts by column, with the names of categories as the tree has them."""
        tree = self._analysis.tree
        levels = dict(zip(tree.columns, zip(*tree.paths, strict=True), strict=True))
        # New rows have the tree's names, in which rare ones were replaced: a rule has to start from those.
        return {**self._analysis.known.texts, **levels}

    def _with_gaps(self, name: str, filler: Filler) -> Filler:
        if name not in self._analysis.gaps:
            return filler
        gap = self._analysis.gaps[name]
        is_missing = self._analysis.count_by_category(self._analysis.missing(gap), fallback=False)
        return Nullable(filler, f"gap {gap}", is_missing)


def scalar_type(texts: Sequence[Text]) -> type:
    """Return int or float if every text is exactly what Python would write for one, else str."""
    given = [text for text in texts if text is not None]
    for kind, pattern in ((int, r"0|-?[1-9]\d{0,17}"), (float, r"-?\d{1,15}\.\d{1,8}")):
        # Digits with leading zeros or a trailing zero would come out as another text; 18 digits still fit 64 bits.
        if given and all(re.fullmatch(pattern, text) and str(kind(text)) == text for text in given):
            return kind
    return str


def count_suppressed(filler: Filler) -> int:
    """Return the number of values that were too rare to be kept in a filler, or in a filler within it."""
    parts = vars(filler).values()
    own = sum(part.num_suppressed for part in parts if hasattr(part, "num_suppressed"))
    return own + sum(count_suppressed(part) for part in parts if hasattr(part, "fill"))
