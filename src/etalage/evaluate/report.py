"""RUN/report.html: one page that says what the model learned, and shows it."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from etalage.catalogue.thumbnails import encode_thumbnail
from etalage.evaluate.charts import loss_curve, price_scatter, score_chart
from etalage.evaluate.metrics import METRICS, Values, fields_of, within_20pct
from etalage.evaluate.predictions import Prediction
from etalage.evaluate.systems import format_score, scores_of, systems_in
from etalage.evaluate.verdict import verdict
from etalage.flatten import flatten
from etalage.html.page import write_page
from etalage.task import Field, Value, format_price

__all__ = ["write_report"]

THUMBNAIL_PX = 160
NUM_SHOWN = 9
"""The products in each part of the gallery."""


def write_report(
    path: Path,
    *,
    title: str,
    config: Mapping[str, Any],
    metrics: Mapping[str, Any],
    predictions: Sequence[Prediction],
    losses: Sequence[Mapping[str, Any]],
    counts: Mapping[str, int | Mapping[str, int]],
    open_image: Callable[[Path], Image.Image | None],
    currencies: Mapping[str, str],
) -> None:
    """Write a self-contained page: no network, no script, pictures inlined, everything escaped.

    Args:
        path: The page.
        title: The title of the page.
        config: The resolved configuration; may be nested.
        metrics: The contents of metrics.json.
        predictions: The model's answers; those without a target are left out.
        losses: A mapping per step with step, loss and, where it was measured, validation_loss.
        counts: The number of products by what became of them, such as train, validation, test; `dropped` by reason.
        open_image: Opens the picture of a prediction. The path is as the file says, which may be anybody's: only
            pictures of the catalogue may be opened, see `Catalogue.open_by_name`. None for any other.
        currencies: The code of the currency of each field of prices, as far as it is known.
    """
    fields = fields_of(metrics)
    targeted = [p for p in predictions if p.target is not None]
    scatters = [
        price_scatter(field.name, _prices(targeted, field), currencies.get(field.name, ""))
        for field in fields
        if field.kind == "price"
    ]
    write_page(
        path,
        "evaluate/report.html.jinja",
        title=title,
        metrics=metrics,
        verdict=verdict(metrics),
        score_charts=[score_chart(metrics, field) for field in fields],
        results=list(_results(metrics, fields, currencies)),
        systems=systems_in(metrics),
        answers=[scores_of(metrics, system) for system in systems_in(metrics)],
        plots=[chart for chart in (*scatters, loss_curve(losses)) if chart is not None],
        gallery=[
            (name, [_card(p, fields, open_image, currencies) for p in part])
            for name, part in _gallery(targeted, fields)
        ],
        counts=counts,
        config=[(key, _shorten(value)) for key, value in flatten(config)],
    )


def _results(
    metrics: Mapping[str, Any], fields: Sequence[Field], currencies: Mapping[str, str]
) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Yield a field, a metric's label, and its value and interval for each system."""
    for field in fields:
        for name, metric in METRICS[field.kind].items():
            yield (
                field.name,
                f"{metric.label} in {currencies[field.name]}"
                if name == "mae" and field.name in currencies
                else metric.label,
                [
                    (
                        format_score(metrics, system, field, name),
                        metric.format_interval(scores_of(metrics["intervals"], system)[field.name][name]),
                    )
                    for system in systems_in(metrics)
                ],
            )


def _prices(predictions: Sequence[Prediction], field: Field) -> list[tuple[float, float, str]]:
    return [
        (float(p.target[field.name]), float(p.values[field.name]), p.product_code)
        for p in predictions
        if p.target is not None and p.values is not None
    ]


def _gallery(predictions: Sequence[Prediction], fields: Sequence[Field]) -> list[tuple[str, Sequence[Prediction]]]:
    """Choose products to show: evenly spaced ones, the best, the worst, and those whose answer could not be read."""
    price = next((field for field in fields if field.kind == "price"), None)
    # Sample, best and worst would show them all.
    if len(predictions) <= 3 * NUM_SHOWN:
        return [("All products", predictions)]

    def error(prediction: Prediction) -> float:
        assert prediction.target is not None
        assert prediction.values is not None
        if price is None:
            return sum(not _is_right(f, prediction.target, prediction.values) for f in fields)
        # Both are above zero: `parse_price` takes nothing else, and `prepare` keeps nothing else.
        return abs(math.log(float(prediction.values[price.name]) / float(prediction.target[price.name])))

    # Even spacing, so that nobody chose what is shown first.
    sample = [predictions[i * len(predictions) // NUM_SHOWN] for i in range(NUM_SHOWN)]
    # By identity, since predictions hold mappings and cannot be hashed.
    shown = {id(prediction) for prediction in sample}
    others = [p for p in predictions if id(p) not in shown]
    # Logarithms, so that half of a price and twice a price are equally wrong.
    ranked = sorted((p for p in others if p.values is not None), key=error)
    # At most half of them, so that none is among the best and among the worst.
    best = ranked[: min(NUM_SHOWN, len(ranked) // 2)]
    worst = ranked[len(best) :][-NUM_SHOWN:][::-1]
    unread = [p for p in others if p.values is None][:NUM_SHOWN]
    by = f" by {price.name.replace('_', ' ')}" if price else ""
    parts = [("A sample, evenly spaced", sample), (f"Best{by}", best), (f"Worst{by}", worst), ("Not readable", unread)]
    return [(name, part) for name, part in parts if part]


def _card(
    prediction: Prediction,
    fields: Sequence[Field],
    open_image: Callable[[Path], Image.Image | None],
    currencies: Mapping[str, str],
) -> dict[str, Any]:
    target, values, picture = prediction.target, prediction.values, open_image(prediction.image)
    assert target is not None
    return {
        "code": prediction.product_code,
        "picture": encode_thumbnail(picture, THUMBNAIL_PX) if picture else "",
        "before": prediction.before,
        "answer": prediction.answer,
        "problem": {"cut": "cut before its end"}.get(prediction.problem or "", "could not be read")
        if values is None
        else None,
        "rows": [
            {
                "name": field.name,
                "target": _format(field, target[field.name], currencies),
                "predicted": _format(field, values[field.name], currencies) if values else None,
                "right": values is not None and _is_right(field, target, values),
                "same": values is not None and target[field.name] == values[field.name],
            }
            for field in fields
        ],
    }


def _shorten(setting: Any) -> str:
    """Return a setting as text; of a long list, such as thousands of known categories, its beginning."""
    if isinstance(setting, list) and len(setting) > NUM_SHOWN:
        return f"{', '.join(map(str, setting[:NUM_SHOWN]))} ... ({len(setting)} in all)"
    return str(setting)


def _is_right(field: Field, target: Values, values: Values) -> bool:
    if field.kind == "price":
        return within_20pct(float(target[field.name]), float(values[field.name]))
    return target[field.name] == values[field.name]


def _format(field: Field, value: Value, currencies: Mapping[str, str]) -> str:
    return (
        f"{format_price(float(value))} {currencies.get(field.name, '')}".rstrip()
        if field.kind == "price"
        else str(value)
    )
