import subprocess
import sys
from pathlib import Path

import pytest

from etalage.cli import VERBS, parse
from etalage.config import TrainConfig


def test_small_is_trained_in_full_and_checkpoints_get_adapters():
    assert parse(["train", "c", "--out", "r"]).recipe == "full"
    assert parse(["train", "c", "--out", "r", "--model", "/checkpoint"]).recipe == "lora"
    assert parse(["train", "c", "--out", "r", "--recipe", "lora"]).recipe == "lora"


def test_overrides_win_over_the_recipe():
    assert parse(["train", "c", "--out", "r", "--learning-rate", "0.5"]).learning_rate == 0.5
    assert parse(["train", "c", "--out", "r", "--model", "/x", "--epochs", "9"]).epochs == 9


def test_a_misspelt_knob_is_caught_and_the_right_one_named(capsys):
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
def test_values_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must be|at least"):
        TrainConfig(Path("c"), Path("r"), **wrong)


def test_the_command_line_does_not_import_torch():
    heavy = "{'torch', 'transformers', 'pyarrow', 'PIL', 'wandb'} & set(sys.modules)"
    program = f"import sys, etalage.cli; sys.exit(str({heavy}) if {heavy} else 0)"
    subprocess.run([sys.executable, "-c", program], check=True)
