"""Tests of the comparison: good for a good sample, bad for a bad one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.errors import EtalageError
from etalage.sample.fidelity import measure_fidelity

from .conftest import make_table, write_original


def test_a_sample_of_the_same_distribution_is_close_to_the_floor(figures: Mapping[str, Any]) -> None:
    assert figures["column_fidelity"] > 0.93
    assert abs(figures["column_fidelity"] - figures["floors"]["column_fidelity"]) < 0.06
    assert figures["detection_auc"] == max(figures["detection"].values()) < 0.65
    assert abs(figures["privacy"]["closer_to_training"] - 0.5) < 0.1
    assert figures["privacy"]["distance_ratio"] == pytest.approx(1, abs=0.15)
    assert (figures["num_original"], figures["num_holdout"], figures["num_sample"]) == (300, 100, 300)
    assert figures["privacy"]["num_suppressed"] == 7


def test_a_worse_sample_gets_worse_figures(folder: Path, figures: Mapping[str, Any]) -> None:
    dearer = measure_fidelity(folder, make_table(300, 2, price_factor=2.0), seed=0, num_suppressed=0)
    assert dearer["columns"]["price"]["score"] < 0.6 < figures["columns"]["price"]["score"]
    assert dearer["detection_auc"] > 0.8
    assert dearer["columns"]["price"]["floor"] == figures["columns"]["price"]["floor"]


def test_missing_values_lower_the_score(folder: Path) -> None:
    sample = make_table(300, 2)
    sample["cost"] = [cell if row % 2 else None for row, cell in enumerate(sample["cost"])]
    assert measure_fidelity(folder, sample, seed=0, num_suppressed=0)["columns"]["cost"]["score"] < 0.75


def test_equal_seeds_give_equal_figures(folder: Path, figures: Mapping[str, Any]) -> None:
    assert measure_fidelity(folder, make_table(300, 2), seed=0, num_suppressed=7) == figures


def test_a_sample_without_a_column_is_refused(folder: Path) -> None:
    sample = {name: cells for name, cells in make_table(30, 2).items() if name != "brand"}
    with pytest.raises(EtalageError, match="no column 'brand'"):
        measure_fidelity(folder, sample, seed=0, num_suppressed=0)


def test_a_sample_of_too_few_rows_is_refused(folder: Path) -> None:
    with pytest.raises(EtalageError, match="5 rows, too few"):
        measure_fidelity(folder, make_table(5, 2), seed=0, num_suppressed=0)


def test_without_a_test_split_closeness_is_not_measured(tmp_path: Path) -> None:
    write_original(tmp_path, make_table(80, 1))
    products = pq.read_table(tmp_path / "metadata.parquet").to_pydict()
    pq.write_table(pa.table({**products, "split": ["train"] * 80}), tmp_path / "metadata.parquet")
    figures = measure_fidelity(tmp_path, make_table(60, 2), seed=0, num_suppressed=0)
    assert figures["num_holdout"] == 0
    assert set(figures["privacy"]) == {"rows_copied", "titles_copied", "codes_copied", "num_suppressed"}
    assert figures["floors"]["privacy"] == {}


def test_the_column_of_pictures_may_be_missing(folder: Path, figures: Mapping[str, Any]) -> None:
    sample = {name: cells for name, cells in make_table(300, 2).items() if name != "photo"}
    assert measure_fidelity(folder, sample, seed=0, num_suppressed=7) == figures
