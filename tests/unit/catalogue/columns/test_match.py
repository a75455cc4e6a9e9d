"""Columns are recognised by headers, then by cells; one message asks for all of which neither is certain."""

import re
import shlex
from collections.abc import Sequence
from typing import Any

import pytest

from etalage.catalogue.columns import KNOWN_COLUMNS, RESERVED_COLUMNS, ColumnMatch, match_columns
from etalage.catalogue.columns.questions import OpenRole
from etalage.config import TaskConfig
from etalage.errors import EtalageError
from etalage.task import Field, Task

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]
BURBERRY = [
    *("website_name", "competence_date", "country_code", "currency_code", "brand", "category1_code", "category2_code"),
    *("category3_code", "product_code", "title", "itemurl", "imageurl", "full_price", "price", "full_price_eur"),
    *("price_eur", "flg_discount"),
]

NUM = 30
TITLES = [f"{'Long' if i % 2 else 'Short'} Coat No {i}" for i in range(NUM)]
LONGER_TITLES = [f"Fine Silk Evening Coat No {i}" for i in range(NUM)]
KINDS = ["COATS", "SHIRTS", "BAGS"] * 10
PRICES = [f"{90 + 7 * i},50 €" for i in range(NUM)]
NUMBERS = [str(20 + 7 * i % 61) for i in range(NUM)]
RATINGS = [f"{3 + i % 20 / 10:.1f}" for i in range(NUM)]
FILES = [f"pics/{i:03}.JPG" for i in range(NUM)]
CODES = [f"A-{100 + i}" for i in range(NUM)]
NAMED: dict[str, list[Any]] = {"title": TITLES, "type": KINDS, "price": NUMBERS, "image": FILES}


def by_name(names: list[str], overrides: str = "", fields: list[Field] = FIELDS) -> dict[str, str]:
    match = match_columns(names, fields, overrides)
    assert not match.guessed
    return match.columns


def by_cells(columns: dict[str, list[Any]], fields: list[Field] = FIELDS, **options: Any) -> ColumnMatch:
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return match_columns(list(columns), fields, read_sample=lambda: rows, **options)


def test_burberry_needs_no_options() -> None:
    match = match_columns(BURBERRY, FIELDS)
    assert match.columns == {
        "title": "title",
        "category": "category3_code",
        "price": "full_price",
        "image": "imageurl",
        "product_code": "product_code",
    }
    assert match.export is not None
    assert match.export.name == "DBQ's product prices"


def test_preferred_names_win_whatever_their_case() -> None:
    names = ["price", "Full Price", "category", "category3_code", "NAME", "title", "image_url", "Image", "ID", "sku"]
    assert by_name(names) == {
        "title": "title",
        "category": "category3_code",
        "price": "Full Price",
        "image": "Image",
        "product_code": "sku",
    }


@pytest.mark.parametrize(
    "names",
    [
        ["Titre", "Catégorie", "Prix TTC", "Photo", "Référence"],
        ["Bezeichnung", "Kategorie", "Preis", "Bild-URL", "Artikelnummer"],
        ["Título", "Categoría", "Precio", "Imagen", "Código"],
        ["Nome", "categoria", "PREZZO", "urlImmagine", "codice articolo"],
        ["Nome do produto", "Categoria", "Preço de venda", "Imagem", "Código"],
        ["Productnaam", "Categorie", "Verkoopprijs", "Afbeelding", "Artikelnr."],
        ["Nazwa produktu", "Kategoria", "Cena brutto", "Zdjęcie", "SKU"],
        ["title", "google_product_category", "price", "image_link", "id"],
        ["productName", "productType", "listPrice", "imageUrl", "SKU"],
        ["NAME *", "CATEGORIES", "SELLING PRICE (USD)", "MAIN IMAGE URL", "SKU *"],
    ],
)
def test_recognizes_names_in_other_languages_and_spellings(names: list[str]) -> None:
    assert list(by_name(names).values()) == names


