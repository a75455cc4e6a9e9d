"""The best scores that a model could reach on a drawn catalogue."""

import math
from array import array
from collections.abc import Mapping
from statistics import median

from etalage.sample.rows import Scalar

__all__ = ["Oracle"]


class Oracle:
    """The scores of a predictor that sees every attribute and knows the laws; keeps eight bytes per row."""

    def __init__(self) -> None:
        self._num_exact_titles = self._num_correct_categories = 0
        self._log_errors = array("d")

    def add(self, attributes: Mapping[str, Scalar]) -> None:
        """Count a row, given its attributes."""
        self._num_exact_titles += attributes["law_title"] == attributes["title"]
        self._num_correct_categories += attributes["law_category"] == attributes["category"]
        law, actual = float(attributes["law_price"] or 0), float(attributes["full_price"] or 0)
        # On the logarithm a price twice too high and one half too low are equally wrong.
        self._log_errors.append(abs(math.log(law / actual)))

    def __bool__(self) -> bool:
        """Return whether any row was added."""
        return bool(self._log_errors)

    def figures(self) -> dict[str, float]:
        """Return the scores over all rows, for the manifest."""
        num_rows = len(self._log_errors)
        return {
            "title_exact": round(self._num_exact_titles / num_rows, 6),
            "category_accuracy": round(self._num_correct_categories / num_rows, 6),
            "price_median_factor_error": round(math.exp(median(self._log_errors)), 6),
        }
