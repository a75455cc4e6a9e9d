"""The charts of the report: scores with intervals, predicted against true prices, and the loss curve."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etalage.evaluate.metrics import DECIDING_METRICS, METRICS
from etalage.evaluate.systems import format_score, scores_of, systems_in
from etalage.html.axes import Axis
from etalage.html.charts import Frame, Line, Plot, Point, plot
from etalage.html.formatting import format_number
from etalage.task import Field, Kind

__all__ = ["ScoreChart", "ScoreRow", "loss_curve", "price_scatter", "score_chart"]

_FRAME = Frame(440, 330, left=66, right=428, top=12, bottom=288)
_MAX_POINTS = 1500
_RANGES: dict[Kind, tuple[float, float]] = {"text": (0, 100), "category": (0, 1), "price": (1, 1.5)}
"""The lowest value on a score chart and the least that the highest may be, by kind of field."""


@dataclass(frozen=True)
class ScoreRow:
    """A system's score on a score chart."""

    system: str
    value: float | None
    """The coordinate of the score; None where it is not defined."""
    low: float
    high: float
    label: str
    """The score as text."""


@dataclass(frozen=True)
class ScoreChart:
    """The deciding metric of a field, one row per system with its interval, in a viewBox of 340 x 166."""

    title: str
    hint: str
    rows: list[ScoreRow]
    ticks: list[tuple[float, str]]


def score_chart(metrics: Mapping[str, Any], field: Field) -> ScoreChart:
    """Lay out a field's deciding metric, one row per system.

    Args:
        metrics: The contents of metrics.json.
        field: A field that it has blocks of.
    """
    name = DECIDING_METRICS[field.kind]
    metric = METRICS[field.kind][name]
    values = {system: scores_of(metrics, system)[field.name][name] for system in systems_in(metrics)}
    # Without an interval, as of a handful of products, the dot stands alone.
    intervals = {
        system: scores_of(metrics["intervals"], system)[field.name][name] or ([] if value is None else [value, value])
        for system, value in values.items()
    }
    low, min_high = _RANGES[field.kind]
    high = max([min_high, *(end for interval in intervals.values() for end in interval)])
    # The names of the systems stand to the left of 126, their scores to the right of 272 (report.html.jinja).
    x = Axis(low, high, 126, 272)
    rows = []
    for system, interval in intervals.items():
        value, label = values[system], format_score(metrics, system, field, name)
        low_end, high_end = interval or (low, low)
        rows.append(ScoreRow(system, None if value is None else x(value), x(low_end), x(high_end), label))
    return ScoreChart(
        title=f"{field.name.replace('_', ' ')}: {metric.label}",
        hint="higher is better" if metric.higher_is_better else "lower is better",
        rows=rows,
        ticks=[(x(tick), f"{tick:.0%}" if name == "accuracy" else f"{tick:g}") for tick in x.ticks(4)],
    )


def price_scatter(field: str, prices: Sequence[tuple[float, float, str]], currency: str = "") -> Plot | None:
    """Plot predicted against true prices on equal logarithmic axes.

    Args:
        field: The name of the price field.
        prices: True price, predicted price and label of each product.
        currency: The code of the prices' currency; empty if it is not known.

    Returns:
        The plot; None without any price.
    """
    if not prices:
        return None
    both = [price for true, predicted, _ in prices for price in (true, predicted)]
    # Room at both ends, and a range of some width where all prices are equal.
    low, high = min(both) / 1.15, max(both) * 1.15
    # Too many circles would slow the page down, and hide one another.
    stride = math.ceil(len(prices) / _MAX_POINTS)
    note = f"; every {stride}th product is drawn" if stride > 1 else ""
    unit = f" in {currency}" if currency else ""
    return plot(
        frame=_FRAME,
        x=_FRAME.x_axis(low, high, is_log=True),
        y=_FRAME.y_axis(low, high, is_log=True),
        x_label="true price" + unit,
        y_label="predicted price" + unit,
        points=[
            Point(true, predicted, f"{label}: {format_number(true)}, predicted {format_number(predicted)}")
            for true, predicted, label in prices[::stride]
        ],
        lines=[
            # On logarithmic axes a constant factor is a straight line.
            Line(css, [(low, low * factor), (high, high * factor)])
            for css, factor in (("even", 1), ("off", 0.8), ("off", 1.2))
        ],
        description=f"Predicted against true {field}; between the dashed lines it is at most 20 % off{note}",
    )


def loss_curve(log: Sequence[Mapping[str, Any]]) -> Plot | None:
    """Plot the training loss on a logarithmic axis, with its running mean and the validation loss.

    Args:
        log: A mapping per step with step, loss and, where it was measured, validation_loss.

    Returns:
        The plot; None for fewer than two steps.
    """
    raw, validation = _positive(log, "loss"), _positive(log, "validation_loss")
    if len(raw) < 2:
        return None
    # Some forty points make a line that shows the trend and not the noise of single batches.
    size = max(1, len(raw) // 40)
    chunks = [raw[start : start + size] for start in range(0, len(raw), size)]
    mean = [(sum(s for s, _ in chunk) / len(chunk), sum(v for _, v in chunk) / len(chunk)) for chunk in chunks]
    losses = [loss for _, loss in raw + validation]
    stride = math.ceil(len(raw) / _MAX_POINTS)
    first, last = raw[0][0], raw[-1][0]
    return plot(
        frame=_FRAME,
        x=_FRAME.x_axis(first, max(last, first + 1)),
        # Room at both ends, and a range of some width for a constant loss.
        y=_FRAME.y_axis(min(losses) / 1.1, max(losses) * 1.1, is_log=True),
        x_label="step",
        y_label="loss",
        points=[Point(step, loss, f"validation loss at step {step}: {loss:.4g}") for step, loss in validation],
        lines=[Line("raw", raw[::stride]), Line("mean", mean)],
        description="Training loss by step and its running mean"
        + ("; dots are the validation loss" if validation else ""),
    )


def _positive(log: Sequence[Mapping[str, Any]], key: str) -> list[tuple[float, float]]:
    """Return the steps and values that a logarithmic axis can show."""
    # NaN compares as False, so it is left out too.
    return [(row["step"], row[key]) for row in log if 0 < (row.get(key) or 0) < math.inf]
