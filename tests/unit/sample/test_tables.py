"""Tables are written a few rows at a time, as CSV or as Parquet."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.sample.tables import CsvTable, ParquetTable


def test_csv_has_one_header_and_all_rows(tmp_path: Path) -> None:
    table = CsvTable(tmp_path / "t.csv")
    table.write([{"a": 1, "b": "x"}])
    table.write([{"a": 2.5, "b": "y"}, {"a": None, "b": ""}])
    table.close()
    assert (tmp_path / "t.csv").read_bytes() == b"a,b\n1,x\n2.5,y\n,\n"


@pytest.mark.parametrize("text", ['a "quoted" word', "a, b", "two\nlines", "naïve €", " spaces "])
def test_csv_keeps_any_text(tmp_path: Path, text: str) -> None:
    table = CsvTable(tmp_path / "t.csv")
    table.write([{"a": text}])
    table.close()
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [{"a": text}]


def test_a_row_with_an_unknown_column_is_refused(tmp_path: Path) -> None:
    table = CsvTable(tmp_path / "t.csv")
    table.write([{"a": 1}])
    with pytest.raises(ValueError, match="not in fieldnames"):
        table.write([{"a": 1, "b": 2}])
    table.close()


def test_parquet_types_follow_from_the_first_rows(tmp_path: Path) -> None:
    table = ParquetTable(str(tmp_path / "t.parquet"))
    image = {"bytes": b"x", "path": "images/1.jpg"}
    table.write([{"s": "x", "i": 1, "f": 1.5, "b": True, "image": image, "late": None, "never": None}])
    table.write([{"s": None, "i": None, "f": 2.0, "b": None, "image": None, "late": "text", "never": None}])
    table.close()
    written = pq.read_table(tmp_path / "t.parquet")
    types = dict(zip(written.schema.names, written.schema.types, strict=True))
    assert (types["s"], types["i"], types["f"], types["b"]) == (pa.string(), pa.int64(), pa.float64(), pa.bool_())
    assert types["image"] == pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    assert types["late"] == types["never"] == pa.string()
    assert written["image"].to_pylist() == [image, None]
    assert written["late"].to_pylist() == [None, "text"]


def test_text_only_writes_numbers_as_text_and_pictures_as_pictures(tmp_path: Path) -> None:
    table = ParquetTable(str(tmp_path / "t.parquet"), text_only=True)
    table.write([{"price": 12.0, "code": 7, "image": {"bytes": None, "path": "p"}}])
    table.write([{"price": "from 12.-", "code": None, "image": None}])
    table.close()
    rows = pq.read_table(tmp_path / "t.parquet").to_pylist()
    assert rows[0] == {"price": "12.0", "code": "7", "image": {"bytes": None, "path": "p"}}
    assert rows[1] == {"price": "from 12.-", "code": None, "image": None}


@pytest.mark.parametrize(("num_rows", "sizes"), [(4, [4]), (6, [4, 2]), (8, [4, 4]), (10, [4, 4, 2])])
def test_a_new_file_begins_after_so_many_rows(tmp_path: Path, num_rows: int, sizes: list[int]) -> None:
    table = ParquetTable(str(tmp_path / "parts/part-{:02d}.parquet"), rows_per_file=4)
    for start in range(0, num_rows, 2):
        table.write([{"a": start}, {"a": start + 1}])
    table.close()
    parts = sorted((tmp_path / "parts").iterdir())
    assert [part.name for part in parts] == [f"part-{number:02d}.parquet" for number in range(len(sizes))]
    assert [pq.read_metadata(part).num_rows for part in parts] == sizes
    assert pq.read_metadata(parts[0]).num_row_groups == 2
    assert pq.read_table(tmp_path / "parts")["a"].to_pylist() == list(range(num_rows))


def test_a_table_that_was_never_written_leaves_no_parquet_file(tmp_path: Path) -> None:
    ParquetTable(str(tmp_path / "t.parquet")).close()
    assert not list(tmp_path.iterdir())
