"""Everything that stands in RUN/metrics.json, and what may be concluded from it."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from etalage.errors import EtalageError
from etalage.evaluate.intervals import intervals
from etalage.evaluate.metrics import DECIDING, FIGURES, Figure, Values, fields_of, score
from etalage.task import Field

__all__ = ["SYSTEMS", "at", "build_metrics", "table", "verdict"]

SYSTEMS: dict[str, tuple[str, ...]] = {
    "model": (),
    "before fine-tuning": ("baselines", "before"),
    "majority": ("baselines", "majority"),
    "blank": ("controls", "blank"),
    "shuffled": ("controls", "shuffled"),
}
"""Who answered, and where in metrics.json (and again in its `intervals`) the blocks stand."""

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
    """Score the model, what it was before, the constant answer and the model robbed of the picture, with intervals.

    Args:
        split: Named in the result.
        predictions: The model's parsed answers, in the order of targets; None where unparsable.
        before: The parsed answers of the model that fine-tuning started from, in the order of targets.
        majority: The answer of `baselines.majority`, given to every example.
        blank, shuffled: The parsed answers to the pictures of `controls`, in the order of targets.
        groups: See `intervals`.
    Returns:
        The contents of metrics.json: split, then `score`'s figures for the model; the same at the places that SYSTEMS
        names; under intervals the same shape again with [low, high] for each figure.
    Raises:
        EtalageError: no targets, or a field whose name is taken by a key of metrics.json.
    """
    if not targets:
        raise EtalageError(f"the {split} split is empty; nothing to evaluate")
    if taken := _RESERVED & {field.name for field in fields}:
        raise EtalageError(
            f"a field may not be called {', '.join(sorted(taken))}: metrics.json uses the name; rename it"
        )
    answers = {
        "model": predictions,
        "before fine-tuning": before,
        "majority": [majority] * len(targets),
        "blank": blank,
        "shuffled": shuffled,
    }
    metrics: dict[str, Any] = {"split": split}
    ends: dict[str, Any] = {}
    for system, place in SYSTEMS.items():
        _part(metrics, place).update(score(fields, targets, answers[system]))
        _part(ends, place).update(intervals(fields, targets, answers[system], groups=groups, seed=seed))
    return {**metrics, "intervals": ends}


def at(metrics: Mapping[str, Any], place: Sequence[str]) -> Mapping[str, Any]:
    """The blocks at a place of metrics.json."""
    for key in place:
        metrics = metrics[key]
    return metrics


def verdict(metrics: Mapping[str, Any]) -> str:
    """What the figures allow to be said, in plain words.

    A field counts as read off the picture only if its deciding figure beats the constant answer and both controls by
    more than chance: intervals that do not touch. A price must also have been parsed for at least half of the examples,
    since its errors speak of parsed answers only. Fields that fine-tuning has not clearly improved are named.
    """
    said: dict[str, list[str]] = {"read": [], "unproven": [], "equal": [], "worse": [], "no better": []}
    fields = fields_of(metrics)
    for field in fields:
        name = field.name.replace("_", " ")
        said[_conclusion(metrics, field)].append(name)
        if not _improved(metrics, field):
            said["no better"].append(name)
    sentences = []
    if said["read"]:
        sentences.append(f"The model reads {_and(said['read'])} off the picture.")
    elif said["unproven"]:
        sentences.append("The model has not been shown to read anything off the picture.")
    else:
        sentences.append("The model has not been shown to learn anything from this catalogue.")
    if names := said["unproven"]:
        sentences.append(
            f"It beats the constant answer for {_and(names)}, "
            "but does about as well when it is shown a wrong or blank picture."
        )
    if names := said["equal"]:
        sentences.append(f"For {_and(names)} it is not clearly better than the same answer for every product.")
    if names := said["worse"]:
        sentences.append(f"For {_and(names)} it does worse than the same answer for every product.")
    if num_unread := metrics["num_examples"] - metrics["num_parsed"]:
        sentences.append(f"{num_unread} of its {metrics['num_examples']} answers could not be read.")
    if names := said["no better"]:
        sentences.append(f"Fine-tuning has not been shown to improve {_and(names)}.")
    return " ".join(sentences)


def table(metrics: Mapping[str, Any]) -> Table:
    """The short summary for the terminal: a row per figure, a column per system."""
    title = f"{metrics['split']} split, {metrics['num_examples']} products"
    result = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, title=title, title_justify="left")
    result.add_column("")
    for system in SYSTEMS:
        style = "bold" if system == "model" else ""
        result.add_column(system.replace(" ", "\n"), justify="right", style=style, overflow="fold")
    for field in fields_of(metrics):
        for name, figure in FIGURES[field.kind].items():
            values = (at(metrics, place)[field.name][name] for place in SYSTEMS.values())
            result.add_row(f"{field.name} {figure.label}", *(figure.show(value) for value in values))
    result.add_row("answers parsed", *(f"{at(metrics, place)['num_parsed']}" for place in SYSTEMS.values()))
    return result


def _conclusion(metrics: Mapping[str, Any], field: Field) -> str:
    name = DECIDING[field.kind]
    ends = {s: at(metrics["intervals"], place)[field.name][name] for s, place in SYSTEMS.items()}
    figure = FIGURES[field.kind][name]
    if ends["model"] is None or _beats(figure, ends["majority"], ends["model"]):
        return "worse"
    if not (_enough(metrics, field) and _beats(figure, ends["model"], ends["majority"])):
        return "equal"
    robbed = [ends[control] for control in ("blank", "shuffled")]
    return "read" if all(_beats(figure, ends["model"], control) for control in robbed) else "unproven"


def _improved(metrics: Mapping[str, Any], field: Field) -> bool:
    """Whether the deciding figure beats the one before fine-tuning, or there were too few answers then."""
    name, place = DECIDING[field.kind], SYSTEMS["before fine-tuning"]
    after, before = (ends[field.name][name] for ends in (metrics["intervals"], at(metrics["intervals"], place)))
    return _enough(metrics, field) and (
        not _enough(at(metrics, place), field) or _beats(FIGURES[field.kind][name], after, before)
    )


def _enough(scored: Mapping[str, Any], field: Field) -> bool:
    """Whether the answers parsed can speak for all: the errors of a price leave the others out."""
    return field.kind != "price" or 2 * scored["num_parsed"] >= scored["num_examples"]


def _beats(figure: Figure, ours: Sequence[float], theirs: Sequence[float] | None) -> bool:
    """Whether the whole of our interval lies on the better side of theirs; no answer at all is always beaten."""
    return theirs is None or (ours[0] > theirs[1] if figure.higher_is_better else ours[1] < theirs[0])


def _part(metrics: dict[str, Any], place: Sequence[str]) -> dict[str, Any]:
    for key in place:
        metrics = metrics.setdefault(key, {})
    return metrics


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
