"""Settings read from a run's config.json or from a file written by hand."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from etalage.cli import parse
from etalage.config import TrainConfig
from etalage.errors import EtalageError
from etalage.recorded import read_settings, with_current_names
from etalage.runs import Run

TASK = {"question": "What?", "answer": "{title}"}
CATALOGUE = {"task": TASK, "limits": {"max_image_px": 1000}, "catalogue_digest": "0123"}
"""What a catalogue adds to a run's config.json."""


@pytest.fixture
def write(tmp_path):
    """Write an object as a JSON file and return its path."""

    def write(settings: object) -> Path:
        path = tmp_path / "settings.json"
        path.write_text(json.dumps(settings))
        return path

    return write


@pytest.mark.parametrize(
    "flags",
    [
        [],
        ["--model", "owner/checkpoint", "--epochs", "2", "--freeze", "tower", "projector", "--lora-variant", "dora"],
        ["--pixel-cache", "pixels", "--num-crops", "4", "--no-compile", "--tower-learning-rate", "auto"],
    ],
)
def test_a_run_s_own_config_repeats_it_with_another_out(tmp_path, flags):
    first = parse(["train", str(tmp_path / "catalogue"), "--out", str(tmp_path / "first"), *flags])
    run = Run(first.out)
    run.begin(run.resolve(first, CATALOGUE))
    again = parse(["train", "--config", str(run.config), "--out", str(tmp_path / "again")])
    expected = replace(
        first,
        out=tmp_path / "again",
        pixel_cache=first.pixel_cache and first.pixel_cache.resolve(),  # recorded from the root on
    )
    assert again == expected


def test_the_command_line_takes_precedence_over_the_file(write):
    path = write({"catalogue": "c", "epochs": 7, "batch_size": 3})
    config = parse(["train", "--config", str(path), "--out", "r", "--epochs", "9"])
    assert (config.epochs, config.batch_size, config.catalogue) == (9, 3, Path("c"))
    assert parse(["train", "other", "--config", str(path), "--out", "r"]).catalogue == Path("other")


def test_settings_that_the_file_leaves_out_are_those_of_the_recipe(write):
    path = str(write({"model": "/checkpoint"}))
    recorded = parse(["train", "c", "--out", "r", "--config", path])
    assert recorded == parse(["train", "c", "--out", "r", "--model", "/checkpoint"])
    assert recorded.recipe == "lora"


def test_out_is_asked_for_even_if_the_file_names_one(write, capsys):
    with pytest.raises(SystemExit):
        parse(["train", "--config", str(write({"catalogue": "c", "out": "r"}))])
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epoch": 3}, "unknown setting 'epoch'; did you mean 'epochs'?"),
        ({"lora_ranks": 8}, "unknown setting 'lora_ranks'; did you mean 'lora_rank'?"),
        ({"epochs": "three"}, 'epochs is "three"; expected an integer or "auto"'),
        ({"batch_size": 2.5}, "batch_size is 2.5; expected an integer"),
        ({"batch_size": True}, "batch_size is true; expected an integer"),
        ({"learning_rate": "fast"}, 'learning_rate is "fast"; expected a number'),
        ({"compile": 1}, "compile is 1; expected true or false"),
        ({"freeze": "tower"}, 'freeze is "tower"; expected a list of "tower" or "projector" or "decoder"'),
        ({"freeze": ["head"]}, 'freeze is ["head"]; expected a list'),
        ({"quantization": "int8"}, 'quantization is "int8"; expected "none" or "fp8" or "nf4"'),
        ({"pixel_cache": 3}, "pixel_cache is 3; expected a path or null"),
        ({"memory": []}, "activation_checkpointing is []; expected"),
        ([1, 2], "found a list; write an object with a value per setting"),
    ],
)
def test_a_mistake_is_named_with_what_is_expected(write, settings, message):
    path = write(settings)
    with pytest.raises(EtalageError) as refused:
        read_settings(path)
    assert str(refused.value).startswith(f"--config {path}: ")
    assert message in str(refused.value)


@pytest.mark.parametrize("text", [None, "{", "\udcff"])
def test_a_file_that_cannot_be_read_is_one_message(tmp_path, text):
    path = tmp_path / "settings.json"
    if text is not None:
        path.write_text(text, errors="surrogateescape")
    with pytest.raises(EtalageError, match="not a JSON file that can be read"):
        read_settings(path)


def test_an_integer_is_taken_for_a_number_and_a_list_for_a_tuple(write):
    settings = read_settings(write({"learning_rate": 1, "freeze": ["tower"], "num_crops": "auto", "catalogue": "c"}))
    assert settings == {"learning_rate": 1.0, "freeze": ("tower",), "num_crops": "auto", "catalogue": Path("c")}
    assert isinstance(settings["learning_rate"], float)


OLD = {
    "epochs": 2,
    "views": 4,
    "prepared_pictures": "/pixels",
    "memory": "save",
    "num_crops": None,
    "lora_alpha": None,
    "tower_learning_rate": None,
    "projector_learning_rate": 1e-5,
    "versions": {"etalage": "0.1.0"},
}
"""As version 0.1.0 wrote it."""


def test_names_and_values_of_version_0_1_0_are_still_read(write):
    config = parse(["train", "c", "--out", "r", "--config", str(write(OLD))])
    assert (config.epochs, config.num_augmentations, config.pixel_cache) == (2, 4, Path("/pixels"))
    assert config.activation_checkpointing == "full"
    assert (config.num_crops, config.lora_alpha) == ("auto", "auto")
    assert (config.tower_learning_rate, config.projector_learning_rate) == ("auto", 1e-5)


@pytest.mark.parametrize(("old", "current"), [("save", "full"), ("keep", "none"), ("auto", "auto")])
def test_current_names_are_left_as_they_are(old, current):
    upgraded = with_current_names({**OLD, "memory": old})
    assert upgraded["activation_checkpointing"] == current
    assert with_current_names(upgraded) == upgraded
    assert not {"views", "prepared_pictures", "memory"} & upgraded.keys()


def test_a_run_of_version_0_1_0_resumes(tmp_path):
    config = TrainConfig(tmp_path / "catalogue", tmp_path / "run", num_augmentations=4, activation_checkpointing="none")
    run = Run(config.out)
    recorded = run.resolve(config, CATALOGUE)
    current = {"views": "num_augmentations", "prepared_pictures": "pixel_cache", "memory": "activation_checkpointing"}
    old = {name: recorded.pop(name_today) for name, name_today in current.items()}
    nulls = dict.fromkeys(("num_crops", "lora_alpha", "tower_learning_rate", "projector_learning_rate"))
    run.begin({**recorded, **old, **nulls, "memory": "keep"})
    run.log.write_text('{"step": 1}\n')
    assert run.resolve(config, CATALOGUE) == run.read_config()
    with pytest.raises(EtalageError, match="num_augmentations was 4, now 2"):
        run.resolve(replace(config, num_augmentations=2), CATALOGUE)


def test_every_field_can_be_recorded_and_read(write):
    config = TrainConfig(Path("c"), Path("r"))
    recorded = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(config).items()}
    settings = read_settings(write(recorded))
    assert TrainConfig(**settings, out=Path("r")) == config
