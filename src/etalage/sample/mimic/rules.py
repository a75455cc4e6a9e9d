"""What columns follow from one another: the same price in another currency, a price reduced, a flag, a name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from etalage.sample.mimic.suppressed_counts import K

__all__ = ["Flagged", "Follows", "Ratio", "Reduced", "amount_rules", "flagged", "follows"]

Amounts = Sequence[float | None]
Texts = Sequence[str | None]

_HOLDS = 0.995
"""Share of the rows that a rule has to explain."""
_LEAST_UNREDUCED = 0.2
_HALF = 0.51
"""Of a last digit, by which a rounded product may be off; above 0.5 for what floats lose."""


@dataclass(frozen=True)
class Ratio:
    """source x factor, rounded."""

    source: str
    factor: float


@dataclass(frozen=True)
class Reduced:
    """At most its source, and equal to it in many rows; or the other way around."""

    source: str
    downwards: bool


@dataclass(frozen=True)
class Follows:
    """A text that another one decides."""

    source: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Flagged:
    """Which of two texts it is, by whether a price is reduced from another."""

    price: str
    source: str
    reduced: str
    whole: str


def amount_rules(columns: Mapping[str, Amounts], decimals: Mapping[str, int]) -> dict[str, Ratio | Reduced]:
    """By column, what it follows from. The roundest prices, which people set, come before those computed from them.

    Args:
        columns: Amounts of each row, in the same order.
        decimals: Digits after the point that each column is written with.
    """
    rules: dict[str, Ratio | Reduced] = {}
    done: list[str] = []
    for name in sorted(columns, key=lambda name: (round(_num_digits(columns[name]), 1), list(columns).index(name))):
        found: list[Ratio | Reduced | None] = [_ratio(columns, name, other, decimals[name]) for other in done]
        found += [_reduced(columns, name, other) for other in done]
        rule = next((rule for rule in found if rule is not None), None)
        if rule is not None:
            rules[name] = rule
        done.append(name)
    return rules


def _num_digits(amounts: Amounts) -> float:
    """Significant ones, on average."""
    return fmean(len(f"{amount:.12g}".replace(".", "").strip("0")) for amount in amounts if amount is not None)


def _pairs(one: Amounts, other: Amounts) -> list[tuple[float, float]]:
    return [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]


def _ratio(columns: Mapping[str, Amounts], name: str, source: str, decimals: int) -> Ratio | None:
    """The factor with the fewest digits that explains all but a few rows."""
    pairs = [(a, b) for a, b in _pairs(columns[source], columns[name]) if a > 0]
    if len(pairs) < 2 * K or len({a for a, _ in pairs}) < K:
        return None
    largest = sorted(pairs)[-max(K, len(pairs) // 4) :]  # rounding hides least in them
    rough = median(b / a for a, b in largest)
    off = _HALF * 10.0**-decimals
    for digits in range(9):
        factor = round(rough, digits)
        if factor > 0 and sum(abs(b - a * factor) <= off for a, b in pairs) >= _HOLDS * len(pairs):
            return Ratio(source, factor)
    return None


def _reduced(columns: Mapping[str, Amounts], name: str, source: str) -> Reduced | None:
    pairs = _pairs(columns[source], columns[name])
    if len(pairs) < 2 * K or sum(a == b for a, b in pairs) < _LEAST_UNREDUCED * len(pairs):
        return None
    for downwards in (True, False):
        if sum(b <= a if downwards else b >= a for a, b in pairs) >= _HOLDS * len(pairs):
            return Reduced(source, downwards)
    return None


def follows(texts: Mapping[str, Texts], name: str, sources: Sequence[str]) -> Follows | None:
    """The first source whose value decides this column's, in every row."""
    for source in sources:
        decided: dict[str, str] = {}
        pairs = list(zip(texts[source], texts[name], strict=True))
        if all(decided.setdefault(one or "", other or "") == (other or "") for one, other in pairs):
            counts = Counter(one or "" for one, _ in pairs)
            frequent = {one: other for one, other in decided.items() if counts[one] >= K}
            if len(set(frequent.values())) > 1:
                return Follows(source, frequent)
    return None


def flagged(texts: Texts, columns: Mapping[str, Amounts], rules: Mapping[str, Ratio | Reduced]) -> Flagged | None:
    """Whether this column says which rows are reduced."""
    for name, rule in rules.items():
        if not isinstance(rule, Reduced):
            continue
        said: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for text, price, source in zip(texts, columns[name], columns[rule.source], strict=True):
            if price is not None and source is not None:
                said[price != source][text or ""] += 1
        if all(len(counts) == 1 and counts.total() >= K for counts in said.values()):
            reduced, whole = next(iter(said[True])), next(iter(said[False]))
            if reduced != whole:
                return Flagged(name, rule.source, reduced, whole)
    return None
