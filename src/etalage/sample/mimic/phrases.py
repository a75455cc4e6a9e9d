"""Texts of the same build with other words: titles, descriptions, paths.

Words that at least K different texts have are kept, and follow one another as they do there. All others are told by
their shape and length alone, and new ones are invented for them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from etalage.sample.mimic.keyed_rng import Dice
from etalage.sample.mimic.suppressed_counts import Cells, Contexts, Seen, views

__all__ = ["SIGNS", "Build", "Guard", "Phrases", "Word", "invent", "shape_of"]

Build = Literal["title", "text", "path"]
"""A title is written from its last word, the thing's name, backwards; a path has its signs as words."""

MAX_WORDS, MAX_WORD_CHARS = 400, 40

_ONSETS = ("b", "c", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "dr", "st", "tr", "pl")
_VOWELS = ("a", "e", "i", "o", "u", "a", "e", "o")
_CODAS = ("", "", "", "n", "r", "l", "s", "m", "t")
SIGNS = re.compile(r"([^0-9A-Za-z\ue000-\ue0ff]+)")
"""What separates words in paths and codes; private-use characters stand for words."""
_CORE = re.compile(r"[^\W_]+")
_MAX_SHAPE = 12
_ATTEMPTS = 20
_NUM_RARE = 500
"""Invented words of a shape and length in long texts."""


class Word(NamedTuple):
    """A word that is kept, or the shape of one that is not."""

    text: str
    is_shape: bool


_END = Word("", False)


@dataclass(frozen=True)
class Guard:
    """What must not come out again: hashes of the original's texts, in memory only, never written anywhere."""

    hashes: NDArray[np.uint64]
    """Sorted."""

    @classmethod
    def over(cls, texts: "set[str]") -> Self:
        return cls(np.unique(np.array([_hash(text) for text in texts], np.uint64)))

    def __contains__(self, text: str) -> bool:
        wanted = np.uint64(_hash(text))
        place = int(self.hashes.searchsorted(wanted))
        return place < len(self.hashes) and bool(self.hashes[place] == wanted)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.casefold().encode("utf-8", "surrogatepass"), digest_size=8).digest())


@dataclass(frozen=True)
class Phrases:
    """How texts of a column are built."""

    build: Build
    num_words: Cells[int]
    words: Cells[Word]
    lengths: Cells[int]
    """Of words, in characters, by their shape."""

    @classmethod
    def learn(
        cls,
        texts: Sequence[str],
        places: Sequence[tuple[str, ...]],
        build: Build,
        *,
        owners: Sequence[str],
        hints: Sequence[int] | None = None,
        keep_words: bool = True,
    ) -> "Phrases":
        """Learn.

        Args:
            places: The categories that each text stands in.
            owners: Whose each text is. All are counted, but K different owners have to have what is kept.
            hints: For each text, what its number of words may depend on: that of the row's title.
            keep_words: Or else nothing but signs.
        """
        split = [_split(text, build) for text in texts]
        kept = {word for word in _common(split, owners) if keep_words or not _CORE.search(word.text)}
        coded = [[word if word in kept else _shape(word) for word in words] for words in split]
        counts: list[Seen[int]] = []
        seen: list[Seen[Word]] = []
        for words, place, owner, hint in zip(coded, places, owners, hints or [0] * len(texts), strict=True):
            counts.append((_count_contexts(place, hint), len(words), owner))
            seen += [(contexts, word, owner) for contexts, word in _steps(words, place, build)]
        lengths: list[Seen[int]] = [
            ((shape.text, ()), len(word.text), owner)
            for words, plain, owner in zip(coded, split, owners, strict=True)
            for shape, word in zip(words, plain, strict=True)
            if shape.is_shape
        ]
        following = Cells.learn(seen, Word("Aa", True), coarse=_shape, num_fine=_NUM_FINE[build])
        return cls(build, Cells.learn(counts, 2), following, Cells.learn(lengths, 6))

    @property
    def num_suppressed(self) -> int:
        return self.num_words.num_suppressed + self.words.num_suppressed + self.lengths.num_suppressed

    def draw(
        self,
        dice: Dice,
        place: tuple[str, ...],
        *,
        hint: int = 0,
        length_share: float | None = None,
        num_words: int | None = None,
    ) -> list[Word]:
        """The words of a new text, those to be invented still as shapes, in reading order.

        Args:
            hint: As those learned with.
            num_words: How many; by default as many as texts like this one have.
            length_share: Where among all numbers of words this text's is to be; by default anywhere.
        """
        share = dice.uniform() if length_share is None else length_share
        total = num_words or self.num_words.draw(_count_contexts(place, hint), share)
        words: list[Word] = []
        for number in range(total):
            words.append(self.words.draw(_contexts(words, number, total, place, self.build), dice.uniform()))
        return words[::-1] if self.build == "title" else words

    def spell(self, words: Sequence[Word], dice: Dice, guard: Guard) -> list[str]:
        """Kept words as they are, the others invented."""
        return [self.new_word(word.text, dice, guard) if word.is_shape else word.text for word in words]

    def new_word(self, shape: str, dice: Dice, guard: Guard, length: int | None = None) -> str:
        """A word of this shape that the original does not have."""
        length = self.lengths.draw((shape, ()), dice.uniform()) if length is None else length
        for attempt in range(_ATTEMPTS):  # the fewer letters, the sooner every word of them is taken: then add one
            wanted = length + attempt // 5
            word = _rare(shape, wanted, dice.below(_NUM_RARE)) if self.build == "text" else invent(shape, wanted, dice)
            if not any(len(core) > 1 and core in guard for core in _cores(word)):
                break
        return word

    def join(self, words: Sequence[str]) -> str:
        return ("" if self.build == "path" else " ").join(words)


