"""Columns are recognised by name in several languages, then by their cells; a doubtful one is asked about."""

from typing import Any

import pytest

from etalage.catalogue.columns import KNOWN_COLUMNS, RESERVED_COLUMNS, match_columns
from etalage.errors import EtalageError
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]
BURBERRY = [
    *("website_name", "competence_date", "country_code", "currency_code", "brand", "category1_code", "category2_code"),
    *("category3_code", "product_code", "title", "itemurl", "imageurl", "full_price", "price", "full_price_eur"),
    *("price_eur", "flg_discount"),
]


def by_name(names: list[str], overrides: str = "", fields: list[Field] = FIELDS) -> dict[str, str]:
    match = match_columns(names, fields, overrides)
    assert not match.guessed
    return match.columns


def table(**columns: list[Any]) -> tuple[list[str], list[list[Any]]]:
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


def by_content(fields: list[Field] = FIELDS, **columns: list[Any]) -> dict[str, str]:
    names, rows = table(**columns)
    return match_columns(names, fields, read_sample=lambda: rows).columns


def test_burberry_needs_no_options_and_no_look_at_its_cells() -> None:
    def refuse() -> list[list[Any]]:
        raise AssertionError("names tell")

    assert match_columns(BURBERRY, FIELDS, read_sample=refuse).columns == {
        "title": "title",
        "category": "category3_code",
        "price": "full_price",
        "image": "imageurl",
        "product_code": "product_code",
    }


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
        ["title", "google_product_category", "price", "image_link", "id"],
        ["productName", "productType", "listPrice", "imageUrl", "SKU"],
    ],
)
def test_other_languages_and_spellings(names: list[str]) -> None:
    assert list(by_name(names).values()) == names


def test_overrides_win_and_own_fields_are_found_under_their_own_name() -> None:
    fields = [Field("title", "text"), Field("brand", "text")]
    found = by_name(["brand", "title", "photo", "maker"], "image=photo, brand = maker", fields)
    assert found == {"title": "title", "brand": "maker", "image": "photo"}


def test_no_column_holds_two_fields() -> None:
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


def test_split_is_found_only_if_asked_for() -> None:
    names = ["title", "type", "price", "image", "fold"]
    assert "split" not in by_name(names)
    assert match_columns(names, FIELDS, split_column="fold").columns["split"] == "fold"
    with pytest.raises(EtalageError, match=r"--split-column: no column 'folds' \(did you mean 'fold'\?\)"):
        match_columns(names, FIELDS, split_column="folds")
    with pytest.raises(EtalageError, match="'type' is to be category and split"):
        match_columns(names, FIELDS, "category=type", split_column="type")


@pytest.mark.parametrize(
    ("names", "overrides", "complaint"),
    [
        (["title", "type", "image"], "", r"no column for price: .*full_price.*title, type, image.*--columns price="),
        (["tittle", "type", "price", "image"], "", "did you mean 'tittle'"),
        (["title", "type", "price", "image"], "title=titel", r"no column 'titel' \(did you mean 'title'\?\)"),
        (["title", "type", "price", "image"], "pric=price", r"names 'pric', which is none of .*did you mean 'price'"),
        (["title", "type", "price", "image"], "title", "has 'title'; write title=COLUMN"),
        (["Title", "TITLE", "type", "price", "image"], "", "several columns may be title: 'Title', 'TITLE'"),
    ],
)
def test_a_column_not_found_is_explained(names: list[str], overrides: str, complaint: str) -> None:
    with pytest.raises(EtalageError, match=complaint):
        match_columns(names, FIELDS, overrides)


NUM = 30
TITLES = [f"{'Long' if i % 2 else 'Short'} Coat No {i}" for i in range(NUM)]
KINDS = ["COATS", "SHIRTS", "BAGS"] * 10
PRICES = [f"{90 + 7 * i},50 €" for i in range(NUM)]
FILES = [f"pics/{i:03}.JPG" for i in range(NUM)]
CODES = [f"A-{100 + i}" for i in range(NUM)]


def test_cells_tell_where_names_do_not() -> None:
    names, rows = table(
        a=TITLES,
        b=KINDS,
        c=PRICES,
        d=FILES,
        e=CODES,
        year=["2024"] * 15 + ["2023"] * 15,
        shop=["x.example"] * NUM,
        number=[str(8000000 + 13 * i) for i in range(NUM)],
        seen=[f"2024-01-{i + 1:02}" for i in range(NUM)],
        empty=[""] * NUM,
    )
    match = match_columns(names, FIELDS, "product_code=e", read_sample=lambda: rows)
    assert match.columns == {"title": "a", "category": "b", "price": "c", "image": "d", "product_code": "e"}
    assert match.guessed == {"title", "category", "price", "image"}


def test_a_code_is_guessed_if_there_is_one_and_missing_if_there_are_two() -> None:
    named = {"title": TITLES, "type": KINDS, "price": PRICES, "image": FILES}
    assert by_content(**named, e=CODES)["product_code"] == "e"
    assert "product_code" not in by_content(**named, e=CODES, f=[code.lower() for code in CODES])


@pytest.mark.parametrize(
    "cells",
    [
        [f"https://shop.example/a/{i}.png?w=300" for i in range(NUM)],
        ["data:image/png;base64,AAAA"] * NUM,
        [b"\x89PNG"] * NUM,
        [{"bytes": b"\x89PNG", "path": None}] * NUM,
        [["a.jpg", "b.jpg"]] * NUM,
    ],
)
def test_every_way_to_hold_a_picture_is_seen(cells: list[Any]) -> None:
    found = by_content(title=TITLES, type=KINDS, price=PRICES, where=cells, link=["https://shop.example/p/1"] * NUM)
    assert found["image"] == "where"


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"d": FILES, "zoom": FILES}, "no column is called image, and several look like it: 'd', 'zoom'; .*--columns"),
        ({"d": FILES, "cost": PRICES, "old": PRICES}, "price, and several look like it: 'cost', 'old'"),
        ({"d": FILES, "cost": PRICES, "b": KINDS, "maker": KINDS}, "category, and several .*: 'b', 'maker'"),
        ({"d": FILES, "cost": [str(10_000_000 + 17 * i) for i in range(NUM)], "b": KINDS}, "no column for price"),
        ({"d": FILES, "cost": [str(1980 + i) for i in range(NUM)], "b": KINDS}, "no column for price"),
        ({"d": FILES, "cost": ["-5", "1.5", "2.5"] * 10, "b": KINDS}, "no column for price"),
        ({}, "no column for category"),
    ],
)
def test_what_is_doubtful_is_asked(columns: dict[str, list[Any]], complaint: str) -> None:
    with pytest.raises(EtalageError, match=complaint):
        by_content(title=TITLES, **columns)


def test_a_price_field_of_another_name_is_found_by_its_cells() -> None:
    fields = [Field("title", "text"), Field("fee", "price")]
    assert by_content(fields, title=TITLES, image=FILES, c=PRICES)["fee"] == "c"


def test_reserved_names() -> None:
    assert {"source_row", "placeholder", "question", "file_name", "image_width"} <= RESERVED_COLUMNS
    assert not RESERVED_COLUMNS & {"title", "category", "price", "brand"}
    assert KNOWN_COLUMNS["category"][0] == "category3_code"
