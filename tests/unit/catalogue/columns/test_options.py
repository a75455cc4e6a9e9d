"""Options that name columns are read whatever signs a header holds, and can be pasted as they are suggested."""

import shlex

import pytest

from etalage.catalogue.columns.options import column_option, parse_column_options, suggest
from etalage.errors import EtalageError

ROLES = ["title", "category", "price", "image", "product_code"]
NAMES = [
    "Preis, inkl. MwSt.",
    "a=b",
    'Größe "L"',
    "It's",
    "$(x) `y` \\z",
    "Foto 1",
    "Foto 2",
    "💶",
    "name",
    "x,image=y",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_suggested_option_names_any_header_when_it_is_pasted(name: str) -> None:
    flag, value = shlex.split(column_option("price", name))
    assert flag == "--column"
    assert parse_column_options(NAMES, ROLES, "", [value]) == {"price": [name]}


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ("title=name,image=Foto 1", {"title": ["name"], "image": ["Foto 1"]}),
        (" title = name , image= Foto 1 ", {"title": ["name"], "image": ["Foto 1"]}),
        ("price=Preis, inkl. MwSt.,image=Foto 1", {"price": ["Preis, inkl. MwSt."], "image": ["Foto 1"]}),
        ('price="Preis, inkl. MwSt.",title=name', {"price": ["Preis, inkl. MwSt."], "title": ["name"]}),
        ("price='Preis, inkl. MwSt.'", {"price": ["Preis, inkl. MwSt."]}),
        ("price=a=b,title=name,", {"price": ["a=b"], "title": ["name"]}),
        ("image=Foto 1,image=Foto 2", {"image": ["Foto 1", "Foto 2"]}),
        ("", {}),
    ],
)  # fmt: skip
def test_several_columns_in_one_option_may_hold_commas(columns: str, found: dict[str, list[str]]) -> None:
    assert parse_column_options(NAMES, ROLES, columns, []) == found


def test_both_options_go_together() -> None:
    assert parse_column_options(NAMES, ROLES, "title=name", ["image=Foto 2", "image=Foto 1", " price =It's "]) == {
        "title": ["name"],
        "image": ["Foto 2", "Foto 1"],
        "price": ["It's"],
    }


@pytest.mark.parametrize(
    ("columns", "column", "complaint"),
    [
        ("title=nam", [], r"--columns: no column 'nam' \(did you mean 'name'\?\); found Preis, inkl"),
        ("pric=name", [], r"--columns names 'pric', which is none of .*did you mean 'price'"),
        ("title=name,pric=It's", [], "--columns names 'pric'"),
        ("title", [], "--columns has 'title'; write title=COLUMN, with commas between"),
        ("", ["title"], "--column has 'title'; write title=COLUMN$"),
        ("", ["price=Preis"], r"--column: no column 'Preis'"),
        ("title=name", ["title=It's"], "title is to be column 'name' and \"It's\"; name one of them"),
        ("", ["title="], "--column: no column ''"),
    ],
)
def test_explains_an_option_that_cannot_be_followed(columns: str, column: list[str], complaint: str) -> None:
    with pytest.raises(EtalageError, match=complaint):
        parse_column_options(NAMES, ROLES, columns, column)


def test_suggests_the_most_similar_name() -> None:
    assert suggest(["title", "name"], ["tittle", "nmae"]) == " (did you mean 'tittle'?)"
    assert suggest(["title"], ["x"]) == ""
