"""Catalogue folders hold the same bytes each time, and nothing in them is named by the table."""

from dataclasses import replace
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from etalage.config import PrepareConfig

from .conftest import prepare


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_original_rows_keep_all_their_columns(prepare_config: PrepareConfig) -> None:
    """As text, in the order of the products; dropped rows are not among them."""
    lines = Path(prepare_config.source).read_text().splitlines()
    texts = [" 7 %", "", "x" * 20_000, *["blue"] * 10]
    Path(prepare_config.source).write_text("\n".join([f"tax,,{lines[0]}", *map("{},?,{}".format, texts, lines[1:])]))
    prepare(prepare_config)
    kept = pq.read_table(prepare_config.out / "table.parquet").to_pylist()
    assert [row["price"] for row in kept] == [f"{100 + n}.5" for n in range(12)]
    assert [row["tax"] for row in kept] == [" 7 %", None, "x" * 10_000, *["blue"] * 9]
    assert list(kept[0]) == ["tax", "product_code", "title", "category", "price", "image"]
    assert [row["product_code"] for row in kept] == pq.read_table(prepare_config.out / "metadata.parquet")[
        "product_code"
    ].to_pylist()


def test_pictures_inside_the_table_are_not_written_twice(prepare_config: PrepareConfig, tmp_path: Path) -> None:
    rows = [
        {"title": f"Scarf {n}", "category": "A", "price": 5.0, "size": n, "image": {"bytes": picture, "path": "x"}}
        for n, picture in enumerate(path.read_bytes() for path in sorted(tmp_path.glob("*.png")))
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    prepare(replace(prepare_config, source=str(tmp_path / "t.parquet")))
    kept = pq.read_table(prepare_config.out / "table.parquet").to_pylist()
    assert kept[3] == {"title": "Scarf 3", "category": "A", "price": "5.0", "size": "3"}


def test_datasets_opens_the_folder(prepare_config: PrepareConfig, tmp_path: Path) -> None:
    prepare(prepare_config)
    opened = datasets.load_dataset(str(prepare_config.out), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(opened) == 12
    row = next(row for row in opened if row["title"] == "Scarf A0")
    assert (row["image"].size, row["price"], row["category"]) == ((11, 12), 100.5, "A")


def test_equal_input_gives_equal_bytes(prepare_config: PrepareConfig) -> None:
    again = replace(prepare_config, out=prepare_config.out.with_name("again"))
    prepare(prepare_config)
    prepare(again)
    assert contents(prepare_config.out) == contents(again.out)
    other = replace(prepare_config, out=prepare_config.out.with_name("other"), seed=1)
    prepare(other)
    assert contents(prepare_config.out)["metadata.parquet"] != contents(other.out)["metadata.parquet"]
