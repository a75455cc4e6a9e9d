"""Each early end says what went wrong, what to do, and what is kept."""

import errno
import json
import sqlite3
from pathlib import Path

import pytest

from etalage.config import (
    BenchConfig,
    DemoConfig,
    EvaluateConfig,
    PredictConfig,
    PrepareConfig,
    ReportConfig,
    SampleConfig,
    SampleServeConfig,
    TrainConfig,
)
from etalage.errors import EtalageError
from etalage.failures import explain, report_request, what_is_kept


def caused_by(cause: BaseException) -> Exception:
    error = RuntimeError("unexpected end")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "/data/x"),
        OSError(errno.EDQUOT, "Disk quota exceeded", "/data/x"),
        sqlite3.OperationalError("database or disk is full"),
        EtalageError("step-3 could not be written (I/O error: No space left on device (os error 28))"),
        RuntimeError("[enforce fail at inline_container.cc] No space left on device"),
        caused_by(OSError(errno.ENOSPC, "No space left on device")),
    ],
)
def test_a_full_disk_is_named_whoever_finds_it(error: Exception) -> None:
    message = explain(error)
    assert message is not None
    assert message.startswith("the disk is full")
    assert message.endswith("make room and run the same command again")
    assert ("where /data/x is written" in message) == (getattr(error, "filename", None) is not None)


@pytest.mark.parametrize("error", [MemoryError(), caused_by(MemoryError("Unable to allocate 8 GiB"))])
def test_memory_that_is_used_up_names_what_to_lower(error: Exception) -> None:
    assert "--batch-size" in str(explain(error))


def test_what_a_user_can_mend_is_said_as_it_is_and_a_bug_is_not_explained() -> None:
    assert explain(EtalageError("no such column")) == "no such column"
    assert explain(FileNotFoundError(2, "No such file", "a.csv")) == "[Errno 2] No such file: 'a.csv'"
    assert explain(KeyError("x")) is None
    assert explain(RuntimeError("disk on fire")) is None


def test_errors_that_cause_each_other_end() -> None:
    first, second = KeyError("a"), KeyError("b")
    first.__cause__, second.__cause__ = second, first
    assert explain(first) is None


def test_a_bug_report_has_versions() -> None:
    assert "etalage 0.1.0" in report_request()
    assert "python 3." in report_request()


def test_what_training_keeps_follows_from_its_folder(tmp_path: Path) -> None:
    config = TrainConfig(tmp_path / "c", tmp_path / "run")
    assert what_is_kept(config) == "There is no checkpoint yet. The same command begins again."
    for name in ("step-0000009", "step-0000120", "step-0000130.partial-7"):
        (tmp_path / "run/checkpoints" / name).mkdir(parents=True)
    assert what_is_kept(config) == "The last checkpoint is that of step 120. The same command resumes from it."
    (tmp_path / "run/model").mkdir()
    assert what_is_kept(config) == f"The model is complete: {tmp_path}/run/model."


def test_what_prepare_keeps_are_pictures(tmp_path: Path) -> None:
    config = PrepareConfig("shop.csv", tmp_path / "c")
    assert what_is_kept(config) == "No catalogue was written. The same command begins again."
    (tmp_path / "c.downloads").mkdir()
    assert f"Pictures fetched so far are kept in {tmp_path}/c.downloads" in what_is_kept(config)
    assert "kept in" not in what_is_kept(PrepareConfig("shop.csv", tmp_path / "c", downloads=tmp_path / "d"))


def test_each_verb_says_what_is_true_for_it(tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "out.csv"
    run.mkdir()
    assert "no scores were written" in what_is_kept(EvaluateConfig(run))
    (run / "metrics.json").write_text(json.dumps({}))
    assert "the scores before are unchanged" in what_is_kept(EvaluateConfig(run))
    assert f"{out} was not written" in what_is_kept(PredictConfig(run, images=(Path("a.jpg"),), out=out))
    assert "not written" not in what_is_kept(PredictConfig(run, images=(Path("a.jpg"),)))
    assert "The report was not written" in what_is_kept(ReportConfig(run))
    assert f"{tmp_path} was not written" in what_is_kept(SampleConfig(tmp_path))
    assert what_is_kept(DemoConfig(tmp_path)).startswith(f"Finished parts are kept in {tmp_path}. ")
    assert what_is_kept(BenchConfig(out)) == "The same command begins again."
    out.touch()
    assert str(out) in what_is_kept(BenchConfig(out))
    assert what_is_kept(SampleServeConfig(tmp_path)) == "The same command begins again."
    assert what_is_kept(None) == "The same command begins again."