def test_overrides_win_and_own_fields_are_found_under_their_own_name() -> None:
    fields = [Field("title", "text"), Field("brand", "text")]
    found = by_name(["brand", "title", "photo", "maker"], "image=photo, brand = maker", fields)
    assert found == {"title": "title", "brand": "maker", "image": "photo"}


def test_no_column_is_used_twice() -> None:
    fields = [Field("title", "text"), Field("name", "text"), Field("price", "price"), Field("full_price", "price")]
    assert by_name(["name", "titre", "full_price", "price", "image"], "", fields) == {
        "title": "titre",
        "name": "name",
        "price": "price",
        "full_price": "full_price",
        "image": "image",
    }
    with pytest.raises(EtalageError, match="'photo' is to be title and image"):
        match_columns(["photo"], FIELDS, "title=photo,image=photo")


def test_split_and_group_columns_are_used_only_if_given() -> None:
    names = ["title", "type", "price", "image", "fold", "parent_sku"]
    assert not {"split", "group"} & set(by_name(names))
    found = match_columns(names, FIELDS, split_column="fold", group_by="parent_sku").columns
    assert (found["split"], found["group"]) == ("fold", "parent_sku")
    with pytest.raises(EtalageError, match=r"--split-column: no column 'folds' \(did you mean 'fold'\?\)"):
        match_columns(names, FIELDS, split_column="folds")
    with pytest.raises(EtalageError, match="--group-by: no column 'parent'"):
        match_columns(names, FIELDS, group_by="parent")
    with pytest.raises(EtalageError, match="'type' is to be category and split"):
        match_columns(names, FIELDS, "category=type", split_column="type")


DECOYS = {
    "Rating": RATINGS,
    "Gewicht (kg)": RATINGS,
    "Cost per item": RATINGS,
    "Stock": NUMBERS,
    "Width": RATINGS,
    "EK netto": PRICES,
    "Compare At Price": PRICES,
    "Prix d'achat": PRICES,
    "Versandkosten": PRICES,
    "Waga": RATINGS,
}


@pytest.mark.parametrize(
    "price", ["Selling Price", "Verkaufspreis brutto", "Variant Price", "Prix de vente TTC", "Cena", "Precio con IVA"]
)
def test_the_header_finds_the_price_among_decoys_of_every_language(price: str) -> None:
    match = by_cells({**DECOYS, "Name": TITLES, "Category": KINDS, price: NUMBERS, "Image": FILES})
    assert match.columns["price"] == price
    assert not match.guessed


@pytest.mark.parametrize(
    ("without_tax", "with_tax"),
    [
        ("Cena bez DPH", "Cena včetně DPH"),
        ("Pris eks. mva", "Pris inkl. mva"),
        ("Hinta ALV 0%", "Hinta sis. ALV"),
        ("Prix hors taxes", "Prix toutes taxes comprises"),
        ("KDV Hariç Fiyat", "KDV Dahil Fiyat"),
        ("Цена без НДС", "Цена с НДС"),
        ("価格（税抜）", "価格（税込）"),
    ],
)
def test_the_price_with_tax_is_taken(without_tax: str, with_tax: str) -> None:
    cells = {"name": TITLES, "category": KINDS, without_tax: PRICES, with_tax: PRICES[::-1], "image": FILES}
    assert by_cells(cells).columns["price"] == with_tax


@pytest.mark.parametrize(
    ("without_tax", "with_tax"),
    [
        ("Cena bez DPH", "Cena s DPH"),
        ("Prijs ex btw", "Prijs in btw"),
        ("Price", "PRICE_VAT"),
        ("Cena netto", "Cena VAT"),
    ],
)
def test_a_price_without_tax_is_not_taken_where_another_one_may_have_it(without_tax: str, with_tax: str) -> None:
    cells = {"name": TITLES, "category": KINDS, without_tax: PRICES, with_tax: PRICES[::-1], "image": FILES}
    with pytest.raises(EtalageError, match="price: several columns may be it"):
        by_cells(cells)
    del cells[without_tax]
    assert by_cells(cells).columns["price"] == with_tax


