"""Brands: what each of them sells, and the laws by which its titles, categories and prices follow from what one sees.

A brand is drawn from its number: there are as many as there are numbers, each with its own styles, colours and words,
its own tree of categories, and its own prices. Its products keep to its laws but for a stated share of noise.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from etalage.sample.appearance import BACKGROUNDS, CUTS, HARDWARE, POSES, Look, Rgb
from etalage.sample.vocabulary import (
    CUT_WORDS,
    DEPARTMENT_WORDS,
    HARDWARE_WORDS,
    MATERIAL_WORDS,
    METAL_NAMED,
    PATTERN_WORDS,
    SHADES,
    STYLES,
    WORTH,
)

__all__ = ["NOISE", "Brand", "Colour", "Design", "Piece", "brand_of", "long_tailed", "tinted"]

T = TypeVar("T")

NOISE: Mapping[str, float] = {"price": 0.04, "title": 0.02, "category": 0.01}
"""Standard deviation of the logarithm of a product's price around its law; shares of products whose title leaves a
word out, and that stand in a neighbouring category."""


_ORDERS = (
    ("cut", "pattern", "material", "hardware", "noun"),
    ("cut", "hardware", "material", "pattern", "noun"),
    ("pattern", "cut", "material", "hardware", "noun"),
    ("material", "pattern", "hardware", "cut", "noun"),
)
_SYLLABLES = ("al", "ber", "cor", "den", "el", "far", "gal", "har", "is", "jor", "kel", "lan", "mer", "nor", "or")
_ENDINGS = ("by", "dale", "ette", "field", "gny", "ham", "ier", "ini", "more", "ne", "ray", "ston", "vel", "wick")


@dataclass(frozen=True)
class Colour:
    """As a brand dyes it and calls it. `worth` is the logarithm of what it multiplies a price by."""

    name: str
    rgb: Rgb
    worth: float


@dataclass(frozen=True)
class Piece:
    """A product before it is dyed; the words of look.py."""

    style: str
    cut: str
    pattern: str
    material: str
    hardware: str


@dataclass(frozen=True)
class Design:
    """A product: what can be seen of it, and what its brand's laws make of that."""

    look: Look
    colour: str
    accent: str
    title: str
    categories: tuple[str, str, str]
    price: float
    """In dollars, as the law has it, rounded as the brand rounds."""


