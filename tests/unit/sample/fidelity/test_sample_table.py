"""Tests of reading a sample's table."""

from pathlib import Path

from etalage.sample.drawn import DrawnRows
from etalage.sample.fidelity import read_sample
from etalage.sample.write import write_sample


def test_a_table_is_read_alike_from_csv_and_parquet(tmp_path: Path) -> None:
    """Empty cells are None, and pictures inside Parquet files are left out."""
    for table_format in ("csv", "parquet"):
        write_sample(tmp_path / table_format, DrawnRows(1, picture_px=24), 12, table_format=table_format)
    one, other = read_sample(tmp_path / "csv"), read_sample(tmp_path / "parquet")
    assert one.pop("imageurl")[3] == "images/000004.jpg"
    assert one == other
    assert len(one["title"]) == 12
    path = tmp_path / "csv/catalogue.csv"
    path.write_text(path.read_text().replace(one["title"][0] or "", ""))
    assert read_sample(tmp_path / "csv")["title"][0] is None
