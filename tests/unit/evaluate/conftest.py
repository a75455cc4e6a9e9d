"""Answers of a small test split, shared by the tests of evaluation."""

from collections.abc import Sequence
from typing import Any

from etalage.evaluate.metrics import Values
from etalage.evaluate.systems import build_metrics
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]
TARGETS = [{"title": f"Item {i % 7}", "category": "abcd"[i % 4], "price": 100.0 * (1 + i % 9)} for i in range(80)]
CONSTANT: Values = {"title": "Item 0", "category": "a", "price": 500.0}
OTHERS = [*TARGETS[3:], *TARGETS[:3]]
"""Wrong answers: each is the one of another example."""

Answers = Sequence[Values | None]


def evaluated(
    predictions: Answers,
    before: Answers = OTHERS,
    blank: Answers | None = None,
    shuffled: Answers | None = OTHERS,
    targets: Sequence[Values] = TARGETS,
    **options: Any,
) -> dict[str, Any]:
    """Return the metrics of a model that is compared with weak others, unless others are given."""
    num = len(targets)
    constant = [CONSTANT] * num
    others = {
        "before": before[:num],
        "blank": constant if blank is None else blank,
        "shuffled": shuffled if shuffled is None else shuffled[:num],
    }
    return build_metrics("test", FIELDS, targets, predictions, majority=CONSTANT, **others, **options)
