"""The progress bar counts what was done, not what was begun."""

from collections.abc import Iterator

import pytest

from etalage.progress import ProgressBar, _SpeedColumn, progress_bar


@pytest.fixture
def bar() -> Iterator[ProgressBar]:
    with progress_bar("read", 10, completed=2) as bar:
        yield bar


def state(bar: ProgressBar) -> tuple[float, float | None]:
    task = bar.progress.tasks[0]
    return task.completed, task.total


def test_starts_with_what_an_earlier_process_completed(bar: ProgressBar) -> None:
    assert state(bar) == (2, 10)
    assert bar.progress.tasks[0].description == "read    "


def test_counts_an_item_when_the_next_one_is_asked_for(bar: ProgressBar) -> None:
    items = bar.track("ab")
    assert next(items) == "a"
    assert state(bar) == (2, 10)
    assert next(items) == "b"
    assert state(bar) == (3, 10)
    assert list(items) == []
    assert state(bar) == (4, 10)


def test_advances_by_several_items_and_shows_a_note(bar: ProgressBar) -> None:
    bar.advance(3, "loss 1.2")
    assert state(bar) == (5, 10)
    assert bar.progress.tasks[0].fields["note"] == "loss 1.2"


def test_sets_what_is_completed_and_the_total(bar: ProgressBar) -> None:
    bar.update(7, 20)
    assert state(bar) == (7, 20)


@pytest.mark.parametrize(("speed", "text"), [(None, "–"), (12345.6, "12,345.6/s"), (0.5, "2.0 s each")])
def test_shows_items_per_second_or_seconds_per_item(bar: ProgressBar, speed: float | None, text: str) -> None:
    task = bar.progress.tasks[0]
    task.finished_speed = speed
    assert _SpeedColumn().render(task).plain == text
