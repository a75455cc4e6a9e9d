"""Rules between columns: a price in another currency, a reduced price, a flag for it, a text that implies another."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from etalage.sample.mimic.suppressed_counts import K

__all__ = ["FlagRule", "LookupRule", "Ratio", "Reduced", "find_amount_rules", "find_flag_rule", "find_lookup_rule"]

Amounts = Sequence[float | None]
Texts = Sequence[str | None]

_MIN_EXPLAINED = 0.995
"""Share of the rows that a rule has to explain."""
_MIN_UNREDUCED = 0.2
"""Share of the rows that have to show the full price for another price to count as reduced from it."""
_HALF = 0.51
"""Units of the last digit by which a rounded product may be off; above 0.5 for what floats lose."""


@dataclass(frozen=True)
class Ratio:
    """A rule: the source times a factor, rounded. Its `repr` is written into manifest.json."""

    source: str
    factor: float


@dataclass(frozen=True)
class Reduced:
    """A rule: at most its source and often equal to it, or the reverse. Its `repr` is written into manifest.json."""

    source: str
    downwards: bool


@dataclass(frozen=True)
class LookupRule:
    """A rule: a text that another column's text implies."""

    source: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class FlagRule:
    """A rule: one of two texts, depending on whether a price is reduced from another."""

    price: str
    source: str
    if_reduced: str
    if_equal: str


def find_amount_rules(columns: Mapping[str, Amounts], decimals: Mapping[str, int]) -> dict[str, Ratio | Reduced]:
    """Find the columns of amounts that follow from others.

    Args:
        columns: By column, the amount of each row.
        decimals: By column, digits after the point that it is written with.

    Returns:
        Rules by column; a rule's source may follow from another column in turn, but never in a circle.
    """
    rules: dict[str, Ratio | Reduced] = {}
    possible_sources: list[str] = []
    # People set round prices, and computed ones are less round: so the roundest columns are the sources.
    for name in sorted(columns, key=lambda name: (round(_num_digits(columns[name]), 1), list(columns).index(name))):
        found: list[Ratio | Reduced | None] = [
            _find_ratio(columns, name, other, decimals[name]) for other in possible_sources
        ]
        found += [_find_reduction(columns, name, other) for other in possible_sources]
        rule = next((rule for rule in found if rule is not None), None)
        if rule is not None:
            rules[name] = rule
        possible_sources.append(name)
    return rules


def _num_digits(amounts: Amounts) -> float:
    """Return the mean number of significant digits."""
    # Twelve digits leave out what floats add, such as 0.1 + 0.2.
    return fmean(len(f"{amount:.12g}".replace(".", "").strip("0")) for amount in amounts if amount is not None)


def _complete_pairs(one: Amounts, other: Amounts) -> list[tuple[float, float]]:
    return [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]


def _find_ratio(columns: Mapping[str, Amounts], name: str, source: str, decimals: int) -> Ratio | None:
    """Find the factor with the fewest digits that explains all but a few rows."""
    pairs = [(a, b) for a, b in _complete_pairs(columns[source], columns[name]) if a > 0]
    if len(pairs) < 2 * K or len({a for a, _ in pairs}) < K:
        return None
    largest = sorted(pairs)[-max(K, len(pairs) // 4) :]  # rounding distorts large amounts least
    estimate = median(b / a for a, b in largest)
    tolerance = _HALF * 10.0**-decimals
    # People choose factors such as 0.9 or 1.17, so the fewest digits are the likeliest.
    for digits in range(9):
        factor = round(estimate, digits)
        if factor > 0 and sum(abs(b - a * factor) <= tolerance for a, b in pairs) >= _MIN_EXPLAINED * len(pairs):
            return Ratio(source, factor)
    return None


def _find_reduction(columns: Mapping[str, Amounts], name: str, source: str) -> Reduced | None:
    pairs = _complete_pairs(columns[source], columns[name])
    if len(pairs) < 2 * K or sum(a == b for a, b in pairs) < _MIN_UNREDUCED * len(pairs):
        return None
    # Either price may be the rounder one and so the source: both directions are tried.
    for downwards in (True, False):
        if sum(b <= a if downwards else b >= a for a, b in pairs) >= _MIN_EXPLAINED * len(pairs):
            return Reduced(source, downwards)
    return None


def find_lookup_rule(texts: Mapping[str, Texts], name: str, sources: Sequence[str]) -> LookupRule | None:
    """Find the first column whose text implies another column's text in every row.

    Args:
        texts: By column, the text of each row.
        name: The column that may follow.
        sources: The columns that it may follow from.

    Returns:
        The rule, of source texts that at least K rows have; None if there is none.
    """
    for source in sources:
        implied: dict[str, str] = {}
        pairs = list(zip(texts[source], texts[name], strict=True))
        if all(implied.setdefault(one or "", other or "") == (other or "") for one, other in pairs):
            counts = Counter(one or "" for one, _ in pairs)
            # Rarer texts would tell what single products have; their rows get no text.
            frequent = {one: other for one, other in implied.items() if counts[one] >= K}
            if len(set(frequent.values())) > 1:
                return LookupRule(source, frequent)
    return None


def find_flag_rule(
    texts: Texts, columns: Mapping[str, Amounts], rules: Mapping[str, Ratio | Reduced]
) -> FlagRule | None:
    """Find the price whose reduction a column of texts flags.

    Args:
        texts: The text of each row.
        columns: By column, the amount of each row.
        rules: Rules between these columns.

    Returns:
        The rule; None if the texts flag no reduction.
    """
    for name, rule in rules.items():
        if not isinstance(rule, Reduced):
            continue
        counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for text, price, source in zip(texts, columns[name], columns[rule.source], strict=True):
            if price is not None and source is not None:
                counts[price != source][text or ""] += 1
        if all(len(found) == 1 and found.total() >= K for found in counts.values()):
            if_reduced, if_equal = next(iter(counts[True])), next(iter(counts[False]))
            if if_reduced != if_equal:
                return FlagRule(name, rule.source, if_reduced, if_equal)
    return None
