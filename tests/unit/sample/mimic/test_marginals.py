"""Distributions keep shared values and the shape of the rest, but no single value."""

import math
import random
from collections import Counter
from itertools import pairwise
from statistics import fmean, median, pstdev

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etalage.sample.mimic.marginals import Marginal
from etalage.sample.mimic.suppressed_counts import K


def draw_evenly(marginal: Marginal, n: int = 2_000) -> list[float]:
    """Return values at evenly spread quantiles."""
    return [marginal.quantile((i + 0.5) / n)[0] for i in range(n)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.01, 1e6), min_size=K, max_size=200))
@example([math.nextafter(0.01, 1)] + [0.01] * (K - 1))
def test_no_single_value_is_kept(values: list[float]) -> None:
    marginal = Marginal.learn(values)
    assert marginal.cumulative[-1] == pytest.approx(1)
    counts = Counter(values)
    assert all(counts[low] >= K for low, _, is_kept in marginal.pieces if is_kept)
    at = [marginal.quantile(share / 20)[0] for share in range(20)]
    assert all(value > 0 for value in at)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-50, 50).map(float), min_size=K, max_size=150))
def test_pieces_have_ordered_ends_and_at_least_k_rows(values: list[float]) -> None:
    marginal = Marginal.learn(values)
    assert all(low <= high for low, high, _ in marginal.pieces)
    shares = [end - start for start, end in pairwise((0.0, *marginal.cumulative))]
    assert all(share * len(values) > K - 0.01 for share in shares)


def test_values_that_k_rows_share_keep_their_share() -> None:
    rng = random.Random(0)
    values = [99.0] * 40 + [rng.uniform(10, 200) for _ in range(60)]
    marginal = Marginal.learn(values)
    drawn = draw_evenly(marginal)
    assert drawn.count(99.0) / len(drawn) == pytest.approx(0.4, abs=0.01)
    assert {low for low, _, is_kept in marginal.pieces if is_kept} == {99.0}


@pytest.mark.parametrize("low", [-500.0, 0.5])
def test_mean_and_spread_are_kept(low: float) -> None:
    rng = random.Random(1)
    values = [low + rng.expovariate(0.01) for _ in range(500)]
    drawn = draw_evenly(Marginal.learn(values))
    assert median(drawn) == pytest.approx(median(values), rel=0.05)
    assert fmean(drawn) == pytest.approx(fmean(values), rel=0.05)
    assert pstdev(drawn) == pytest.approx(pstdev(values), rel=0.1)


def test_a_single_extreme_value_is_blurred() -> None:
    values = [float(n) for n in range(100, 199)] + [987_654.0]
    drawn = draw_evenly(Marginal.learn(values))
    assert 987_654.0 not in drawn
    assert all(abs(value - 987_654.0) > 1_000 for value in drawn)


def test_too_few_values_between_shared_ones_join_them() -> None:
    marginal = Marginal.learn([10.0] * 20 + [15.0] * (K - 1) + [20.0] * 20)
    assert [(low, high, is_kept) for low, high, is_kept in marginal.pieces] == [(10, 10, True), (20, 20, True)]
    assert marginal.cumulative == (pytest.approx(22 / 44), pytest.approx(1))


def test_values_below_zero_are_not_logarithmic() -> None:
    assert Marginal.learn([1.0, 2, 3, 4, 5]).is_logarithmic
    assert not Marginal.learn([0.0, 2, 3, 4, 5]).is_logarithmic
    assert Marginal.learn([-7.0] * K).quantile(0.5) == (-7.0, True)


def test_the_ends_are_defined() -> None:
    marginal = Marginal.learn([float(n) for n in range(1, 51)])
    assert 0 < marginal.quantile(0.0)[0] < 10
    assert 40 < marginal.quantile(1.0)[0] < 60
