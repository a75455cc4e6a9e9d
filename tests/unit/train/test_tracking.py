import json
import time

import pytest
from PIL import Image

from etalage.errors import EtalageError
from etalage.train.tracking import NoTracker, make_tracker


@pytest.fixture(autouse=True)
def wandb_folders(tmp_path_factory, monkeypatch):
    for name in ("DATA", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path_factory.mktemp("wandb")))


def test_no_tracker_writes_nothing(tmp_path):
    with make_tracker("none", tmp_path, {}, "train") as tracker:
        tracker.log({"loss": 1.0}, 1)
    assert isinstance(tracker, NoTracker)
    assert not list(tmp_path.iterdir())


def test_an_offline_run_holds_figures_table_pictures_and_artifact(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text("{}")
    Image.new("RGB", (8, 8), "red").save(tmp_path / "bag.png")
    with make_tracker("wandb", tmp_path, {"learning_rate": 0.5}, "train") as tracker:
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


def test_a_wandb_that_does_not_start_is_one_message(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "sideways")
    with pytest.raises(EtalageError, match=r"(?s)Weights & Biases does not start .*WANDB_MODE, or pass --track none"):
        make_tracker("wandb", tmp_path, {}, "train")
