"""The tokenizer and the configuration that the recipe makes."""

import json

from etalage.models import SMALL


def test_the_tokenizer_is_the_one_that_ships(built):
    tokenizers = (json.loads((folder / "tokenizer.json").read_text()) for folder in (built, SMALL))
    assert next(tokenizers) == next(tokenizers)
