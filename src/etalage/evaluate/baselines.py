"""What to beat: answers that need no picture."""

import statistics
from collections import Counter
from collections.abc import Sequence

from etalage.errors import EtalageError
from etalage.evaluate.metrics import Values
from etalage.task import Field, Value

__all__ = ["majority"]


def majority(fields: Sequence[Field], train_values: Sequence[Values]) -> dict[str, Value]:
    """The best constant answer: most frequent text and category, median price of the training split.

    Of equally frequent ones the first in alphabetical order, so that row order decides nothing.

    Raises:
        EtalageError: no training products.
    """
    if not train_values:
        raise EtalageError("the training split is empty; there is nothing to take the most frequent answer from")
    answer: dict[str, Value] = {}
    for field in fields:
        column = [values[field.name] for values in train_values]
        if field.kind == "price":
            answer[field.name] = statistics.median(float(price) for price in column)
        else:
            answer[field.name] = min(Counter(map(str, column)).items(), key=lambda item: (-item[1], item[0]))[0]
    return answer