def test_decoys_alone_are_refused() -> None:
    with pytest.raises(EtalageError, match="price: no column is called that"):
        by_cells({**DECOYS, "Name": TITLES, "Category": KINDS, "Image": FILES})


@pytest.mark.parametrize("kind", ["Type", "product_type", "Produkttyp", "Tipo"])
def test_words_of_a_machine_are_a_category_neither_beside_another_one_nor_alone(kind: str) -> None:
    machine = {**NAMED, "type": ["simple", "variable", "virtual"] * 10}
    columns = {kind if name == "type" else name: cells for name, cells in machine.items()}
    assert by_cells({**columns, "Categories": KINDS}).columns["category"] == "Categories"
    assert by_cells({**columns, "Warengruppe": KINDS}).columns["category"] == "Warengruppe"
    with pytest.raises(EtalageError, match=f"category: '{kind}' is called that, but its cells do not look like it"):
        by_cells(columns)


def test_a_category_outranks_a_type_of_words_and_an_empty_column_is_passed_over() -> None:
    assert by_cells({**NAMED, "Categories": KINDS[::-1]}).columns["category"] == "Categories"
    assert by_cells({**NAMED, "Category": [""] * NUM}).columns["category"] == "type"
    assert by_cells({**NAMED, "Full price": [None] * NUM}).columns["price"] == "price"


@pytest.mark.parametrize(
    ("role", "column", "cells"),
    [
        ("price", "Price", ["on request", "call us", "soon"] * 10),
        ("title", "Name", [str(i) for i in range(NUM)]),
        ("image", "Image", ["yes", "no", "no"] * 10),
    ],
)
def test_a_header_that_its_cells_contradict_is_asked_about(role: str, column: str, cells: list[str]) -> None:
    others = {name: values for name, values in NAMED.items() if name != role}
    with pytest.raises(EtalageError, match=f"{role}: '{column}' is called that, but its cells do not look like it"):
        by_cells({**others, column: cells, "x": NAMED[role]})


def test_columns_that_headers_do_not_tell_apart_are_asked_about_unless_they_are_equal() -> None:
    others = {name: values for name, values in NAMED.items() if name != "price"}
    with pytest.raises(EtalageError, match="price: several columns may be it") as caught:
        by_cells({**others, "Preis A": NUMBERS, "Preis B": NUMBERS[::-1]})
    assert "--column price='Preis A'" in str(caught.value)
    assert "--column price='Preis B'" in str(caught.value)
    assert by_cells({**others, "Preis A": NUMBERS, "Preis B": NUMBERS}).columns["price"] == "Preis A"


def test_cells_decide_where_headers_say_nothing() -> None:
    columns = {
        "a": TITLES,
        "b": KINDS,
        "c": PRICES,
        "d": FILES,
        "e": CODES,
        "year": ["2024"] * 15 + ["2023"] * 15,
        "shop": ["x.example"] * NUM,
        "number": [str(8000000 + 13 * i) for i in range(NUM)],
        "seen": [f"2024-01-{i + 1:02}" for i in range(NUM)],
        "empty": [""] * NUM,
    }
    match = by_cells(columns, overrides="product_code=e")
    assert match.columns == {"title": "a", "category": "b", "price": "c", "image": "d", "product_code": "e"}
    assert match.guessed == {"title", "category", "price", "image"}
    assert match.examples["price"] == ["90,50 €", "97,50 €"], "a guess is shown with two examples"


def test_a_header_of_which_only_a_part_is_known_is_a_guess_that_its_cells_confirm() -> None:
    others = {name: values for name, values in NAMED.items() if name != "price"}
    assert by_cells({**others, "Wunschpreis": PRICES}).guessed == {"price"}
    with pytest.raises(EtalageError, match="price: 'Wunschpreis' may be it, but its cells do not look like it"):
        by_cells({**others, "Wunschpreis": PRICES[:15] + CODES[:15]})


