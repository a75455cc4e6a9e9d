"""Brands: what each of them sells, and the laws by which its titles, categories and prices follow from the appearance.

A brand follows from its number alone, so there are as many brands as numbers. Each has its own styles, colours and
words, its own category tree and its own prices. Its products follow its laws except for the noise that NOISE states.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from etalage.sample.appearance import BACKGROUNDS, CUTS, HARDWARE, POSES, Appearance, Rgb
from etalage.sample.colour import jitter
from etalage.sample.vocabulary import (
    CUT_WORDS,
    DEPARTMENT_WORDS,
    HARDWARE_WORDS,
    LOG_FACTORS,
    MATERIAL_WORDS,
    PATTERN_WORDS,
    SHADES,
    STYLES,
    STYLES_NAMING_METAL,
)

__all__ = ["NOISE", "Brand", "Colour", "Design", "Piece", "choose_long_tailed", "make_brand"]

T = TypeVar("T")

NOISE: Mapping[str, float] = {"price": 0.04, "title": 0.02, "category": 0.01}
"""Noise around the laws. price: standard deviation of the logarithm of a product's price; title: share of products
whose title leaves out a word; category: share of products that are listed in a neighbouring category."""

_WORD_ORDERS = (
    ("cut", "pattern", "material", "hardware", "noun"),
    ("cut", "hardware", "material", "pattern", "noun"),
    ("pattern", "cut", "material", "hardware", "noun"),
    ("material", "pattern", "hardware", "cut", "noun"),
)
_SYLLABLES = ("al", "ber", "cor", "den", "el", "far", "gal", "har", "is", "jor", "kel", "lan", "mer", "nor", "or")
_NAME_ENDINGS = ("by", "dale", "ette", "field", "gny", "ham", "ier", "ini", "more", "ne", "ray", "ston", "vel", "wick")


@dataclass(frozen=True)
class Colour:
    """A colour in a brand's range."""

    name: str
    """The brand's name for it, as titles have it."""
    rgb: Rgb
    log_factor: float
    """Logarithm of the factor by which it multiplies a price."""


@dataclass(frozen=True)
class Piece:
    """A product before its colours are chosen; the values are those of `Appearance`."""

    style: str
    cut: str
    pattern: str
    material: str
    hardware: str


@dataclass(frozen=True)
class Design:
    """A product: its appearance, and what its brand's laws make of it."""

    appearance: Appearance
    colour: str
    """The brand's name of the main colour."""
    accent: str
    """The brand's name of the accent colour."""
    title: str
    categories: tuple[str, str, str]
    """Path in the category tree, from the top to the leaf."""
    price: float
    """Price in dollars without noise, with the brand's price ending."""