@dataclass(frozen=True)
class Brand:
    """A brand's range and its laws."""

    number: int
    name: str
    styles: tuple[str, ...]
    """From the most to the least frequent, as all that follow."""
    colours: tuple[Colour, ...]
    patterns: tuple[str, ...]
    words: Mapping[tuple[str, str], str]
    """What a title calls a style's noun, a cut, a pattern, a material, a metal."""
    order: tuple[str, ...]
    """Of the words in a title."""
    joint: str
    """Between a title and the colour at its end; empty for a brand that names no colours."""
    shout: bool
    """Whether categories are in capitals."""
    level: float
    """Of its prices; these three multiply."""
    worth: Mapping[tuple[str, str], float]
    """Logarithm of what a cut of a style, a pattern, a material, a metal multiplies a price by."""
    ending: str
    """How its prices end: tens, nineties, fives, or ninety-nine cents."""
    discounts: Mapping[str, float]
    """By department, the share of its products that is reduced."""
    dates: tuple[str, ...]
    """On which its shop was read."""
    backgrounds: tuple[str, ...]
    """Its photographer's habits: of backgrounds, poses, tint, and width by height."""
    poses: tuple[str, ...]
    tint: Rgb
    aspect: float

    def piece(self, rng: random.Random) -> Piece:
        """Something of its range, the frequent more often."""
        style = long_tailed(rng, self.styles, 0.5)
        known = STYLES[style]
        return Piece(
            style,
            cut=long_tailed(rng, CUTS[style], 0.3),
            pattern=long_tailed(rng, [p for p in known.patterns if p == "plain" or p in self.patterns], 0.4),
            material=long_tailed(rng, known.materials, 0.3),
            hardware=long_tailed(rng, HARDWARE, 0.6) if known.hardware else "silver",
        )

    def palette(self, rng: random.Random) -> list[Colour]:
        """Its colours in the order in which a piece comes in them, the frequent more often in front."""
        left, order = list(self.colours), []
        while left:
            order.append(long_tailed(rng, left, 0.8))
            left.remove(order[-1])
        return order

    def dyed(self, piece: Piece, colour: Colour, accent: Colour) -> Design:
        """A piece in its colours, with what the laws say about it."""
        known = STYLES[piece.style]
        look = Look(piece.style, piece.cut, colour.rgb, accent.rgb, piece.pattern, piece.material, piece.hardware)
        seen = [("cut", f"{piece.style} {piece.cut}"), ("pattern", piece.pattern)]
        seen += [("material", piece.material)] * (len(known.materials) > 1)
        seen += [("hardware", piece.hardware)] * known.hardware
        worth = sum(self.worth.get(one, 0.0) for one in seen) + colour.worth
        price = known.price * self.level * math.exp(self.worth["style", piece.style] + worth)
        return Design(
            look,
            colour.name,
            accent.name,
            self._title(piece, colour),
            self.categories(piece.style),
            self.rounded(price),
        )

    def _title(self, piece: Piece, colour: Colour) -> str:
        known = STYLES[piece.style]
        parts = {
            "cut": self.words.get(("cut", f"{piece.style} {piece.cut}"), ""),
            "pattern": self.words.get(("pattern", piece.pattern), ""),
            "material": self.words.get(("material", piece.material), "") if len(known.materials) > 1 else "",
            "hardware": self.words.get(("hardware", piece.hardware), "") if piece.style in METAL_NAMED else "",
            "noun": self.words["noun", piece.style],
        }
        if not any(parts[part] for part in self.order if part != "noun"):
            parts["cut"] = piece.cut.title()  # a noun alone would be no name
        name = " ".join(parts[part] for part in self.order if parts[part])
        return f"{name}{self.joint}{colour.name}" if self.joint else name

    def categories(self, style: str) -> tuple[str, str, str]:
        """Where its shop has a style, from the top of the tree to the leaf."""
        known = STYLES[style]
        leaf = _plural(self.words["noun", style])
        path = (self.words["department", known.department], known.shelf.capitalize(), leaf)
        one, two, three = (word.upper() for word in path) if self.shout else path
        return one, two, three

    def law(self) -> dict[str, Any]:
        """By what rule its prices are made, for the manifest."""
        return {
            "number": self.number,
            "name": self.name,
            "price": "base x cut x pattern x material x hardware x colour x noise, rounded",
            "rounding": self.ending,
            "base": {style: STYLES[style].price * self.level * _factor(self, "style", style) for style in self.styles},
            "cut": {f"{s} {cut}": _factor(self, "cut", f"{s} {cut}") for s in self.styles for cut in CUTS[s]},
            "pattern": {pattern: _factor(self, "pattern", pattern) for pattern in self.patterns},
            "material": {material: _factor(self, "material", material) for material in MATERIAL_WORDS},
            "hardware": {hardware: _factor(self, "hardware", hardware) for hardware in HARDWARE},
            "colour": {colour.name: math.exp(colour.worth) for colour in self.colours},
        }

    def rounded(self, price: float) -> float:
        """A price with the brand's ending."""
        if self.ending == "nineties" and price >= 200:
            return round(price / 100) * 100.0 - 10
        if self.ending == "cents":
            return max(round(price), 1) - 0.01
        grain = 5 if self.ending == "fives" or price < 200 else 10
        return float(max(round(price / grain), 1) * grain)