def _cores(word: str) -> list[str]:
    """Its runs of letters and digits; numbers of up to three digits belong to nobody."""
    return [core for core in _CORE.findall(word) if not (core.isdecimal() and len(core) < 4)]


@lru_cache(50_000)
def shape_of(word: str) -> str:
    """A letter for each run: A capitals, a small letters, 9 digits; signs as they are. A120 is A9, "Bondir" is "Aa"."""
    marks = ("9" if c.isdecimal() else "A" if c.isupper() else "a" if c.isalpha() else c for c in word)
    runs = ((mark, len(list(run))) for mark, run in groupby(marks))
    return "".join(mark if mark in "Aa9" else mark * min(count, 3) for mark, count in runs)[:_MAX_SHAPE]


def invent(shape: str, length: int, dice: Dice) -> str:
    """A word that can be spoken, of a shape, as long as asked for or as the shape needs."""
    longest = next((mark for mark in "a9A" if mark in shape), "")
    spare = max(0, min(length, MAX_WORD_CHARS) - len(shape))
    marks = shape.replace(longest, longest * (1 + spare), 1) if longest else shape
    parts = []
    for kind, run in groupby(marks, key=lambda mark: "letters" if mark in "Aa" else mark):
        wanted = list(run)
        if kind == "letters":
            letters = _letters(len(wanted), dice)
            parts += [c.upper() if mark == "A" else c for c, mark in zip(letters, wanted, strict=True)]
        elif kind == "9":
            parts.append(str(1 + dice.below(9)) + "".join(str(dice.below(10)) for _ in wanted[1:]))
        else:
            parts += wanted
    return "".join(parts)


@lru_cache(50_000)
def _rare(shape: str, length: int, number: int) -> str:
    """One of the invented words that texts have in common, since so many are needed."""
    return invent(shape, length, Dice("rare", shape, length, number))


def _letters(count: int, dice: Dice) -> str:
    letters = ""
    while len(letters) < count:
        place = dice.word()
        letters += _ONSETS[place % 20] + _VOWELS[place // 20 % 8] + _CODAS[place // 160 % 9]
    return letters[:count]


def _split(text: str, build: Build) -> list[Word]:
    parts = SIGNS.split(text) if build == "path" else text.split(" ")
    return [Word(part[:MAX_WORD_CHARS], False) for part in parts if part][:MAX_WORDS]


def _common(texts: Sequence[Sequence[Word]], owners: Sequence[str]) -> set[Word]:
    whose: list[Seen[Word]] = [
        (((),), word, owner) for words, owner in zip(texts, owners, strict=True) for word in set(words)
    ]
    return {value for value in Cells.learn(whose, _END).whole.values if value != _END}


def _count_contexts(place: tuple[str, ...], hint: int) -> Contexts:
    return (*((view, hint) for view in views(place)), hint, ())


def _steps(words: Sequence[Word], place: tuple[str, ...], build: Build) -> Iterator[tuple[Contexts, Word]]:
    written = list(reversed(words)) if build == "title" else list(words)
    for number, word in enumerate(written):
        yield _contexts(written[:number], number, len(written), place, build), word


def _contexts(before: Sequence[Word], number: int, total: int, place: tuple[str, ...], build: Build) -> Contexts:
    """What the next word may depend on, the most telling first."""
    last = before[-1] if before else _END
    last_shape = last.text if last.is_shape else shape_of(last.text)
    if build == "text":
        ends = number == total - 1
        earlier = before[-2] if number > 1 else _END
        return ((earlier, last, ends), (last, ends), (last_shape, ends), ends, (last_shape, ends), ends)
    step = (min(number, 5), min(total - number, 5), number % 2 if build == "path" else 0)  # words and signs take turns
    seen_from = views(place)
    narrow = (
        *((view, step, last) for view in seen_from),
        (step, last),
        (seen_from[0], step),
        (seen_from[2], step),
        step,
    )
    return (*narrow, (step, last_shape), step, ())


_NUM_FINE: dict[Build, int] = {"title": 8, "path": 8, "text": 4}
"""Of these contexts, in how many a word may stand; in the others its shape stands for it."""


def _shape(word: Word) -> Word:
    return word if word.is_shape else Word(shape_of(word.text), True)
