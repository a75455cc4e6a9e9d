"""Texts that are built like the original's but have other words: titles, descriptions, paths.

Words that at least K different texts have are kept, and follow one another as they do there. All others are known by
their shape and length alone, and new ones are invented for them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from etalage.sample.mimic.category_path import CategoryPath, partial_paths
from etalage.sample.mimic.forbidden import ForbiddenTexts
from etalage.sample.mimic.keyed_rng import KeyedRng
from etalage.sample.mimic.suppressed_counts import Contexts, Observation, SuppressedCounts
from etalage.sample.mimic.words import MAX_WORD_CHARS, WORD_CORE, invent_rare_word, invent_word, shape_of

__all__ = ["SIGNS", "Build", "Phrases", "Word"]

Build = Literal["title", "text", "path"]
"""A title is drawn backwards from its last word, the product's name; a path treats the signs between words as words."""

SIGNS = re.compile(r"([^0-9A-Za-z\ue000-\ue0ff]+)")
"""What separates words in paths and codes; private-use characters stand for words."""

_MAX_WORDS = 400
_MAX_ATTEMPTS = 20
# These numbers have to agree with what `_word_contexts` returns.
_NUM_FINE_CONTEXTS: dict[Build, int] = {"title": 8, "path": 8, "text": 4}
"""The number of contexts of the next word in which words themselves are kept; in the others only their shapes are."""


class Word(NamedTuple):
    """A word that is kept, or the shape of one that is not."""

    text: str
    is_shape: bool


_END = Word("", False)


