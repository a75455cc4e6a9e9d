"""Learn to make a catalogue that resembles your own.

Structure and variety are learned from a prepared catalogue, and no row of it can come out again: whatever is learned
rests on at least K products, or K different titles (`suppressed_counts`). The test split is not learned from.
"""

from pathlib import Path
from typing import Any

from etalage.errors import EtalageError
from etalage.sample.mimic.learners.analysis import Analysis
from etalage.sample.mimic.learners.columns import ColumnLearner, count_suppressed, scalar_type
from etalage.sample.mimic.learners.families import learn_layout, learn_sharing
from etalage.sample.mimic.learners.numbers import NumberLearner
from etalage.sample.mimic.learners.pictures import learn_appearances, learn_placeholder_share
from etalage.sample.mimic.learners.texts import TextLearner
from etalage.sample.mimic.mimic import Mimic
from etalage.sample.mimic.original import read_original
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["MIN_ROWS", "learn"]

MIN_ROWS = 5 * K
"""The smallest number of rows to learn from."""

_MAX_ROWS = 50_000
"""The largest number of rows to learn from: more make no visible difference."""


def learn(catalogue_folder: Path, *, seed: int, rows: int) -> Mimic:
    """Learn from the train and validation splits of a prepared catalogue.

    Of the test split only hashes of its texts are used, so that none of its titles, codes and words is made again.

    Args:
        catalogue_folder: A folder that `prepare` has written.
        seed: Decides everything that is drawn.
        rows: Rows to make; for this number, shares of categories are exact.

    Returns:
        Rows that resemble the catalogue's.

    Raises:
        EtalageError: There is no prepared catalogue, it has no table.parquet, or it has too few rows to learn from.
    """
    everything = read_original(catalogue_folder)
    known = everything.in_splits(("train", "validation"))
    if len(known) < MIN_ROWS:
        raise EtalageError(
            f"{catalogue_folder} has {len(known)} products to learn from (train and validation), fewer than "
            f"{MIN_ROWS}: what so few have in common would reveal single products; prepare a larger catalogue"
        )
    # `everything` holds the test split, too, but only hashes of its texts are taken.
    analysis = Analysis(everything, known.subsample(_MAX_ROWS, seed), seed=seed, num_rows=rows)
    # The layout comes first: effects of titles are measured on trial titles of the categories that will be made.
    layout = learn_layout(analysis)
    numbers = NumberLearner(analysis)
    fillers = ColumnLearner(analysis, numbers, TextLearner(analysis, layout, numbers.effects)).fillers()
    image = known.roles["image"]
    return Mimic(
        seed=seed,
        roles={role: name for role, name in known.roles.items() if name in fillers},
        column_order=tuple(known.texts),
        fillers=fillers,
        column_types={name: scalar_type(texts) for name, texts in analysis.known.texts.items() if name != image},
        layout=layout,
        sharing=learn_sharing(analysis),
        numbers=analysis.numbers,
        correlation_factor=numbers.correlation_factor(),
        family_variance_shares=numbers.family_variance_shares(),
        appearances=learn_appearances(analysis),
        picture_level=analysis.tree.picture_level,
        placeholder_share=learn_placeholder_share(analysis),
        price_number=analysis.price_number,
        learned=_summary(analysis, sum(map(count_suppressed, fillers.values()))),
    )


def _summary(analysis: Analysis, num_suppressed: int) -> dict[str, Any]:
    """Return what manifest.json says about what was learned."""
    return {
        "k": K,
        "num_learned_from": len(analysis.known),
        "num_suppressed": analysis.tree.num_suppressed + num_suppressed,
        "columns": {name: analysis.columns[name].kind for name in analysis.known.texts},
        "rules": {name: str(rule) for name, rule in analysis.rules.items()},
        "categories": {" / ".join(path): round(share, 4) for path, share in analysis.tree.shares.items()},
    }
