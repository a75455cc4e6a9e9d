import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from etalage import __version__
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


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("trian", "; did you mean 'train'? Commands are demo, "),
        ("Evaluate", "; did you mean 'evaluate'? "),
        ("perdict", "; did you mean 'predict'? "),
        ("repor", "; did you mean 'report'? "),
        ("xyz", ". Commands are demo, sample, "),
    ],
)
def test_a_misspelt_verb_is_refused_and_the_right_one_named(typed, hint, capsys):
    with pytest.raises(SystemExit) as done:
        main([typed, "c", "--out", "r"])
    assert done.value.code == 2
    assert capsys.readouterr().err.startswith(f"etalage {typed}: there is no command {typed!r}{hint}")


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as done:
        main(["--version"])
    assert done.value.code == 0
    assert capsys.readouterr().out == f"etalage {__version__}\n"


@pytest.mark.parametrize(
    ("recipe", "hint"), [("qlora", "QLoRA is --recipe lora --quantization nf4"), ("LoRA", "leave it out")]
)
def test_an_unknown_recipe_names_the_choices(recipe, hint, capsys):
    with pytest.raises(SystemExit) as done:
        main(["train", "c", "--out", "r", "--recipe", recipe])
    assert done.value.code == 2
    assert f"--recipe is {recipe!r}; choose lora or full; {hint}" in capsys.readouterr().err


COMMANDS = [
    ["train", "missing", "--out", "new/run"],
    ["train", "missing", "--out", "file"],
    ["evaluate", "missing"],
    ["report", "missing"],
    ["predict", "missing", "a.jpg"],
]


def test_folders_are_checked_before_torch_is_imported_and_leave_nothing(tmp_path):
    (tmp_path / "file").touch()
    program = f"""
import sys
from etalage.cli import main
for command in {COMMANDS}:
    try:
        main(command)
    except SystemExit as done:
        assert done.code == 2, command
assert not {{"torch", "transformers", "wandb"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stderr.count("\n") == len(COMMANDS)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize(("arguments", "status"), [("--help", 0), ("report nowhere", 2)])
def test_closed_outputs_change_no_exit_status(closed, arguments, status, tmp_path):
    shell = f"{sys.executable} -m etalage {arguments} {closed}"
    done = subprocess.run(["sh", "-c", shell], cwd=tmp_path, check=False, capture_output=True)
    assert done.returncode == status
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(("verb", "encoding"), [("", "ascii"), ("train", "latin-1"), ("prepare", "cp437")])
def test_help_is_printed_in_any_encoding(verb, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "40", "LC_ALL": "C"}
    command = [sys.executable, "-m", "etalage", *verb.split(), "--help"]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert b"usage: etalage" in done.stdout


def test_a_bug_keeps_its_traceback_and_ends_with_a_request(monkeypatch, capsys):
    def break_down(config):
        raise KeyError("imageurl")

    monkeypatch.setattr("etalage.commands.report.report", break_down)
    with pytest.raises(SystemExit) as done:
        main(["report", "run"])
    assert done.value.code == 1
    *traceback, last = capsys.readouterr().err.splitlines()
    assert "in break_down" in "\n".join(traceback)
    assert last.startswith(
        "This is a bug in etalage or in a library below it, not a mistake of yours. Please report it"
    )
    with pytest.raises(KeyError):
        main(["report", "run", "--debug"])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_says_what_is_kept(monkeypatch, capsys, number, status):
    monkeypatch.setattr("etalage.commands.report.report", lambda config: signal.raise_signal(number))
    with pytest.raises(SystemExit) as done:
        main(["report", "run"])
    assert done.value.code == status
    assert capsys.readouterr().err == "Interrupted. The report was not written. The same command writes it.\n"
