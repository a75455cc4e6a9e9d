"""Tests of weighted statistics: a weight of n is the same as n repeats."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.evaluate.weighted import chrf, count_ngrams, divide, weighted_mean, weighted_median

WEIGHTED = st.lists(st.tuples(st.integers(0, 4), st.floats(-1e6, 1e6)), min_size=1, max_size=12)


@settings(deadline=None)
@given(WEIGHTED)
def test_a_weight_counts_as_that_many_repeats(pairs: list[tuple[int, float]]) -> None:
    weights, values = np.array([[n for n, _ in pairs]], float), np.array([value for _, value in pairs])
    repeated = np.repeat(values, weights[0].astype(int))
    if len(repeated):
        assert weighted_median(weights, values)[0] == pytest.approx(np.median(repeated))
        assert weighted_mean(weights, values)[0] == pytest.approx(np.mean(repeated), abs=1e-6)
    else:
        assert np.isnan(weighted_median(weights, values)[0])
        assert np.isnan(weighted_mean(weights, values)[0])


def test_each_row_of_weights_has_its_own_result() -> None:
    weights, values = np.array([[1.0, 0, 0], [0, 1, 1], [0, 0, 0]]), np.array([3.0, 1, 2])
    np.testing.assert_array_equal(weighted_median(weights, values), [3, 1.5, np.nan])
    np.testing.assert_array_equal(weighted_mean(weights, values), [3, 1.5, np.nan])


def test_the_median_of_no_values_is_undefined() -> None:
    assert np.isnan(weighted_median(np.ones((2, 0)), np.array([]))).all()


def test_dividing_by_zero_is_undefined_and_silent() -> None:
    np.testing.assert_array_equal(divide(np.array([1.0, 0, 6]), np.array([0.0, 0, 3])), [np.nan, np.nan, 2])


def test_ngrams_are_counted_without_spaces() -> None:
    counts = count_ngrams("ab c", "abd")
    assert counts[:3] == [3, 3, 2], "single characters: a, b, d against a, b, c"
    assert counts[3:6] == [2, 2, 1], "pairs: ab, bd against ab, bc"
    assert counts == count_ngrams("abc", "a b d")


def test_chrf_of_no_ngrams_is_zero() -> None:
    assert chrf(np.zeros((1, 18)))[0] == 0
