"""What fills the columns of a new row: one small law per column, learned elsewhere (`mimic`), drawn from here.

Each filler reads what the row has so far (`Draft`) and gives the column's text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from etalage.sample.mimic.families import Family
from etalage.sample.mimic.keyed_rng import Dice
from etalage.sample.mimic.marginals import Grain, Marginal, Mixture
from etalage.sample.mimic.phrases import Guard, Phrases, shape_of
from etalage.sample.mimic.suppressed_counts import Cells, Contexts, views
from etalage.sample.mimic.writing import DateStyle, NumberStyle

__all__ = [
    "CODE_MARK",
    "HOST",
    "TITLE_MARK",
    "WORD_MARKS",
    "Branch",
    "Choice",
    "Clue",
    "Code",
    "Computed",
    "Constant",
    "Decided",
    "Draft",
    "Effects",
    "Filler",
    "Flag",
    "Gappy",
    "Lowered",
    "Mention",
    "Number",
    "Place",
    "Slug",
    "Title",
    "clues",
    "contexts",
    "nearest",
]

HOST = "https://sample.example"
TITLE_MARK, CODE_MARK, WORD_MARKS = "\ue000", "\ue001", tuple(map(chr, range(0xE010, 0xE020)))
"""Private-use characters that stand for title, code and single words of the title where a text holds them."""

Place = tuple[str, ...]
Text = str | None
Clue = str | int | tuple[int, str]


@dataclass
class Draft:
    """A row in the making."""

    seed: int
    number: int
    family: Family
    sharing: Mapping[str, float]
    """By column, how probably a row has its family's value."""
    residuals: dict[str, float]
    """By numeric column, how far the row is off its category, in standard deviations."""
    words: list[str] = field(default_factory=list)
    """Of the title, as they were before it was changed to be a new one."""
    texts: dict[str, Text] = field(default_factory=dict)
    amounts: dict[str, float] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return self.family.path

    def has_familys(self, name: str) -> bool:
        """Whether the row has its family's value of a column; as often as in the original."""
        share = self.sharing.get(name, 0.0)
        return self.family.member == 0 or Dice(self.seed, "shares", name, self.number).uniform() < share

    def dice(self, name: str) -> Dice:
        """A column's, the family's or the row's own."""
        if self.has_familys(name):
            return Dice(self.seed, "family", name, self.family.number)
        return Dice(self.seed, "row", name, self.number)

    def write(self, name: str, style: NumberStyle | DateStyle, amount: float) -> Text:
        """A column's amount as text; what others follow from is what is written."""
        text = style.write(amount)
        self.amounts[name] = style.read(text) or 0.0
        return text


class Filler(Protocol):
    """The law of a column."""

    def fill(self, draft: Draft) -> Text: ...


@dataclass(frozen=True)
class Constant:
    text: Text

    def fill(self, draft: Draft) -> Text:
        return self.text


@dataclass(frozen=True)
class Branch:
    """A level of the category tree."""

    level: int

    def fill(self, draft: Draft) -> Text:
        return draft.place[self.level] or None


@dataclass(frozen=True)
class Choice:
    """One of a few texts, as frequent as in the category."""

    name: str
    texts: Cells[str]

    def fill(self, draft: Draft) -> Text:
        return self.texts.draw(contexts(draft.place), draft.dice(self.name).uniform()) or None


@dataclass(frozen=True)
class Decided:
    """A text that another column's text decides."""

    source: str
    texts: Mapping[str, str]

    def fill(self, draft: Draft) -> Text:
        return self.texts.get(draft.texts[self.source] or "") or None


@dataclass(frozen=True)
class Flag:
    """One of two texts, by whether a price is reduced."""

    price: str
    source: str
    reduced: str
    whole: str

    def fill(self, draft: Draft) -> Text:
        lowered = draft.amounts[self.price] != draft.amounts[self.source]
        return (self.reduced if lowered else self.whole) or None


@dataclass(frozen=True)
class Number:
    """A number or a date: how far the row is off its category decides where in the category's marginal it stands."""

    name: str
    style: NumberStyle | DateStyle
    marginals: Mapping[Place, tuple[Marginal, Mixture]]
    """By the beginnings of a category's place; the longest one that is there counts."""
    grain: Grain

    def fill(self, draft: Draft) -> Text:
        marginal, mixture = self.marginals[nearest(draft.place, self.marginals)]
        value, is_kept = marginal.at(mixture.share(draft.place, draft.residuals[self.name]))
        if not is_kept:
            value = self.grain.round(value, draft.dice(f"grain of {self.name}").uniform())
        return draft.write(self.name, self.style, value)


