"""Words have shapes, and invented words have the shape and length that were asked for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.sample.mimic.keyed_rng import KeyedRng
from etalage.sample.mimic.words import MAX_WORD_CHARS, invent_rare_word, invent_word, shape_of


@pytest.mark.parametrize(
    ("word", "shape"), [("A120", "A9"), ("Anti-Missile", "Aa-Aa"), ('"Bondir"', '"Aa"'), ("été", "a")]
)
def test_shape_of_a_word(word: str, shape: str) -> None:
    assert shape_of(word) == shape
    invented = invent_word(shape, len(word), KeyedRng(word))
    assert (shape_of(invented), len(invented)) == (shape, len(word))


@pytest.mark.parametrize(
    ("word", "shape"), [("", ""), ("a----b", "a---a"), ("100%", "9%"), ("aBaBaBaBaBaBaBaB", "aAaAaAaAaAaA")]
)
def test_shapes_are_short(word: str, shape: str) -> None:
    assert shape_of(word) == shape


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=30), st.integers(0, 60), st.integers(0, 5))
def test_invented_words_have_the_shape_of_any_text(text: str, length: int, seed: int) -> None:
    shape = shape_of(text)
    word = invent_word(shape, length, KeyedRng(seed))
    assert shape_of(word) == shape
    assert len(word) <= max(MAX_WORD_CHARS, len(shape))
    assert len(word) >= len(shape)


def test_numbers_do_not_begin_with_zero() -> None:
    assert not any(invent_word("9", 3, KeyedRng(n)).startswith("0") for n in range(200))


def test_invented_words_differ_by_their_random_numbers() -> None:
    assert len({invent_word("Aa", 8, KeyedRng(n)) for n in range(100)}) > 90
    assert invent_word("Aa", 8, KeyedRng(1)) == invent_word("Aa", 8, KeyedRng(1))


def test_rare_words_recur() -> None:
    words = {invent_rare_word("a", 7, KeyedRng(n)) for n in range(3_000)}
    assert 300 < len(words) <= 500
    assert all(shape_of(word) == "a" and len(word) == 7 for word in words)
