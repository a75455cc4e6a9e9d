from pathlib import Path

import pytest

from etalage.config import TrainConfig


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_tokens": 0}, "--max-tokens is 0; it must be at least 1"),
        ({"projector_learning_rate": 0.0}, "--projector-learning-rate is 0.0; it must be positive"),
        ({"freeze": ("tower",), "tower_learning_rate": 1e-5}, "has no effect: --freeze names the tower"),
        ({"recipe": "full", "quantization": "nf4"}, "--quantization nf4 needs frozen weights; --recipe full has none"),
        ({"quantization": "fp8", "lora_variant": "dora", "lora_dropout": 0.1}, "leave one of the three out"),
        ({"freeze": ("decoder", "tower", "projector")}, "--freeze decoder tower projector leaves nothing to train"),
    ],
)
def test_contradictory_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(Path("catalogue"), Path("run"), **settings)


def test_trained_parts_have_learning_rates_of_their_own():
    config = TrainConfig(Path("catalogue"), Path("run"), freeze=("tower",), projector_learning_rate=1e-3)
    assert (config.tower_learning_rate, config.projector_learning_rate) == ("auto", 1e-3)