@dataclass(frozen=True)
class Computed:
    """Another column's amount times a factor."""

    name: str
    source: str
    factor: float
    style: NumberStyle

    def fill(self, draft: Draft) -> Text:
        return draft.write(self.name, self.style, draft.amounts[self.source] * self.factor)


@dataclass(frozen=True)
class Lowered:
    """Another column's amount, or a part of it: a price and what it is reduced to."""

    name: str
    source: str
    is_reduced: Cells[bool]
    factors: Marginal | None
    """Of reduced rows; None where too few are."""
    grain: Grain
    style: NumberStyle
    downwards: bool

    def fill(self, draft: Draft) -> Text:
        whole, dice = draft.amounts[self.source], draft.dice(self.name)
        amount = whole
        if self.is_reduced.draw(contexts(draft.place), dice.uniform()) and self.factors is not None:
            factor, is_kept = self.factors.at(dice.uniform())
            amount = whole * factor if is_kept else self.grain.round(whole * factor, dice.uniform())
        return draft.write(self.name, self.style, min(amount, whole) if self.downwards else max(amount, whole))


@dataclass(frozen=True)
class Title:
    """A title that the original does not have; and what its words say about the row's numbers."""

    name: str
    phrases: Phrases
    titles: Guard
    words: Guard
    effects: "Effects"

    def fill(self, draft: Draft) -> Text:
        dice = draft.dice(self.name)
        share = draft.family.share if draft.has_familys(self.name) else None
        draft.words = self.phrases.spell(self.phrases.draw(dice, draft.place, length_share=share), dice, self.words)
        self.effects.apply(draft)
        words = list(draft.words)
        while (title := self.phrases.join(words)) in self.titles:
            place = dice.below(max(1, len(words) - 1))  # the last word, the thing's name, only if there is no other
            words[place] = self._other_name(draft.words[place], draft.seed, dice.below(_NUM_NAMES))
        return title

    def _other_name(self, word: str, seed: int, number: int) -> str:
        """An invented word that stands for this one, the same in all titles."""
        shape = shape_of(word)
        shape = shape if any(mark in "Aa9" for mark in shape) else "Aa"
        return self.phrases.new_word(shape, Dice(seed, "name for", word, number), self.words, max(3, len(word)))


_NUM_NAMES = 3
"""Invented for a word, where titles that hold it have to be new."""


@dataclass(frozen=True)
class Effects:
    """What a title's words, their number, and names in the category tree say about the numbers of a row.

    In standard deviations within a category, beyond what the whole of the category says.
    """

    numbers: tuple[str, ...]
    shifts: Mapping[Clue, tuple[float, ...]]
    """By clue, of each number."""
    rest: tuple[float, ...]
    """The standard deviation of what they do not tell."""
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    """Of all that titles to be made say, and the rest, together: taken out, for the marginals to stay as they are."""

    def told(self, words: Sequence[str], place: Place) -> list[float]:
        found = [self.shifts[clue] for clue in clues(words, place) if clue in self.shifts]
        return [sum(shifts) for shifts in zip(*found, strict=True)] if found else [0.0] * len(self.numbers)

    def apply(self, draft: Draft) -> None:
        told = self.told(draft.words, draft.place)
        for name, shift, rest, mean, deviation in zip(
            self.numbers, told, self.rest, self.mean, self.deviation, strict=True
        ):
            draft.residuals[name] = (shift - mean + rest * draft.residuals[name]) / deviation


def clues(words: Sequence[str], place: Place) -> list[Clue]:
    """Each word once, their number, and each level of the place with its name."""
    return [*dict.fromkeys(words), len(words), *enumerate(place)]


