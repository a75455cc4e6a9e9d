"""Metrics of generated, parsed answers. Pure functions; no torch.

Every metric is a function of weights on the examples: weights of one give the score, resampled counts give its interval
(see `bootstrap_intervals`), so that the two cannot drift apart.

Letters: E examples, R rows of weights, C classes, N n-gram orders.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sacrebleu.metrics.chrf import CHRF

from etalage.evaluate.weighted import Floats, chrf, count_ngrams, divide, weighted_mean, weighted_median
from etalage.task import Field, Kind, Value

__all__ = [
    "DECIDING_METRICS",
    "METRICS",
    "Metric",
    "Values",
    "fields_of",
    "is_defined",
    "metric_functions",
    "score",
    "validation_score",
    "within_20pct",
]

Values = Mapping[str, Value]
"""A product's values by field name."""
MetricFunction = Callable[[Floats], dict[str, Floats]]


@dataclass(frozen=True)
class Metric:
    """The label and the format of a metric."""

    label: str
    template: str
    """The format of the number; `{:.1%}` for shares."""
    higher_is_better: bool = True
    over_parsed: bool = False
    """Whether it leaves out the answers that could not be parsed, instead of counting them as wrong."""

    def format(self, value: float | None) -> str:
        """Return the number as text, a dash where it is not defined."""
        return "–" if value is None else self._format(value).replace("%", " %")

    def format_interval(self, ends: Sequence[float] | None) -> str:
        """Return the two ends of an interval as text without a unit, and nothing where it is not defined."""
        if ends is None:
            return ""
        return "–".join(self._format(end).strip("×%") for end in ends)

    def _format(self, value: float) -> str:
        if value >= 1e9:  # a model may answer with an endless row of digits
            return f"{value:.1e}"
        return (self.template if value < 100 else self.template.replace(".2f", ".0f")).format(value)


METRICS: dict[Kind, dict[str, Metric]] = {
    "text": {"exact": Metric("exact", "{:.1%}"), "chrf": Metric("chrF", "{:.1f}")},
    "category": {"accuracy": Metric("accuracy", "{:.1%}"), "macro_f1": Metric("macro F1", "{:.1%}")},
    "price": {
        "mae": Metric("mean error", "{:,.2f}", higher_is_better=False, over_parsed=True),
        "median_ape": Metric("median % error", "{:.1%}", higher_is_better=False, over_parsed=True),
        "median_factor_error": Metric("median factor", "×{:.2f}", higher_is_better=False, over_parsed=True),
        "within_20pct": Metric("within 20 %", "{:.1%}"),
    },
}
"""The metrics of each kind of field, by their keys in metrics.json."""

DECIDING_METRICS: dict[Kind, str] = {"text": "chrf", "category": "accuracy", "price": "median_factor_error"}
"""The metric that decides whether a field was learned."""


def is_defined(metric: Metric, predictions: Sequence[Values | None]) -> bool:
    """Return whether a metric can speak for all answers: of those that it leaves out there may be half at most.

    Args:
        metric: The metric.
        predictions: Parsed answers; None where the answer could not be parsed.
    """
    return not metric.over_parsed or 2 * sum(p is not None for p in predictions) >= len(predictions)


def score(
    fields: Sequence[Field], targets: Sequence[Values], predictions: Sequence[Values | None], *, num_cut: int = 0
) -> dict[str, Any]:
    """Score parsed answers against the true values.

    An answer that could not be parsed (None) is counted by its absence from num_parsed and is never scored as a value:
    it is wrong in exact, accuracy and within_20pct, an empty hypothesis in chrf, a miss in macro_f1, and it is left
    out of the price errors, which therefore describe parsed answers only. If fewer than half were parsed, there are no
    price errors: a single answer that happens to be right would be the best of all scores.

    Args:
        fields: The fields of the task.
        targets: The true values, one mapping per example.
        predictions: Parsed answers in the order of targets; None where the answer could not be parsed.
        num_cut: How many of those were cut before their end token.

    Returns:
        num_examples, num_parsed, num_cut, num_unparsable (complete, but not readable) and a block per field.
        text: exact (0 to 1), chrf (0 to 100, as sacrebleu's corpus_chrf).
        category: accuracy, macro_f1 (0 to 1; over the classes that occur among targets or predictions).
        price: mae (in the currency), median_ape (1 is 100 %), median_factor_error (exp(median |ln(predicted/true)|);
        1 is perfect), within_20pct (0 to 1).
        A metric that is not defined, such as a price error without any parsed answer, is None.
    """
    ones, functions = np.ones((1, len(targets))), metric_functions(fields, targets, predictions)

    def block(field: Field) -> dict[str, float | None]:
        scores = functions[field.name](ones).items()
        defined = {name: is_defined(METRICS[field.kind][name], predictions) for name, _ in scores}
        return {name: float(s[0]) if defined[name] and math.isfinite(s[0]) else None for name, s in scores}

    num_parsed = sum(p is not None for p in predictions)
    counts = {"num_examples": len(targets), "num_parsed": num_parsed, "num_cut": num_cut}
    counts["num_unparsable"] = len(targets) - num_parsed - num_cut
    return {**counts, **{field.name: block(field) for field in fields}}


