"""Shapes of words, and invented words of a shape."""

import re
from functools import lru_cache
from itertools import groupby

from etalage.sample.mimic.keyed_rng import KeyedRng

__all__ = ["MAX_WORD_CHARS", "WORD_CORE", "invent_rare_word", "invent_word", "shape_of"]

MAX_WORD_CHARS = 40

WORD_CORE = re.compile(r"[^\W_]+")
"""A run of letters and digits."""

_MAX_SHAPE_CHARS = 12
_NUM_RARE_WORDS = 500
"""Invented words for each shape and length in long texts."""

_ONSETS = ("b", "c", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "dr", "st", "tr", "pl")
# Repeated letters are frequent ones, as empty codas are.
_VOWELS = ("a", "e", "i", "o", "u", "a", "e", "o")
_CODAS = ("", "", "", "n", "r", "l", "s", "m", "t")


@lru_cache(50_000)
def shape_of(word: str) -> str:
    """Return one letter for each run of like characters: A capitals, a small letters, 9 digits; signs stay.

    >>> shape_of("A120"), shape_of("Anti-Missile")
    ('A9', 'Aa-Aa')
    """
    marks = ("9" if c.isdecimal() else "A" if c.isupper() else "a" if c.isalpha() else c for c in word)
    runs = ((mark, len(list(run))) for mark, run in groupby(marks))
    return "".join(mark if mark in "Aa9" else mark * min(count, 3) for mark, count in runs)[:_MAX_SHAPE_CHARS]


def invent_word(shape: str, length: int, rng: KeyedRng) -> str:
    """Invent a pronounceable word.

    Args:
        shape: The word's shape, as `shape_of` writes it.
        length: Characters of the word; a shape that needs more gets more.
        rng: Chooses letters and digits.

    Returns:
        A word of this shape, of at most MAX_WORD_CHARS characters unless its shape is longer.
    """
    longest = next((mark for mark in "a9A" if mark in shape), "")
    spare = max(0, min(length, MAX_WORD_CHARS) - len(shape))
    # The first run of this kind takes up all letters that the shape leaves open.
    marks = shape.replace(longest, longest * (1 + spare), 1) if longest else shape
    parts = []
    for kind, run in groupby(marks, key=lambda mark: "letters" if mark in "Aa" else mark):
        run_marks = list(run)
        if kind == "letters":
            letters = _syllables(len(run_marks), rng)
            parts += [c.upper() if mark == "A" else c for c, mark in zip(letters, run_marks, strict=True)]
        elif kind == "9":
            parts.append(str(1 + rng.randbelow(9)) + "".join(str(rng.randbelow(10)) for _ in run_marks[1:]))
        else:
            parts += run_marks
    return "".join(parts)


def invent_rare_word(shape: str, length: int, rng: KeyedRng) -> str:
    """Choose one of a few hundred invented words: long texts need so many that some have to recur.

    Args:
        shape: The word's shape, as `shape_of` writes it.
        length: Characters of the word; a shape that needs more gets more.
        rng: Chooses the word.

    Returns:
        A word of this shape, the same ones in every text.
    """
    return _rare_word(shape, length, rng.randbelow(_NUM_RARE_WORDS))


@lru_cache(50_000)
def _rare_word(shape: str, length: int, number: int) -> str:
    # Without a seed: the same few words recur in all texts.
    return invent_word(shape, length, KeyedRng("rare", shape, length, number))


def _syllables(num_letters: int, rng: KeyedRng) -> str:
    letters = ""
    while len(letters) < num_letters:
        bits = rng.bits64()
        # One number of 64 bits serves three choices: 20 onsets, 8 vowels, 9 codas.
        letters += _ONSETS[bits % 20] + _VOWELS[bits // 20 % 8] + _CODAS[bits // 160 % 9]
    return letters[:num_letters]