def test_a_code_is_guessed_only_if_one_column_may_be_it() -> None:
    assert by_cells({**NAMED, "e": CODES}).columns["product_code"] == "e"
    assert "product_code" not in by_cells({**NAMED, "e": CODES, "f": [code.lower() for code in CODES]}).columns


def test_a_price_field_of_another_name_is_found_by_its_cells() -> None:
    fields = [Field("title", "text"), Field("fee", "price")]
    assert by_cells({"title": TITLES, "image": FILES, "c": PRICES}, fields).columns["fee"] == "c"


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"d": FILES, "zoom": FILES[::-1]}, "image: no column is called that, and several look like it"),
        ({"d": FILES, "x": PRICES, "y": PRICES[::-1]}, "price: no column is called that, and several look like it"),
        ({"d": FILES, "x": NUMBERS, "y": RATINGS}, "price: no column is called that, and several look like it"),
        ({"d": FILES, "x": PRICES, "b": KINDS, "c": KINDS[::-1]}, "category: no column is called that, and several"),
        ({"d": FILES, "x": [str(10_000_000 + 17 * i) for i in range(NUM)], "b": KINDS}, "price: no column is called"),
        ({"d": FILES, "x": ["-5", "1.5", "2.5"] * 10, "b": KINDS}, "price: no column is called that; looked for"),
        ({}, "category: no column is called that"),
    ],
)
def test_refuses_to_guess_between_several_columns_or_without_any(columns: dict[str, list[Any]], complaint: str) -> None:
    with pytest.raises(EtalageError, match=complaint):
        by_cells({"title": TITLES, **columns})


def test_of_two_columns_of_words_none_is_taken_for_the_title() -> None:
    others = {name: values for name, values in NAMED.items() if name != "title"}
    with pytest.raises(EtalageError, match="title: no column is called that, and several look like it"):
        by_cells({**others, "a": TITLES, "b": LONGER_TITLES})
    assert by_cells({**others, "a": TITLES, "Beschreibung": LONGER_TITLES}).columns["title"] == "a"


def test_one_message_names_all_that_is_open_with_options_that_can_be_pasted() -> None:
    columns = {
        "It's": TITLES,
        "b": LONGER_TITLES,
        "Preis, A": NUMBERS,
        "Preis, B": NUMBERS[::-1],
        "kind=1": KINDS,
        "kind=2": KINDS[::-1],
        "Foto": FILES,
    }
    with pytest.raises(EtalageError) as caught:
        by_cells(columns)
    text = str(caught.value)
    assert text.startswith("say which column holds title, category and price\n")
    assert "20 | 27 | 34" in text, "three examples of each"
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("--column")]
    options = [shlex.split(line.split("  ")[0])[1] for line in lines]
    assert options == [
        *("title=It's", "title=b", "category=kind=1", "category=kind=2", "price=Preis, A", "price=Preis, B"),
    ]
    assert by_cells(columns, column=options[::2]).columns == {
        **{"title": "It's", "category": "kind=1", "price": "Preis, A", "image": "Foto"},
    }


def test_columns_of_lists_are_offered_for_pictures_only() -> None:
    variants = [[{"price": "12.50"}]] * NUM
    with pytest.raises(EtalageError, match=r"price: no column is called that.*\n  no other column of texts"):
        by_cells({"title": TITLES, "category": KINDS, "variants": variants, "image": FILES})


def test_an_amount_is_a_guess_since_it_may_be_in_cents() -> None:
    match = by_cells({"title": TITLES, "category": KINDS, "unit_amount": NUMBERS, "image": FILES})
    assert (match.columns["price"], match.guessed) == ("unit_amount", {"price"})


