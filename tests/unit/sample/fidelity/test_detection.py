"""Tests of the classifiers that distinguish a sample from its original."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from etalage.sample.fidelity import measure_fidelity
from etalage.sample.fidelity.detection import detection_auc
from etalage.sample.mimic.original import read_original

from .conftest import make_table


def test_detection_agrees_with_sdmetrics(folder: Path) -> None:
    tables = pytest.importorskip("sdmetrics.single_table")
    import pandas as pd

    original = pq.read_table(folder / "table.parquet").to_pydict()
    known = [row for row in range(400) if row % 4 != 3]
    sample = make_table(300, 2, price_factor=1.5)
    ours = measure_fidelity(folder, sample, seed=0, num_suppressed=0)["detection"]["logistic"]
    frames = [
        pd.DataFrame({"price": [float(cell) for cell in price], "category": category})
        for price, category in (
            ([original["price"][row] for row in known], [original["category"][row] for row in known]),
            (sample["price"], sample["category"]),
        )
    ]
    metadata = {"columns": {"price": {"sdtype": "numerical"}, "category": {"sdtype": "categorical"}}}
    theirs = 1 - tables.LogisticDetection.compute(*frames, metadata=metadata) / 2
    assert ours == pytest.approx(theirs, abs=0.08)


def test_two_halves_of_one_table_are_hardly_distinguished_and_another_table_is(folder: Path) -> None:
    original = read_original(folder)
    halves = original.select(range(0, 400, 2)), original.select(range(1, 400, 2))
    assert max(detection_auc(original.columns, *halves, seed=0).values()) < 0.65
    empty = original.select([0] * 200)
    assert min(detection_auc(original.columns, halves[0], empty, seed=0).values()) > 0.9
