"""Numbers -> the coordinates that the report's template draws as SVG.

Drawn by hand and not by a plotting library: the lines then take the page's colours, in light and dark, and the report
renders in a fraction of a second.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etalage.evaluate.metrics import DECIDING, FIGURES
from etalage.evaluate.verdict import SYSTEMS, at
from etalage.html.axes import linear_ticks, log_ticks, scale
from etalage.task import Field

__all__ = ["Evidence", "Plot", "evidence", "loss_curve", "price_scatter"]

LEFT, RIGHT, TOP, BOTTOM = 66.0, 428.0, 12.0, 288.0
"""The plot's frame in a viewBox of 440 x 330."""

_MAX_POINTS = 1500

Ticks = list[tuple[float, str]]


@dataclass(frozen=True)
class Plot:
    """A chart with two axes; all numbers are coordinates of the viewBox."""

    x_label: str
    y_label: str
    x_ticks: Ticks
    y_ticks: Ticks
    points: list[tuple[float, float, str]] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    """CSS class and polyline points."""
    note: str = ""


@dataclass(frozen=True)
class Evidence:
    """The deciding figure of a field: a row per system with its interval, in a viewBox of 340 x 166."""

    title: str
    hint: str
    rows: list[tuple[str, float | None, float, float, str]]
    """System, coordinate of the value and of the interval's ends, the value in words."""
    ticks: Ticks


def evidence(metrics: Mapping[str, Any], of: Field) -> Evidence:
    name = DECIDING[of.kind]
    figure = FIGURES[of.kind][name]
    values = {system: at(metrics, place)[of.name][name] for system, place in SYSTEMS.items()}
    ends = {system: at(metrics["intervals"], place)[of.name][name] for system, place in SYSTEMS.items()}
    floor, least = {"text": (0.0, 100.0), "category": (0.0, 1.0), "price": (1.0, 1.5)}[of.kind]
    high = max(least, *(end for pair in ends.values() if pair for end in pair))
    x = scale(floor, high, 126, 272)
    rows = []
    for system, value in values.items():
        low_end, high_end = ends[system] or (floor, floor)
        rows.append((system, None if value is None else x(value), x(low_end), x(high_end), figure.show(value)))
    return Evidence(
        title=f"{of.name.replace('_', ' ')}: {figure.label}",
        hint="higher is better" if figure.higher_is_better else "lower is better",
        rows=rows,
        ticks=[
            (x(tick), figure.form.replace(".1", ".0").format(tick) if name == "accuracy" else f"{tick:g}")
            for tick in linear_ticks(floor, high, 4)
        ],
    )


def price_scatter(prices: Sequence[tuple[float, float, str]]) -> Plot | None:
    """Target, prediction and label of each product, on equal logarithmic axes; None without any."""
    if not prices:
        return None
    both = [price for target, predicted, _ in prices for price in (target, predicted)]
    low, high = min(both) / 1.15, max(both) * 1.15
    x, y = _log_scale(low, high, LEFT, RIGHT), _log_scale(low, high, BOTTOM, TOP)
    ticks = log_ticks(low, high)
    stride = math.ceil(len(prices) / _MAX_POINTS)
    diagonal = [
        _line(cls, [(low, low * f), (high, high * f)], x, y) for cls, f in (("even", 1), ("off", 0.8), ("off", 1.2))
    ]
    return Plot(
        x_label="true price",
        y_label="predicted price",
        x_ticks=[(x(tick), _number(tick)) for tick in ticks],
        y_ticks=[(y(tick), _number(tick)) for tick in ticks],
        points=[(x(t), y(p), f"{label}: {_number(t)}, predicted {_number(p)}") for t, p, label in prices[::stride]],
        lines=diagonal,
        note=f"every {stride}th product is drawn" if stride > 1 else "",
    )


def loss_curve(losses: Sequence[Mapping[str, Any]]) -> Plot | None:
    """The training loss by step on a logarithmic axis, with its running mean, and the validation loss, if any."""
    raw = _series(losses, "loss")
    if len(raw) < 2:
        return None
    validation = _series(losses, "validation_loss")
    size = max(1, len(raw) // 40)
    chunks = [raw[start : start + size] for start in range(0, len(raw), size)]
    mean = [(sum(s for s, _ in chunk) / len(chunk), sum(v for _, v in chunk) / len(chunk)) for chunk in chunks]
    seen = [loss for _, loss in raw + validation]
    low, high = min(seen) / 1.1, max(seen) * 1.1
    x, y = scale(raw[0][0], max(raw[-1][0], raw[0][0] + 1), LEFT, RIGHT), _log_scale(low, high, BOTTOM, TOP)
    stride = math.ceil(len(raw) / _MAX_POINTS)
    lines = [_line("raw", raw[::stride], x, y), _line("mean", mean, x, y)]
    return Plot(
        x_label="step",
        y_label="loss",
        x_ticks=[(x(tick), _number(tick)) for tick in linear_ticks(raw[0][0], raw[-1][0], 5)],
        y_ticks=[(y(tick), _number(tick)) for tick in log_ticks(low, high)],
        points=[(x(step), y(loss), f"validation loss at step {step}: {loss:.4g}") for step, loss in validation],
        lines=lines,
    )


def _series(losses: Sequence[Mapping[str, Any]], key: str) -> list[tuple[float, float]]:
    """What a logarithmic axis can show."""
    return [(row["step"], row[key]) for row in losses if 0 < (row.get(key) or 0) < math.inf]


def _line(css: str, points: Sequence[tuple[float, float]], x: Any, y: Any) -> tuple[str, str]:
    return css, " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points)


def _log_scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    linear = scale(math.log(low), math.log(high), start, end)
    return lambda value: linear(math.log(value))


def _number(value: float) -> str:
    return f"{value:,.6g}" if value < 1e6 else f"{value:.3g}"
