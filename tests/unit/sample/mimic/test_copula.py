"""Normal scores, categories and correlations go through the copula and come back."""

import math

import numpy as np
import pytest

from etalage.sample.mimic.copula import ScoreMixture, between_group_share, correlation_factor, normal_scores
from etalage.sample.mimic.suppressed_counts import K

RNG = np.random.default_rng(0)


def test_scores_follow_ranks() -> None:
    scores = normal_scores(np.array([30.0, 10.0, 20.0]))
    assert scores[1] < scores[2] < scores[0]
    assert scores[2] == pytest.approx(0)
    assert scores[0] == pytest.approx(-scores[1])


def test_scores_of_many_values_are_normal() -> None:
    scores = normal_scores(np.exp(RNG.normal(size=2_000)))
    assert scores.mean() == pytest.approx(0, abs=1e-9)
    assert scores.std() == pytest.approx(1, abs=0.01)


def test_equal_values_share_a_score() -> None:
    scores = normal_scores(np.array([1.0, 5.0, 5.0, 9.0]))
    assert scores[1] == scores[2] == pytest.approx(0)


def test_correlations_are_reproduced() -> None:
    target = np.array([[1, 0.7, -0.3], [0.7, 1, 0.1], [-0.3, 0.1, 1]])
    samples = RNG.normal(size=(4_000, 3)) @ np.linalg.cholesky(target).T
    factor = np.array(correlation_factor(samples))
    assert np.allclose(factor @ factor.T, target, atol=0.05)
    assert np.allclose(factor, np.tril(factor))


def test_correlations_need_enough_complete_rows() -> None:
    samples = RNG.normal(size=(300, 1)) @ np.ones((1, 2))
    samples[2 * K :, 1] = np.nan
    assert np.allclose(correlation_factor(samples), np.eye(2))


def test_impossible_correlations_are_lifted() -> None:
    a, b = RNG.normal(size=(2, 300))
    samples = np.full((900, 3), np.nan)
    samples[:300, 0], samples[:300, 1] = a, a  # 0 and 1 equal, 1 and 2 equal, but 0 and 2 opposite
    samples[300:600, 1], samples[300:600, 2] = b, b
    samples[600:, 0], samples[600:, 2] = a, -a
    factor = np.array(correlation_factor(samples))
    assert np.isfinite(factor).all()
    assert np.allclose(np.diag(factor @ factor.T), 1)


def test_constant_numbers_are_independent() -> None:
    samples = np.column_stack([np.ones(100), RNG.normal(size=100)])
    assert np.allclose(correlation_factor(samples), np.eye(2))


def test_residuals_are_relative_to_the_category() -> None:
    scores = {("cheap",): list(RNG.normal(-1, 0.5, 400)), ("dear",): list(RNG.normal(1, 0.5, 400))}
    mixture = ScoreMixture.learn(scores, {("cheap",): 0.5, ("dear",): 0.5})
    for path, mean in ((("cheap",), -1), (("dear",), 1)):
        assert mixture.residual(path, mean) == pytest.approx(0, abs=0.15)
        assert mixture.residual(path, mean + 0.5) == pytest.approx(1, abs=0.15)
    assert mixture.quantile(("cheap",), 0) == pytest.approx(0.25, abs=0.05)
    assert mixture.quantile(("dear",), 0) == pytest.approx(0.75, abs=0.05)


def test_quantiles_of_normal_residuals_are_even() -> None:
    scores = {(name,): list(RNG.normal(mean, 0.6, 300)) for name, mean in (("a", -0.8), ("b", 0.0), ("c", 0.8))}
    shares = {("a",): 0.2, ("b",): 0.3, ("c",): 0.5}
    mixture = ScoreMixture.learn(scores, shares)
    drawn = np.sort(
        [mixture.quantile(p, r) for p, share in shares.items() for r in RNG.normal(size=int(5_000 * share))]
    )
    assert np.abs(drawn - (np.arange(5_000) + 0.5) / 5_000).max() < 0.03


def test_rare_categories_are_like_the_whole() -> None:
    mixture = ScoreMixture.learn({("few",): [2.0] * (K - 1)}, {("few",): 1.0})
    assert mixture.categories == {}
    assert mixture.residual(("few",), 1.5) == 1.5
    assert mixture.quantile(("few",), 0.0) == pytest.approx(0.5)


def test_small_categories_are_shrunk_towards_the_whole() -> None:
    mixture = ScoreMixture.learn({("small",): [2.0] * K}, {("small",): 1.0})
    mean, deviation = mixture.categories[("small",)]
    assert mean == 1.0
    assert deviation == pytest.approx(math.sqrt(0.5))


def test_extreme_residuals_stay_between_0_and_1() -> None:
    mixture = ScoreMixture.learn({}, {("a",): 1.0})
    assert 0 < mixture.quantile(("a",), -50) < mixture.quantile(("a",), 50) < 1


def test_variance_between_groups_is_told_from_that_within() -> None:
    groups = [f"{n // 4}" for n in range(2_000)]
    between, within = np.repeat(RNG.normal(size=500), 4), RNG.normal(size=2_000)
    assert between_group_share(between, groups) == pytest.approx(0.999)
    assert between_group_share(within, groups) == pytest.approx(0, abs=0.05)
    mixed = math.sqrt(0.6) * between + math.sqrt(0.4) * within
    mixed[::7] = np.nan
    assert between_group_share(mixed, groups) == pytest.approx(0.6, abs=0.08)


def test_few_groups_say_nothing_about_variance() -> None:
    assert between_group_share(np.arange(8.0), [f"{n // 2}" for n in range(8)]) == 0
