"""`etalage predict` refuses pictures that it cannot read before it loads a model."""

import json
from pathlib import Path

import pytest
from PIL import Image

from etalage.commands.predict import predict
from etalage.config import PredictConfig
from etalage.errors import EtalageError


@pytest.fixture
def run(recorded, tmp_path: Path) -> Path:
    """The folder of a run, with an empty folder for a model."""
    folder = tmp_path / "run"
    (folder / "model").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(recorded))
    return folder


def test_names_the_file_that_is_not_a_picture(run: Path, tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_text("<html>")
    with pytest.raises(EtalageError, match=r"page\.jpg: .*leave it out or replace it"):
        predict(PredictConfig(run, (tmp_path / "page.jpg",)))


def test_obeys_the_limits_of_the_catalogue(run: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "large.png")
    with pytest.raises(EtalageError, match=r"large\.png"):
        predict(PredictConfig(run, (tmp_path / "large.png",)))


def test_says_that_training_is_not_done(run: Path, tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "small.png")
    (run / "model").rmdir()
    with pytest.raises(EtalageError, match="training is not done"):
        predict(PredictConfig(run, (tmp_path / "small.png",)))
