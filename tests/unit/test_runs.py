import json
from pathlib import Path

import pytest
import torch

from etalage.errors import EtalageError
from etalage.models import load_run, load_run_base
from etalage.runs import Run
from etalage.train.trainable import make_trainable, trainable_parameters


@pytest.mark.parametrize("recipe", ["full", "lora"])
def test_the_base_is_loaded_with_the_processor_of_the_run(recipe: str, small, config, recorded, tmp_path: Path) -> None:
    model, processor = small
    base = model.lm_head.weight.detach().clone()
    trained = make_trainable(model, config(recipe=recipe, lora_rank=4))
    with torch.no_grad():
        for parameter in trainable_parameters(trained).values():
            parameter.fill_(0.5)
    processor.image_processor.num_crops = 3
    run = Run(tmp_path / "run")
    run.begin({**recorded, "recipe": recipe})
    run.checkpoints.mkdir()
    run.finish(trained, processor)
    assert len({file.stat().st_mode for file in run.model.iterdir()}) == 1, "all files have the same permissions"

    base_model, run_processor = load_run_base(run)
    after, _ = load_run(run)
    assert base_model.lm_head.weight.equal(base)
    assert all((p == 0.5).all() for n, p in after.named_parameters() if "lora_" in n or n == "lm_head.weight")
    assert not base_model.training
    assert not after.training
    assert run_processor.image_processor.num_crops == 3


def test_nothing_is_loaded_from_a_run_that_is_not_done(recorded, tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.config.write_text(json.dumps({**recorded, "model": "nowhere"}))
    for load in (load_run, load_run_base):
        with pytest.raises(ValueError, match="training is not done"):
            load(run)


CATALOGUE = {"task": {"question": "What?", "answer": "{title}"}, "limits": {}, "catalogue_digest": "0"}


def test_a_folder_with_something_else_is_refused(config, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    assert run.resolve(config(), CATALOGUE)["recipe"] == "full"
    (run.folder / "notes.txt").touch()
    with pytest.raises(EtalageError, match="is not empty and is not a run folder"):
        run.resolve(config(), CATALOGUE)


def test_a_folder_without_a_config_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(EtalageError, match=r"is not a run folder: it has no config.json; name the --out"):
        Run(tmp_path).read_config()


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_damaged_config_is_one_message(tmp_path: Path, text: str) -> None:
    run = Run(tmp_path)
    run.config.write_text(text)
    with pytest.raises(EtalageError, match=r"config.json is damaged .*; restore it, or train again with another --out"):
        run.read_config()


def test_another_catalogue_is_another_run(config, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.begin(run.resolve(config(), CATALOGUE))
    run.log.write_text('{"step": 1}\n')
    assert run.resolve(config(), CATALOGUE) == run.read_config()
    with pytest.raises(EtalageError, match="catalogue_digest was '0', now '1'"):
        run.resolve(config(), {**CATALOGUE, "catalogue_digest": "1"})


def test_a_locked_folder_that_stays_empty_is_removed_with_the_folders_made_for_it(config, tmp_path: Path) -> None:
    run = Run(tmp_path / "a/b/run")
    with run.lock():
        assert run.resolve(config(), CATALOGUE)["recipe"] == "full", "the lock itself is nothing else"
    assert not list(tmp_path.iterdir())
    with run.lock():
        (run.folder / "config.json").touch()
    assert [path.name for path in run.folder.iterdir()] == ["config.json"]


@pytest.mark.parametrize("name", ["file", "file/run", "file/a/b"])
def test_a_file_cannot_be_a_run_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    refused = f"{tmp_path}/file is a file, so {tmp_path}/{name} cannot be a run folder"
    with pytest.raises(EtalageError, match=refused), Run(tmp_path / name).lock():
        pass


def test_a_catalogue_that_moved_and_when_to_write_checkpoints_may_change(config, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.begin(run.resolve(config(), CATALOGUE))
    run.log.write_text('{"step": 1}\n')
    changed = config(catalogue=tmp_path / "moved", checkpoint_minutes=1.0, checkpoint_every=3, log_model=True)
    assert run.resolve(changed, CATALOGUE)["catalogue"] == str(tmp_path / "moved"), "where it is now is recorded"
