"""`etalage evaluate` needs a run whose training is done."""

from pathlib import Path

import pytest

from etalage.commands.evaluate import evaluate
from etalage.config import EvaluateConfig
from etalage.errors import EtalageError


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(EtalageError, match="is not a run folder"):
        evaluate(EvaluateConfig(tmp_path / "nowhere", track="none"))


@pytest.mark.parametrize("setting", [{"batch_size": 0}, {"max_new_tokens": 0}, {"num_samples": 0}])
def test_counts_below_one_are_refused(setting: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(EtalageError, match="must be at least 1"):
        EvaluateConfig(tmp_path, **setting)
