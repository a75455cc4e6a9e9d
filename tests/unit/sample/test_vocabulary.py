"""The vocabulary covers everything that can be seen, in words that `prepare` understands."""

import pytest

from etalage.catalogue.title_family import title_family
from etalage.sample.appearance import BACKGROUNDS, CUTS, HARDWARE, MATERIALS, PATTERNS, POSES
from etalage.sample.silhouettes import VISIBLE_ATTRIBUTES
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


def test_the_vocabulary_covers_what_can_be_seen() -> None:
    assert set(STYLES) == set(CUTS) == set(VISIBLE_ATTRIBUTES)
    assert set(CUT_WORDS) <= {cut for cuts in CUTS.values() for cut in cuts}
    assert {*PATTERN_WORDS, "plain"} == set(PATTERNS)
    assert {*MATERIAL_WORDS, "metal"} == set(MATERIALS)
    assert set(HARDWARE_WORDS) == set(HARDWARE)
    assert set(LOG_FACTORS) == {*PATTERNS, *MATERIALS, *HARDWARE}
    assert {style.department for style in STYLES.values()} == set(DEPARTMENT_WORDS)


def test_titles_and_prices_follow_from_what_can_be_seen_only() -> None:
    for style, details in STYLES.items():
        assert set(details.patterns) <= set(PATTERNS)
        assert set(details.materials) <= set(MATERIALS)
        assert "colour" in VISIBLE_ATTRIBUTES[style]
        assert len(details.materials) == 1 or "material" in VISIBLE_ATTRIBUTES[style], style
        assert details.patterns == ("plain",) or "pattern" in VISIBLE_ATTRIBUTES[style], style
        assert not details.hardware or "hardware" in VISIBLE_ATTRIBUTES[style], style


@pytest.mark.parametrize("values", [PATTERNS, MATERIALS, HARDWARE, BACKGROUNDS, POSES, tuple(CUTS), *CUTS.values()])
def test_values_are_unique(values: tuple[str, ...]) -> None:
    assert values
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("name", STYLES)
def test_every_style_can_be_sold(name: str) -> None:
    style = STYLES[name]
    assert 100 < style.base_price_usd < 2500
    assert style.nouns
    assert "plain" in style.patterns
    assert len(set(style.materials)) == len(style.materials) > 0
    assert all(noun == noun.strip() and noun[0].isupper() for noun in style.nouns)


def test_no_noun_belongs_to_two_styles() -> None:
    nouns = [noun for style in STYLES.values() for noun in style.nouns]
    assert len(set(nouns)) == len(nouns)


def test_a_section_belongs_to_one_department() -> None:
    departments = {style.section: style.department for style in STYLES.values()}
    assert all(departments[style.section] == style.department for style in STYLES.values())


def test_no_colour_name_belongs_to_two_shades() -> None:
    names = [name for _, shade in SHADES for name in shade]
    assert len(set(names)) == len(names)
    assert len({rgb for rgb, _ in SHADES}) == len(SHADES)


@pytest.mark.parametrize("name", [name for _, names in SHADES for name in names])
def test_prepare_recognises_every_colour_at_the_end_of_a_title(name: str) -> None:
    assert title_family(f"Wool Coat in {name}") == title_family("Wool Coat")


@pytest.mark.parametrize("words", [CUT_WORDS, PATTERN_WORDS, MATERIAL_WORDS, HARDWARE_WORDS, DEPARTMENT_WORDS])
def test_words_are_unique_within_their_kind(words: dict[str, tuple[str, ...]]) -> None:
    for name, names in words.items():
        assert len(names) >= 2, name
        assert len(set(names)) == len(names), name


def test_styles_that_name_their_metal_have_no_other_material() -> None:
    assert all(STYLES[name].materials == ("metal",) and STYLES[name].hardware for name in STYLES_NAMING_METAL)


def test_precious_materials_and_prints_cost_more() -> None:
    assert LOG_FACTORS["leather"] > LOG_FACTORS["cotton"] > LOG_FACTORS["straw"]
    assert LOG_FACTORS["monogram"] > LOG_FACTORS["plain"] == 0
    assert LOG_FACTORS["gold"] > LOG_FACTORS["silver"] > LOG_FACTORS["black"]
