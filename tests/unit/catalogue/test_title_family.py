"""Titles lose colours and sizes at their end, and nothing that may be part of what the product is."""

import pytest

from etalage.catalogue.title_family import title_family, title_name


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Check Wool Scarf in Navy", "CHECK WOOL SCARF IN RED", True),
        ("Navy Check Scarf", "Camel Check Scarf", False),
        ("Leather Bag (Dark Green)", "Leather Bag, Black, M", True),
        ("Rose Eau de Parfum 50ml", "Rose Eau de Parfum 100 ml", True),
        ("Black Dress", "Red Dress", False),  # one word is too little for a family
        ("Check Wool Scarf", "Check Silk Scarf", False),
        ("A120 Atomic Thruster", "A370 Atomic Thruster", False),
        ("Étole à carreaux noir", "Étole à carreaux rouge", True),
        ("手提包", "手提袋", False),
    ],
)
def test_variants_share_a_title_family(one: str, other: str, same: bool) -> None:
    assert (title_family(one) == title_family(other)) is same


@pytest.mark.parametrize(
    "title",
    [
        "Ridge Walk 1000",
        "Canvas Sneaker 1037",
        "Building Set 75192",
        "Running Shoe 42",
        "Mirrorless Camera 7 S",
        "Mirrorless Camera 7 R",
        "Mirrorless Camera X100V",
        "Alto Low R",
        "Graphics Card 4080 XL",
        "Windows Server 2022",
        "Chanel No 5",
        "Toner Cartridge 301",
        "Jeans W32/L34",
        "Нож складной 7",
        "Lampe Modell 12",
    ],
)
def test_a_number_or_a_letter_of_a_model_is_no_size(title: str) -> None:
    assert title_family(title) == title_name(title)


@pytest.mark.parametrize(
    ("title", "family"),
    [
        ("Polo Shirt XL", "polo shirt"),
        ("Polo Shirt 3XL", "polo shirt"),
        ("Polo Shirt - Size M", "polo shirt"),
        ("Polo Shirt, one size", "polo shirt"),
        ("Running Shoe EU 42", "running shoe"),
        ("Running Shoe 42 EU", "running shoe"),
        ("Running Shoe size 9.5", "running shoe"),
        ("Chemise en lin taille 38", "chemise en lin"),
        ("Camicia di lino, taglia unica", "camicia di lino"),
        ("Vestido de lino talla 40", "vestido de lino"),
        ("Kinder Jacke Gr. 98", "kinder jacke"),
        ("Kinder Jacke Größe 98", "kinder jacke"),
        ("Kids Jacket 6-12 months", "kids jacket"),
        ("Olive Oil 1,5 l", "olive oil"),
        ("Olive Oil 500ml", "olive oil"),
        ("Shower Gel 2 x 500 ml", "shower gel"),
        ("Walnut Table 120 x 80 x 75 cm", "walnut table"),
        ("Walnut Table 120x80cm", "walnut table"),
        ("Кофе в зернах 250 г", "кофе в зернах"),
        ("Polo Shirt in Dark Blue, XL", "polo shirt"),
        ("Ridge Walk 1000 Red", "ridge walk 1000"),
    ],
)
def test_a_size_needs_a_unit_or_a_word_for_sizes(title: str, family: str) -> None:
    assert title_family(title) == family


@pytest.mark.parametrize(
    "ending",
    [
        "in Navy",
        "(Weiß)",
        "schwarz",
        "- Farbe rot",
        "rouge foncé",
        "verde",
        "blanca",
        "vermelho",
        "zwart",
        "czarny",
        "красный",
    ],
)
def test_colours_are_known_in_several_languages(ending: str) -> None:
    assert title_family(f"Tote Bag {ending}") == "tote bag"


def test_sizes_may_be_left() -> None:
    assert title_family("Polo Shirt M in Red", sizes=False) == "polo shirt m"
    assert title_family("Polo Shirt Red M", sizes=False) == "polo shirt red m"


def test_a_family_never_loses_everything() -> None:
    for title in ("", "Red", "XL", "in in", "50 ml", "Size 42"):
        assert title_family(title) == title.casefold()


def test_names_differ_by_words_alone() -> None:
    assert title_name("Wool  Scarf – (Check)") == title_name("wool scarf check")
    assert title_name("Wool Scarf") != title_name("Wool Scarf 2")
    assert title_name("!!") == "!!"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("เสื้อ", "เสือ"),  # Thai: shirt, tiger
        ("माला", "मेला"),  # Hindi: garland, fair
        ("மலை", "மாலை"),  # Tamil: mountain, evening
        ("Galaxy S9", "Galaxy S9+"),
        ("Primer C", "Primer C++"),
        ("Primer C++", "Primer C#"),
        ("Reading Glasses +1.5", "Reading Glasses -1.5"),
    ],
)
def test_marks_on_letters_and_signs_tell_names_apart(one: str, other: str) -> None:
    assert title_name(one) != title_name(other)
    assert title_family(one) != title_family(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Mug (new)", "mug - New!"), ("Salt+Pepper", "salt & pepper"), ("Heart ❤️", "heart")]
)
def test_punctuation_does_not_tell_names_apart(one: str, other: str) -> None:
    assert title_name(one) == title_name(other)