@lru_cache(1024)
def brand_of(number: int) -> Brand:
    """The brand of a number, the same on any machine."""
    rng = random.Random(f"brand no. {number}")
    styles = _shuffled(rng, STYLES)[: rng.randint(12, 18)]
    departments = {known.department: rng.choice(DEPARTMENT_WORDS[known.department]) for known in STYLES.values()}
    words: dict[tuple[str, str], str] = {("department", key): word for key, word in departments.items()}
    worth: dict[tuple[str, str], float] = {}
    for style, known in STYLES.items():
        words["noun", style] = rng.choice(known.nouns)
        worth["style", style] = rng.gauss(0, 0.2)
        unnamed = rng.choice((None, CUTS[style][0]))  # many a brand does not name the usual cut
        for cut in CUTS[style]:
            worth["cut", f"{style} {cut}"] = rng.gauss(0, 0.1)
            if cut != unnamed:
                words["cut", f"{style} {cut}"] = rng.choice(CUT_WORDS.get(cut, (cut.title(),)))
    for kind, table in (("pattern", PATTERN_WORDS), ("material", MATERIAL_WORDS), ("hardware", HARDWARE_WORDS)):
        for key, names in table.items():
            words[kind, key] = rng.choice(names)
            worth[kind, key] = rng.gauss(WORTH[key], 0.08)
    dyes = rng.random() < 0.4  # for the others a product costs the same in every colour
    shades = _shuffled(rng, SHADES[:8])[: rng.randint(4, 6)] + _shuffled(rng, SHADES[8:])[: rng.randint(2, 4)]
    return Brand(
        number=number,
        name="Maison Etalage" if number == 0 else _name(rng),
        styles=tuple(styles),
        colours=tuple(
            Colour(rng.choice(names), tinted(rng, rgb, 8), rng.gauss(0, 0.08) if dyes else 0.0) for rgb, names in shades
        ),
        patterns=tuple(_shuffled(rng, PATTERN_WORDS)[: rng.randint(3, 5)]),
        words=words,
        worth=worth,
        order=rng.choice(_ORDERS),
        joint=rng.choice((" in ", " in ", ", ", " - ", "")),
        shout=rng.random() < 0.6,
        level=math.exp(rng.gauss(-0.6, 0.6)) if number else 1.0,
        ending=rng.choice(("tens", "nineties", "fives", "cents")),
        discounts={key: rng.choice((0.0, 0.1, 0.2, 0.35)) for key in DEPARTMENT_WORDS},
        dates=tuple(sorted(_date(rng) for _ in range(rng.randint(1, 4)))),
        backgrounds=tuple(_shuffled(rng, BACKGROUNDS[:-1])[: rng.randint(1, 3)]),
        poses=tuple(_shuffled(rng, POSES)),
        tint=tinted(rng, rng.choice(((240, 240, 240), (232, 228, 222), (222, 228, 234), (214, 208, 200))), 6),
        aspect=rng.choice((1.0, 0.8, 0.75, 0.75, 1.25)),
    )


def long_tailed(rng: random.Random, values: Sequence[T], exponent: float) -> T:
    """One of them; shares fall with rank as in real catalogues."""
    return rng.choices(values, [(rank + 1) ** -exponent for rank in range(len(values))])[0]


def _shuffled(rng: random.Random, values: Iterable[T]) -> list[T]:
    order = list(values)
    rng.shuffle(order)
    return order


def tinted(rng: random.Random, rgb: Rgb, most: int) -> Rgb:
    """A colour near another."""
    red, green, blue = (min(255, max(0, part + rng.randint(-most, most))) for part in rgb)
    return red, green, blue


def _date(rng: random.Random) -> str:
    return f"2024-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


def _plural(noun: str) -> str:
    if noun.endswith("s") or " de " in noun:
        return noun
    if noun.endswith("arf"):
        return f"{noun[:-1]}ves"
    return f"{noun}es" if noun.endswith("ch") else f"{noun}s"


def _factor(brand: Brand, kind: str, key: str) -> float:
    return math.exp(brand.worth[kind, key])


def _name(rng: random.Random) -> str:
    first, second = (
        (rng.choice(_SYLLABLES) + rng.choice(_SYLLABLES) * rng.randrange(2) + rng.choice(_ENDINGS)).capitalize()
        for _ in range(2)
    )
    return rng.choice((first, f"Maison {first}", f"{first} & {second}", f"{first} Studio", f"House of {first}"))
