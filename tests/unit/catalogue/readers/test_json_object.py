"""The list of products within an object is found, or it is said why there is none."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from etalage.errors import EtalageError
from etalage.task import Field

PRODUCTS = [{"title": f"T{n}", "image": f"{n}.png"} for n in range(3)]


@pytest.mark.parametrize(
    ("content", "key", "note"),
    [
        ({"products": PRODUCTS}, "", "its rows are those under 'products'"),
        ({"total": 3, "next": None, "tags": ["a"], "data": {"shop": {"items": PRODUCTS}}}, "", "'data.shop.items'"),
        ({"products": PRODUCTS, "reviews": [{"stars": 5}, {"stars": 4}]}, "products", "'products'"),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_reads_the_list_inside_an_object(
    content: Any, key: str, note: str, indent: int | None, write_file: Callable, open_table: Callable
) -> None:
    source, table = open_table(
        write_file(json.dumps(content, indent=indent), "t.json"), [Field("title", "text")], sheet=key
    )
    assert [row.cells["title"] for row in table] == ["T0", "T1", "T2"]
    assert note in source.note


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"a": PRODUCTS, "b": PRODUCTS}, r"several lists of objects: 'a' \(3 rows\), 'b' \(3 rows\); .*--sheet a"),
        ({"title": ["A", "B"], "image": ["a", "b"]}, "holds no list of objects"),
        ({"title": {"0": "A", "1": "B"}, "image": {"0": "a", "1": "b"}}, r"orient='records'"),
        ({"A-1": {"title": "A", "image": "a"}, "A-2": {"title": "B", "image": "b"}}, "is one object, of 'A-1', 'A-2'"),
        ({"products": []}, "holds no list of objects"),
    ],
)
def test_says_why_an_object_is_no_table(
    content: Any, complaint: str, write_file: Callable, open_table: Callable
) -> None:
    for indent in (None, 2):
        with pytest.raises(EtalageError, match=complaint):
            open_table(write_file(json.dumps(content, indent=indent), "t.json"), [Field("title", "text")])
