"""How long an answer may be, for `evaluate` and `predict` alike."""

from pathlib import Path

import pytest

from etalage.commands.answers import max_new_tokens
from etalage.config import EvaluateConfig, PredictConfig


@pytest.mark.parametrize("config", [EvaluateConfig(Path("run")), PredictConfig(Path("run"), (Path("a.png"),))])
def test_auto_is_what_the_longest_learned_answer_needs_and_some_more(config) -> None:
    assert config.max_new_tokens == "auto"
    assert max_new_tokens(config, {"longest_answer_tokens": 200}) == 250
    assert max_new_tokens(config, {"longest_answer_tokens": 20}) == 52
    assert max_new_tokens(config, {}) == 96, "an older run"


def test_a_number_is_taken_as_it_is() -> None:
    assert max_new_tokens(EvaluateConfig(Path("run"), max_new_tokens=7), {"longest_answer_tokens": 200}) == 7