def validation_score(fields: Sequence[Field], targets: Sequence[Values], predictions: Sequence[Values | None]) -> float:
    """Return one number to choose between epochs by, smooth enough for a few dozen examples.

    Args:
        fields: The fields of the task.
        targets: The true values, one mapping per example; at least one.
        predictions: Parsed answers in the order of targets; None where the answer could not be parsed.

    Returns:
        0 to 1, the mean over the fields: chrF of texts, accuracy of categories, and for prices the smaller of the true
        and the predicted one divided by the larger. An answer that could not be parsed is a 0.
    """
    scored = score(fields, targets, predictions)

    def price_score(field: Field) -> float:
        pairs = [(t[field.name], p[field.name]) for t, p in zip(targets, predictions, strict=True) if p is not None]
        return sum(min(float(t) / float(p), float(p) / float(t)) for t, p in pairs) / len(targets)

    by_kind: dict[Kind, Callable[[Field], float]] = {
        "text": lambda field: scored[field.name]["chrf"] / 100,
        "category": lambda field: scored[field.name]["accuracy"],
        "price": price_score,
    }
    return sum(by_kind[field.kind](field) for field in fields) / len(fields)


def metric_functions(
    fields: Sequence[Field], targets: Sequence[Values], predictions: Sequence[Values | None]
) -> dict[str, MetricFunction]:
    """Return functions that compute the metrics under any weights on the examples.

    Args:
        fields: The fields of the task.
        targets: The true values, one mapping per example.
        predictions: Parsed answers in the order of targets; None where the answer could not be parsed.

    Returns:
        By field name, a function from weights (R, E) to each metric (R,), nan where it is not defined.
    """
    assert len(targets) == len(predictions), "one prediction per target"
    by_kind = {"text": _text_metrics, "category": _category_metrics, "price": _price_metrics}
    return {
        f.name: by_kind[f.kind]([t[f.name] for t in targets], [None if p is None else p[f.name] for p in predictions])
        for f in fields
    }


def within_20pct(target: float, prediction: float) -> bool:
    """Return whether a price is at most 20 % off.

    Args:
        target: The true price.
        prediction: The predicted price.
    """
    return abs(prediction - target) <= 0.2 * target * (1 + 1e-9)  # the slack forgives binary fractions


def fields_of(metrics: Mapping[str, Any]) -> list[Field]:
    """Return the fields that a metrics.json has blocks of, recognized by the metrics in them."""
    return [
        Field(name, kind)
        for name, block in metrics.items()
        for kind, known in METRICS.items()
        if isinstance(block, Mapping) and block.keys() == known.keys()
    ]


def _text_metrics(targets: Sequence[Any], predictions: Sequence[Any]) -> MetricFunction:
    hits = np.array([t == p for t, p in zip(targets, predictions, strict=True)], float)  # (E,)
    ngrams = [count_ngrams(t, p or "") for t, p in zip(targets, predictions, strict=True)]
    counts = np.array(ngrams, float).reshape(len(targets), 3 * CHRF.CHAR_ORDER)  # (E, 3 * N)
    return lambda weights: {"exact": weighted_mean(weights, hits), "chrf": chrf(weights @ counts)}


def _category_metrics(targets: Sequence[Any], predictions: Sequence[Any]) -> MetricFunction:
    # None is an answer that could not be parsed: a miss, and not a class of its own.
    classes = sorted({*targets, *predictions} - {None})
    true = np.array([[t == c for c in classes] for t in targets], float).reshape(len(targets), len(classes))  # (E, C)
    predicted = np.array([[p == c for c in classes] for p in predictions], float).reshape(true.shape)  # (E, C)

    def compute(weights: Floats) -> dict[str, Floats]:
        occurrences = weights @ (true + predicted)  # (R, C)
        f1 = divide(2 * weights @ (true * predicted), occurrences)  # 2 tp / (tp + fn + tp + fp); nan: absent class
        num_classes = (occurrences > 0).sum(axis=1)
        return {
            "accuracy": weighted_mean(weights, (true * predicted).sum(axis=1)),
            "macro_f1": divide(np.nansum(f1, axis=1), num_classes),
        }

    return compute


def _price_metrics(targets: Sequence[Any], predictions: Sequence[Any]) -> MetricFunction:
    parsed = np.array([p is not None for p in predictions], bool)  # (E,)
    true = np.array(targets, float)[parsed]
    predicted = np.array([p for p in predictions if p is not None], float)
    near = np.zeros(len(targets))  # an unparsed price is not near
    near[parsed] = [within_20pct(t, p) for t, p in zip(true, predicted, strict=True)]
    error = np.abs(predicted - true)
    log_factor = np.abs(np.log(predicted) - np.log(true))

    def compute(weights: Floats) -> dict[str, Floats]:
        parsed_weights = weights[:, parsed]
        return {
            "mae": weighted_mean(parsed_weights, error),
            "median_ape": weighted_median(parsed_weights, error / true),
            "median_factor_error": np.exp(weighted_median(parsed_weights, log_factor)),
            "within_20pct": weighted_mean(weights, near),
        }

    return compute
