"""Tests of the search for copies and of the distances to the original's rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from etalage.sample.fidelity import measure_fidelity
from etalage.sample.fidelity.privacy import closest_records, count_copies
from etalage.sample.mimic.original import read_original


def test_no_copies_are_found_where_there_are_none(figures: Mapping[str, Any]) -> None:
    assert [figures["privacy"][name] for name in ("rows_copied", "titles_copied", "codes_copied")] == [0, 0, 0]


def test_copies_are_found(folder: Path) -> None:
    original = pq.read_table(folder / "table.parquet").to_pydict()
    training = [row for row in range(400) if row % 4 != 3]
    copied = {name: [cells[row] for row in training] for name, cells in original.items()}
    figures = measure_fidelity(folder, copied, seed=0, num_suppressed=0)
    assert [figures["privacy"][name] for name in ("rows_copied", "titles_copied", "codes_copied")] == [300, 300, 300]
    assert figures["column_fidelity"] == pytest.approx(1)
    assert figures["privacy"]["closer_to_training"] > 0.6
    assert figures["privacy"]["distance_ratio"] < 0.5


def test_titles_are_compared_without_regard_to_case(folder: Path) -> None:
    original = read_original(folder)
    texts = {**original.texts, "title": [(title or "").upper() for title in original.texts["title"]]}
    shouted = type(original)(**{**vars(original), "texts": texts})
    assert count_copies(original, shouted) == {"rows_copied": 0, "titles_copied": 400, "codes_copied": 400}


def test_held_out_rows_are_as_close_to_training_as_to_the_holdout(folder: Path) -> None:
    """A sample of the holdout itself lies closer to it, and one of training rows closer to training."""
    original = read_original(folder)
    training, holdout = original.in_splits(["train"]), original.in_splits(["test"])
    of_holdout = closest_records(original.columns, holdout, training, holdout, seed=0)
    of_training = closest_records(original.columns, training, training, holdout, seed=0)
    assert of_holdout["closer_to_training"] == 0 < 0.6 < of_training["closer_to_training"]
    assert of_holdout["distance_ratio"] >= 1
