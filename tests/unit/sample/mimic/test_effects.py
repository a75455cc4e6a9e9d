"""Words of titles shift numbers as they do in the original, and leave the distribution of the numbers alone."""

import random

import numpy as np
import pytest

from etalage.sample.mimic.effects import Effects, clues_of
from etalage.sample.mimic.suppressed_counts import K

WORDS = ("Large", "Small", "Red", "Blue", "Tote", "Clutch")


def make_titles(n: int, seed: int = 0) -> list[str]:
    """Return titles of two or three words and a number that makes each of them unique."""
    rng = random.Random(seed)
    return [" ".join([*rng.choices(WORDS, k=rng.randint(2, 3)), f"N{i}"]) for i in range(n)]


def learn_large(n: int = 1_500, noise: float = 0.5) -> tuple[Effects, list[str]]:
    """Learn from rows in which Large adds 1 and Small takes 1 away."""
    titles = make_titles(n)
    normal = np.random.default_rng(0).normal(size=n)
    values = np.array([("Large" in title) * 1.0 - ("Small" in title) * 1.0 for title in titles]) + noise * normal
    return Effects.learn(titles, [("BAGS",)] * n, ("price",), values[:, None]), titles


def test_clues_are_words_their_number_and_names_of_the_path() -> None:
    assert clues_of(["Red", "Red", "Tote"], ("W", "BAGS")) == ["Red", "Tote", 3, (0, "W"), (1, "BAGS")]


def test_effects_of_words_are_found() -> None:
    effects, _ = learn_large()
    assert effects.shifts["Large"][0] == pytest.approx(1, abs=0.15)
    assert effects.shifts["Small"][0] == pytest.approx(-1, abs=0.15)
    assert effects.shifts["Red"][0] == pytest.approx(0, abs=0.15)
    assert effects.unexplained[0] == pytest.approx(0.5, abs=0.05)


def test_words_of_fewer_than_k_titles_have_no_effect() -> None:
    titles = [f"Tote N{i}" for i in range(200)]
    titles[: K - 1] = [f"Secret N{i}" for i in range(K - 1)]
    titles[-20:] = ["Copied Tote"] * 20  # one title, however often it is there
    values = np.arange(200.0)[:, None]
    effects = Effects.learn(titles, [()] * 200, ("price",), values)
    assert "Tote" in effects.shifts
    assert not {"Secret", "Copied", "N7"} & set(effects.shifts)


def test_missing_numbers_are_left_out() -> None:
    titles = make_titles(300)
    values = np.full((300, 2), np.nan)
    values[:, 0] = [len(title.split()) for title in titles]
    values[::2, 1] = 1.0
    effects = Effects.learn(titles, [()] * 300, ("count", "other"), values)
    assert all(np.isfinite(shift).all() for shift in effects.shifts.values())
    assert effects.unexplained[1] == pytest.approx(0)


def test_unknown_words_predict_nothing() -> None:
    effects, _ = learn_large()
    assert effects.predict(["Unheard"] * 9, ("ELSEWHERE",)) == [0.0]


def test_adjusted_numbers_keep_mean_and_deviation() -> None:
    effects, _ = learn_large()
    new = [title.split(" ") for title in make_titles(3_000, seed=1)]
    effects = effects.standardize(new, [("BAGS",)] * len(new))
    normal = np.random.default_rng(1).normal(size=len(new))
    adjusted = [
        effects.adjust({"price": one}, words, ("BAGS",))["price"] for one, words in zip(normal, new, strict=True)
    ]
    assert np.mean(adjusted) == pytest.approx(0, abs=0.05)
    assert np.std(adjusted) == pytest.approx(1, abs=0.05)


def test_adjusted_numbers_follow_the_title() -> None:
    effects, _ = learn_large()
    new = [title.split(" ") for title in make_titles(500, seed=1)]
    effects = effects.standardize(new, [("BAGS",)] * len(new))
    large, small = (effects.adjust({"price": 0.0}, [word, "Tote"], ("BAGS",))["price"] for word in ("Large", "Small"))
    assert large - small > 1.5


def test_no_numbers_have_no_effects() -> None:
    effects = Effects.learn(make_titles(50), [()] * 50, (), np.empty((50, 0)))
    assert effects.standardize([["Red"]], [()]).adjust({}, ["Red"], ()) == {}
