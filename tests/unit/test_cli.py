import subprocess
import sys
from pathlib import Path

import pytest

from etalage.cli import VERBS, main, parse
from etalage.config import TrainConfig
from etalage.errors import EtalageError


def test_small_is_trained_in_full_and_checkpoints_get_adapters():
    assert parse(["train", "c", "--out", "r"]).recipe == "full"
    assert parse(["train", "c", "--out", "r", "--model", "/checkpoint"]).recipe == "lora"
    assert parse(["train", "c", "--out", "r", "--recipe", "lora"]).recipe == "lora"


def test_overrides_win_over_the_recipe():
    assert parse(["train", "c", "--out", "r", "--learning-rate", "0.5"]).learning_rate == 0.5
    assert parse(["train", "c", "--out", "r", "--model", "/x", "--epochs", "9"]).epochs == 9


def test_a_misspelt_option_is_refused_and_the_right_one_named(capsys):
    with pytest.raises(SystemExit):
        parse(["sample", "out", "--row", "3"])
    assert "--rows" in capsys.readouterr().err


@pytest.mark.parametrize("verb", VERBS)
def test_help_documents_each_verb(verb, capsys):
    with pytest.raises(SystemExit) as done:
        parse([verb, "--help"])
    assert done.value.code == 0
    assert verb in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [{"epochs": -1}, {"batch_size": 0}, {"learning_rate": 0.0}, {"lora_dropout": 1.0}])
def test_impossible_values_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must be|at least"):
        TrainConfig(Path("c"), Path("r"), **wrong)


def test_the_command_line_does_not_import_torch():
    heavy = "{'torch', 'transformers', 'pyarrow', 'PIL', 'wandb'} & set(sys.modules)"
    program = f"import sys, etalage.cli; sys.exit(str({heavy}) if {heavy} else 0)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_error_is_one_plain_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as done:
        main(["report", str(tmp_path)])
    assert done.value.code == 2
    printed = capsys.readouterr()
    assert printed.err == (
        f"etalage report: {tmp_path} is not a run folder: it has no config.json; name the --out of `etalage train`\n"
    )
    assert not printed.out


@pytest.mark.parametrize("place", [0, 1, 2])
def test_debug_shows_the_traceback_of_an_error(tmp_path, place):
    argv = ["report", str(tmp_path)]
    argv.insert(place, "--debug")
    with pytest.raises(EtalageError, match="is not a run folder") as raised:
        main(argv)
    assert [entry.name for entry in raised.traceback][-1] == "read_config"


def test_a_configuration_s_own_refusal_is_one_line_too(capsys):
    with pytest.raises(SystemExit) as done:
        main(["train", "c", "--out", "r", "--max-tokens", "0"])
    assert done.value.code == 2
    assert capsys.readouterr().err == "etalage train: --max-tokens is 0; it must be at least 1\n"
