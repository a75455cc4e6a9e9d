"""Effects of a title's words on a product's numbers: large products cost more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from etalage.sample.mimic.category_path import CategoryPath
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["Clue", "Effects", "clues_of"]

Clue = str | int | tuple[int, str]
"""A word, the number of words, or a name in the category tree with its level."""

_MAX_TITLES, _MAX_CLUES = 10_000, 500
_PENALTY = float(K)
"""The penalty of the ridge regression: a word that K rows have gets half of its effect."""


@dataclass(frozen=True)
class Effects:
    """Shifts of a row's numbers, in standard deviations within its category, by the words of its title.

    The number of these words and names in the category tree count as well, where they say more than the whole category.
    """

    numbers: tuple[str, ...]
    shifts: Mapping[Clue, tuple[float, ...]]
    """By clue, the shift of each number."""
    unexplained: tuple[float, ...]
    """The standard deviation of each number that the clues leave unexplained."""
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    """Mean and standard deviation of the shifted numbers over new titles; taken out so that marginals do not change."""

    @classmethod
    def learn(
        cls,
        titles: Sequence[str],
        paths: Sequence[CategoryPath],
        numbers: tuple[str, ...],
        residuals: NDArray[np.float64],
    ) -> "Effects":
        """Learn by ridge regression of the residuals on clues that at least K different titles have.

        Args:
            titles: The title of each row.
            paths: The category path of each row.
            numbers: Names of the numbers.
            residuals: (N, C) float64, a row for each title and a column for each number; NaN where one is missing.

        Returns:
            The effects, not yet standardized.
        """
        clues = [clues_of(title.split(" "), path) for title, path in zip(titles, paths, strict=True)][:_MAX_TITLES]
        residuals = residuals[:_MAX_TITLES]  # the design matrix is dense: 10,000 x 500 floats are 40 MB
        frequent = _frequent_clues(clues, titles)
        column_of = {clue: column for column, clue in enumerate(frequent)}
        design = np.zeros((len(clues), len(frequent)))
        for row, row_clues in enumerate(clues):
            design[row, [column_of[clue] for clue in row_clues if clue in column_of]] = 1.0
        shifts = np.zeros((len(frequent), len(numbers)))
        unexplained = []
        for index in range(len(numbers)):
            known = ~np.isnan(residuals[:, index])
            # Centred, so that the penalty does not pull the mean towards 0.
            inputs, target = design[known] - design[known].mean(axis=0), residuals[known, index]
            # The penalty also keeps clues that always occur together solvable.
            gram = inputs.T @ inputs + _PENALTY * np.eye(len(frequent))
            shifts[:, index] = np.linalg.solve(gram, inputs.T @ (target - target.mean()))
            unexplained.append(float((target - inputs @ shifts[:, index]).std()))
        return cls(numbers, dict(zip(frequent, map(tuple, shifts.tolist()), strict=True)), tuple(unexplained))

    def standardize(self, titles: Sequence[Sequence[str]], paths: Sequence[CategoryPath]) -> "Effects":
        """Return these effects with the mean and deviation that they have over new titles.

        Args:
            titles: The words of new titles.
            paths: The category path of each.

        Returns:
            Effects that `adjust` can use.
        """
        shifts = np.array([self.predict(words, path) for words, path in zip(titles, paths, strict=True)])
        shifts = shifts.reshape(len(titles), len(self.numbers))
        # The floor keeps `adjust` from dividing by zero where a number never varies.
        deviation = np.maximum(np.sqrt(shifts.var(axis=0) + np.square(self.unexplained)), 1e-3)
        return replace(self, mean=tuple(shifts.mean(axis=0).tolist()), deviation=tuple(deviation.tolist()))

    def predict(self, words: Sequence[str], path: CategoryPath) -> list[float]:
        """Return the shift of each number.

        Args:
            words: The words of a title.
            path: The row's category path.

        Returns:
            Shifts in the order of `numbers`; 0 where no clue is known.
        """
        found = [self.shifts[clue] for clue in clues_of(words, path) if clue in self.shifts]
        return [sum(shifts) for shifts in zip(*found, strict=True)] if found else [0.0] * len(self.numbers)

    def adjust(self, residuals: Mapping[str, float], words: Sequence[str], path: CategoryPath) -> dict[str, float]:
        """Shift the numbers of a row by what its title says about them.

        Args:
            residuals: By number, standard deviations from the category's mean.
            words: The words of the row's title.
            path: The row's category path.

        Returns:
            The shifted residuals, which over all rows have mean 0 and standard deviation 1.
        """
        shifts = zip(self.numbers, self.predict(words, path), self.unexplained, self.mean, self.deviation, strict=True)
        return {
            name: (shift - mean + unexplained * residuals[name]) / deviation
            for name, shift, unexplained, mean, deviation in shifts
        }


def clues_of(words: Sequence[str], path: CategoryPath) -> list[Clue]:
    """Return each word once, the number of words, and each name of the path with its level.

    Args:
        words: The words of a title.
        path: The row's category path.

    Returns:
        The clues.
    """
    return [*dict.fromkeys(words), len(words), *enumerate(path)]


def _frequent_clues(clues: Sequence[Sequence[Clue]], titles: Sequence[str]) -> list[Clue]:
    """Return the clues that at least K different titles have, the most frequent ones first."""
    owners: dict[Clue, set[str]] = {}
    for row_clues, title in zip(clues, titles, strict=False):  # clues are capped, titles are not
        for clue in row_clues:
            # Copies of a title count once: it takes K different titles to learn what a word does.
            owners.setdefault(clue, set()).add(title.casefold())
    # Clues are of several types, which only their text puts into one order.
    ranked = sorted(owners, key=lambda clue: (-len(owners[clue]), str(clue)))
    return [clue for clue in ranked if len(owners[clue]) >= K][:_MAX_CLUES]
