"""Frequencies that identify nobody: each one that is kept rests on at least K different owners.

What is too rare in its own context is counted again in a wider one, together with what was too rare in that one's other
parts, and so on. The frequencies over all contexts therefore stay what they were where each context keeps something,
and no kept number speaks of fewer than K owners. Where the values left out would themselves speak of fewer than K, the
least frequent kept value is left out as well (complementary suppression: Hundepool et al., Statistical Disclosure
Control, 2012, section 4.4).
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, TypeVar

__all__ = ["Contexts", "K", "Observation", "SuppressedCounts"]

K = 5
"""Products, or titles, that have to share whatever is learned."""

_ALL = 1 - 1e-9
"""Shares that sum to more than this leave nothing for wider contexts; below 1 because floats lose digits."""

T = TypeVar("T", bound=Hashable)
Contexts = tuple[Hashable, ...]
Observation = tuple[Contexts, T, Hashable]
"""Contexts from the narrowest to the widest, the value observed there, and the value's owner."""


@dataclass(frozen=True)
class _Shares(Generic[T]):
    """The values that are kept in one context."""

    values: tuple[T, ...]
    """The most frequent one first."""
    cumulative: tuple[float, ...]
    """Running total of their shares; what is missing from 1 is looked up in the next context."""


@dataclass(frozen=True)
class SuppressedCounts(Generic[T]):
    """Shares of values by context, without those that fewer than K owners have."""

    tables: tuple[Mapping[Hashable, _Shares[T]], ...]
    """For each level, by context: all that was observed there. A lookup begins here."""
    remainders: tuple[Mapping[Hashable, _Shares[T]], ...]
    """For each level, by context: what was too rare in the narrower contexts. A lookup goes on here."""
    overall: _Shares[T]
    """Shares over all contexts, for contexts that were never observed."""
    num_suppressed: int
    """Combinations of a context and a value that were too rare to be kept in it."""

    @classmethod
    def learn(
        cls,
        observations: Iterable[Observation[T]],
        fallback: T,
        *,
        coarsen: Callable[[T], T] | None = None,
        num_fine_contexts: int = 0,
    ) -> "SuppressedCounts[T]":
        """Count observations, context by context from the narrowest to the widest.

        Args:
            observations: What was observed; each with the same number of contexts.
            fallback: The only value if nothing at all is frequent enough.
            coarsen: Makes a value less specific. It is applied to what the first contexts left over.
            num_fine_contexts: The number of those first contexts.

        Returns:
            The counts, as shares.
        """
        remaining = everything = list(observations)
        tables: list[Mapping[Hashable, _Shares[T]]] = []
        remainders: list[Mapping[Hashable, _Shares[T]]] = []
        num_suppressed = 0
        for level in range(len(remaining[0][0]) if remaining else 0):
            if coarsen is not None and level == num_fine_contexts:
                remaining, everything = _coarsened(remaining, coarsen), _coarsened(everything, coarsen)
            # Counted twice: a lookup that begins here needs all rows, one that comes from a narrower context only what
            # was left over there.
            tables.append(_count_level(everything, level)[0])
            table, remaining = _count_level(remaining, level)
            remainders.append(table)
            num_suppressed += len({(contexts[level], value) for contexts, value, _ in remaining})
        kept, _ = _suppress(_by_value(everything if coarsen is None else _coarsened(everything, coarsen)))
        overall = _shares(kept, sum(kept.values())) if kept else _Shares((fallback,), (1.0,))
        return cls(tuple(tables), tuple(remainders), overall, num_suppressed)

    def draw(self, contexts: Contexts, uniform: float) -> T:
        """Return the value at a quantile; evenly spread quantiles give the values their exact shares.

        Args:
            contexts: Contexts from the narrowest to the widest, as learned with.
            uniform: The quantile, from 0 to 1.

        Returns:
            A value that at least K owners have, or the fallback.
        """
        tables = self.tables
        for level, context in enumerate(contexts[: len(tables)]):  # there are no levels if nothing was observed
            shares = tables[level].get(context)
            if shares is None:
                continue
            tables, covered = self.remainders, shares.cumulative[-1]
            if uniform < covered:
                return shares.values[bisect_right(shares.cumulative, uniform)]
            if covered > _ALL:
                return shares.values[-1]
            # What is left of the quantile is again evenly spread: one number serves all levels.
            uniform = (uniform - covered) / (1 - covered)
        index = bisect_right(self.overall.cumulative, uniform)
        return self.overall.values[min(index, len(self.overall.values) - 1)]

    def shares(self, contexts: Contexts) -> dict[T, float]:
        """Return how often `draw` gives each value.

        Args:
            contexts: Contexts from the narrowest to the widest, as learned with.

        Returns:
            Shares by value; they sum to 1.
        """
        found: dict[T, float] = {}
        left, tables = 1.0, self.tables
        # None stands for the overall shares, which come last.
        for level, context in enumerate((*contexts[: len(tables)], None)):
            shares = self.overall if level == len(tables) else tables[level].get(context)
            if shares is None or left < 1 - _ALL:
                continue
            tables = self.remainders
            for value, low, high in zip(shares.values, (0.0, *shares.cumulative), shares.cumulative, strict=False):
                found[value] = found.get(value, 0.0) + left * (high - low)
            left *= 1 - shares.cumulative[-1]
        return found


def _count_level(
    observations: Iterable[Observation[T]], level: int
) -> tuple[dict[Hashable, _Shares[T]], list[Observation[T]]]:
    """Return, by context of a level, what is frequent enough there, and all observations that are not."""
    by_context: dict[Hashable, list[Observation[T]]] = {}
    for observation in observations:
        by_context.setdefault(observation[0][level], []).append(observation)
    table, remaining = {}, []
    for context, found in by_context.items():
        values = _by_value(found)
        kept, suppressed = _suppress(values)
        if kept:
            # Shares of all rows, kept or not: what is missing from 1 goes on to the next context.
            table[context] = _shares(kept, len(found))
        remaining += [observation for value in suppressed for observation in values[value]]
    return table, remaining


def _coarsened(observations: Iterable[Observation[T]], coarsen: Callable[[T], T]) -> list[Observation[T]]:
    return [(contexts, coarsen(value), owner) for contexts, value, owner in observations]


def _by_value(observations: Sequence[Observation[T]]) -> dict[T, list[Observation[T]]]:
    values: dict[T, list[Observation[T]]] = {}
    for observation in observations:
        values.setdefault(observation[1], []).append(observation)
    return values


def _suppress(values: Mapping[T, Sequence[Observation[T]]]) -> tuple[dict[T, int], list[T]]:
    """Return the values to keep, the most frequent first, with their counts, and those that are too rare here."""
    num_owners = {value: len({owner for _, _, owner in found}) for value, found in values.items()}
    # Ties are broken by the text, since the order of observations must not matter.
    ranked = sorted(values, key=lambda value: (-num_owners[value], str(value)))
    kept = [value for value in ranked if num_owners[value] >= K]
    suppressed = ranked[len(kept) :]
    # Who knows a context's total could subtract the kept values from it and learn about the few that are left.
    if kept and 0 < len({owner for value in suppressed for _, _, owner in values[value]}) < K:
        suppressed = [kept.pop(), *suppressed]
    return {value: len(values[value]) for value in kept}, suppressed


def _shares(kept: Mapping[T, int], total: int) -> _Shares[T]:
    return _Shares(tuple(kept), tuple(count / total for count in accumulate(kept.values())))
