"""fidelity.json, and the page that shows it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etalage.atomic import atomic_write_text
from etalage.html.charts import Frame, Histogram, Series, histogram
from etalage.html.formatting import visible_text
from etalage.html.page import write_page
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["write_fidelity"]

_FRAME = Frame(260, 84, left=0, right=260, top=3, bottom=83)
_MIN_TOP_SHARE = 0.01

_PRIVACY = {
    "rows_copied": "rows that are in the original",
    "titles_copied": "titles that are in the original",
    "codes_copied": "codes that are in the original",
    "closer_to_training": "share closer to what was learned than to held-out rows",
    "distance_ratio": "ratio of these distances, 5th percentile",
    "closer_to_training_by_rows": "the same share, held-out groups against single rows of what was learned",
    "distance_ratio_by_rows": "ratio of these distances",
    "num_suppressed": "combinations too rare to be learned",
}
"""The figures on privacy, and their labels on the page."""


@dataclass(frozen=True)
class Headline:
    """A figure at the top of the page."""

    label: str
    value: float | None
    goal: str
    floor: float | None
    is_missed: bool = False
    """Whether the figure misses its goal."""


@dataclass(frozen=True)
class ColumnChart:
    """The shares of a column in original and sample."""

    name: str
    chart: Histogram
    ends: list[str]
    """The labels of the first and of the last bar."""
    caption: str


def write_fidelity(path_json: Path, path_html: Path, figures: Mapping[str, Any], *, title: str) -> None:
    """Write the figures, and the page that shows them: no script, no network, everything escaped.

    Args:
        path_json: The file of figures, fidelity.json.
        path_html: The page, fidelity.html.
        figures: What `measure_fidelity` returned.
        title: The title of the page.
    """
    # JSON has no NaN: a figure that is not a number has to fail here, not in a reader.
    atomic_write_text(path_json, json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    privacy, floors = figures["privacy"], figures["floors"]
    write_page(
        path_html,
        "sample/fidelity/fidelity.html.jinja",
        title=title,
        num_original=figures["num_original"],
        num_sample=figures["num_sample"],
        num_holdout=figures["num_holdout"],
        num_copied=max(privacy.get(name, 0) for name in ("rows_copied", "titles_copied", "codes_copied")),
        min_rows=K,
        headlines=_headlines(figures),
        columns=figures["columns"],
        charts=[_column_chart(shares) for shares in figures["charts"]],
        over_all_columns=[
            (label, value, floor)
            for label, value, floor in (
                ("detection by logistic regression", figures["detection"]["logistic"], floors["detection"]["logistic"]),
                ("detection by gradient boosting", figures["detection"]["boosting"], floors["detection"]["boosting"]),
                ("correlations alike", figures["correlation_similarity"], floors["correlation_similarity"]),
                ("tables of categories alike", figures["contingency_similarity"], floors["contingency_similarity"]),
            )
            if value is not None
        ],
        privacy=[
            (label, privacy[name], floors["privacy"].get(name)) for name, label in _PRIVACY.items() if name in privacy
        ],
    )


def _headlines(figures: Mapping[str, Any]) -> list[Headline]:
    fidelity, area, goals, floors = (figures[k] for k in ("column_fidelity", "detection_auc", "goals", "floors"))
    closer, closer_floor = (side.get("closer_to_training") for side in (figures["privacy"], floors["privacy"]))
    min_fidelity, max_area = goals["column_fidelity"], goals["detection_auc"]
    return [
        Headline(
            "column fidelity", fidelity, f"at least {min_fidelity}", floors["column_fidelity"], fidelity < min_fidelity
        ),
        Headline("detection", area, f"at most {max_area}", floors["detection_auc"], area > max_area),
        Headline("closer to what was learned", closer, "0.5 is perfect", closer_floor),
    ]


def _column_chart(shares: Mapping[str, Any]) -> ColumnChart:
    labels = shares["labels"]
    series = [
        Series(
            side,
            shares[side],
            [
                f"{visible_text(label, 60)}, {side}: {_percent(share)}"
                for label, share in zip(labels, shares[side], strict=True)
            ],
        )
        for side in ("original", "sample")
    ]
    pairs = ", ".join(
        f"{visible_text(label, 30)} {_percent(original)} and {_percent(sample)}"
        for label, original, sample in zip(labels, shares["original"], shares["sample"], strict=True)
    )
    caption = shares["of"]
    # Less would be shown as 0.0 %.
    if max(shares["rest"]) >= 0.001:
        original, sample = map(_percent, shares["rest"])
        caption += f"; not shown: {original} of the original, {sample} of the sample"
    chart = histogram(
        range(len(labels) + 1),
        series,
        x=_FRAME.x_axis(0, max(1, len(labels))),
        frame=_FRAME,
        description=f"{shares['of']} of {visible_text(shares['name'])}: {pairs}",
        min_top=_MIN_TOP_SHARE,
    )
    # The last label only where it is not also the first.
    return ColumnChart(shares["name"], chart, [*labels[:1], *labels[1:][-1:]], caption)


def _percent(share: float | None) -> str:
    # The share of so few rows would speak of single ones.
    return f"fewer than {K} rows" if share is None else f"{100 * share:.1f} %"
