"""Brands keep to their laws, and differ from one another."""

import math
import random
from collections import Counter

import pytest

from etalage.catalogue.duplicates import title_family
from etalage.sample.appearance import CUTS, HARDWARE, MATERIALS, PATTERNS
from etalage.sample.silhouettes import SHOWS
from etalage.sample.vocabulary import (
    CUT_WORDS,
    DEPARTMENT_WORDS,
    HARDWARE_WORDS,
    MATERIAL_WORDS,
    PATTERN_WORDS,
    STYLES,
    WORTH,
)
from etalage.sample.world import Brand, Design, Piece, brand_of

BRANDS = [brand_of(number) for number in range(60)]


def designs(brand: Brand, num: int) -> list[tuple[Piece, Design]]:
    rng = random.Random(brand.number)
    pieces = [brand.piece(rng) for _ in range(num)]
    return [(piece, brand.dyed(piece, *brand.palette(rng)[:2])) for piece in pieces]


def test_the_vocabulary_covers_what_can_be_seen() -> None:
    assert set(STYLES) == set(CUTS) == set(SHOWS)
    assert set(CUT_WORDS) <= {cut for cuts in CUTS.values() for cut in cuts}
    assert {*PATTERN_WORDS, "plain"} == set(PATTERNS)
    assert {*MATERIAL_WORDS, "metal"} == set(MATERIALS)
    assert set(HARDWARE_WORDS) == set(HARDWARE)
    assert set(WORTH) == {*PATTERNS, *MATERIALS, *HARDWARE}
    assert {style.department for style in STYLES.values()} == set(DEPARTMENT_WORDS)


def test_titles_and_prices_follow_from_what_can_be_seen_only() -> None:
    for style, known in STYLES.items():
        assert set(known.patterns) <= set(PATTERNS)
        assert set(known.materials) <= set(MATERIALS)
        assert "colour" in SHOWS[style]
        assert len(known.materials) == 1 or "material" in SHOWS[style], style
        assert known.patterns == ("plain",) or "pattern" in SHOWS[style], style
        assert not known.hardware or "hardware" in SHOWS[style], style


def test_a_brand_is_its_number() -> None:
    brand_of.cache_clear()
    assert [brand_of(number) for number in range(60)] == BRANDS
    assert BRANDS[0].name == "Maison Etalage"
    assert len({brand.name for brand in BRANDS}) > 50
    assert len({tuple(brand.words.values()) for brand in BRANDS}) == 60
    for brand in BRANDS:
        assert 12 <= len(brand.styles) <= 18
        assert 6 <= len(brand.colours) <= 10
        assert len({colour.name for colour in brand.colours}) == len(brand.colours)


def test_brands_have_laws_of_their_own() -> None:
    """One and the same product costs, and is called, something else from brand to brand."""
    piece = Piece("shirt", "long-sleeve", "plain", "cotton", "silver")
    made = [brand.dyed(piece, brand.colours[0], brand.colours[1]) for brand in BRANDS]
    assert max(design.price for design in made) > 4 * min(design.price for design in made)
    assert len({design.title for design in made}) > 40
    assert len({design.categories for design in made}) > 10
    assert len({brand.order for brand in BRANDS}) > 2
    assert {brand.ending for brand in BRANDS} == {"tens", "nineties", "fives", "cents"}


@pytest.mark.parametrize("brand", BRANDS[:12], ids=lambda brand: brand.name)
def test_equal_looks_have_equal_titles_and_prices(brand: Brand) -> None:
    laws = {}
    for _, design in designs(brand, 400):
        seen = (design.look.style, design.look.cut, design.look.colour, design.look.pattern, design.look.material)
        seen += (design.look.hardware if STYLES[design.look.style].hardware else "",)
        law = design.title, design.categories, design.price
        assert laws.setdefault(seen, law) == law
    assert len(laws) > 100


@pytest.mark.parametrize("brand", BRANDS[:12], ids=lambda brand: brand.name)
def test_colours_of_a_product_are_one_title_family(brand: Brand) -> None:
    for piece, _ in designs(brand, 100):
        titles = {brand.dyed(piece, colour, brand.colours[0]).title for colour in brand.colours}
        assert len({title_family(title) for title in titles}) == 1
        assert len(titles) == (len(brand.colours) if brand.joint else 1)


def test_the_range_is_long_tailed() -> None:
    brand = BRANDS[1]
    counts = Counter(piece.style for piece, _ in designs(brand, 4000))
    assert counts[brand.styles[0]] > 3 * counts[brand.styles[-1]] > 0
    assert counts.most_common(1)[0][0] == brand.styles[0]


@pytest.mark.parametrize(
    ("ending", "price", "rounded"),
    [
        ("tens", 1234.0, 1230.0),
        ("tens", 37.0, 35.0),
        ("nineties", 1234.0, 1190.0),
        ("nineties", 133.0, 135.0),
        ("fives", 1233.0, 1235.0),
        ("cents", 1233.4, 1232.99),
        ("tens", 0.7, 5.0),
    ],
)
def test_prices_end_as_the_brand_has_it(ending: str, price: float, rounded: float) -> None:
    brand = next(brand for brand in BRANDS if brand.ending == ending)
    assert brand.rounded(price) == pytest.approx(rounded)
    assert all(brand.rounded(math.exp(n / 10)) > 0 for n in range(-20, 100))
