"""The systems that are compared, and metrics.json, which holds the scores and intervals of each."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from etalage.errors import EtalageError
from etalage.evaluate.intervals import bootstrap_intervals
from etalage.evaluate.metrics import METRICS, Values, score
from etalage.task import Field

__all__ = ["SYSTEMS", "build_metrics", "check_field_names", "format_score", "scores_of", "systems_in"]

SYSTEMS: dict[str, tuple[str, ...]] = {
    "model": (),
    "before fine-tuning": ("baselines", "before"),
    "majority": ("baselines", "majority"),
    "blank": ("controls", "blank"),
    "shuffled": ("controls", "shuffled"),
}
"""Each system, and the keys that lead to its scores in metrics.json and again in its `intervals`."""

_COUNTS = ("num_examples", "num_parsed", "num_cut", "num_unparsable")
_RESERVED = {"split", "num_groups", *_COUNTS, "baselines", "controls", "intervals"}


def build_metrics(
    split: str,
    fields: Sequence[Field],
    targets: Sequence[Values],
    predictions: Sequence[Values | None],
    *,
    before: Sequence[Values | None],
    majority: Values,
    blank: Sequence[Values | None],
    shuffled: Sequence[Values | None] | None,
    num_cut: Mapping[str, int] | None = None,
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
        shuffled: The parsed answers to the pictures of `controls.shuffle_pictures`, in the order of targets; None if
            there was no other picture to show.
        num_cut: How many answers were cut, by system; those that are not named cut none.
        groups: One per example; see `bootstrap_intervals`.
        seed: Seed of the intervals.

    Returns:
        The contents of metrics.json: split and num_groups, then what `score` returns for the model; the same for the
        other systems under the keys that SYSTEMS names; and under `intervals` the same shape with [low, high] for each
        metric.

    Raises:
        EtalageError: There are no targets, or a field has the name of a key of metrics.json.
    """
    if not targets:
        raise EtalageError(f"the {split} split is empty, so there is nothing to evaluate; choose another split")
    check_field_names(fields)
    answers: dict[str, Sequence[Values | None] | None] = {
        "model": predictions,
        "before fine-tuning": before,
        "majority": [majority] * len(targets),
        "blank": blank,
        "shuffled": shuffled,
    }
    metrics: dict[str, Any] = {"split": split, "num_groups": len(set(groups)) if groups else len(targets)}
    intervals: dict[str, Any] = {}
    for system, keys in SYSTEMS.items():
        if (given := answers[system]) is None:
            continue
        _descend(metrics, keys).update(score(fields, targets, given, num_cut=(num_cut or {}).get(system, 0)))
        # The same seed for all, so that all are scored on the same resamples.
        ends = bootstrap_intervals(fields, targets, given, groups=groups, seed=seed)
        _descend(intervals, keys).update(ends)
    return {**metrics, "intervals": intervals}


def check_field_names(fields: Sequence[Field]) -> None:
    """Refuse fields whose blocks would take the place of something else in metrics.json.

    Args:
        fields: The fields of the task.

    Raises:
        EtalageError: A field has the name of a key of metrics.json.
    """
    # The model's scores, and with them its fields, stand beside these keys at the top.
    if taken := _RESERVED & {field.name for field in fields}:
        raise EtalageError(
            f"a field may not be called {', '.join(sorted(taken))}, because metrics.json has a key of that name; "
            "rename the field in the task's answer"
        )


def systems_in(metrics: Mapping[str, Any]) -> list[str]:
    """Return the systems that were scored; an evaluation of a single product shows no other product's picture.

    Args:
        metrics: The contents of metrics.json.
    """
    return [system for system, keys in SYSTEMS.items() if not keys or keys[1] in metrics.get(keys[0], {})]


def format_score(metrics: Mapping[str, Any], system: str, field: Field, name: str) -> str:
    """Return a score as text; where too few answers could be parsed for one, their number.

    Args:
        metrics: The contents of metrics.json.
        system: A key of SYSTEMS.
        field: One of its fields.
        name: The key of a metric of the field's kind.
    """
    scores, metric = scores_of(metrics, system), METRICS[field.kind][name]
    text = metric.format(scores[field.name][name])
    if scores[field.name][name] is None and metric.over_parsed:
        return f"{text}, {scores['num_parsed']} of {scores['num_examples']}"
    return text


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
