"""Known values of categories are read from the table only where the answer needs them."""

from collections.abc import Iterator

import pytest

from etalage.catalogue import choices
from etalage.catalogue.choices import with_choices
from etalage.catalogue.table import Row
from etalage.config import TaskConfig
from etalage.task import Task

OPEN = Task(TaskConfig(answer="A {colour:category} {title} for {price}"))


def rows(*colours: str | float) -> Iterator[Row]:
    return (Row(n, f"row {n}", str(n), (), {"colour": colour, "title": "T"}) for n, colour in enumerate(colours, 1))


def test_an_answer_that_marks_its_categories_reads_no_row() -> None:
    def fail() -> Iterator[Row]:
        raise AssertionError("the table was read")
        yield

    task = Task(TaskConfig())
    assert with_choices(task, fail(), 300) is task


def test_values_are_as_the_checks_clean_them() -> None:
    found = with_choices(OPEN, rows(" dark \t red", "red", "red", "", "x" * 301, 7.0), 300)
    assert found.choices == {"colour": ["7", "dark red", "red"]}
    assert found.parse_answer("A dark red Wool Scarf for 5.0<|end|>") == {
        "colour": "dark red",
        "title": "Wool Scarf",
        "price": 5.0,
    }


def test_rows_without_cells_are_passed_over() -> None:
    assert with_choices(OPEN, [Row(1, "row 1", "1", (), {})], 300).choices == {}


def test_a_column_of_ever_new_values_is_no_closed_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "MAX_CHOICES", 3)
    assert with_choices(OPEN, rows("a", "b", "c"), 300).choices == {"colour": ["a", "b", "c"]}
    assert with_choices(OPEN, rows("a", "b", "c", "d", "e"), 300).choices == {}
