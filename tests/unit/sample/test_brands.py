"""Brands keep to their laws, and differ from one another."""

import math
import random
from collections import Counter
from dataclasses import replace

import pytest

from etalage.catalogue.duplicates import title_family
from etalage.sample.brands import Brand, Design, Piece, make_brand
from etalage.sample.vocabulary import (
    STYLES,
)

BRANDS = [make_brand(number) for number in range(60)]


def designs(brand: Brand, num: int) -> list[tuple[Piece, Design]]:
    rng = random.Random(brand.number)
    pieces = [brand.choose_piece(rng) for _ in range(num)]
    return [(piece, brand.design(piece, *brand.choose_palette(rng)[:2])) for piece in pieces]


def test_a_brand_follows_from_its_number() -> None:
    make_brand.cache_clear()
    assert [make_brand(number) for number in range(60)] == BRANDS
    assert BRANDS[0].name == "Maison Etalage"
    assert len({brand.name for brand in BRANDS}) > 50
    assert len({tuple(brand.words.values()) for brand in BRANDS}) == 60
    for brand in BRANDS:
        assert 12 <= len(brand.styles) <= 18
        assert 6 <= len(brand.colours) <= 10
        assert len({colour.name for colour in brand.colours}) == len(brand.colours)


def test_brands_have_laws_of_their_own() -> None:
    """The same product has another price and another title at each brand."""
    piece = Piece("shirt", "long-sleeve", "plain", "cotton", "silver")
    made = [brand.design(piece, brand.colours[0], brand.colours[1]) for brand in BRANDS]
    assert max(design.price for design in made) > 4 * min(design.price for design in made)
    assert len({design.title for design in made}) > 40
    assert len({design.categories for design in made}) > 10
    assert len({brand.word_order for brand in BRANDS}) > 2
    assert {brand.price_ending for brand in BRANDS} == {"tens", "nineties", "fives", "cents"}


@pytest.mark.parametrize("brand", BRANDS[:12], ids=lambda brand: brand.name)
def test_equal_appearances_have_equal_titles_and_prices(brand: Brand) -> None:
    laws = {}
    for _, design in designs(brand, 400):
        seen = replace(design.appearance, accent=(0, 0, 0))
        if not STYLES[seen.style].hardware:
            seen = replace(seen, hardware="")
        law = design.title, design.categories, design.price
        assert laws.setdefault(seen, law) == law
    assert len(laws) > 100


@pytest.mark.parametrize("brand", BRANDS[:12], ids=lambda brand: brand.name)
def test_all_colours_of_a_product_are_one_title_family(brand: Brand) -> None:
    for piece, _ in designs(brand, 100):
        titles = {brand.design(piece, colour, brand.colours[0]).title for colour in brand.colours}
        assert len({title_family(title) for title in titles}) == 1
        assert len(titles) == (len(brand.colours) if brand.colour_separator else 1)


def test_the_first_styles_of_a_range_are_the_most_frequent() -> None:
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
def test_prices_have_the_brands_ending(ending: str, price: float, rounded: float) -> None:
    brand = next(brand for brand in BRANDS if brand.price_ending == ending)
    assert brand.round_price(price) == pytest.approx(rounded)
    assert all(brand.round_price(math.exp(n / 10)) > 0 for n in range(-20, 100))
