import json
import shutil
from pathlib import Path

import pytest
import torch

from etalage.errors import EtalageError
from etalage.folders import SUMS
from etalage.models import SMALL, base_digest, load_base, load_run, load_run_base
from etalage.pretrained.checkpoint import checkpoint_digest
from etalage.runs import Run, read_log
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


def test_small_is_the_one_that_ships_whatever_the_working_directory_holds(
    config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Run(tmp_path / "run").resolve(config(), CATALOGUE)["model"] == "small"
    assert Run(tmp_path / "run").resolve(config(model="./small"), CATALOGUE)["model"] == str(tmp_path / "small")
    load_base("small", dtype=torch.float32)
    assert base_digest("small") == checkpoint_digest(SMALL, "")


@pytest.fixture
def trained(small, config, recorded, tmp_path: Path) -> Run:
    """A run whose training is done, on a copy of the small model."""
    shutil.copytree(SMALL, tmp_path / "base")
    run = Run(tmp_path / "run")
    base = str(tmp_path / "base")
    run.begin({**recorded, "model": base, "base_digest": base_digest(base)})
    run.checkpoints.mkdir()
    run.finish(make_trainable(small[0], config(recipe="lora", lora_rank=2)), small[1])
    return run


@pytest.mark.parametrize("load", [load_run, load_run_base])
def test_a_base_that_has_changed_is_refused(trained: Run, tmp_path: Path, load) -> None:
    load(trained)
    weights = tmp_path / "base/model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-100] ^= 1
    weights.write_bytes(content)
    with pytest.raises(EtalageError, match=r"the base .*/base has changed since this run began; restore the base"):
        load(trained)
    shutil.rmtree(tmp_path / "base")
    with pytest.raises(EtalageError, match=r"the model .*/base is no folder; restore the base"):
        load(trained)


@pytest.mark.parametrize("load", [load_run, load_run_base])
def test_a_trained_model_that_has_changed_is_refused(trained: Run, load) -> None:
    weights = trained.model / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-100] ^= 1
    weights.write_bytes(content)
    with pytest.raises(EtalageError, match=r"adapter_model\.safetensors has changed since it was written"):
        load(trained)
    (trained.model / SUMS).unlink()
    with pytest.raises(EtalageError, match=rf"{SUMS}' cannot be read"):
        load(trained)


def test_a_run_on_a_base_that_has_changed_does_not_resume(config, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.begin(run.resolve(config(), {**CATALOGUE, "base_digest": "0"}))
    run.log.write_text('{"step": 1, "loss": 1.0}\n')
    run.resolve(config(), {**CATALOGUE, "base_digest": "0"})
    with pytest.raises(EtalageError, match="the files of the base small have changed since"):
        run.resolve(config(), {**CATALOGUE, "base_digest": "1"})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("seed", "0", 'seed is "0"; expected an integer'),
        ("recipe", "lore", 'recipe is "lore"; expected "lora" or "full"'),
        ("lora_rank", 0, "--lora-rank is 0; it must be at least 1"),
        ("num_augmentations", None, "num_augmentations is null"),
        ("model", "a\0b", r'model is "a\\u0000b"; expected a path'),
        ("catalogue", ..., "catalogue is missing"),
        ("task", {"question": "What?", "answer": "no field"}, "task: "),
        ("task", {"question": "What?"}, "task.answer is missing"),
        ("task", {"question": "What?", "answer": "{title}", "extra": 1}, "task.extra is 1; expected no key"),
        ("limits", {"max_image_px": -1}, "limits.max_image_px is -1"),
        ("limits", {"max_pixels": 5}, "limits.max_pixels is 5; expected no key"),
        ("choices", {"category": "Bags"}, 'choices.category is "Bags"; expected a list'),
    ],
)
def test_a_wrong_value_in_a_config_is_named(recorded, tmp_path: Path, key: str, value: object, message: str) -> None:
    run = Run(tmp_path)
    changed = {**recorded, key: value}
    run.config.write_text(json.dumps({k: v for k, v in changed.items() if v is not ...}))
    with pytest.raises(EtalageError, match=rf"config\.json: {message}.*; restore it, or train again with another"):
        run.read_config()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"step": 1}', "loss is missing"),
        ('{"step": 2, "loss": 1}', "step is 2; expected 1"),
        ('{"step": 1, "loss": "1"}', 'loss is "1"; expected a number'),
        ('{"step": 1, "loss": 1, "grad_norm": null}', "grad_norm is null; expected a number"),
        ('{"step": 1, "loss": NaN}', r"line 1 is damaged \(NaN"),
        ("", "line 1 is damaged"),
    ],
)
def test_a_damaged_line_of_the_log_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "log.jsonl").write_text(f"{line}\n")
    with pytest.raises(EtalageError, match=rf"log\.jsonl line 1.*{message.removeprefix('line 1')}.*; restore it"):
        read_log(tmp_path / "log.jsonl")


def test_half_a_line_after_the_steps_that_count_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "lo')
    assert read_log(log, 1) == [{"step": 1, "loss": 2.0}]
    with pytest.raises(EtalageError, match="line 2 is damaged"):
        read_log(log, 2)
    log.write_text('{"step": 1, "loss": 2.0}\n')
    with pytest.raises(EtalageError, match="has 1 of the 3 steps that were taken"):
        read_log(log, 3)
