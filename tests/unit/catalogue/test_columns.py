"""Columns are recognised by their names, in several languages."""

import re
from typing import Any

import pytest

from etalage.catalogue.columns import KNOWN_COLUMNS, RESERVED_COLUMNS, match_columns
from etalage.config import TaskConfig
from etalage.errors import EtalageError
from etalage.task import Field, Task

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


def test_burberry_needs_no_options_and_no_cells() -> None:
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


def test_a_split_column_is_used_only_if_given() -> None:
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
def test_explains_a_column_that_is_not_found(names: list[str], overrides: str, complaint: str) -> None:
    with pytest.raises(EtalageError, match=complaint):
        match_columns(names, FIELDS, overrides)


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
    with pytest.raises(EtalageError, match=r"no column for image: .*--columns image=COLUMN$"):
        match_columns(["title", "type", "price"], FIELDS)


def test_reserved_names_are_those_of_a_catalogue() -> None:
    assert {"source_row", "placeholder", "question", "file_name", "image_width"} <= RESERVED_COLUMNS
    assert not RESERVED_COLUMNS & {"title", "category", "price", "brand"}
    assert KNOWN_COLUMNS["category"][0] == "category3_code"
