"""Tests of axes and ticks."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.html.axes import Axis, linear_ticks, log_ticks


def test_the_ends_of_an_axis_are_its_coordinates() -> None:
    for is_log in (False, True):
        axis = Axis(2, 50, 66, 428, is_log)
        assert (axis(2), axis(50)) == (66, 428)


def test_an_axis_may_point_upwards() -> None:
    axis = Axis(0, 10, 208, 24)
    assert axis(5) == 116
    assert axis(10) < axis(0)


def test_equal_factors_are_equal_distances_on_a_logarithmic_axis() -> None:
    axis = Axis(1, 10_000, 0, 400, is_log=True)
    assert [axis(10**n) for n in range(5)] == [0, 100, 200, 300, 400]


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 8))
def test_linear_ticks_are_evenly_spaced_and_within_the_range(low: float, width: float, max_ticks: int) -> None:
    ticks = linear_ticks(low, low + width, max_ticks)
    assert len(ticks) <= max_ticks + 1
    assert all(low - 1e-3 * width <= tick <= low + 1.001 * width for tick in ticks)
    steps = [b - a for a, b in itertools.pairwise(ticks)]
    assert all(step == pytest.approx(steps[0], rel=1e-6) for step in steps)


@settings(deadline=None)
@given(st.floats(1e-6, 1e9), st.floats(1.01, 1e12))
def test_log_ticks_are_few_increasing_and_within_the_range(low: float, factor: float) -> None:
    high = low * factor
    ticks = log_ticks(low, high)
    assert 1 <= len(ticks) <= 7
    assert ticks == sorted(set(ticks))
    assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1, 100, [1, 2, 5, 10, 20, 50, 100]),
        (1, 1000, [1, 3, 10, 30, 100, 300, 1000]),
        (1, 1e6, [1, 10, 100, 1000, 1e4, 1e5, 1e6]),
        (1, 1e12, [1, 100, 1e4, 1e6, 1e8, 1e10, 1e12]),
    ],
)
def test_wide_ranges_get_fewer_digits(low: float, high: float, ticks: list[float]) -> None:
    assert log_ticks(low, high) == pytest.approx(ticks)


def test_a_range_within_a_decade_is_ticked_evenly() -> None:
    assert log_ticks(310, 390) == [320, 340, 360, 380]


def test_a_range_of_no_width_has_a_tick() -> None:
    assert linear_ticks(3, 3, 5) == [3]


def test_an_axis_chooses_its_ticks_by_its_kind() -> None:
    assert Axis(1, 100, 0, 1, is_log=True).ticks() == log_ticks(1, 100)
    assert Axis(0, 100, 0, 1).ticks(4) == linear_ticks(0, 100, 4)
    assert not math.isnan(Axis(0, 100, 0, 1)(50))
