"""Figures reach Weights & Biases, all of its files stay in the run folder, and it never ends or delays a run."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest
import wandb
from PIL import Image

from etalage.train.tracker import NoTracker
from etalage.train.tracking import BackgroundTracker, make_tracker


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty HOME, where nothing may appear."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in list(os.environ):
        if name.startswith(("WANDB_", "XDG_")):
            monkeypatch.delenv(name)
    return home


def test_no_tracker_writes_nothing(tmp_path):
    with make_tracker("none", tmp_path, {}, "train") as tracker:
        tracker.log({"loss": 1.0}, 1)
    assert isinstance(tracker, NoTracker)
    assert not list(tmp_path.iterdir())


def test_an_offline_run_holds_figures_table_pictures_and_artifact_in_the_run_folder_alone(
    tmp_path, monkeypatch, home, capsys
):
    wandb.teardown()  # whose service would have another HOME
    monkeypatch.setenv("WANDB_MODE", "offline")
    (tmp_path / "model").mkdir()
    (tmp_path / "model/model.safetensors").write_bytes(bytes(2_000_000))
    Image.new("RGB", (8, 8), "red").save(tmp_path / "bag.png")
    with make_tracker("wandb", tmp_path, {"learning_rate": 0.5}, "train", log_model=True) as tracker:
        tracker.log({"loss": 1.25}, 1)
        tracker.log_folder("run-model", "model", tmp_path / "model")
    with make_tracker("wandb", tmp_path, {"learning_rate": 0.5}, "evaluate") as tracker:
        tracker.log({"title.chrf": 33.0})
        tracker.log_table("test_predictions", ["picture", "answer"], [[tmp_path / "bag.png", "A red bag"]])
    run_id = json.loads((tmp_path / "wandb.json").read_text())["id"]
    records = sorted((tmp_path / "wandb").glob(f"offline-run-*/run-{run_id}.wandb"))
    assert len(records) == 2, "training and evaluation are two processes of one run"
    wait_for(records[0], b"learning_rate", b"loss", b"run-model")
    wait_for(records[1], b"title.chrf", b"test_predictions", b"/bag.png")
    (table,) = (tmp_path / "wandb").glob("offline-run-*/files/media/table/*.json")
    assert "A red bag" in table.read_text()
    assert not [path for path in home.rglob("*") if path.is_file()]
    written = sum(path.stat().st_size for path in (tmp_path / "wandb").rglob("*") if path.is_file())
    assert written < 1_000_000, "the model itself is not copied"
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2
    assert said[0].startswith(
        f"tracking: Weights & Biases, offline; nothing is uploaded unless you run `wandb sync {tmp_path}"
    )


def wait_for(record, *words):
    """Wait until a record holds these words: wandb's process writes for a moment after a run has finished."""
    until = time.monotonic() + 20
    while (missing := [word for word in words if word not in record.read_bytes()]) and time.monotonic() < until:
        time.sleep(0.05)
    assert not missing


@pytest.mark.parametrize("setting", ["disabled", "offline"])
def test_the_user_s_own_mode_is_kept(setting, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", setting)
    with make_tracker("wandb", tmp_path, {}, "train") as tracker:
        tracker.log({"loss": 1.0}, 1)
    assert bool(list(tmp_path.glob("wandb/offline-run-*"))) == (setting == "offline")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("WANDB_MODE", "sideways", "Weights & Biases failed (1 validation error for Settings mode"),
        ("WANDB_MODE", "online", "tracking: Weights & Biases, not logged in, so offline"),
        ("WANDB_API_KEY", "abc", "tracking: Weights & Biases, the login is not valid (WANDB_API_KEY invalid"),
    ],
)
def test_a_login_or_mode_that_does_not_work_is_one_line(tmp_path, monkeypatch, capsys, variable, value, said):
    wandb.teardown()  # which would remember the login of the tests before
    monkeypatch.setenv(variable, value)
    with make_tracker("wandb", tmp_path, {}, "train") as tracker:
        tracker.log({"loss": 1.0}, 1)
    printed = capsys.readouterr()
    assert (printed.out + printed.err).startswith(said)
    assert (printed.out + printed.err).count("\n") == 1


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"id": 3}', '{"id": "../../x"}'])
def test_a_damaged_id_begins_another_record(tmp_path, monkeypatch, damaged):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    (tmp_path / "wandb.json").write_text(damaged)
    with make_tracker("wandb", tmp_path, {}, "train"):
        pass
    assert len(json.loads((tmp_path / "wandb.json").read_text())["id"]) == 8


