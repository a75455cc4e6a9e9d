"""Brands keep to their laws, and differ from one another."""

import math
import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from etalage.catalogue.title_family import title_family
from etalage.sample.appearance import CUTS, HARDWARE
from etalage.sample.brands import Brand, Design, Piece, choose_long_tailed, make_brand
from etalage.sample.vocabulary import STYLES, STYLES_NAMING_METAL

BRANDS = [make_brand(number) for number in range(60)]


def designs(brand: Brand, num: int) -> list[tuple[Piece, Design]]:
    rng = random.Random(brand.number)
    pieces = [brand.choose_piece(rng) for _ in range(num)]
    return [(piece, brand.design(piece, *brand.choose_palette(rng)[:2])) for piece in pieces]


def assert_ordered(brand: Brand, prices: list[float]) -> None:
    """Check that prices rise, but for one step back from 195 to 190 where prices of 200 and more end on ninety."""
    slack = 5 if brand.price_ending == "nineties" else 0
    assert all(after >= before - slack for before, after in pairwise(prices)), prices


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


@pytest.mark.parametrize("brand", BRANDS[:20], ids=lambda brand: brand.name)
def test_rounding_keeps_the_order_and_the_size_of_prices(brand: Brand) -> None:
    prices = [20 * 1.03**step for step in range(200)]
    rounded = [brand.round_price(price) for price in prices]
    assert_ordered(brand, rounded)
    assert all(brand.round_price(price) == pytest.approx(price) for price in rounded)
    assert all(0.5 < after / before < 1.6 for before, after in zip(prices, rounded, strict=True))


@pytest.mark.parametrize("brand", BRANDS[:20], ids=lambda brand: brand.name)
def test_a_larger_factor_never_makes_a_lower_price(brand: Brand) -> None:
    """Every attribute that has a factor orders the prices of products that are otherwise equal."""
    colour, accent = brand.colours[:2]
    for name in brand.styles:
        style = STYLES[name]
        piece = Piece(name, CUTS[name][0], style.patterns[0], style.materials[0], "silver")
        choices = {
            "cut": (CUTS[name], lambda cut, name=name: brand.log_factors["cut", f"{name} {cut}"]),
            "pattern": (style.patterns, lambda pattern: brand.log_factors.get(("pattern", pattern), 0.0)),
        }
        if len(style.materials) > 1:
            choices["material"] = (style.materials, lambda material: brand.log_factors["material", material])
        if style.hardware:
            choices["hardware"] = (HARDWARE, lambda metal: brand.log_factors["hardware", metal])
        for attribute, (values, factor) in choices.items():
            ordered = sorted(values, key=factor)
            prices = [brand.design(replace(piece, **{attribute: value}), colour, accent).price for value in ordered]
            assert_ordered(brand, prices)
        ordered_colours = sorted(brand.colours, key=lambda colour: colour.log_factor)
        prices = [brand.design(piece, colour, accent).price for colour in ordered_colours]
        assert_ordered(brand, prices)


def test_the_price_level_multiplies_every_price() -> None:
    brand = replace(BRANDS[3], price_ending="fives")
    dear = replace(brand, price_level=3 * brand.price_level)
    for piece, design in designs(brand, 50):
        colour = next(colour for colour in brand.colours if colour.name == design.colour)
        assert dear.design(piece, colour, colour).price == pytest.approx(3 * design.price, abs=10)


@pytest.mark.parametrize("brand", BRANDS[:20], ids=lambda brand: brand.name)
def test_the_manifests_price_law_gives_the_price(brand: Brand) -> None:
    law = brand.price_law()
    for piece, design in designs(brand, 100):
        style = STYLES[piece.style]
        price = law["base"][piece.style] * law["cut"][f"{piece.style} {piece.cut}"] * law["colour"][design.colour]
        price *= law["pattern"].get(piece.pattern, 1.0)
        price *= law["material"][piece.material] if len(style.materials) > 1 else 1.0
        price *= law["hardware"][piece.hardware] if style.hardware else 1.0
        assert brand.round_price(price) == pytest.approx(design.price)


@pytest.mark.parametrize("brand", BRANDS[:20], ids=lambda brand: brand.name)
def test_pieces_are_of_the_brands_range(brand: Brand) -> None:
    for piece, design in designs(brand, 100):
        style = STYLES[piece.style]
        assert piece.style in brand.styles
        assert piece.cut in CUTS[piece.style]
        assert piece.pattern == "plain" or piece.pattern in set(brand.patterns) & set(style.patterns)
        assert piece.material in style.materials
        assert style.hardware or piece.hardware == "silver"
        assert {design.colour, design.accent} <= {colour.name for colour in brand.colours}


@pytest.mark.parametrize("brand", BRANDS[:20], ids=lambda brand: brand.name)
def test_titles_are_the_brands_words_in_its_order(brand: Brand) -> None:
    for piece, design in designs(brand, 100):
        noun = brand.words["noun", piece.style]
        assert noun in design.title
        assert design.title != noun, "a noun alone names many products"
        assert design.title.split(" ") == design.title.split()
        if brand.colour_separator:
            assert design.title.endswith(f"{brand.colour_separator}{design.colour}")
        metal = brand.words["hardware", piece.hardware]
        assert (metal in design.title) or piece.style not in STYLES_NAMING_METAL


@pytest.mark.parametrize("brand", BRANDS[:20], ids=lambda brand: brand.name)
def test_categories_are_a_tree(brand: Brand) -> None:
    paths = [brand.categories(style) for style in brand.styles]
    assert all(word.isupper() == brand.uppercase_categories for path in paths for word in path)
    parents = {}
    for top, middle, leaf in paths:
        assert parents.setdefault(leaf, (top, middle)) == (top, middle)


@pytest.mark.parametrize("seed", range(5))
def test_a_palette_holds_every_colour_once(seed: int) -> None:
    brand = BRANDS[seed]
    palette = brand.choose_palette(random.Random(seed))
    assert sorted(colour.name for colour in palette) == sorted(colour.name for colour in brand.colours)


def test_the_first_colour_of_a_range_is_first_most_often() -> None:
    brand, rng = BRANDS[0], random.Random(0)
    firsts = Counter(brand.choose_palette(rng)[0].name for _ in range(500))
    assert firsts.most_common(1)[0][0] == brand.colours[0].name


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.5])
def test_shares_fall_with_rank_by_the_exponent(exponent: float) -> None:
    rng = random.Random(0)
    counts = Counter(choose_long_tailed(rng, "abcd", exponent) for _ in range(8000))
    for rank, value in enumerate("abcd", 1):
        assert counts[value] / counts["a"] == pytest.approx(rank**-exponent, abs=0.1)


@pytest.mark.parametrize("style", ["scarf", "watch", "perfume", "boots", "shirt"])
def test_leaves_of_the_category_tree_are_plurals(style: str) -> None:
    plurals = {
        **{"Scarf": "Scarves", "Shawl": "Shawls", "Stole": "Stoles", "Watch": "Watches", "Perfume": "Perfumes"},
        **{"Wristwatch": "Wristwatches", "Boots": "Boots", "Booties": "Booties", "Eau de Parfum": "Eau de Parfum"},
        **{"Eau de Toilette": "Eau de Toilette", "Shirt": "Shirts", "Button-down": "Button-downs"},
        **{"Overshirt": "Overshirts"},
    }
    for brand in BRANDS:
        assert brand.categories(style)[2].lower() == plurals[brand.words["noun", style]].lower()
