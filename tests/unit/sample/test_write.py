"""A sample on disk is complete, the same in any number of processes, and readable by other tools."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from etalage.config import TableFormat
from etalage.sample import write
from etalage.sample.drawn import COLUMNS, DrawnRows
from etalage.sample.faults import FaultyRows
from etalage.sample.rows import Picture, Row
from etalage.sample.write import write_sample

ROWS = 40


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "drawn"
    write_sample(out, DrawnRows(7, picture_px=64), ROWS)
    return out


def read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_table_names_a_picture_in_each_row(sample: Path) -> None:
    with (sample / "catalogue.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == ROWS
    assert tuple(rows[0]) == COLUMNS
    for number, row in enumerate(rows):
        assert row["imageurl"].startswith(f"images/{number + 1:06d}.")
        with Image.open(sample / row["imageurl"]) as image:
            image.load()


def test_the_attributes_table_holds_the_attributes_of_each_row(sample: Path) -> None:
    attributes = pq.read_table(sample / "attributes.parquet").to_pylist()
    rows = DrawnRows(7, picture_px=64)
    assert attributes == [{"source_row": number + 1, **rows.make(number).attributes} for number in range(ROWS)]


def test_the_manifest_states_the_best_possible_scores(sample: Path) -> None:
    manifest = json.loads((sample / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["rows"], manifest["seed"], manifest["faults"]) == (ROWS, 7, [])
    assert set(manifest["oracle"]) == {"title_exact", "category_accuracy", "price_median_factor_error"}
    assert 1 <= manifest["oracle"]["price_median_factor_error"] < 1.1


def test_one_process_and_several_write_the_same_bytes(sample: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(write, "CHUNK_ROWS", 7)
    monkeypatch.setattr(write, "NUM_WORKERS", 2)
    seen: list[tuple[int, int]] = []
    write_sample(tmp_path / "again", DrawnRows(7, picture_px=64), ROWS, progress=lambda *n: seen.append(n))
    one, other = read(sample), read(tmp_path / "again")
    attributes = [files.pop("attributes.parquet") for files in (one, other)]  # in other row groups
    assert one == other
    assert pq.read_table(pa.BufferReader(attributes[0])) == pq.read_table(pa.BufferReader(attributes[1]))
    assert [done for done, _ in seen] == [7, 14, 21, 28, 35, 40]


def test_parquet_holds_the_same_rows_and_pictures(sample: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(write, "CHUNK_ROWS", 8)
    monkeypatch.setattr(write, "SHARD_ROWS", 16)
    write_sample(tmp_path / "shards", DrawnRows(7, picture_px=64), ROWS, table_format="parquet")
    parts = sorted((tmp_path / "shards/catalogue").iterdir())
    assert [part.name for part in parts] == [f"part-0000{n}.parquet" for n in range(3)]
    assert [pq.read_metadata(part).num_rows for part in parts] == [16, 16, 8]
    table = pq.read_table(tmp_path / "shards/catalogue")
    assert tuple(table.schema.names) == COLUMNS
    assert table.schema.field("product_code").type == pa.int64()
    assert table.schema.field("price").type == pa.float64()
    with (sample / "catalogue.csv").open(newline="", encoding="utf-8") as file:
        for row, written in zip(table.to_pylist(), csv.DictReader(file), strict=True):
            image = row.pop("imageurl")
            assert image["path"] == written.pop("imageurl")
            assert image["bytes"] == (sample / image["path"]).read_bytes()
            assert {name: str(value) for name, value in row.items()} == written


def test_parquet_holds_text_where_faults_write_prices_as_words(tmp_path: Path) -> None:
    rows = FaultyRows(DrawnRows(1, picture_px=32), {"price-text": 0.5}, seed=1, num_rows=30, links=False)
    write_sample(tmp_path / "out", rows, 30, table_format="parquet")
    prices = pq.read_table(tmp_path / "out/catalogue")["full_price"].to_pylist()
    assert any(not price.replace(".", "").isdigit() for price in prices)
    assert any(price.replace(".", "").isdigit() for price in prices)


def test_links_begin_with_the_image_url(tmp_path: Path) -> None:
    write_sample(tmp_path / "out", DrawnRows(1, picture_px=32), 2, image_url="http://127.0.0.1:1/")
    assert b",http://127.0.0.1:1/images/000002." in (tmp_path / "out/catalogue.csv").read_bytes()


def test_a_folder_in_use_is_refused_and_an_interrupted_run_leaves_nothing(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="already holds something"):
        write_sample(sample, DrawnRows(7), 1)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "out", DrawnRows(7, picture_px=32), 2, progress=stop)
    assert not list(tmp_path.iterdir())


def test_a_worker_that_dies_is_reported(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(write, "CHUNK_ROWS", 4)
    monkeypatch.setattr(write, "NUM_WORKERS", 1)

    def kill(done: int, total: int) -> None:
        for child in psutil.Process().children():
            for worker in child.children():  # children of the server that forks workers
                worker.kill()

    with pytest.raises(OSError, match="has died"):
        write_sample(tmp_path / "out", DrawnRows(7, picture_px=32), 400, progress=kill)
    assert not list(tmp_path.iterdir())


def test_finish_sees_the_complete_folder_before_it_moves(tmp_path: Path) -> None:
    out, seen = tmp_path / "out", []

    def finish(folder: Path, manifest: Mapping[str, Any]) -> None:
        assert not out.exists()
        assert json.loads((folder / "manifest.json").read_text(encoding="utf-8")) == manifest
        seen.append(sorted(path.name for path in folder.iterdir()))
        (folder / "more.txt").write_text("more")

    manifest = write_sample(out, DrawnRows(7, picture_px=32), 3, finish=finish)
    assert seen == [["attributes.parquet", "catalogue.csv", "images", "manifest.json"]]
    assert (out / "more.txt").read_text() == "more"
    assert manifest["rows"] == 3


def test_an_error_in_finish_leaves_nothing(tmp_path: Path) -> None:
    def finish(folder: Path, manifest: Mapping[str, Any]) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        write_sample(tmp_path / "out", DrawnRows(7, picture_px=32), 2, finish=finish)
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_may_exist(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_sample(tmp_path / "out", DrawnRows(7, picture_px=32), 1)
    assert (tmp_path / "out/catalogue.csv").is_file()


@pytest.mark.parametrize("table_format", ["csv", "parquet"])
def test_faults_are_written_as_the_manifest_lists_them(tmp_path: Path, table_format: TableFormat) -> None:
    kinds = ("dead-link", "missing", "repeated-row", "wrong-suffix")
    rows = FaultyRows(DrawnRows(1, picture_px=24), dict.fromkeys(kinds, 0.2), seed=1, num_rows=60, links=False)
    manifest = write_sample(tmp_path / "out", rows, 60, table_format=table_format)
    if table_format == "csv":
        with (tmp_path / "out/catalogue.csv").open(newline="", encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        paths = [row["imageurl"] or None for row in table]
        contents = [(tmp_path / "out" / path).is_file() if path else None for path in paths]
    else:
        images = pq.read_table(tmp_path / "out/catalogue")["imageurl"].to_pylist()
        paths = [image and image["path"] for image in images]
        contents = [image and image["bytes"] is not None for image in images]
    assert manifest["num_faults"].keys() == set(kinds)
    assert sum(manifest["num_faults"].values()) == len(manifest["faults"])
    for fault in manifest["faults"]:
        row = fault["row"]
        assert fault["picture"] == paths[row]
        match fault["kind"]:
            case "dead-link":
                assert contents[row] is False
            case "repeated-row":
                assert fault["other"] is not None
                assert paths[row] == paths[fault["other"] - 1]
            case "missing":
                assert (paths[row] is None) == (fault["detail"] == "image")
            case _:
                assert contents[row] is True
                assert str(paths[row]).endswith((".png", ".jpg"))


def test_a_repeated_row_has_no_picture_file_of_its_own(tmp_path: Path) -> None:
    rows = FaultyRows(DrawnRows(1, picture_px=24), {"repeated-row": 0.5}, seed=1, num_rows=30, links=False)
    manifest = write_sample(tmp_path / "out", rows, 30)
    num_repeated = manifest["num_faults"]["repeated-row"]
    assert num_repeated > 5
    assert len(list((tmp_path / "out/images").iterdir())) == 30 - num_repeated


@dataclass(frozen=True)
class RowsWithoutLaws:
    """Rows whose attributes state no laws, as those of a mimicked catalogue."""

    @property
    def columns(self) -> Mapping[str, str]:
        return {"title": "title", "image": "image"}

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        return Row({"title": f"Bag {number}", "image": None}, Picture(b"x", ".jpg"), {"row": number})

    def manifest(self) -> dict[str, Any]:
        return {"kind": "test"}


def test_rows_without_laws_have_no_oracle(tmp_path: Path) -> None:
    manifest = write_sample(tmp_path / "out", RowsWithoutLaws(), 4)
    assert manifest == {"kind": "test", "rows": 4, "num_faults": {}, "faults": []}
    expected = "title,image\n" + "".join(f"Bag {n},images/{n + 1:06d}.jpg\n" for n in range(4))
    assert (tmp_path / "out/catalogue.csv").read_text() == expected
    attributes = pq.read_table(tmp_path / "out/attributes.parquet").to_pylist()
    assert attributes == [{"source_row": number + 1, "row": number} for number in range(4)]
