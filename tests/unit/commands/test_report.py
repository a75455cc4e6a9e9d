"""`etalage report` says what is missing."""

import json
from pathlib import Path

import pytest

from etalage.commands.report import report
from etalage.config import ReportConfig
from etalage.errors import EtalageError


def test_a_run_without_metrics_is_told_what_to_do(recorded, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(recorded))
    with pytest.raises(EtalageError, match="run `etalage evaluate"):
        report(ReportConfig(tmp_path))


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model": ')
    with pytest.raises(EtalageError, match=r"config\.json is damaged"):
        report(ReportConfig(tmp_path))


@pytest.mark.parametrize("text", ["[]", '{"split": ', ""])
def test_damaged_metrics_are_named(text: str, recorded, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(recorded))
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(EtalageError, match=r"metrics\.json is damaged .*evaluate .* again"):
        report(ReportConfig(tmp_path))
