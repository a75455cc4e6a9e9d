"""RUN/report.html: one file that says what the model learned, and shows it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from etalage.catalogue.pictures import BadPicture, Limits, open_picture
from etalage.evaluate.charts import evidence, loss_curve, price_scatter
from etalage.evaluate.metrics import FIGURES, Values, fields_of, within_20pct
from etalage.evaluate.predictions import Prediction
from etalage.evaluate.verdict import SYSTEMS, at, verdict
from etalage.html.page import thumbnail, write_page
from etalage.task import Field, Value, format_price

__all__ = ["write_report"]

THUMBNAIL_PX = 160
NUM_SHOWN = 9
"""Products in each part of the gallery."""


def write_report(
    path: Path,
    *,
    title: str,
    config: Mapping[str, Any],
    metrics: Mapping[str, Any],
    predictions: Sequence[Prediction],
    losses: Sequence[Mapping[str, Any]],
    counts: Mapping[str, int | Mapping[str, int]],
    limits: Limits,
) -> None:
    """Write a self-contained page: no network, no script, pictures inlined, everything escaped.

    Args:
        config: The resolved configuration; may be nested.
        metrics: As from `judge`.
        predictions: The model's; those without a target are left out.
        losses: A mapping per step with step, loss and, where it was measured, validation_loss.
        counts: Products by what became of them, such as train, validation, test; `dropped` by reason.
        limits: Under which the catalogue's pictures are opened.
    """
    fields = fields_of(metrics)
    judged = [p for p in predictions if p.target is not None]
    write_page(
        path,
        "evaluate/report.html.jinja",
        title=title,
        metrics=metrics,
        verdict=verdict(metrics),
        evidence=[evidence(metrics, field) for field in fields],
        results=list(_results(metrics, fields)),
        systems=list(SYSTEMS),
        num_parsed=[at(metrics, place)["num_parsed"] for place in SYSTEMS.values()],
        scatters=[(f.name, plot) for f in fields if f.kind == "price" and (plot := price_scatter(_prices(judged, f)))],
        curve=loss_curve(losses),
        has_validation=any(row.get("validation_loss") is not None for row in losses),
        gallery=[(name, [_card(p, fields, limits) for p in some]) for name, some in _gallery(judged, fields)],
        counts=counts,
        config=list(_flat(config)),
    )


def _results(metrics: Mapping[str, Any], fields: Sequence[Field]) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Field, figure, and value with interval for each system."""
    for field in fields:
        for name, figure in FIGURES[field.kind].items():
            yield (
                field.name,
                figure.label,
                [
                    (
                        figure.show(at(metrics, place)[field.name][name]),
                        figure.show_interval(at(metrics["intervals"], place)[field.name][name]),
                    )
                    for place in SYSTEMS.values()
                ],
            )


def _prices(predictions: Sequence[Prediction], field: Field) -> list[tuple[float, float, str]]:
    return [
        (float(p.target[field.name]), float(p.values[field.name]), p.product_code)
        for p in predictions
        if p.target is not None and p.values is not None
    ]


def _gallery(predictions: Sequence[Prediction], fields: Sequence[Field]) -> list[tuple[str, Sequence[Prediction]]]:
    """A few of all, evenly spaced so that nobody chose them, the ends of the ranking, and what could not be read."""
    price = next((field for field in fields if field.kind == "price"), None)
    if len(predictions) <= 3 * NUM_SHOWN:
        return [("All products", predictions)]

    def error(prediction: Prediction) -> float:
        assert prediction.target is not None
        assert prediction.values is not None
        if price is None:
            return sum(not _right(f, prediction.target, prediction.values) for f in fields)
        return abs(math.log(float(prediction.values[price.name]) / float(prediction.target[price.name])))

    sample = [predictions[i * len(predictions) // NUM_SHOWN] for i in range(NUM_SHOWN)]
    shown = {id(prediction) for prediction in sample}
    others = [p for p in predictions if id(p) not in shown]
    ranked = sorted((p for p in others if p.values is not None), key=error)
    best = ranked[: min(NUM_SHOWN, len(ranked) // 2)]
    worst = ranked[len(best) :][-NUM_SHOWN:][::-1]
    unread = [p for p in others if p.values is None][:NUM_SHOWN]
    by = f" by {price.name.replace('_', ' ')}" if price else ""
    parts = [("A sample, evenly spaced", sample), (f"Best{by}", best), (f"Worst{by}", worst), ("Not readable", unread)]
    return [(name, some) for name, some in parts if some]


def _card(prediction: Prediction, fields: Sequence[Field], limits: Limits) -> dict[str, Any]:
    target, values = prediction.target, prediction.values
    assert target is not None
    return {
        "code": prediction.product_code,
        "picture": _thumbnail(prediction.image, limits),
        "before": prediction.before,
        "answer": prediction.answer,
        "parsed": values is not None,
        "rows": [
            {
                "name": field.name,
                "target": _show(field, target[field.name]),
                "said": _show(field, values[field.name]) if values else None,
                "right": values is not None and _right(field, target, values),
                "same": values is not None and target[field.name] == values[field.name],
            }
            for field in fields
        ],
    }


def _right(field: Field, target: Values, values: Values) -> bool:
    if field.kind == "price":
        return within_20pct(float(target[field.name]), float(values[field.name]))
    return target[field.name] == values[field.name]


def _show(field: Field, value: Value) -> str:
    return format_price(float(value)) if field.kind == "price" else str(value)


def _thumbnail(path: Path, limits: Limits) -> str:
    """A data URI; none if the picture is no longer there or no longer one."""
    try:
        return thumbnail(open_picture(path, **limits), THUMBNAIL_PX)
    except BadPicture:
        return ""


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, str(value)