@dataclass(frozen=True)
class Brand:
    """A brand's range and its laws."""

    number: int
    name: str
    styles: tuple[str, ...]
    """Keys of STYLES, from the most to the least frequent, like all sequences below."""
    colours: tuple[Colour, ...]
    patterns: tuple[str, ...]
    words: Mapping[tuple[str, str], str]
    """The brand's word for a noun, cut, pattern, material, hardware or department: (kind, name) to word."""
    word_order: tuple[str, ...]
    """Order of the kinds of words in a title."""
    colour_separator: str
    """Text between a title and the colour at its end; empty for a brand that names no colours."""
    uppercase_categories: bool
    price_level: float
    """Factor on all of its prices."""
    log_factors: Mapping[tuple[str, str], float]
    """Logarithms of the factors on a price of a style, cut, pattern, material or hardware, by (kind, name)."""
    price_ending: str
    """How its prices are rounded: tens, nineties, fives or cents."""
    discount_shares: Mapping[str, float]
    """Share of products with a reduced price, by department."""
    dates: tuple[str, ...]
    """Dates on which its shop was read."""
    backgrounds: tuple[str, ...]
    """Backgrounds that its photographer uses."""
    poses: tuple[str, ...]
    tint: Rgb
    """Colour of its backgrounds."""
    aspect: float
    """Width of its pictures by their height."""

    def choose_piece(self, rng: random.Random) -> Piece:
        """Choose a piece from the range, frequent ones more often."""
        # Pieces are drawn in this order; another one would give other products for the same seed.
        name = choose_long_tailed(rng, self.styles, 0.5)
        style = STYLES[name]
        return Piece(
            name,
            cut=choose_long_tailed(rng, CUTS[name], 0.3),
            # Every brand sells plain pieces, so the choice is never empty.
            pattern=choose_long_tailed(rng, [p for p in style.patterns if p == "plain" or p in self.patterns], 0.4),
            material=choose_long_tailed(rng, style.materials, 0.3),
            hardware=choose_long_tailed(rng, HARDWARE, 0.6) if style.hardware else "silver",
        )

    def choose_palette(self, rng: random.Random) -> list[Colour]:
        """Return all colours in the order in which a piece comes in them, frequent ones earlier more often."""
        # Drawn without replacement, so that no two rows of a family have the same colour.
        left, palette = list(self.colours), []
        while left:
            palette.append(choose_long_tailed(rng, left, 0.8))
            left.remove(palette[-1])
        return palette

    def design(self, piece: Piece, colour: Colour, accent: Colour) -> Design:
        """Apply the brand's laws to a piece in its colours.

        Args:
            piece: The piece.
            colour: Its main colour.
            accent: The second colour of its pattern.

        Returns:
            The product with its title, categories and price.
        """
        style = STYLES[piece.style]
        visible = [("cut", f"{piece.style} {piece.cut}"), ("pattern", piece.pattern)]
        # Only what can be seen may move the price, or no model could learn it from pictures.
        if len(style.materials) > 1:
            visible.append(("material", piece.material))
        if style.hardware:
            visible.append(("hardware", piece.hardware))
        # Plain has no word and therefore no factor, hence the default.
        log_factor = sum(self.log_factors.get(key, 0.0) for key in visible) + colour.log_factor
        price = style.base_price_usd * self.price_level * math.exp(self.log_factors["style", piece.style] + log_factor)
        return Design(
            Appearance(piece.style, piece.cut, colour.rgb, accent.rgb, piece.pattern, piece.material, piece.hardware),
            colour.name,
            accent.name,
            self._title(piece, colour),
            self.categories(piece.style),
            self.round_price(price),
        )

    def _title(self, piece: Piece, colour: Colour) -> str:
        words = {
            "cut": self.words.get(("cut", f"{piece.style} {piece.cut}"), ""),
            "pattern": self.words.get(("pattern", piece.pattern), ""),
            # A material that all products of a style have would tell nothing apart.
            "material": self.words.get(("material", piece.material), "")
            if len(STYLES[piece.style].materials) > 1
            else "",
            "hardware": self.words.get(("hardware", piece.hardware), "") if piece.style in STYLES_NAMING_METAL else "",
            "noun": self.words["noun", piece.style],
        }
        if not any(words[kind] for kind in self.word_order if kind != "noun"):
            words["cut"] = piece.cut.title()  # a noun alone would be the title of many different products
        # The colour comes last, where `catalogue.title_family` finds it: variants share the rest of the
        # title.
        name = " ".join(words[kind] for kind in self.word_order if words[kind])
        return f"{name}{self.colour_separator}{colour.name}" if self.colour_separator else name

    def categories(self, style: str) -> tuple[str, str, str]:
        """Return a style's path in the shop's category tree, from the top to the leaf."""
        leaf = _plural(self.words["noun", style])
        path = (self.words["department", STYLES[style].department], STYLES[style].section.capitalize(), leaf)
        first, second, third = (word.upper() for word in path) if self.uppercase_categories else path
        return first, second, third

    def price_law(self) -> dict[str, Any]:
        """Return the factors that make up the brand's prices, for the manifest."""
        return {
            "number": self.number,
            "name": self.name,
            "price": "base x cut x pattern x material x hardware x colour x noise, rounded",
            "rounding": self.price_ending,
            "base": {
                style: STYLES[style].base_price_usd * self.price_level * self._factor("style", style)
                for style in self.styles
            },
            "cut": {f"{s} {cut}": self._factor("cut", f"{s} {cut}") for s in self.styles for cut in CUTS[s]},
            "pattern": {pattern: self._factor("pattern", pattern) for pattern in self.patterns},
            "material": {material: self._factor("material", material) for material in MATERIAL_WORDS},
            "hardware": {hardware: self._factor("hardware", hardware) for hardware in HARDWARE},
            "colour": {colour.name: math.exp(colour.log_factor) for colour in self.colours},
        }

    def _factor(self, kind: str, name: str) -> float:
        return math.exp(self.log_factors[kind, name])

    def round_price(self, price: float) -> float:
        """Round a price in dollars to the brand's price ending."""
        # Below 200 a step of 100 would be coarser than the differences between products.
        if self.price_ending == "nineties" and price >= 200:
            return round(price / 100) * 100.0 - 10
        # Never 0, here and below: errors are measured on the logarithm of a price.
        if self.price_ending == "cents":
            return max(round(price), 1) - 0.01
        step = 5 if self.price_ending == "fives" or price < 200 else 10
        return float(max(round(price / step), 1) * step)


