"""The systems that are compared, and metrics.json, which holds the scores and intervals of each."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from etalage.errors import EtalageError
from etalage.evaluate.intervals import bootstrap_intervals
from etalage.evaluate.metrics import Values, score
from etalage.task import Field

__all__ = ["SYSTEMS", "build_metrics", "scores_of"]

SYSTEMS: dict[str, tuple[str, ...]] = {
    "model": (),
    "before fine-tuning": ("baselines", "before"),
    "majority": ("baselines", "majority"),
    "blank": ("controls", "blank"),
    "shuffled": ("controls", "shuffled"),
}
"""Each system, and the keys that lead to its scores in metrics.json and again in its `intervals`."""

_RESERVED = {"split", "num_examples", "num_parsed", "baselines", "controls", "intervals"}


def build_metrics(
    split: str,
    fields: Sequence[Field],
    targets: Sequence[Values],
    predictions: Sequence[Values | None],
    *,
    before: Sequence[Values | None],
    majority: Values,
    blank: Sequence[Values | None],
    shuffled: Sequence[Values | None],
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Score the model, the model before fine-tuning, the constant answer and the two controls, with intervals.

    Args:
        split: The name of the split, which is recorded in the result.
        fields: The fields of the task.
        targets: The true values, one mapping per example; at least one.
        predictions: The model's parsed answers in the order of targets; None where the answer could not be parsed.
        before: The parsed answers of the model that fine-tuning started from, in the order of targets.
        majority: The constant answer of `baselines.majority_answer`.
        blank: The parsed answers to the pictures of `controls.blank_picture`, in the order of targets.
        shuffled: The parsed answers to the pictures of `controls.shuffle_pictures`, in the order of targets.
        groups: One per example; see `bootstrap_intervals`.
        seed: Seed of the intervals.

    Returns:
        The contents of metrics.json: split, then what `score` returns for the model; the same for the other systems
        under the keys that SYSTEMS names; and under `intervals` the same shape with [low, high] for each metric.

    Raises:
        EtalageError: There are no targets, or a field has the name of a key of metrics.json.
    """
    if not targets:
        raise EtalageError(f"the {split} split is empty, so there is nothing to evaluate; choose another split")
    # The model's scores, and with them its fields, stand beside these keys at the top.
    if taken := _RESERVED & {field.name for field in fields}:
        raise EtalageError(
            f"a field may not be called {', '.join(sorted(taken))}, because metrics.json has a key of that name; "
            "rename the field in the task's answer"
        )
    answers: dict[str, Sequence[Values | None]] = {
        "model": predictions,
        "before fine-tuning": before,
        "majority": [majority] * len(targets),
        "blank": blank,
        "shuffled": shuffled,
    }
    metrics: dict[str, Any] = {"split": split}
    intervals: dict[str, Any] = {}
    for system, keys in SYSTEMS.items():
        _descend(metrics, keys).update(score(fields, targets, answers[system]))
        # The same seed for all, so that all are scored on the same resamples.
        ends = bootstrap_intervals(fields, targets, answers[system], groups=groups, seed=seed)
        _descend(intervals, keys).update(ends)
    return {**metrics, "intervals": intervals}


def scores_of(metrics: Mapping[str, Any], system: str) -> Mapping[str, Any]:
    """Return the part of metrics.json, or of its `intervals`, that belongs to a system.

    Args:
        metrics: The contents of metrics.json, or its `intervals`.
        system: A key of SYSTEMS.
    """
    for key in SYSTEMS[system]:
        metrics = metrics[key]
    return metrics


def _descend(metrics: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    for key in keys:
        metrics = metrics.setdefault(key, {})
    return metrics
