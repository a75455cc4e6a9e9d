import re

import pytest

from etalage.wording import clock, count, duration, until


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (12_345, "12,345 steps"), (-1, "-1 steps")]
)
def test_one_is_singular_and_all_else_plural(number: int, words: str) -> None:
    assert count(number, "step") == words


def test_a_plural_of_its_own() -> None:
    assert (count(1, "copy", "copies"), count(3, "copy", "copies")) == ("1 copy", "3 copies")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (40, "40 s"),
        (100, "2 min"),
        (719, "12 min"),
        (3600, "60 min"),
        (3 * 3600 + 20 * 60, "3 h 20 min"),
        (7190, "2 h"),
        (24 * 3600 - 10, "24 h"),
        (53 * 3600, "2 days 5 h"),
        (72 * 3600, "3 days"),
    ],
)
def test_durations_are_rounded_to_what_matters(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(-3, "0:00"), (7.4, "0:07"), (760, "12:40"), (12000, "3:20:00")])
def test_a_clock_counts_minutes_and_seconds(seconds: float, words: str) -> None:
    assert clock(seconds) == words


def test_a_time_of_another_day_names_the_day() -> None:
    assert re.fullmatch(r"\w{3} \d\d \w{3}, \d\d:\d\d", until(2 * 86400))
    assert re.fullmatch(r"\d\d:\d\d", until(0))
