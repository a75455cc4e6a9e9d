"""New numbers are as round as the column's own."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.sample.mimic.rounding import Rounding
from etalage.sample.mimic.suppressed_counts import K


def test_multiples_of_ten_stay_multiples_of_ten() -> None:
    rounding = Rounding.learn([10.0 * n for n in range(11, 95)], 0)
    assert all(rounding.round(value, 0.3) % 10 == 0 for value in (123.0, 478.4, 911.0))


def test_frequent_last_digits_stay() -> None:
    rounding = Rounding.learn([n + 0.99 for n in range(10, 99)], 2)
    assert rounding.round(54.31, 0.5) == pytest.approx(53.99)
    assert rounding.round(54.61, 0.5) == pytest.approx(54.99)


def test_kinds_of_endings_keep_their_shares() -> None:
    values = [100.0 * n for n in range(10, 40)] + [n + 0.0 for n in range(1011, 1990, 11)][:60]
    rounding = Rounding.learn(values, 0)
    rounded = [rounding.round(1234.0, (n + 0.5) / 100) for n in range(100)]
    assert sum(value % 100 == 0 for value in rounded) >= 30
    assert Counter(rounded).most_common(1)[0][0] == 1234.0


def test_roundness_depends_on_the_number_of_digits() -> None:
    rounding = Rounding.learn([float(n) for n in range(11, 99) if n % 10] + [100.0 * n for n in range(11, 99)], 0)
    assert rounding.round(37.4, 0.5) == 37
    assert rounding.round(3_740.0, 0.5) == 3_700


def test_endings_of_few_rows_are_not_kept() -> None:
    rounding = Rounding.learn([123.37] * (K - 1) + [10.0 * n for n in range(100, 200)], 2)
    endings = {ending for shares in rounding.endings.tables[0].values() for ending in shares.values}
    assert -1 - 37 not in endings


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e6, 1e6, allow_subnormal=False), st.floats(0, 0.999), st.integers(0, 3))
def test_rounding_keeps_sign_and_size(value: float, uniform: float, decimals: int) -> None:
    rounding = Rounding.learn([float(n) for n in range(1, 400)], decimals)
    rounded = rounding.round(value, uniform)
    assert (rounded == 0) == (value == 0)
    assert rounded * value >= 0
    assert abs(rounded) <= 20 * abs(value) + 10**-decimals


def test_zero_stays_zero() -> None:
    assert Rounding.learn([1.0] * 20, 2).round(0.0, 0.5) == 0
