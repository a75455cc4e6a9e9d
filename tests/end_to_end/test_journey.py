"""The whole journey through the command line, with few products and few steps."""

import csv
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import weakref
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from etalage import models
from etalage.catalogue.store import Catalogue
from etalage.cli import main
from etalage.commands.evaluate import evaluate
from etalage.config import EvaluateConfig, TrainConfig
from etalage.models import SMALL
from etalage.runs import Run

TRAIN = ["train", "--track", "none", "--num-crops", "1", "--epochs", "3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("journey")


@pytest.fixture(scope="module")
def run(folder):
    """Sample, prepare, train three epochs, evaluate, report."""
    main(["sample", str(folder / "sample"), "--rows", "40", "--seed", "1"])
    main(["prepare", str(folder / "sample/catalogue.csv"), "--out", str(folder / "catalogue"), "--seed", "1"])
    main([*TRAIN, str(folder / "catalogue"), "--out", str(folder / "run")])
    main(["evaluate", str(folder / "run"), "--max-new-tokens", "24", "--track", "none"])
    main(["report", str(folder / "run")])
    return folder / "run"


def test_metrics_have_the_documented_keys(run):
    metrics = json.loads((run / "metrics.json").read_text())
    blocks = {
        "title": {"exact", "chrf"},
        "category": {"accuracy", "macro_f1"},
        "price": {"mae", "median_ape", "median_factor_error", "within_20pct"},
    }
    for scored in (
        metrics,
        metrics["baselines"]["before"],
        metrics["baselines"]["majority"],
        metrics["controls"]["blank"],
        metrics["controls"]["shuffled"],
    ):
        assert 0 <= scored["num_parsed"] <= scored["num_examples"]
        for field, figures in blocks.items():
            assert scored[field].keys() == figures
    assert metrics["split"] == "test"
    assert metrics["baselines"]["majority"]["num_parsed"] == metrics["num_examples"] == 8
    assert metrics["intervals"]["baselines"]["before"].keys() == blocks.keys()


def test_predictions_hold_the_answers_before_and_after(run):
    lines = [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]
    assert all(line["before"] for line in lines)
    assert [line["before"] for line in lines] != [line["answer"] for line in lines]


def test_the_base_is_freed_before_the_trained_model_is_loaded(run, monkeypatch):
    class Loaded(Exception): ...

    load_run_base, base = models.load_run_base, []

    def watched(folder):
        model, processor = load_run_base(folder)
        base.append(weakref.ref(model))
        return model, processor

    def load(folder):
        assert base[0]() is None
        raise Loaded

    monkeypatch.setattr(models, "load_run_base", watched)
    monkeypatch.setattr(models, "load_run", load)
    with pytest.raises(Loaded):
        evaluate(EvaluateConfig(run, max_new_tokens=1, track="none"))


def test_the_log_has_a_line_per_step_and_the_page_is_self_contained(run):
    losses = [json.loads(line)["loss"] for line in (run / "log.jsonl").read_text().splitlines()]
    assert len(losses) == 6
    assert all(math.isfinite(loss) for loss in losses)
    page = (run / "report.html").read_text()
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page


def test_the_model_shows_transparent_pictures_as_training_did(run):
    assert json.loads((run / "model/preprocessor_config.json").read_text())["background"] == "white"


def test_a_planted_prediction_gets_no_other_file_onto_the_page(run, folder):
    """Its picture is of this machine, but of no product; the text of the file is shown, as text."""
    secret, copy = folder / "secret.png", folder / "planted"
    Image.new("RGB", (30, 20), (1, 2, 3)).save(secret)
    shutil.copytree(run, copy)
    lines = [json.loads(line) for line in (copy / "predictions.jsonl").read_text().splitlines()]
    assert (run / "report.html").read_text().count("data:image/jpeg") == len(lines)
    lines[0]["image"] = str(secret)
    lines[1]["image"] = str(folder / Path(lines[1]["image"]).name)  # of this catalogue, wherever it is said to be
    (copy / "predictions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    main(["report", str(copy)])
    page = (copy / "report.html").read_text()
    assert page.count("data:image/jpeg") == len(lines) - 1
    assert page.count("no picture</div>") == 1


def test_predict_writes_csv_and_jsonl(run, folder):
    pictures = sorted(str(path) for path in (folder / "sample/images").iterdir())[:2]
    main(["predict", str(run), *pictures, "--out", str(folder / "p.csv"), "--max-new-tokens", "8"])
    main(["predict", str(run), *pictures, "--out", str(folder / "p.jsonl"), "--max-new-tokens", "8"])
    with (folder / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (folder / "p.jsonl").read_text().splitlines()]
    assert [row["image"] for row in rows] == [line["image"] for line in lines] == pictures
    assert [row["answer"] for row in rows] == [line["answer"] for line in lines]


def test_a_killed_run_resumes_to_the_very_same_losses(run, folder):
    log = folder / "killed/log.jsonl"
    train = [*TRAIN, str(folder / "catalogue"), "--checkpoint-every", "1", "--out", str(log.parent)]
    process = subprocess.Popen([sys.executable, "-m", "etalage", *train])
    while process.poll() is None and (not log.exists() or log.read_text().count("\n") < 3):
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it was still training"
    main(train)
    killed, unbroken = (
        [json.loads(line)["loss"] for line in path.read_text().splitlines()] for path in (log, run / "log.jsonl")
    )
    assert killed == unbroken


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_training_says_where_it_stopped(run, folder, number, status):
    log = folder / f"interrupted-{status}/log.jsonl"
    train = [sys.executable, "-m", "etalage", *TRAIN, str(folder / "catalogue"), "--out", str(log.parent)]
    with subprocess.Popen(train, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and (not log.exists() or not log.read_text()):
            time.sleep(0.01)
        process.send_signal(number)
        _, said = process.communicate()
    assert process.returncode == status
    step = log.read_text().count("\n")
    assert said.endswith(
        f"Interrupted. Stopped after step {step} of 6. The last checkpoint is that of step {step}. "
        "The same command resumes from it.\n"
    )
    assert "Traceback" not in said
    assert "run.lock" not in {path.name for path in log.parent.iterdir()}


def test_a_second_writer_is_refused_and_changes_nothing(run, folder, capsys):
    def contents():
        return {path.name: path.read_bytes() for path in run.iterdir() if path.is_file() and path.name != "run.lock"}

    before = contents()
    commands = [
        [*TRAIN, str(folder / "catalogue"), "--out", str(run)],
        [*TRAIN, str(folder / "catalogue"), "--out", str(run), "--epochs", "4"],
        ["evaluate", str(run)],
        ["report", str(run)],
    ]
    with Run(run).lock():
        for command in commands:
            with pytest.raises(SystemExit) as refused:
                main(command)
            assert refused.value.code == 2
            assert f"{run} is in use: " in (said := capsys.readouterr().err)
            assert f"(process {os.getpid()} on " in said
    assert contents() == before


def test_a_moved_catalogue_is_named_and_another_one_refused(run, folder, capsys):
    moved, other = folder / "elsewhere/goods", folder / "other-catalogue"
    moved.parent.mkdir()
    (folder / "catalogue").rename(moved)
    try:
        with pytest.raises(SystemExit):
            main(["report", str(run)])
        assert "--catalogue FOLDER" in capsys.readouterr().err
        main(["report", str(run), "--catalogue", str(moved)])
        assert capsys.readouterr().out.startswith("report: ")
        main([*TRAIN, str(moved), "--out", str(run)])
        assert "trained already" in capsys.readouterr().out, "a moved catalogue is no other one"
        main(["prepare", str(folder / "sample/catalogue.csv"), "--out", str(other), "--seed", "2"])
        for command in (["report", str(run), "--catalogue", str(other)], [*TRAIN, str(other), "--out", str(run)]):
            with pytest.raises(SystemExit) as refused:
                main(command)
            assert refused.value.code == 2
    finally:
        moved.rename(folder / "catalogue")


def test_a_finished_run_is_left_alone_and_other_settings_are_refused(run, folder, capsys):
    again = [*TRAIN, str(folder / "catalogue"), "--out", str(run)]
    main(again)
    assert "trained already" in capsys.readouterr().out
    with pytest.raises(SystemExit) as refused:
        main([*again, "--epochs", "4"])
    assert refused.value.code == 2
    assert "epochs was 3, now 4" in capsys.readouterr().err


def test_settings_that_may_change_on_resume(run, folder):
    catalogue, config = Catalogue.load(folder / "catalogue"), TrainConfig(folder / "catalogue", folder / "stopped")
    stopped = Run(config.out)
    recorded = stopped.resolve(config, catalogue.record)
    stopped.begin(recorded)
    stopped.log.touch()
    assert stopped.resolve(replace(config, quantization="nf4"), catalogue.record)["quantization"] == "nf4", (
        "the run has taken no step"
    )
    stopped.log.write_text('{"step": 1}\n')
    with pytest.raises(ValueError, match="quantization was 'none', now 'nf4'"):
        stopped.resolve(replace(config, quantization="nf4"), catalogue.record)
    assert (
        stopped.resolve(replace(config, max_tokens=1, activation_checkpointing="full", compile=False), catalogue.record)
        == recorded
    )


def test_a_model_that_cannot_be_loaded_leaves_no_run_folder(run, folder, capsys):
    truncated = folder / "truncated"
    shutil.copytree(SMALL, truncated)
    os.truncate(truncated / "model.safetensors", 1_000_000)
    for model in (truncated, folder / "sample"):
        with pytest.raises(SystemExit):
            main(["train", str(folder / "catalogue"), "--out", str(folder / "other"), "--model", str(model)])
        assert "Phi-3-vision checkpoint (config.json, safetensors" in capsys.readouterr().err
        assert not (folder / "other").exists()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["evaluate", "nowhere"], "nowhere is not a run folder"),
        (["train", "nowhere", "--out", "{}/r"], "is no catalogue"),
        (["prepare", "nowhere.csv", "--out", "{}/c"], "nowhere.csv"),
    ],
)
def test_errors_are_one_message_and_exit_code_2(argv, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as refused:
        main([word.format(tmp_path) for word in argv])
    assert refused.value.code == 2
    assert message in capsys.readouterr().err
