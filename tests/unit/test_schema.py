"""Values from files are checked by type and range, and the wrong one is named."""

import pytest

from etalage.errors import EtalageError
from etalage.schema import (
    BOOLEAN,
    NULL,
    PATH,
    TEXT,
    array,
    check,
    constant,
    either,
    integer,
    mapping,
    number,
    record,
    tagged,
    text,
)

CONFIG = record(
    {"rank": integer(1, 100), "rates": array(number(above=0)), "tower": record({"size": integer(1, 9)}, closed=True)},
    {
        "name": either(TEXT, NULL),
        "kind": constant("su", 1),
        "counts": mapping(integer(0)),
        "out": PATH,
        "on": BOOLEAN,
        "pair": array(BOOLEAN, 2, 2),
    },
)
GOOD = {"rank": 8, "rates": [1, 0.5], "tower": {"size": 3}}


@pytest.mark.parametrize(
    "more", [{}, {"name": None}, {"name": "x", "kind": 1}, {"counts": {"a": 0}}, {"unknown": [{}]}, {"on": True}]
)
def test_what_is_expected_passes(more: dict) -> None:
    check({**GOOD, **more}, CONFIG, "a.json", "mend it")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rank": True}, "rank is true; expected an integer from 1 to 100"),
        ({"rank": 8.0}, "rank is 8.0; expected an integer from 1 to 100"),
        ({"rank": 10**12}, "rank is 1000000000000; expected an integer from 1 to 100"),
        ({"rank": None}, "rank is null; expected an integer"),
        ({"rates": [1, 0]}, r"rates\[1\] is 0; expected a number above 0"),
        ({"rates": "1"}, r'rates is "1"; expected a list'),
        ({"tower": []}, r"tower is \[\]; expected an object"),
        ({"tower": {}}, "tower.size is missing; expected a value"),
        ({"tower": {"size": 3, "sise": 4}}, "tower.sise is 4; expected no key of this name"),
        ({"name": 5}, "name is 5; expected a text or null"),
        ({"kind": True}, 'kind is true; expected "su" or 1'),
        ({"counts": {"a": -1}}, "counts.a is -1; expected an integer from 0"),
        ({"out": "a\0b"}, r'out is "a\\u0000b"; expected a path'),
        ({"name": ["x" * 100]}, r"name is \[\"x{50,}\.\.\.; expected a text or null"),
        ({"on": 1}, "on is 1; expected true or false"),
    ],
)
def test_the_wrong_value_is_named(changes: dict, message: str) -> None:
    with pytest.raises(EtalageError, match=f"^a.json: {message}.*; mend it$"):
        check({**GOOD, **changes}, CONFIG, "a.json", "mend it")


def test_another_type_at_the_top_is_named() -> None:
    with pytest.raises(EtalageError, match=r"^a.json: its content is \[1\]; expected an object; mend it$"):
        check([1], CONFIG, "a.json", "mend it")


SHAPE = tagged("type", {"disc": record({"radius": integer(1)}), "named": record({"name": text(3)})})


def test_the_kind_decides_what_is_expected() -> None:
    check({"type": "named", "name": "abc"}, SHAPE, "a.json", "mend it")
    for found, message in (
        ({"type": "disc"}, "radius is missing"),
        ({"type": "bar"}, 'type is "bar"; expected "disc" or "named"'),
        ({}, "type is missing"),
        ({"type": "named", "name": "abcd"}, 'name is "abcd"; expected a text of at most 3 characters'),
    ):
        with pytest.raises(EtalageError, match=message):
            check(found, SHAPE, "a.json", "mend it")


@pytest.mark.parametrize("found", [[True], [True] * 3])
def test_the_length_of_a_list_is_checked(found: list) -> None:
    with pytest.raises(EtalageError, match=r"pair is .*; expected a list of 2 items"):
        check({**GOOD, "pair": found}, CONFIG, "a.json", "mend it")