@dataclass(frozen=True)
class Phrases:
    """A model of a column's texts: how many words they have, and which word follows which."""

    build: Build
    num_words: SuppressedCounts[int]
    """The number of words, by category path and the number of words in the row's title."""
    words: SuppressedCounts[Word]
    """The next word, by what precedes it."""
    lengths: SuppressedCounts[int]
    """Characters of a word, by its shape."""

    @classmethod
    def learn(
        cls,
        texts: Sequence[str],
        paths: Sequence[CategoryPath],
        build: Build,
        *,
        owners: Sequence[str],
        num_title_words: Sequence[int] | None = None,
        keep_words: bool = True,
    ) -> "Phrases":
        """Learn a model from texts.

        Args:
            texts: The texts.
            paths: The category path of each text's row.
            build: How the texts are built.
            owners: The owner of each text. All texts are counted, but what is kept has K different owners.
            num_title_words: The number of words in the title of each text's row, if the text depends on it.
            keep_words: Whether to keep words; otherwise only signs are kept.

        Returns:
            The model.
        """
        # Words are suppressed before anything is counted, so that no rare word is part of another word's context.
        split = [_split(text, build) for text in texts]
        kept = {word for word in _common_words(split, owners) if keep_words or not WORD_CORE.search(word.text)}
        coded = [[word if word in kept else _shape(word) for word in words] for words in split]
        counts: list[Observation[int]] = []
        steps: list[Observation[Word]] = []
        for words, path, owner, title_words in zip(
            coded, paths, owners, num_title_words or [0] * len(texts), strict=True
        ):
            counts.append((_count_contexts(path, title_words), len(words), owner))
            steps += [(contexts, word, owner) for contexts, word in _steps(words, path, build)]
        lengths: list[Observation[int]] = [
            ((shape.text, ()), len(word.text), owner)
            for words, plain, owner in zip(coded, split, owners, strict=True)
            for shape, word in zip(words, plain, strict=True)
            if shape.is_shape
        ]
        next_words = SuppressedCounts.learn(
            steps, Word("Aa", True), coarsen=_shape, num_fine_contexts=_NUM_FINE_CONTEXTS[build]
        )
        return cls(build, SuppressedCounts.learn(counts, 2), next_words, SuppressedCounts.learn(lengths, 6))

    @property
    def num_suppressed(self) -> int:
        """The number of combinations of a context and a value that were too rare to be kept."""
        return self.num_words.num_suppressed + self.words.num_suppressed + self.lengths.num_suppressed

    def draw(
        self,
        rng: KeyedRng,
        path: CategoryPath,
        *,
        num_title_words: int = 0,
        length_quantile: float | None = None,
        num_words: int | None = None,
    ) -> list[Word]:
        """Draw the words of a new text; words that have to be invented are still shapes.

        Args:
            rng: Chooses the words.
            path: The row's category path.
            num_title_words: The number of words in the row's title, if texts were learned with it.
            length_quantile: The quantile of the number of words; drawn by default.
            num_words: The number of words; by default as in texts like this one.

        Returns:
            The words in reading order.
        """
        # Drawn before the words, and only where it is needed: the stream is part of the row's bytes.
        quantile = rng.uniform() if length_quantile is None else length_quantile
        total = num_words or self.num_words.draw(_count_contexts(path, num_title_words), quantile)
        words: list[Word] = []
        for index in range(total):
            words.append(self.words.draw(_word_contexts(words, index, total, path, self.build), rng.uniform()))
        return words[::-1] if self.build == "title" else words

    def spell(self, words: Sequence[Word], rng: KeyedRng, forbidden: ForbiddenTexts) -> list[str]:
        """Return kept words as they are, and an invented word for each shape.

        Args:
            words: Words as `draw` returns them.
            rng: Chooses letters.
            forbidden: Words that the original has.

        Returns:
            The spelled words, in the same order.
        """
        return [self.new_word(word.text, rng, forbidden) if word.is_shape else word.text for word in words]

    def new_word(self, shape: str, rng: KeyedRng, forbidden: ForbiddenTexts, length: int | None = None) -> str:
        """Invent a word that the original does not have.

        Args:
            shape: The word's shape.
            rng: Chooses letters.
            forbidden: Words that the original has.
            length: Characters of the word; drawn by default.

        Returns:
            The word.
        """
        length = self.lengths.draw((shape, ()), rng.uniform()) if length is None else length
        # Descriptions need so many words that some have to recur; a new word in a title is a name of its own.
        invent = invent_rare_word if self.build == "text" else invent_word
        for attempt in range(_MAX_ATTEMPTS):
            # The shorter a word, the sooner the original has every word like it: add a letter after every fifth try.
            word = invent(shape, length + attempt // 5, rng)
            if not any(len(core) > 1 and core in forbidden for core in _identifying_cores(word)):
                break
        return word

    def join(self, words: Sequence[str]) -> str:
        """Join spelled words to a text."""
        return ("" if self.build == "path" else " ").join(words)


def _identifying_cores(word: str) -> list[str]:
    """Return a word's runs of letters and digits; numbers of up to three digits identify nothing."""
    return [core for core in WORD_CORE.findall(word) if not (core.isdecimal() and len(core) < 4)]


def _split(text: str, build: Build) -> list[Word]:
    parts = SIGNS.split(text) if build == "path" else text.split(" ")
    return [Word(part[:MAX_WORD_CHARS], False) for part in parts if part][:_MAX_WORDS]


def _common_words(texts: Sequence[Sequence[Word]], owners: Sequence[str]) -> set[Word]:
    # One context for all, and each word once per text: what counts is how many texts have it.
    observations: list[Observation[Word]] = [
        (((),), word, owner) for words, owner in zip(texts, owners, strict=True) for word in set(words)
    ]
    return {word for word in SuppressedCounts.learn(observations, _END).overall.values if word != _END}


def _count_contexts(path: CategoryPath, num_title_words: int) -> Contexts:
    return (*((partial, num_title_words) for partial in partial_paths(path)), num_title_words, ())


def _steps(words: Sequence[Word], path: CategoryPath, build: Build) -> Iterator[tuple[Contexts, Word]]:
    drawn = list(reversed(words)) if build == "title" else list(words)
    for index, word in enumerate(drawn):
        yield _word_contexts(drawn[:index], index, len(drawn), path, build), word


def _word_contexts(before: Sequence[Word], index: int, total: int, path: CategoryPath, build: Build) -> Contexts:
    """Return what the next word may depend on, the most specific first."""
    last = before[-1] if before else _END
    last_shape = last.text if last.is_shape else shape_of(last.text)
    if build == "text":
        is_last = index == total - 1
        earlier = before[-2] if index > 1 else _END
        # Four contexts with words, then two for shapes.
        words = ((earlier, last, is_last), (last, is_last), (last_shape, is_last), is_last)
        return (*words, (last_shape, is_last), is_last)
    # In a path words and signs take turns, so parity tells them apart.
    # How far it is to both ends, up to five words: a longer distance would split the counts too finely.
    step = (min(index, 5), min(total - index, 5), index % 2 if build == "path" else 0)
    partial = partial_paths(path)
    # Eight contexts with words, then three for shapes.
    fine = (*((part, step, last) for part in partial), (step, last), (partial[0], step), (partial[2], step), step)
    return (*fine, (step, last_shape), step, ())


def _shape(word: Word) -> Word:
    return word if word.is_shape else Word(shape_of(word.text), True)
