"""The verdict: what may be concluded from metrics.json, in plain words."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from etalage.evaluate.intervals import MIN_GROUPS
from etalage.evaluate.metrics import DECIDING_METRICS, METRICS, Metric, fields_of
from etalage.evaluate.systems import scores_of, systems_in
from etalage.task import Field
from etalage.wording import count

__all__ = ["verdict"]

_Conclusion = Literal["read", "unproven", "equal", "worse"]
"""Read off the picture; better than the constant answer, but not because of the picture; not clearly better; worse."""


def verdict(metrics: Mapping[str, Any]) -> str:
    """Return a few sentences that say what the model has been shown to do, and what not.

    A field counts as read off the picture only if its deciding metric beats the constant answer and both controls by
    more than chance: their intervals do not touch. A price must also have been parsed for at least half of the
    examples, since its errors describe parsed answers only. Fields that fine-tuning has not clearly improved are named.
    Of a handful of products nothing is concluded.

    Args:
        metrics: The contents of metrics.json.
    """
    fields, num_groups = fields_of(metrics), metrics.get("num_groups", metrics["num_examples"])
    if num_groups < MIN_GROUPS:
        found = f"{count(metrics['num_examples'], 'product')} and {count(num_groups, 'group')} of copies"
        sentence = f"Nothing can be concluded from {found}; at least {MIN_GROUPS} groups are needed."
        return " ".join([sentence, *_unread(metrics)])
    conclusions = [_conclude(metrics, field) for field in fields]

    def names_of(conclusion: _Conclusion) -> list[str]:
        return [_label(field) for field, found in zip(fields, conclusions, strict=True) if found == conclusion]

    sentences = []
    if names := names_of("read"):
        sentences.append(f"The model reads {_join(names)} off the picture.")
    elif names_of("unproven"):
        sentences.append("The model has not been shown to read anything off the picture.")
    else:
        sentences.append("The model has not been shown to learn anything from this catalogue.")
    if names := names_of("unproven"):
        sentences.append(
            f"It beats the constant answer for {_join(names)}, "
            "but does about as well when it is shown a wrong or blank picture."
        )
    if names := names_of("equal"):
        sentences.append(f"For {_join(names)} it is not clearly better than the same answer for every product.")
    if names := names_of("worse"):
        sentences.append(f"For {_join(names)} it does worse than the same answer for every product.")
    sentences += _unread(metrics)
    if names := [_label(field) for field in fields if not _has_improved(metrics, field)]:
        sentences.append(f"Fine-tuning has not been shown to improve {_join(names)}.")
    return " ".join(sentences)


def _unread(metrics: Mapping[str, Any]) -> list[str]:
    num_cut, num_unread = metrics.get("num_cut", 0), metrics["num_examples"] - metrics["num_parsed"]
    if not num_unread:
        return []
    cut = f", {num_cut} of them because they were cut before their end" if num_cut else ""
    return [f"{num_unread} of its {metrics['num_examples']} answers could not be read{cut}."]


def _conclude(metrics: Mapping[str, Any], field: Field) -> _Conclusion:
    name = DECIDING_METRICS[field.kind]
    metric = METRICS[field.kind][name]
    intervals = {system: scores_of(metrics["intervals"], system)[field.name][name] for system in systems_in(metrics)}
    # Without enough parsed prices there is no interval, and any constant answer is better.
    if intervals["model"] is None or _beats(metric, intervals["majority"], intervals["model"]):
        return "worse"
    if not (_is_representative(metrics, field) and _beats(metric, intervals["model"], intervals["majority"])):
        return "equal"
    # Both: shown a blank picture, a model may write nothing that parses, which any answer beats.
    controls = [system for system in ("blank", "shuffled") if system in intervals]
    beats_controls = all(_beats(metric, intervals["model"], intervals[control]) for control in controls)
    return "read" if beats_controls else "unproven"


def _has_improved(metrics: Mapping[str, Any], field: Field) -> bool:
    """Compare the deciding metric with the one before fine-tuning, which too few parsed answers cannot speak for."""
    name, before = DECIDING_METRICS[field.kind], "before fine-tuning"
    intervals = [scores_of(metrics["intervals"], system)[field.name][name] for system in ("model", before)]
    return _is_representative(metrics, field) and (
        not _is_representative(scores_of(metrics, before), field) or _beats(METRICS[field.kind][name], *intervals)
    )


def _is_representative(scores: Mapping[str, Any], field: Field) -> bool:
    """Return whether the parsed answers can speak for all: the errors of a price leave the others out."""
    return field.kind != "price" or 2 * scores["num_parsed"] >= scores["num_examples"]


def _beats(metric: Metric, ours: Sequence[float], theirs: Sequence[float] | None) -> bool:
    """Return whether our whole interval lies on the better side of theirs; no answer at all is always beaten."""
    # Stricter than an interval of the difference, which may leave out 0 although the two overlap.
    return theirs is None or (ours[0] > theirs[1] if metric.higher_is_better else ours[1] < theirs[0])


def _label(field: Field) -> str:
    return field.name.replace("_", " ")


def _join(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
