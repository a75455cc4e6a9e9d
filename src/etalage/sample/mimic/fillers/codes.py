"""The filler of product codes."""

from dataclasses import dataclass
from typing import ClassVar

from etalage.sample.mimic.category_path import path_contexts
from etalage.sample.mimic.fillers.draft import Draft
from etalage.sample.mimic.fillers.texts import TITLE_MARK, Slug
from etalage.sample.mimic.forbidden import ForbiddenTexts
from etalage.sample.mimic.keyed_rng import KeyedRng
from etalage.sample.mimic.original import Text
from etalage.sample.mimic.phrases import Phrases
from etalage.sample.mimic.suppressed_counts import SuppressedCounts

__all__ = ["Code"]

_LETTERS = "abcdefghiklmnoprstuv"
"""Two for each digit."""


@dataclass(frozen=True)
class Code:
    """Codes that are built like the original's; no two rows have the same one, and the original has none of them.

    The row's number stands in the last characters, well mixed: digits as digits, or each as one of two letters.
    """

    name: str
    prefixes: SuppressedCounts[str]
    tails: Phrases
    codes: ForbiddenTexts
    num_characters: int
    """Characters that hold the row's number: enough for NUM_TRIES codes for each row."""
    slug: Slug | None
    """How codes write the title, if they do."""

    NUM_TRIES: ClassVar[int] = 8

    def fill(self, draft: Draft) -> Text:
        """Return a code that neither the original nor another row has."""
        rng = KeyedRng(draft.seed, "code", self.name, draft.row)
        prefix = self.prefixes.draw(path_contexts(draft.path), rng.uniform())
        tail = "".join(self.tails.spell(self.tails.draw(rng, draft.path), rng, self.codes))
        if self.slug is not None:
            tail = tail.replace(TITLE_MARK, self.slug.of(draft))
        # Where the original's codes are too short for the rows to make, longer ones are made.
        while sum(c.isalnum() for c in tail) < self.num_characters:
            tail += "0" if tail[-1:].isdecimal() else "A" if tail[-1:].isupper() else "a" if tail else "0"
        # Each row owns NUM_TRIES numbers: whichever of them it takes, no other row can have it.
        for attempt in range(self.NUM_TRIES):
            code = prefix + self._with_number(tail, draft.row * self.NUM_TRIES + attempt, rng)
            if code not in self.codes:
                return code
        while code in self.codes:  # where the original has nearly all codes of a length
            code = prefix + str(1 + rng.randbelow(9)) + code.removeprefix(prefix)
        return code

    def _with_number(self, tail: str, number: int, rng: KeyedRng) -> str:
        """Write a number into the last letters and digits of a code."""
        size = 10**self.num_characters
        left = number * (size // 10 * 3 + 7) % size  # coprime to 10, so that no two numbers become one
        characters = list(tail)
        places = [place for place, c in enumerate(characters) if c.isalnum()][::-1]
        for place in places[: self.num_characters]:
            left, digit = divmod(left, 10)
            if characters[place].isdecimal():
                characters[place] = str(digit)
            else:
                letter = _LETTERS[2 * digit + rng.randbelow(2)]
                characters[place] = letter.upper() if characters[place].isupper() else letter
        return "".join(characters)
