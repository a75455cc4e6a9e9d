"""Baselines: answers that need no picture, which a model has to beat."""

import statistics
from collections import Counter
from collections.abc import Sequence

from etalage.errors import EtalageError
from etalage.evaluate.metrics import Values
from etalage.task import Field, Value

__all__ = ["majority_answer"]


def majority_answer(fields: Sequence[Field], train_values: Sequence[Values]) -> dict[str, Value]:
    """Return the best constant answer: the most frequent text and category, and the median price.

    Of equally frequent values the first in alphabetical order is taken, so that the order of rows decides nothing.

    Args:
        fields: The fields of the task.
        train_values: The values of each product in the training split.

    Returns:
        A value by field name.

    Raises:
        EtalageError: There are no training products.
    """
    if not train_values:
        raise EtalageError(
            "the training split is empty, so there is no most frequent answer to compare with; "
            "prepare the catalogue again with a smaller --test-fraction or --validation-fraction"
        )
    answer: dict[str, Value] = {}
    for field in fields:
        column = [values[field.name] for values in train_values]
        if field.kind == "price":
            # No constant has a smaller mean error than the median, in money or in logarithms.
            answer[field.name] = statistics.median(float(price) for price in column)
        else:
            answer[field.name] = min(Counter(map(str, column)).items(), key=lambda item: (-item[1], item[0]))[0]
    return answer
