"""A catalogue like one's own: structure and variety are learned from a prepared one, no row of it can come out again.

Whatever is learned rests on at least K products, or K different titles (`cells`); the test split is not learned from.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

from etalage.errors import EtalageError
from etalage.sample.appearance import Rgb
from etalage.sample.mimic.appearances import Looks, recoloured
from etalage.sample.mimic.families import Family, Layout
from etalage.sample.mimic.fillers import Draft, Filler, Mention
from etalage.sample.mimic.keyed_rng import Dice
from etalage.sample.mimic.learner import Learner
from etalage.sample.mimic.original import Text, read_original
from etalage.sample.rows import Picture, Row, Scalar

__all__ = ["LEAST_ROWS", "VERSION", "Mimic", "learn"]

VERSION = 1
"""Same catalogue, seed and version, same rows."""

LEAST_ROWS = 25
"""To learn from: five times K."""

_MOST_ROWS = 50_000
"""Learned from: more change nothing that can be seen."""

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Mimic:
    """Rows of a new catalogue that resembles the learned one. Implements `rows.Rows`."""

    seed: int
    roles: Mapping[str, str]
    order: tuple[str, ...]
    """The table's columns."""
    fillers: Mapping[str, Filler]
    """In the order in which they can be filled: what others follow from comes first."""
    types: Mapping[str, type]
    """What a column's texts are written as: int, float or str."""
    layout: Layout
    sharing: Mapping[str, float]
    numbers: tuple[str, ...]
    factor: tuple[tuple[float, ...], ...]
    """Makes independent normal numbers as correlated as the columns `numbers`."""
    kinship: tuple[float, ...]
    """How much of each number's variance within a category is between families."""
    looks: Looks
    shown: int
    """Level of the category tree that pictures are to tell apart."""
    placeholder_share: float
    price: str
    """The number that looks go with; none if there is none."""
    facts: Mapping[str, Any]

    @property
    def columns(self) -> Mapping[str, str]:
        return self.roles

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        draft = self._draft(number)
        for name, filler in self.fillers.items():
            draft.texts[name] = filler.fill(draft)
        if code is not None and "product_code" in self.roles:
            self._give_code(draft, self._draft(code))
        record = {name: self._typed(name, draft.texts[name]) for name in self.order}
        return Row(record, *self._picture(draft, recolour))

    def manifest(self) -> dict[str, Any]:
        return {"kind": "mimic", "version": VERSION, "seed": self.seed, **self.facts}

    def _draft(self, number: int) -> Draft:
        family = self.layout.family(number)
        return Draft(self.seed, number, family, self.sharing, self._residuals(number, family))

    def _give_code(self, draft: Draft, other: Draft) -> None:
        """Another row's code, in whatever mentions it too."""
        name, title = self.roles["product_code"], self.roles["title"]
        other.texts[title] = self.fillers[title].fill(other)
        draft.texts[name] = self.fillers[name].fill(other)
        for mentioning, filler in self.fillers.items():
            if isinstance(filler, Mention) and filler.code == name:
                draft.texts[mentioning] = filler.fill(draft)

    def _residuals(self, number: int, family: Family) -> dict[str, float]:
        shared = self._correlated(Dice(self.seed, "numbers of family", family.number))
        if family.member == 0:
            return dict(zip(self.numbers, shared, strict=True))
        own = self._correlated(Dice(self.seed, "numbers of row", number))
        dice = Dice(self.seed, "equal numbers", number)
        return {
            name: one if dice.uniform() < self.sharing[name] else math.sqrt(kin) * one + math.sqrt(1 - kin) * other
            for name, one, other, kin in zip(self.numbers, shared, own, self.kinship, strict=True)
        }

    def _correlated(self, dice: Dice) -> list[float]:
        independent = [dice.normal() for _ in self.numbers]
        return [sum(a * b for a, b in zip(row, independent, strict=True)) for row in self.factor]

    def _typed(self, name: str, text: Text) -> Scalar:
        return None if text is None or name == self.roles.get("image") else self.types[name](text)

    def _picture(self, draft: Draft, recolour: int) -> tuple[Picture, dict[str, Scalar]]:
        from etalage.sample.draw import SUFFIXES, draw

        stands_in = recolour == 0 and Dice(self.seed, "placeholder", draft.number).uniform() < self.placeholder_share
        category = draft.place[self.shown]
        worth = _NORMAL.cdf(draft.residuals[self.price]) if self.price else 0.5
        title = " ".join(draft.words)
        seen = draft.dice(self.roles["image"])  # that of the family, if the row shows the family's picture
        product = Dice(self.seed, "looks", draft.family.number)
        if stands_in:
            category, worth, title, seen, product = "", 0.5, "", *(Dice(self.seed, "placeholder") for _ in "12")
        look = self.looks.look(category, title, worth, product, seen)
        scene = self.looks.scene(() if stands_in else draft.place, seen)
        if recolour:
            look = recoloured(look, recolour)
        attributes: dict[str, Scalar] = {
            "row": draft.number,
            "family": draft.family.number,
            "worth": round(worth, 4),
            "placeholder": stands_in,
        }
        described = {name: value for name, value in vars(look).items() if isinstance(value, str)}
        attributes |= {**described, "colour": _hex(look.colour), "accent": _hex(look.accent)}
        return Picture(draw(look, scene), SUFFIXES[scene.format]), attributes


def _hex(colour: Rgb) -> str:
    return "#" + bytes(colour).hex()


def learn(catalogue_folder: Path, *, seed: int, rows: int) -> Mimic:
    """Learn from the train and validation splits of a prepared catalogue.

    Of the test split, as of all rows, hashes of titles and codes are looked at, so that none is made again.

    Args:
        seed: Of everything that is drawn.
        rows: That are to be made; shares of categories come out exact for so many.
    Raises:
        EtalageError: no prepared catalogue, one without table.parquet, or one with too few rows to learn from.
    """
    everything = read_original(catalogue_folder)
    known = everything.of(("train", "validation"))
    if len(known) < LEAST_ROWS:
        raise EtalageError(
            f"{catalogue_folder} has {len(known)} products to learn from (train and validation), fewer than "
            f"{LEAST_ROWS}: what so few have in common would give single ones away; prepare a larger catalogue"
        )
    learner = Learner(everything, known.some(_MOST_ROWS, seed), seed, rows)
    fillers = learner.fillers()
    image = known.roles["image"]
    return Mimic(
        seed=seed,
        roles={role: name for role, name in known.roles.items() if name in fillers},
        order=tuple(known.texts),
        fillers=fillers,
        types={name: learner.type_of(name) for name in known.texts if name != image},
        layout=learner.layout,
        sharing=learner.sharing(),
        numbers=learner.numbers,
        factor=learner.factor(),
        kinship=learner.kinship(),
        looks=learner.looks(),
        shown=learner.tree.shown,
        placeholder_share=learner.placeholder_share,
        price=learner.price,
        facts=learner.facts(fillers),
    )
