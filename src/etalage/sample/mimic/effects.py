"""What the words of a title say about a product's numbers: large ones cost more."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from etalage.sample.mimic.fillers import Clue, Effects, Place, clues
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["balanced", "learn_effects"]

_MOST_TITLES, _MOST_CLUES = 10_000, 500
_PENALTY = float(K)
"""Of the ridge: a word that K rows have gets half of its effect."""


def learn_effects(
    titles: Sequence[str], places: Sequence[Place], numbers: tuple[str, ...], residuals: NDArray[np.float64]
) -> Effects:
    """By ridge regression of the residuals on clues.

    Args:
        places: The categories of each title's row.
        residuals: (N, C) float64, one row per title and a column per number; NaN where one is missing.
    """
    found = [clues(title.split(" "), place) for title, place in zip(titles, places, strict=True)][:_MOST_TITLES]
    residuals = residuals[:_MOST_TITLES]
    frequent = _frequent(found, titles)
    column_of = {clue: number for number, clue in enumerate(frequent)}
    design = np.zeros((len(found), len(frequent)))
    for row, of_row in enumerate(found):
        design[row, [column_of[clue] for clue in of_row if clue in column_of]] = 1.0
    shifts = np.zeros((len(frequent), len(numbers)))
    rest = []
    for number in range(len(numbers)):
        known = ~np.isnan(residuals[:, number])
        given, target = design[known] - design[known].mean(axis=0), residuals[known, number]
        inverted = given.T @ given + _PENALTY * np.eye(len(frequent))
        shifts[:, number] = np.linalg.solve(inverted, given.T @ (target - target.mean()))
        rest.append(float((target - given @ shifts[:, number]).std()))
    return Effects(numbers, dict(zip(frequent, map(tuple, shifts.tolist()), strict=True)), tuple(rest))


def _frequent(found: Sequence[Sequence[Clue]], titles: Sequence[str]) -> list[Clue]:
    """Those that at least K different titles have, the most frequent ones first."""
    owners: dict[Clue, set[str]] = {}
    for of_row, title in zip(found, titles, strict=False):
        for clue in of_row:
            owners.setdefault(clue, set()).add(title.casefold())
    ranked = sorted(owners, key=lambda clue: (-len(owners[clue]), str(clue)))
    return [clue for clue in ranked if len(owners[clue]) >= K][:_MOST_CLUES]


def balanced(effects: Effects, titles: Sequence[Sequence[str]], places: Sequence[Place]) -> Effects:
    """With the mean and deviation that titles to be made give, so that they can be taken out.

    Args:
        titles: The words of some such titles.
        places: And where they stand.
    """
    told = np.array([effects.told(words, place) for words, place in zip(titles, places, strict=True)])
    told = told.reshape(len(titles), len(effects.numbers))
    deviation = np.maximum(np.sqrt(told.var(axis=0) + np.square(effects.rest)), 1e-3)
    return replace(effects, mean=tuple(told.mean(axis=0).tolist()), deviation=tuple(deviation.tolist()))