@dataclass(frozen=True)
class Code:
    """Codes of the original's build; no two rows have the same one, and the original has none of them.

    The row's number stands in the last characters, well mixed: digits as digits, or each as one of two letters.
    """

    name: str
    prefixes: Cells[str]
    tails: Phrases
    codes: Guard
    num_characters: int
    """That the number takes: enough for NUM_TRIES codes a row."""
    slug: "Slug | None"
    """How codes hold the title, if they do."""

    NUM_TRIES: ClassVar[int] = 8

    def fill(self, draft: Draft) -> Text:
        dice = Dice(draft.seed, "code", self.name, draft.number)
        prefix = self.prefixes.draw(contexts(draft.place), dice.uniform())
        tail = "".join(self.tails.spell(self.tails.draw(dice, draft.place), dice, self.codes))
        if self.slug is not None:
            tail = tail.replace(TITLE_MARK, self.slug.of(draft))
        while sum(c.isalnum() for c in tail) < self.num_characters:
            tail += "0" if tail[-1:].isdecimal() else "A" if tail[-1:].isupper() else "a" if tail else "0"
        for attempt in range(self.NUM_TRIES):
            code = prefix + self._numbered(tail, draft.number * self.NUM_TRIES + attempt, dice)
            if code not in self.codes:
                return code
        while code in self.codes:  # where nearly all codes of a length are taken
            code = prefix + str(1 + dice.below(9)) + code.removeprefix(prefix)
        return code

    def _numbered(self, tail: str, number: int, dice: Dice) -> str:
        size = 10**self.num_characters
        left = number * (size // 10 * 3 + 7) % size  # coprime to 10, so that no two numbers become one
        characters = list(tail)
        places = [place for place, c in enumerate(characters) if c.isalnum()][::-1]
        for place in places[: self.num_characters]:
            left, digit = divmod(left, 10)
            if characters[place].isdecimal():
                characters[place] = str(digit)
            else:
                letter = _LETTERS[2 * digit + dice.below(2)]
                characters[place] = letter.upper() if characters[place].isupper() else letter
        return "".join(characters)


_LETTERS = "abcdefghiklmnoprstuv"


@dataclass(frozen=True)
class Slug:
    """A title as links and codes write it."""

    title: str
    """Its column."""
    between: str
    case: Literal["lower", "upper", "as it is"]

    def of(self, draft: Draft) -> str:
        return self.write(draft.texts[self.title] or "")

    def write(self, title: str) -> str:
        return self.between.join(self.words(title))

    def words(self, title: str) -> list[str]:
        text = title.lower() if self.case == "lower" else title.upper() if self.case == "upper" else title
        return re.findall(r"[A-Za-z0-9]+", text)


@dataclass(frozen=True)
class Mention:
    """A text that may hold the row's title and code: a link, a path, a description."""

    name: str
    phrases: Phrases
    words: Guard
    is_link: bool
    slug: Slug
    """How texts hold the title, or words of it."""
    code: str | None
    """Column of the code, if texts hold it."""
    length: str | None
    """The number among the row's that says how many words a long text has."""

    def fill(self, draft: Draft) -> Text:
        dice = draft.dice(self.name)
        title = self.slug.words(draft.texts[self.slug.title] or "")
        if self.length is not None:
            drawn = self.phrases.draw(dice, draft.place, num_words=max(1, round(draft.amounts[self.length])))
        else:
            drawn = self.phrases.draw(dice, draft.place, hint=len(title))
        text = self.phrases.join(self.phrases.spell(drawn, dice, self.words))
        text = text.replace(TITLE_MARK, self.slug.between.join(title))
        for mark, word in zip(WORD_MARKS, title + title[-1:] * len(WORD_MARKS), strict=False):
            text = text.replace(mark, word)
        if self.code is not None:
            text = text.replace(CODE_MARK, draft.texts[self.code] or "")
        return HOST + text if self.is_link else text


@dataclass(frozen=True)
class Gappy:
    """A filler whose column has gaps; columns with the same gaps lose their text together."""

    filler: Filler
    gap: str
    """Names the gap."""
    is_missing: Cells[bool]

    def fill(self, draft: Draft) -> Text:
        text = self.filler.fill(draft)
        return None if self.is_missing.draw(contexts(draft.place), draft.dice(self.gap).uniform()) else text


def contexts(place: Place) -> Contexts:
    """Where frequencies are looked up, the narrowest first."""
    return (*views(place), ())


def nearest(place: Place, known: Mapping[Place, object]) -> Place:
    """The longest beginning of a place that is known; the empty one always is."""
    return next(place[:end] for end in range(len(place), -1, -1) if place[:end] in known)
