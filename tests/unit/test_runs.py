"""What a run folder gives back."""

import json
from pathlib import Path

import pytest
import torch

from etalage.models import load_run, load_run_base
from etalage.runs import Run
from etalage.train.trainable import make_trainable, trainable_parameters


@pytest.mark.parametrize("recipe", ["full", "lora"])
def test_before_is_the_base_with_the_processor_of_the_run(recipe: str, small, config, tmp_path: Path) -> None:
    model, processor = small
    base = model.lm_head.weight.detach().clone()
    learned = make_trainable(model, config(recipe=recipe, lora_rank=4))
    with torch.no_grad():
        for parameter in trainable_parameters(learned).values():
            parameter.fill_(0.5)
    processor.image_processor.num_crops = 3
    run = Run(tmp_path / "run")
    run.begin({"recipe": recipe, "model": "small"})
    run.checkpoints.mkdir()
    run.finish(learned, processor)
    assert len({file.stat().st_mode for file in run.model.iterdir()}) == 1, "who may read one may read all"

    before, its_processor = load_run_base(run)
    after, _ = load_run(run)
    assert before.lm_head.weight.equal(base)
    assert all((p == 0.5).all() for n, p in after.named_parameters() if "lora_" in n or n == "lm_head.weight")
    assert not before.training
    assert not after.training
    assert its_processor.image_processor.num_crops == 3


def test_nothing_is_loaded_of_a_run_that_is_not_done(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.config.write_text(json.dumps({"recipe": "lora", "model": "nowhere"}))
    for load in (load_run, load_run_base):
        with pytest.raises(ValueError, match="training is not done"):
            load(run)
