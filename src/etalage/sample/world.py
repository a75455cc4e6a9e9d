"""What is for sale in a sample catalogue, and the laws by which title, category and price follow from what one sees.

A product's attributes are its kind, its colour and its pattern. All three can be seen, so the price can be read off a
picture up to the noise, whose size is stated.
"""

import random
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["COLOURS", "KINDS", "NOISE", "PATTERNS", "Colour", "Item", "Kind", "Pattern", "draw_item"]


T = TypeVar("T")


@dataclass(frozen=True)
class Kind:
    """A silhouette and what follows from it."""

    noun: str
    categories: tuple[str, str, str]
    base: float
    """Price in dollars of a plain black one."""


@dataclass(frozen=True)
class Colour:
    """A named colour. `factor` multiplies the price."""

    name: str
    rgb: tuple[int, int, int]
    factor: float


@dataclass(frozen=True)
class Pattern:
    """A pattern in two colours, or none. `word` stands in the title between colour and noun."""

    name: str
    word: str
    factor: float


# Each list runs from the most to the least frequent; shares fall with rank as in real catalogues.
KINDS = (
    Kind("Shirt", ("APPAREL", "TOPS", "SHIRTS"), 420),
    Kind("Dress", ("APPAREL", "ONE PIECE", "DRESSES"), 1450),
    Kind("Trousers", ("APPAREL", "BOTTOMS", "TROUSERS"), 640),
    Kind("Tote Bag", ("BAGS", "HANDBAGS", "TOTES"), 1900),
    Kind("Scarf", ("ACCESSORIES", "SOFT ACCESSORIES", "SCARVES"), 280),
    Kind("Boots", ("SHOES", "HIGH SHOES", "BOOTS"), 950),
    Kind("Cap", ("ACCESSORIES", "HEADWEAR", "CAPS"), 190),
    Kind("Umbrella", ("ACCESSORIES", "SMALL ACCESSORIES", "UMBRELLAS"), 120),
)
COLOURS = (
    Colour("Black", (38, 38, 42), 1.0),
    Colour("Navy", (32, 58, 150), 1.05),
    Colour("Camel", (193, 138, 76), 1.3),
    Colour("Ivory", (246, 240, 222), 1.1),
    Colour("Red", (206, 30, 44), 1.2),
    Colour("Green", (24, 128, 72), 0.9),
    Colour("Pink", (240, 128, 172), 0.8),
    Colour("Yellow", (246, 200, 36), 0.85),
)
PATTERNS = (
    Pattern("plain", "", 1.0),
    Pattern("checked", "Check", 1.5),
    Pattern("striped", "Striped", 1.2),
    Pattern("dotted", "Polka Dot", 1.35),
)

NOISE = 0.04
"""Standard deviation of the logarithm of a price around its law."""


@dataclass(frozen=True)
class Item:
    """A product before it is drawn."""

    kind: Kind
    colour: Colour
    pattern: Pattern
    full_price: float

    @property
    def title(self) -> str:
        """Such as Navy Check Scarf."""
        return " ".join(filter(None, (self.colour.name, self.pattern.word, self.kind.noun)))

    @property
    def law_price(self) -> float:
        """The price without noise: the best that can be said from the picture."""
        return _to_tens(self.kind.base * self.colour.factor * self.pattern.factor)


def draw_item(rng: random.Random) -> Item:
    """Draw attributes, frequent ones more often, and a price around the law."""
    kind, colour, pattern = _long_tailed(rng, KINDS), _long_tailed(rng, COLOURS), _long_tailed(rng, PATTERNS)
    law = kind.base * colour.factor * pattern.factor
    return Item(kind, colour, pattern, _to_tens(law * rng.lognormvariate(0, NOISE)))


def _long_tailed(rng: random.Random, values: tuple[T, ...]) -> T:
    return rng.choices(values, [(rank + 1) ** -0.6 for rank in range(len(values))])[0]


def _to_tens(price: float) -> float:
    return round(price / 10) * 10.0
