"""95 % bootstrap percentile intervals of each metric.

Letters: E examples, G groups, R resamples.
"""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from etalage.evaluate.metrics import METRICS, Values, is_defined, metric_functions
from etalage.task import Field

__all__ = ["MIN_GROUPS", "bootstrap_intervals"]

MIN_GROUPS = 5
"""Of fewer groups, resampling cannot tell how much a metric moves: of one it does not move at all."""

NUM_RESAMPLES = 500
_MAX_WEIGHTS = 4_000_000
"""The weights that are held at once, 32 MB."""


def bootstrap_intervals(
    fields: Sequence[Field],
    targets: Sequence[Values],
    predictions: Sequence[Values | None],
    *,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Resample the examples with replacement and return the range in which each metric moves.

    Equal seeds, examples and groups give equal resamples, so a model and its baselines are resampled alike. A metric
    without any spread among the examples (all right, all wrong) gets an interval of no width, too narrow for a small E.

    Args:
        fields: The fields of the task.
        targets: The true values, one mapping per example; at least one.
        predictions: Parsed answers in the order of targets; None where the answer could not be parsed.
        groups: One per example. Products that resemble each other are drawn together, since they are not independent
            evidence; without groups every example stands for itself.
        seed: Seed of the resamples.

    Returns:
        The blocks of `score`, with [low, high] in the place of each number; None where it is not defined, and
        everywhere if there are fewer than MIN_GROUPS groups.
    """
    assert targets, "nothing to resample"
    number: dict[Hashable, int] = {}
    group = [number.setdefault(g, len(number)) for g in groups or range(len(targets))]  # (E,), by first appearance
    num_groups = len(number)
    if num_groups < MIN_GROUPS:
        return {field.name: dict.fromkeys(METRICS[field.kind]) for field in fields}
    rng = np.random.default_rng(seed)
    functions = metric_functions(fields, targets, predictions)
    parts: dict[str, list[dict[str, Any]]] = {name: [] for name in functions}
    for start in range(0, NUM_RESAMPLES, step := max(1, _MAX_WEIGHTS // len(targets))):
        num_rows = min(step, NUM_RESAMPLES - start)
        draws = rng.multinomial(num_groups, np.full(num_groups, 1 / num_groups), size=num_rows)  # (R, G)
        weights = draws[:, group].astype(float)  # (R, E)
        for name, function in functions.items():
            parts[name].append(function(weights))
    return {
        field.name: {
            name: _percentiles(np.concatenate([rows[name] for rows in parts[field.name]]))
            if is_defined(metric, predictions)
            else None
            for name, metric in METRICS[field.kind].items()
        }
        for field in fields
    }


def _percentiles(resampled: Any) -> list[float] | None:
    # A resample in which the metric is not defined, such as one without any parsed price, is left out.
    defined = resampled[np.isfinite(resampled)]
    return [float(end) for end in np.percentile(defined, [2.5, 97.5])] if len(defined) else None
