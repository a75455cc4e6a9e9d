"""Generated, parsed answers -> figures. Pure; no torch.

Every figure is a function of weights on the examples: all ones give the score, resampled counts give its interval
(see `intervals`), so that the two cannot drift apart.

Letters: E examples, R rows of weights, C classes, N n-gram orders.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.helpers import extract_all_char_ngrams

from etalage.task import Field, Kind, Value

__all__ = [
    "DECIDING",
    "FIGURES",
    "Figure",
    "Values",
    "fields_of",
    "measures",
    "score",
    "validation_score",
    "within_20pct",
]

Values = Mapping[str, Value]
Floats = NDArray[np.float64]
Measure = Callable[[Floats], dict[str, Floats]]


@dataclass(frozen=True)
class Figure:
    """How one number is read and written."""

    label: str
    form: str
    """Format of the number; `{:.1%}` for shares."""
    higher_is_better: bool = True

    def show(self, value: float | None) -> str:
        return "–" if value is None else self._write(value).replace("%", " %")

    def show_interval(self, ends: Sequence[float] | None) -> str:
        if ends is None:
            return ""
        return "–".join(self._write(end).strip("×%") for end in ends)

    def _write(self, value: float) -> str:
        if value >= 1e9:  # one runaway digit string is enough
            return f"{value:.1e}"
        return (self.form if value < 100 else self.form.replace(".2f", ".0f")).format(value)


FIGURES: dict[Kind, dict[str, Figure]] = {
    "text": {"exact": Figure("exact", "{:.1%}"), "chrf": Figure("chrF", "{:.1f}")},
    "category": {"accuracy": Figure("accuracy", "{:.1%}"), "macro_f1": Figure("macro F1", "{:.1%}")},
    "price": {
        "mae": Figure("mean error", "{:,.2f}", higher_is_better=False),
        "median_ape": Figure("median % error", "{:.1%}", higher_is_better=False),
        "median_factor_error": Figure("median factor", "×{:.2f}", higher_is_better=False),
        "within_20pct": Figure("within 20 %", "{:.1%}"),
    },
}

DECIDING: dict[Kind, str] = {"text": "chrf", "category": "accuracy", "price": "median_factor_error"}
"""The figure that says whether a field was learned."""


def score(fields: Sequence[Field], targets: Sequence[Values], predictions: Sequence[Values | None]) -> dict[str, Any]:
    """Judge parsed answers.

    An answer that could not be parsed (None) is counted by its absence from num_parsed and is never scored as a value:
    it is wrong in exact, accuracy and within_20pct, an empty hypothesis in chrf, a miss in macro_f1, and it is left
    out of the price errors, which therefore speak of parsed answers only.

    Args:
        fields: What to judge; of the task.
        targets: One per example.
        predictions: In the order of targets; None where the answer could not be parsed.
    Returns:
        num_examples, num_parsed and a block per field, by its name:
        text: exact (0 to 1), chrf (0 to 100, as sacrebleu's corpus_chrf).
        category: accuracy, macro_f1 (0 to 1; over the classes that occur among targets or predictions).
        price: mae (in the currency), median_ape (1 is 100 %), median_factor_error (exp(median |ln(predicted/true)|);
        1 is perfect), within_20pct (0 to 1).
        A figure that is not defined, as a price error without any parsed answer, is None.
    """
    ones = np.ones((1, len(targets)))
    blocks = {
        name: {figure: float(rows[0]) if math.isfinite(rows[0]) else None for figure, rows in measure(ones).items()}
        for name, measure in measures(fields, targets, predictions).items()
    }
    return {"num_examples": len(targets), "num_parsed": sum(p is not None for p in predictions), **blocks}


def validation_score(fields: Sequence[Field], targets: Sequence[Values], predictions: Sequence[Values | None]) -> float:
    """One number to choose between epochs by, smooth enough for a few dozen examples.

    Returns:
        0 to 1, the mean over the fields: chrF of texts, accuracy of categories, and of prices the smaller of true and
        predicted one by the larger. An answer that could not be parsed is a 0.
    """
    scored = score(fields, targets, predictions)
    parts = {"text": lambda f: scored[f.name]["chrf"] / 100, "category": lambda f: scored[f.name]["accuracy"]}

    def near(field: Field) -> float:
        pairs = [(t[field.name], p[field.name]) for t, p in zip(targets, predictions, strict=True) if p is not None]
        return sum(min(float(t) / float(p), float(p) / float(t)) for t, p in pairs) / len(targets)

    return sum(parts.get(field.kind, near)(field) for field in fields) / len(fields)


def measures(
    fields: Sequence[Field], targets: Sequence[Values], predictions: Sequence[Values | None]
) -> dict[str, Measure]:
    """By field name, the function from weights (R, E) to each figure (R,); nan where it is not defined."""
    assert len(targets) == len(predictions), "one prediction per target"
    kinds = {"text": _text, "category": _category, "price": _price}
    return {
        f.name: kinds[f.kind]([t[f.name] for t in targets], [None if p is None else p[f.name] for p in predictions])
        for f in fields
    }


def within_20pct(target: float, prediction: float) -> bool:
    """Whether a price is at most 20 % off; a hair more is forgiven to binary fractions."""
    return abs(prediction - target) <= 0.2 * target * (1 + 1e-9)


def fields_of(metrics: Mapping[str, Any]) -> list[Field]:
    """The fields whose blocks stand in a metrics.json."""
    return [
        Field(name, kind)
        for name, block in metrics.items()
        for kind, figures in FIGURES.items()
        if isinstance(block, Mapping) and block.keys() == figures.keys()
    ]


def _text(targets: Sequence[Any], predictions: Sequence[Any]) -> Measure:
    hits = np.array([t == p for t, p in zip(targets, predictions, strict=True)], float)  # (E,)
    ngrams = [_count_ngrams(t, p or "") for t, p in zip(targets, predictions, strict=True)]
    counts = np.array(ngrams, float).reshape(len(targets), 3 * CHRF.CHAR_ORDER)  # (E, 3 * N)
    return lambda weights: {"exact": _mean(weights, hits), "chrf": _chrf(weights @ counts)}


def _category(targets: Sequence[Any], predictions: Sequence[Any]) -> Measure:
    classes = sorted({*targets, *predictions} - {None})
    true = np.array([[t == c for c in classes] for t in targets], float).reshape(len(targets), len(classes))  # (E, C)
    said = np.array([[p == c for c in classes] for p in predictions], float).reshape(true.shape)  # (E, C)

    def measure(weights: Floats) -> dict[str, Floats]:
        occurrences = weights @ (true + said)  # (R, C)
        f1 = _divide(2 * weights @ (true * said), occurrences)  # 2 tp / (tp + fn + tp + fp); nan for an absent class
        num_classes = (occurrences > 0).sum(axis=1)
        return {
            "accuracy": _mean(weights, (true * said).sum(axis=1)),
            "macro_f1": _divide(np.nansum(f1, axis=1), num_classes),
        }

    return measure


def _price(targets: Sequence[Any], predictions: Sequence[Any]) -> Measure:
    parsed = np.array([p is not None for p in predictions], bool)  # (E,)
    true = np.array(targets, float)[parsed]
    said = np.array([p for p in predictions if p is not None], float)
    near = np.zeros(len(targets))
    near[parsed] = [within_20pct(t, s) for t, s in zip(true, said, strict=True)]
    error = np.abs(said - true)
    factor = np.abs(np.log(said) - np.log(true))

    def measure(weights: Floats) -> dict[str, Floats]:
        kept = weights[:, parsed]
        return {
            "mae": _mean(kept, error),
            "median_ape": _median(kept, error / true),
            "median_factor_error": np.exp(_median(kept, factor)),
            "within_20pct": _mean(weights, near),
        }

    return measure


def _count_ngrams(target: str, prediction: str) -> list[int]:
    """For each n: n-grams predicted, in the target, in both; sacrebleu's sufficient statistics for chrF."""
    counts = []
    orders = (extract_all_char_ngrams(text, CHRF.CHAR_ORDER, include_whitespace=False) for text in (prediction, target))
    for said, true in zip(*orders, strict=True):
        counts += [said.total() if true else 0, true.total(), (said & true).total()]
    return counts


def _chrf(counts: Floats) -> Floats:
    """chrF from summed n-gram counts (R, 3 * N): F2 of precision and recall, each averaged over the orders that occur.

    Source: Popović 2015; sacrebleu 2, CHRF._compute_f_score with its defaults.
    """
    said, true, both = np.moveaxis(counts.reshape(len(counts), -1, 3), 2, 0)  # (R, N) each
    occurs = (said > 0) & (true > 0)
    num_orders = occurs.sum(axis=1)
    precision = _divide(np.where(occurs, _divide(both, said), 0).sum(axis=1), num_orders)
    recall = _divide(np.where(occurs, _divide(both, true), 0).sum(axis=1), num_orders)
    beta2 = CHRF.BETA**2
    return np.nan_to_num(100 * _divide((1 + beta2) * precision * recall, beta2 * precision + recall))


def _mean(weights: Floats, values: Floats) -> Floats:
    return _divide(weights @ values, weights.sum(axis=1))


def _median(weights: Floats, values: Floats) -> Floats:
    """The median of values (E,), each repeated as often as a row of weights (R, E) says."""
    if not len(values):
        return np.full(len(weights), np.nan)
    order = np.argsort(values)
    last = np.cumsum(weights[:, order], axis=1)  # how many repeats stand up to here
    total = last[:, -1]
    middle = [
        values[order][np.minimum((last <= rank[:, None]).sum(axis=1), len(values) - 1)]
        for rank in ((total - 1) // 2, total // 2)
    ]
    return np.where(total > 0, (middle[0] + middle[1]) / 2, np.nan)


def _divide(numerator: Any, denominator: Any) -> Floats:
    """nan where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(denominator) > 0, np.divide(numerator, denominator), np.nan)
