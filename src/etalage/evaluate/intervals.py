"""How far each figure may be trusted: 95 % bootstrap percentile intervals.

Letters: E examples, G groups, R resamples.
"""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from etalage.evaluate.metrics import Values, measures
from etalage.task import Field

__all__ = ["intervals"]

NUM_RESAMPLES = 500
_MAX_CELLS = 4_000_000  # of weights at once, 32 MB


def intervals(
    fields: Sequence[Field],
    targets: Sequence[Values],
    predictions: Sequence[Values | None],
    *,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Resample the examples with replacement and see how much each figure moves.

    Equal seeds, examples and groups give equal resamples, so a model and its baselines are resampled alike. A figure
    without any spread among the examples (all right, all wrong) gets an interval of no width, too narrow for a small E.

    Args:
        groups: One per example. Products that resemble each other are drawn together, since they are not independent
            evidence; without groups every example stands for itself.
    Returns:
        `score`'s blocks, with [low, high] in the place of each figure; None where it is not defined.
    """
    assert targets, "nothing to resample"
    number: dict[Hashable, int] = {}
    group = [number.setdefault(g, len(number)) for g in groups or range(len(targets))]  # (E,), by first appearance
    num_groups = len(number)
    rng = np.random.default_rng(seed)
    todo = measures(fields, targets, predictions)
    parts: dict[str, list[dict[str, Any]]] = {name: [] for name in todo}
    for start in range(0, NUM_RESAMPLES, step := max(1, _MAX_CELLS // len(targets))):
        num_rows = min(step, NUM_RESAMPLES - start)
        draws = rng.multinomial(num_groups, np.full(num_groups, 1 / num_groups), size=num_rows)  # (R, G)
        weights = draws[:, group].astype(float)  # (R, E)
        for name, measure in todo.items():
            parts[name].append(measure(weights))
    return {
        name: {figure: _ends(np.concatenate([rows[figure] for rows in part])) for figure in part[0]}
        for name, part in parts.items()
    }


def _ends(resampled: Any) -> list[float] | None:
    defined = resampled[np.isfinite(resampled)]
    return [float(end) for end in np.percentile(defined, [2.5, 97.5])] if len(defined) else None
