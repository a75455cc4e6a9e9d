"""Random numbers depend on their key alone, and are evenly spread."""

import math
from statistics import fmean, pstdev

import pytest

from etalage.sample.mimic.keyed_rng import KeyedRng


def test_the_same_key_gives_the_same_numbers() -> None:
    one, other = KeyedRng("row", 7), KeyedRng("row", 7)
    assert [one.bits64() for _ in range(20)] == [other.bits64() for _ in range(20)]
    assert KeyedRng("row", 7).bits64() == KeyedRng("row", "7").bits64()


def test_numbers_are_those_of_version_1() -> None:
    rng = KeyedRng(3, "row", "title", 7)
    assert [rng.randbelow(1000) for _ in range(10)] == [624, 209, 136, 544, 536, 430, 551, 166, 673, 653]
    assert KeyedRng("a").uniform() == 0.2374774832747915


def test_parts_of_a_key_are_kept_apart() -> None:
    keys = [("a", "bc"), ("ab", "c"), ("abc",), ("abc", ""), ("a", "b", "c"), ()]
    assert len({KeyedRng(*key).bits64() for key in keys}) == len(keys)


def test_any_text_can_be_a_key() -> None:
    assert KeyedRng("\ud800").bits64() != KeyedRng("\x00").bits64()


def test_uniform_is_between_0_and_1_and_even() -> None:
    rng = KeyedRng("uniform")
    values = [rng.uniform() for _ in range(20_000)]
    assert 0 < min(values) < 0.001
    assert 0.999 < max(values) < 1
    assert fmean(values) == pytest.approx(0.5, abs=0.01)
    assert pstdev(values) == pytest.approx(math.sqrt(1 / 12), abs=0.01)


def test_normal_has_mean_0_and_deviation_1() -> None:
    rng = KeyedRng("normal")
    values = [rng.normal() for _ in range(20_000)]
    assert fmean(values) == pytest.approx(0, abs=0.03)
    assert pstdev(values) == pytest.approx(1, abs=0.03)


def test_randbelow_reaches_every_number_below_the_limit() -> None:
    rng = KeyedRng("below")
    assert {rng.randbelow(7) for _ in range(500)} == set(range(7))
    assert {rng.randbelow(1) for _ in range(10)} == {0}
