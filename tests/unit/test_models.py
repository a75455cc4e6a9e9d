"""The small model as it ships."""

import hashlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from etalage.errors import EtalageError
from etalage.models import SMALL, load_base
from etalage.phi3v.processing import load_tokenizer
from etalage.task import clean_text


@pytest.fixture(scope="module")
def shipped():
    return load_tokenizer(SMALL)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60).map(clean_text))
def test_any_text_survives_the_tokenizer(shipped, text):
    ids = shipped(text, add_special_tokens=False)["input_ids"]
    assert shipped.decode(ids, skip_special_tokens=True) == text


WEIGHTS = "712188b3556a65db105ff9648cb97adb5eae5c9516d663eb9932bdb8ac5aa521"


def test_the_weights_are_those_that_the_card_describes():
    weights = (SMALL / "model.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest() == WEIGHTS
    assert len(weights) < 40e6


def test_every_weight_is_loaded():
    model, processor = load_base("small", dtype=torch.float32)
    assert all(p.isfinite().all() and p.std() > 0 for n, p in model.named_parameters() if "proj" in n)
    assert len(processor.tokenizer) == model.config.vocab_size


def test_a_folder_without_a_checkpoint_is_one_message(tmp_path):
    with pytest.raises(EtalageError, match=r"has no model.safetensors; give --model a folder that holds a whole"):
        load_base(str(tmp_path), dtype=torch.float32)
