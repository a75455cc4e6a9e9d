"""Tests of the constant answer."""

import pytest

from etalage.errors import EtalageError
from etalage.evaluate.baselines import majority_answer
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]


def test_ties_are_broken_by_the_alphabet() -> None:
    rows = [("Zip", "bag", 1.0), ("Ant", "bag", 9.0), ("Zip", "hat", 3.0), ("Ant", "hat", 5.0)]
    values = [{"title": t, "category": c, "price": p} for t, c, p in rows]
    expected = {"title": "Ant", "category": "bag", "price": 4.0}
    assert majority_answer(FIELDS, values) == expected
    assert majority_answer(FIELDS, values[::-1]) == expected


def test_the_most_frequent_value_wins() -> None:
    values = [{"title": t, "category": "a", "price": 1.0} for t in ("Ant", "Zip", "Zip")]
    assert majority_answer(FIELDS, values)["title"] == "Zip"


def test_prices_written_as_text_are_numbers() -> None:
    assert majority_answer(FIELDS[2:], [{"price": "10"}, {"price": "2"}, {"price": "3"}]) == {"price": 3.0}


def test_an_empty_training_split_is_refused() -> None:
    with pytest.raises(EtalageError, match="training split is empty"):
        majority_answer(FIELDS, [])
