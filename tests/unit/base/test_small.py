"""The small preset as it ships."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.base import SMALL
from etalage.base.build import tokenizer
from etalage.phi3v.processing import load_tokenizer
from etalage.task import clean_text


@pytest.fixture(scope="module")
def shipped():
    return load_tokenizer(SMALL)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60).map(clean_text))
def test_any_text_can_be_written_and_read_back(shipped, text):
    ids = shipped(text, add_special_tokens=False)["input_ids"]
    assert shipped.decode(ids, skip_special_tokens=True) == text


def test_the_build_gives_what_ships():
    assert json.loads(tokenizer().backend_tokenizer.to_str()) == json.loads((SMALL / "tokenizer.json").read_text())
