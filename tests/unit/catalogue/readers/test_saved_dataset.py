"""Datasets saved by `datasets` are read with their labels, pictures and splits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etalage.catalogue.table import Row
from etalage.errors import EtalageError

PNG = b"\x89PNG\r\n\x1a\n not really"


def test_reads_shards_labels_pictures_and_splits(tmp_path: Path, read_rows: Callable, open_table: Callable) -> None:
    datasets = pytest.importorskip("datasets")
    columns: dict[str, list[Any]] = {
        "title": ["A", "B"],
        "label": [1, 0],
        "price": [990.0, 1290.5],
        "image": [{"bytes": PNG, "path": None}, None],
    }
    features = datasets.Features(
        title=datasets.Value("string"),
        label=datasets.ClassLabel(names=["shirt", "coat"]),
        price=datasets.Value("float64"),
        image=datasets.Image(),
    )
    saved = datasets.Dataset.from_dict(columns, features=features)
    saved.save_to_disk(tmp_path / "one", num_shards=2)
    expected = [
        Row(1, "row 1", "1", (PNG,), {"title": "A", "category": "coat", "price": 990.0}),
        Row(2, "row 2", "2", (), {"title": "B", "category": "shirt", "price": 1290.5}),
    ]
    assert read_rows(tmp_path / "one") == expected
    assert open_table(tmp_path / "one")[0].kind == "datasets"
    several = datasets.DatasetDict(test=saved.select([1]), extra=saved.select([0]), train=saved.select([0]))
    several.save_to_disk(tmp_path / "several")
    found = read_rows(tmp_path / "several", split_column="split")
    assert [(row.split, row.cells["title"]) for row in found] == [("train", "A"), ("test", "B"), ("extra", "A")]
    saved.to_parquet(tmp_path / "t.parquet")
    assert read_rows(tmp_path / "t.parquet") == expected


def test_refuses_files_outside_the_folder(tmp_path: Path, write_file: Callable, open_table: Callable) -> None:
    write_file("{}", "saved/dataset_info.json")
    write_file(json.dumps({"_data_files": [{"filename": "../../x.arrow"}]}), "saved/state.json")
    with pytest.raises(EtalageError, match=r"saved cannot be read as a saved dataset: '../../x.arrow' leads out of it"):
        open_table(tmp_path / "saved")
