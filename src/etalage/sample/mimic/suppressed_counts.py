"""Frequencies that give nobody away: each one that is kept rests on at least K different owners.

What is too rare in its own context is counted again in a wider one, together with what was too rare in that one's other
parts, and so on. So the frequencies over all contexts stay what they were, while no kept number speaks of fewer than K.
Where what was left out would itself speak of fewer than K, the least frequent kept value is left out as well
(complementary suppression: Hundepool et al., Statistical Disclosure Control, 2012, section 4.4).
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, TypeVar

__all__ = ["Cells", "Contexts", "K", "Seen", "views"]

K = 5
"""Products, or titles, that anything learned has to be common to."""

_ALL = 1 - 1e-9

T = TypeVar("T", bound=Hashable)
Contexts = tuple[Hashable, ...]
Seen = tuple[Contexts, T, Hashable]
"""Contexts from the narrowest to the widest, what was seen there, and whose it is."""


@dataclass(frozen=True)
class _Cell(Generic[T]):
    values: tuple[T, ...]
    """The most frequent one first."""
    upto: tuple[float, ...]
    """Running total of their shares; what lacks from 1 is looked up in the next context."""


@dataclass(frozen=True)
class Cells(Generic[T]):
    """What is seen how often in which context."""

    levels: tuple[Mapping[Hashable, _Cell[T]], ...]
    """By context, all that is seen there: where looking things up begins."""
    rests: tuple[Mapping[Hashable, _Cell[T]], ...]
    """By context, what was too rare in the narrower ones: where looking up goes on."""
    whole: _Cell[T]
    """Of everything in the widest sense, for contexts that were never seen."""
    num_suppressed: int
    """Combinations of a context and a value that were too rare to be kept in it."""

    @classmethod
    def learn(
        cls, seen: Iterable[Seen[T]], fallback: T, *, coarse: Callable[[T], T] | None = None, num_fine: int = 0
    ) -> "Cells[T]":
        """Count.

        Args:
            seen: All with equally many contexts.
            fallback: What stands for everything where nothing at all is frequent enough.
            coarse: Makes a value less telling. What is too rare in the first `num_fine` contexts goes on as that.
        """
        rest = everything = list(seen)
        levels: list[Mapping[Hashable, _Cell[T]]] = []
        rests: list[Mapping[Hashable, _Cell[T]]] = []
        num_suppressed = 0
        for level in range(len(rest[0][0]) if rest else 0):
            if coarse is not None and level == num_fine:
                rest, everything = _made_coarse(rest, coarse), _made_coarse(everything, coarse)
            levels.append(_table(everything, level)[0])
            table, rest = _table(rest, level)
            rests.append(table)
            num_suppressed += len({(entry[0][level], entry[1]) for entry in rest})
        whole, _ = _kept(_by_value(everything if coarse is None else _made_coarse(everything, coarse)))
        widest = _cell(whole, sum(whole.values())) if whole else _Cell((fallback,), (1.0,))
        return cls(tuple(levels), tuple(rests), widest, num_suppressed)

    def draw(self, contexts: Contexts, uniform: float) -> T:
        """The value at a place between 0 and 1; evenly spread places give the values their exact shares."""
        tables = self.levels
        for level, context in enumerate(contexts[: len(tables)]):  # no levels, if nothing was seen
            cell = tables[level].get(context)
            if cell is None:
                continue
            tables, most = self.rests, cell.upto[-1]
            if uniform < most:
                return cell.values[bisect_right(cell.upto, uniform)]
            if most > _ALL:
                return cell.values[-1]
            uniform = (uniform - most) / (1 - most)
        place = bisect_right(self.whole.upto, uniform)
        return self.whole.values[min(place, len(self.whole.values) - 1)]

    def shares(self, contexts: Contexts) -> dict[T, float]:
        """How often `draw` gives each value."""
        found: dict[T, float] = {}
        left, tables = 1.0, self.levels
        for level, context in enumerate((*contexts[: len(tables)], None)):
            cell = self.whole if level == len(tables) else tables[level].get(context)
            if cell is None or left < 1 - _ALL:
                continue
            tables = self.rests
            for value, low, high in zip(cell.values, (0.0, *cell.upto), cell.upto, strict=False):
                found[value] = found.get(value, 0.0) + left * (high - low)
            left *= 1 - cell.upto[-1]
        return found


def _table(entries: Iterable[Seen[T]], level: int) -> tuple[dict[Hashable, _Cell[T]], list[Seen[T]]]:
    """By context of a level what is frequent enough there, and all entries that are not."""
    by_context: dict[Hashable, list[Seen[T]]] = {}
    for entry in entries:
        by_context.setdefault(entry[0][level], []).append(entry)
    table, rest = {}, []
    for context, found in by_context.items():
        values = _by_value(found)
        kept, suppressed = _kept(values)
        if kept:
            table[context] = _cell(kept, len(found))
        rest += [entry for value in suppressed for entry in values[value]]
    return table, rest


def _made_coarse(entries: Iterable[Seen[T]], coarse: Callable[[T], T]) -> list[Seen[T]]:
    return [(contexts, coarse(value), owner) for contexts, value, owner in entries]


def _by_value(entries: Sequence[Seen[T]]) -> dict[T, list[Seen[T]]]:
    values: dict[T, list[Seen[T]]] = {}
    for entry in entries:
        values.setdefault(entry[1], []).append(entry)
    return values


def _kept(values: Mapping[T, Sequence[Seen[T]]]) -> tuple[dict[T, int], list[T]]:
    """The values to keep, the most frequent first, with their counts, and those that are too rare here."""
    owners = {value: len({owner for _, _, owner in entries}) for value, entries in values.items()}
    ranked = sorted(values, key=lambda value: (-owners[value], str(value)))
    kept = [value for value in ranked if owners[value] >= K]
    suppressed = ranked[len(kept) :]
    if kept and 0 < len({owner for value in suppressed for _, _, owner in values[value]}) < K:
        suppressed = [kept.pop(), *suppressed]
    return {value: len(values[value]) for value in kept}, suppressed


def _cell(kept: Mapping[T, int], total: int) -> _Cell[T]:
    upto = [count / total for count in accumulate(kept.values())]
    return _Cell(tuple(kept), tuple(upto))


def views(place: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Ways to look at a place in the category tree, the narrowest first: all of it, but its end, its end, its start."""
    return place, place[:-1], ("…", *place[-1:]), place[:1]