# The pre-training's tokenizer asks for 400 brands in turn: a smaller cache would drop each before its next use.
@lru_cache(1024)
def make_brand(number: int) -> Brand:
    """Make the brand with a number, the same one on any machine."""
    # The order of these calls decides every brand: a change of it must raise `drawn.VERSION`.
    # A text seeds through SHA-512; `hash` would differ between processes.
    rng = random.Random(f"brand no. {number}")
    styles = _shuffled(rng, STYLES)[: rng.randint(12, 18)]
    words, log_factors = _choose_words(rng)
    has_colour_factors = rng.random() < 0.4  # for the other brands a product costs the same in every colour
    # The first eight shades are the common ones.
    shades = _shuffled(rng, SHADES[:8])[: rng.randint(4, 6)] + _shuffled(rng, SHADES[8:])[: rng.randint(2, 4)]
    return Brand(
        number=number,
        # Brand 0 is the default: it has a fixed name and the price level 1, and skips the draws for both.
        name="Maison Etalage" if number == 0 else _brand_name(rng),
        styles=tuple(styles),
        colours=tuple(
            Colour(rng.choice(names), jitter(rng, rgb, 8), rng.gauss(0, 0.08) if has_colour_factors else 0.0)
            for rgb, names in shades
        ),
        patterns=tuple(_shuffled(rng, PATTERN_WORDS)[: rng.randint(3, 5)]),
        words=words,
        log_factors=log_factors,
        word_order=rng.choice(_WORD_ORDERS),
        # Values that are repeated are drawn more often.
        colour_separator=rng.choice((" in ", " in ", ", ", " - ", "")),
        uppercase_categories=rng.random() < 0.6,
        price_level=math.exp(rng.gauss(-0.6, 0.6)) if number else 1.0,
        price_ending=rng.choice(("tens", "nineties", "fives", "cents")),
        discount_shares={key: rng.choice((0.0, 0.1, 0.2, 0.35)) for key in DEPARTMENT_WORDS},
        dates=tuple(sorted(_date(rng) for _ in range(rng.randint(1, 4)))),
        # Without the last, transparent, which needs a file with alpha: the picture's mode decides about that one.
        backgrounds=tuple(_shuffled(rng, BACKGROUNDS[:-1])[: rng.randint(1, 3)]),
        poses=tuple(_shuffled(rng, POSES)),
        tint=jitter(rng, rng.choice(((240, 240, 240), (232, 228, 222), (222, 228, 234), (214, 208, 200))), 6),
        aspect=rng.choice((1.0, 0.8, 0.75, 0.75, 1.25)),
    )


def _choose_words(rng: random.Random) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], float]]:
    """Choose a brand's words and the logarithms of its price factors, both by (kind, name)."""
    # One draw per style, of which the last in a department counts: fewer draws would change all that follow.
    departments = {style.department: rng.choice(DEPARTMENT_WORDS[style.department]) for style in STYLES.values()}
    words: dict[tuple[str, str], str] = {("department", name): word for name, word in departments.items()}
    log_factors: dict[tuple[str, str], float] = {}
    for name, style in STYLES.items():
        words["noun", name] = rng.choice(style.nouns)
        log_factors["style", name] = rng.gauss(0, 0.2)
        unnamed = rng.choice((None, CUTS[name][0]))  # half of the brands do not name the usual cut
        for cut in CUTS[name]:
            log_factors["cut", f"{name} {cut}"] = rng.gauss(0, 0.1)
            if cut != unnamed:
                words["cut", f"{name} {cut}"] = rng.choice(CUT_WORDS.get(cut, (cut.title(),)))
    for kind, table in (("pattern", PATTERN_WORDS), ("material", MATERIAL_WORDS), ("hardware", HARDWARE_WORDS)):
        for name, names in table.items():
            words[kind, name] = rng.choice(names)
            log_factors[kind, name] = rng.gauss(LOG_FACTORS[name], 0.08)
    return words, log_factors


def choose_long_tailed(rng: random.Random, values: Sequence[T], exponent: float) -> T:
    """Choose a value with a probability that falls with its rank, as shares do in real catalogues.

    Args:
        rng: Source of randomness.
        values: From the most to the least frequent.
        exponent: The value of rank r (from 1) has the weight r ** -exponent.

    Returns:
        One of the values.
    """
    return rng.choices(values, [(rank + 1) ** -exponent for rank in range(len(values))])[0]


def _shuffled(rng: random.Random, values: Iterable[T]) -> list[T]:
    order = list(values)
    rng.shuffle(order)
    return order


def _date(rng: random.Random) -> str:
    return f"2024-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


def _plural(noun: str) -> str:
    if noun.endswith("s") or " de " in noun:  # boots, and French names such as Eau de Parfum
        return noun
    if noun.endswith("arf"):
        return f"{noun[:-1]}ves"
    return f"{noun}es" if noun.endswith("ch") else f"{noun}s"


def _brand_name(rng: random.Random) -> str:
    first, second = (
        (rng.choice(_SYLLABLES) + rng.choice(_SYLLABLES) * rng.randrange(2) + rng.choice(_NAME_ENDINGS)).capitalize()
        for _ in range(2)
    )
    return rng.choice((first, f"Maison {first}", f"{first} & {second}", f"{first} Studio", f"House of {first}"))
