"""Fillers of titles, and of texts that may mention the row's title and code: links, paths, descriptions."""

import re
from dataclasses import dataclass
from typing import Literal

from etalage.sample.mimic.effects import Effects
from etalage.sample.mimic.fillers.draft import Draft
from etalage.sample.mimic.forbidden import ForbiddenTexts
from etalage.sample.mimic.keyed_rng import KeyedRng
from etalage.sample.mimic.original import Text
from etalage.sample.mimic.phrases import Phrases
from etalage.sample.mimic.words import shape_of

__all__ = ["CODE_MARK", "HOST", "TITLE_MARK", "WORD_MARKS", "Case", "FreeText", "Slug", "Title"]

# The top-level domain .example is reserved: a made-up link must not lead to anybody's shop.
HOST = "https://sample.example"
TITLE_MARK, CODE_MARK, WORD_MARKS = "\ue000", "\ue001", tuple(map(chr, range(0xE010, 0xE020)))
"""Private-use characters that stand for title, code and single words of the title where a text mentions them."""

Case = Literal["lower", "upper", "unchanged"]
"""How the letters of a title are written."""

_NUM_REPLACEMENTS = 3
"""Invented words for each word of a title that has to change."""


@dataclass(frozen=True)
class Title:
    """A title that the original does not have; its words also shift the row's numbers."""

    name: str
    phrases: Phrases
    titles: ForbiddenTexts
    words: ForbiddenTexts
    effects: Effects

    def fill(self, draft: Draft) -> Text:
        """Return a new title, and adjust the row's residuals to it."""
        rng = draft.rng(self.name)
        # Quantiles of families are evenly spread, so lengths of titles come out with their exact shares.
        quantile = draft.family.quantile if draft.shares_family_value(self.name) else None
        drawn = self.phrases.draw(rng, draft.path, length_quantile=quantile)
        draft.title_words = self.phrases.spell(drawn, rng, self.words)
        # Numbers are filled after the title (see `ColumnLearner.fillers`) and find the residuals adjusted to its words.
        draft.residuals = self.effects.adjust(draft.residuals, draft.title_words, draft.path)
        words = list(draft.title_words)
        while (title := self.phrases.join(words)) in self.titles:
            # The last word, the product's name, is replaced only if there is no other.
            index = rng.randbelow(max(1, len(words) - 1))
            words[index] = self._replacement(draft.title_words[index], draft.seed, rng.randbelow(_NUM_REPLACEMENTS))
        return title

    def _replacement(self, word: str, seed: int, number: int) -> str:
        """Invent a word that replaces this one, the same in all titles."""
        shape = shape_of(word)
        # A word of signs alone has no letter that could be changed.
        shape = shape if any(mark in "Aa9" for mark in shape) else "Aa"
        return self.phrases.new_word(shape, KeyedRng(seed, "name for", word, number), self.words, max(3, len(word)))


@dataclass(frozen=True)
class Slug:
    """The way in which links and codes write a title."""

    title: str
    """The title's column."""
    separator: str
    case: Case

    def of(self, draft: Draft) -> str:
        """Return a row's title as links write it."""
        return self.write(draft.texts[self.title] or "")

    def write(self, title: str) -> str:
        """Return a title as links write it."""
        return self.separator.join(self.words(title))

    def words(self, title: str) -> list[str]:
        """Return the words of a title, each a run of ASCII letters and digits, in this slug's case."""
        text = title.lower() if self.case == "lower" else title.upper() if self.case == "upper" else title
        return re.findall(r"[A-Za-z0-9]+", text)


@dataclass(frozen=True)
class FreeText:
    """A text that may mention the row's title and code: a link, a path, a description."""

    name: str
    phrases: Phrases
    words: ForbiddenTexts
    is_link: bool
    slug: Slug
    """How texts write the title, or words of it."""
    code: str | None
    """The code's column, if texts mention the code."""
    length: str | None
    """The name of the row's number that holds the number of words of a long text."""

    def fill(self, draft: Draft) -> Text:
        """Return a new text with the row's own title and code."""
        rng = draft.rng(self.name)
        title = self.slug.words(draft.texts[self.slug.title] or "")
        if self.length is not None:
            drawn = self.phrases.draw(rng, draft.path, num_words=max(1, round(draft.amounts[self.length])))
        else:
            drawn = self.phrases.draw(rng, draft.path, num_title_words=len(title))
        text = self.phrases.join(self.phrases.spell(drawn, rng, self.words))
        text = text.replace(TITLE_MARK, self.slug.separator.join(title))
        # A shorter title than the text was learned with repeats its last word.
        for mark, word in zip(WORD_MARKS, title + title[-1:] * len(WORD_MARKS), strict=False):
            text = text.replace(mark, word)
        if self.code is not None:
            text = text.replace(CODE_MARK, draft.texts[self.code] or "")
        return HOST + text if self.is_link else text