def test_somebody_at_the_terminal_is_asked_only_what_is_open() -> None:
    asked: list[OpenRole] = []

    def choose(open_roles: Sequence[OpenRole]) -> dict[str, str]:
        asked.extend(open_roles)
        return {"price": "Preis B"}

    columns = {**{n: v for n, v in NAMED.items() if n != "price"}, "Preis A": NUMBERS, "Preis B": NUMBERS[::-1]}
    assert by_cells(columns, choose=choose).columns["price"] == "Preis B"
    assert [one.role for one in asked] == ["price"]
    with pytest.raises(EtalageError, match="say which column holds price"):
        by_cells(columns, choose=lambda open_roles: {})


@pytest.mark.parametrize(
    ("names", "image", "fallbacks"),
    [
        (["Bild 2", "Bild 1", "Bild 10"], "Bild 1", ("Bild 2", "Bild 10")),
        (["Image", "Image 2"], "Image", ("Image 2",)),
        (["IMAGE1", "IMAGE2", "IMAGE3"], "IMAGE1", ("IMAGE2", "IMAGE3")),
        (
            ["other_image_url2", "other_image_url1", "main_image_url"],
            "main_image_url",
            ("other_image_url1", "other_image_url2"),
        ),
        (["image link", "additional image link"], "image link", ("additional image link",)),
        (["Foto 1", "Foto Modell"], "Foto 1", ()),
        (["Bild", "Bild Alt-Text", "Bild Breite", "Logo Bild"], "Bild", ()),
    ],
)
def test_numbered_and_further_pictures_are_fallbacks(names: list[str], image: str, fallbacks: tuple[str, ...]) -> None:
    match = match_columns(["title", "category", "price", *names], FIELDS)
    assert (match.columns["image"], match.image_fallbacks) == (image, fallbacks)
    assert not match.guessed


def test_a_fallback_may_be_empty_in_the_first_rows() -> None:
    match = by_cells({**NAMED, "image": [""] * NUM, "Image 2": FILES, "Image 3": [None] * NUM})
    assert (match.columns["image"], match.image_fallbacks) == ("Image 2", ("image", "Image 3"))


def test_several_image_options_are_fallbacks_in_their_order() -> None:
    names = ["title", "category", "price", "a", "b", "c"]
    match = match_columns(names, FIELDS, column=["image=c", "image=a"])
    assert (match.columns["image"], match.image_fallbacks) == ("c", ("a",))


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (
            ["title", "type", "image"],
            r"price: no column is called that; looked for full_price.*\n  no other column of texts or numbers is left",
        ),
        (["tittle", "type", "price", "image"], "did you mean 'tittle'"),
        (["Title", "TITLE", "type", "price", "image"], "title: several columns may be it"),
    ],
)
def test_explains_a_column_that_is_not_found(names: list[str], complaint: str) -> None:
    with pytest.raises(EtalageError, match=complaint):
        match_columns(names, FIELDS)


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        (["title", "image"], "'{title}'"),
        (["title", "price", "image"], "'{title} | {price}'"),
        (["title", "type", "image"], "'{title} | {category}'"),
    ],
)
def test_a_table_without_some_fields_is_told_of_an_answer_that_does_without_them(names: list[str], answer: str) -> None:
    with pytest.raises(EtalageError, match=re.escape(f"do without it: --answer {answer}")):
        match_columns(names, FIELDS)
    fields = Task(TaskConfig(answer=answer.strip("'"))).fields
    assert set(match_columns(names, fields).columns) == {*(field.name for field in fields), "image"}


def test_no_answer_does_without_the_picture() -> None:
    with pytest.raises(EtalageError, match="image: no column is called that") as caught:
        match_columns(["title", "type", "price"], FIELDS)
    assert "--answer" not in str(caught.value)


def test_reserved_names_are_those_of_a_catalogue() -> None:
    assert {"source_row", "placeholder", "question", "file_name", "image_width"} <= RESERVED_COLUMNS
    assert not RESERVED_COLUMNS & {"title", "category", "price", "brand"}
    assert KNOWN_COLUMNS["category"][0] == "category3_code"
