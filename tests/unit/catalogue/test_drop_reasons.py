"""Each reason for dropping a row has a sentence for people."""

import re
from pathlib import Path

import pytest

from etalage.catalogue.drop_reasons import explain_drop

CATALOGUE = Path(__file__).parents[3] / "src" / "etalage" / "catalogue"
RAISED = re.compile(r"""(?:BadPicture|UnfitProduct|FetchError|UnreadableRow)\(\s*"(\w+)\"""")


def reasons() -> list[str]:
    return sorted({reason for file in CATALOGUE.rglob("*.py") for reason in RAISED.findall(file.read_text())})


@pytest.mark.parametrize("reason", reasons())
def test_each_reason_is_explained(reason: str) -> None:
    sentence, way_out = explain_drop(reason)
    assert way_out != "see the details of the row", f"{reason} has no sentence in drop_reasons.py"
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "_" not in sentence
    assert not way_out.endswith(".")


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("missing_colour", "The colour is empty."),
        ("full_price_zero", "The full price is zero."),
        ("price_is_range", "The price is a range."),
        ("title_too_long", "The title is too long."),
        ("something_new", "Something new."),
    ],
)
def test_reasons_that_name_a_field_are_explained_with_it(reason: str, sentence: str) -> None:
    assert explain_drop(reason).sentence == sentence
