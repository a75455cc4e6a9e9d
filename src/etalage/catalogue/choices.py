"""The known values of categories, where the answer's words alone do not say where a category ends."""

from collections.abc import Iterable

from etalage.catalogue.markup import clean_cell
from etalage.catalogue.table import Row, number_text
from etalage.task import Task

__all__ = ["with_choices"]

MAX_CHOICES = 10_000
"""More values than these are no closed set, and would make reading an answer slow."""


def with_choices(task: Task, rows: Iterable[Row], max_text_chars: int) -> Task:
    """Return the task with the known values of its open categories, which are those of all rows.

    Those of the test split are among them: they decide where an answer is divided, and never what it says.

    Args:
        task: The task; if none of its categories is open, it is returned as it is and no row is read.
        rows: The rows of the table.
        max_text_chars: Longer values drop their row, so they are left out.
    """
    choices: dict[str, set[str]] = {name: set() for name in task.open_categories}
    if not choices:
        return task
    for row in rows:
        for name, values in choices.items():
            cell = number_text(row.cells.get(name, ""))
            text = clean_cell(cell, max_text_chars)
            if 0 < len(text) <= max_text_chars and len(values) <= MAX_CHOICES:
                values.add(text)
    return Task(task.config, {name: sorted(values) for name, values in choices.items() if len(values) <= MAX_CHOICES})
