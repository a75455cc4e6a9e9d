"""Parquet is read as text, with pictures as bytes and shards in the order of their names."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.catalogue.readers.raw_table import UnreadableRow
from etalage.catalogue.table import Row
from etalage.errors import EtalageError

ROWS = [{"title": "A", "category": "X", "price": 990.0, "image": "a.png"}]


PNG = b"\x89PNG\r\n\x1a\n not really"


def test_reads_numbers_missing_values_and_class_labels(tmp_path: Path, read_rows: Callable) -> None:
    columns = {
        "product_code": pa.array([80123, 9007199254740993]),
        "title": ["A", None],
        "category3_code": pa.array(["X", "X"]).dictionary_encode(),
        "full_price": pa.array([990.0, float("nan")], pa.float32()),
        "imageurl": ["a.png", "b.png"],
        "label": [1, None],
    }
    labels = {"label": {"names": ["shirt", "coat"], "_type": "ClassLabel"}, "title": {"_type": "Value"}}
    metadata = {"huggingface": json.dumps({"info": {"features": labels}})}
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path)
    assert read_rows(path) == [
        Row(1, "row 1", "80123", ("a.png",), {"title": "A", "category": "X", "price": 990.0}),
        Row(2, "row 2", "9007199254740993", ("b.png",), {"title": "", "category": "X", "price": ""}),
    ]
    assert [row.cells["category"] for row in read_rows(path, columns="category=label")] == ["coat", ""]


def test_reads_pictures_in_cells(tmp_path: Path, read_rows: Callable) -> None:
    pictures: Iterable[Any] = [{"bytes": PNG, "path": "a.png"}, {"bytes": None, "path": "b.png"}, None]
    kinds = {"struct": pictures, "list": [[p] for p in pictures], "bytes": [PNG, b"", None]}
    for name, cells in kinds.items():
        table = {"title": ["A", "B", "C"], "category": ["X"] * 3, "price": ["1"] * 3, "image": cells}
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
    assert [row.images for row in read_rows(tmp_path / "struct.parquet")] == [(PNG,), ("b.png",), ()]
    assert [row.images for row in read_rows(tmp_path / "list.parquet")] == [(PNG,), ("b.png",), ()]
    assert [row.images for row in read_rows(tmp_path / "bytes.parquet")] == [(PNG,), (), ()]
    problem = read_rows(tmp_path / "bytes.parquet", columns="title=image,image=title")[0].problem
    assert problem == UnreadableRow("cell_not_text", "column 'image' holds bytes where a text or a number is needed")


def test_reads_shards_in_the_order_of_their_names(tmp_path: Path, open_table: Callable) -> None:
    for number in (1, 0, 2):
        shard = [{**ROWS[0], "title": f"Bag {number}"}]
        pq.write_table(pa.Table.from_pylist(shard), tmp_path / f"train-0000{number}-of-00003.parquet")
    for source in (
        tmp_path,
        f"{tmp_path}/train-*.parquet",
        f"{tmp_path.parent}/{tmp_path.name}*/train-0000[0-9]*.parquet",
    ):
        opened, table = open_table(source)
        assert [row.cells["title"] for row in table] == ["Bag 0", "Bag 1", "Bag 2"]
        assert [row.number for row in table] == [1, 2, 3]
        assert opened.kind == "parquet"
    pq.write_table(pa.table({"title": ["B"]}), tmp_path / "z.parquet")
    with pytest.raises(EtalageError, match=r"z\.parquet has no column 'category', which train-00000-of-00003"):
        open_table(tmp_path)