@pytest.mark.parametrize("target", ["/dev/zero", "other.json"])
def test_an_id_that_is_a_link_out_of_the_folder_is_replaced(tmp_path, monkeypatch, target):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    other, run = tmp_path / "other.json", tmp_path / "run"
    other.write_text('{"id": "of-another"}')
    run.mkdir()
    (run / "wandb.json").symlink_to(tmp_path / target)
    with make_tracker("wandb", run, {}, "train"):
        pass
    assert len(json.loads((run / "wandb.json").read_text())["id"]) == 8
    assert not (run / "wandb.json").is_symlink()
    assert other.read_text() == '{"id": "of-another"}'


def test_a_run_folder_that_cannot_be_written_ends_tracking_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_MODE", "offline")
    (tmp_path / "wandb.json").mkdir()
    with make_tracker("wandb", tmp_path, {}, "train") as tracker:
        tracker.log({"loss": 1.0}, 1)
    assert "Weights & Biases failed ([Errno 21] Is a directory" in capsys.readouterr().err


def test_without_wandb_a_run_goes_on(tmp_path):
    program = """
import sys
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "wandb" else find(name, *rest)
from pathlib import Path
from etalage.train.tracking import make_tracker
with make_tracker("wandb", Path(sys.argv[1]), {}, "train") as tracker:
    tracker.log({"loss": 1.0}, 1)
"""
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("tracking: wandb is not installed, so figures go to the run folder alone")
    assert not done.stderr


class Recorder(NoTracker):
    """A tracker that keeps what it gets, and fails or hangs where a test says."""

    def __init__(self, fails=(), hangs=()):
        self.fails, self.hangs, self.calls, self.release = fails, hangs, [], threading.Event()
        self._at("start")

    def _at(self, name):
        if name in self.hangs:
            self.release.wait(60)
        if name in self.fails:
            raise self.fails[name]
        self.calls.append(name)

    def __exit__(self, *_):
        self._at("finish")

    def log(self, figures, step=None):
        self._at("log")

    def log_table(self, name, columns, rows):
        self._at("log_table")

    def log_folder(self, name, kind, folder):
        self._at("log_folder")


def use(tracker, tmp_path):
    """Do all that a run does; return how long that took."""
    start = time.monotonic()
    with tracker:
        for step in range(3):
            tracker.log({"loss": 1.0}, step)
            time.sleep(0.15)
        tracker.log_table("t", ["a"], [["x"]])
        tracker.log_folder("m", "model", tmp_path)
    return time.monotonic() - start


def test_a_tracker_in_the_background_gets_everything_in_order(tmp_path, capsys):
    made = Recorder()
    use(BackgroundTracker("Recorder", lambda: made), tmp_path)
    assert made.calls == ["start", "log", "log", "log", "log_table", "log_folder", "finish"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("place", ["start", "log", "log_table", "log_folder", "finish"])
@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), ConnectionError("x"), SystemExit(1), KeyError(), MemoryError("x")]
)
def test_a_tracker_that_fails_anywhere_is_left_out_with_one_line(tmp_path, capsys, place, error):
    use(BackgroundTracker("Recorder", lambda: Recorder(fails={place: error})), tmp_path)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Recorder failed (")
    assert line.endswith("; going on without it")


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("start", "has not started after 0.1 s"),
        ("log", "has not answered for 0.1 s"),
        ("log_table", "has not finished after 0.1 s"),
        ("finish", "has not finished after 0.1 s"),
    ],
)
def test_a_tracker_that_hangs_anywhere_is_left_out_with_one_line(tmp_path, capsys, place, problem):
    tracker = BackgroundTracker(
        "Recorder",
        lambda: Recorder(hangs=[place]),
        start_timeout_s=0.1,
        call_timeout_s=0.1,
        finish_timeout_s=0.1,
        patience_s=0.1,
    )
    assert use(tracker, tmp_path) < 5
    assert capsys.readouterr().err == f"Recorder {problem}; going on without it\n"
