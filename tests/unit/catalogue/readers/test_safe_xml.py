"""XML from strangers can neither fill the memory nor name anything outside the file."""

import io

import pytest

from etalage.catalogue.readers.safe_xml import iterate_elements, local_name
from etalage.errors import EtalageError

LAUGHS = '<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;&l;&l;&l;&l;&l;&l;&l;">]><a><b>&m;</b></a>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY p SYSTEM "file:///etc/passwd">]><a><b>&p;</b></a>'


def texts(xml: str, *wanted: str) -> list[str]:
    return ["".join(element.itertext()) for element in iterate_elements(io.BytesIO(xml.encode()), wanted, "f.xml")]


def test_yields_the_root_and_each_wanted_element_with_its_content() -> None:
    xml = '<?xml version="1.0"?><r><x:b>one<i>two</i>three</x:b><c>no</c><b/><d><b>&amp;</b></d></r>'
    assert texts(xml, "b") == ["", "onetwothree", "", "&"]
    assert local_name("g:title") == local_name("title") == "title"


@pytest.mark.parametrize(
    ("xml", "complaint"),
    [
        (LAUGHS, "declares an entity, 'l'"),
        (OUTSIDE, "declares an entity, 'p'"),
        ("<a>" * 101, "nested too deeply"),
        ("<a><b>&unknown;</b></a>", r"f\.xml cannot be read as XML"),
        ("<a><b>", "cannot be read as XML"),
        ("no XML", "cannot be read as XML"),
        ("", "cannot be read as XML"),
        ("<a>\0</a>", "cannot be read as XML"),
        ('<?xml version="1.0" encoding="none-such"?><a/>', "cannot be read as XML"),
    ],
)
def test_refuses_what_is_hostile_or_damaged(xml: str, complaint: str) -> None:
    with pytest.raises(EtalageError, match=complaint):
        texts(xml, "b")


def test_refuses_an_element_larger_than_any_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etalage.catalogue.readers.safe_xml.MAX_CELL_CHARS", 1000)
    assert texts("<a>" + f"<b>{'x' * 500}</b>" * 9 + "</a>", "b")[1:] == ["x" * 500] * 9
    with pytest.raises(EtalageError, match="an element of more than 1000 characters"):
        texts("<a>" + f"<b><c>{'x' * 500}</c><c>{'x' * 600}</c></b>" + "</a>", "b")
