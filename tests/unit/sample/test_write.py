"""A sample on disk: whole, the same in any number of processes, and readable by whatever reads tables."""

import csv
import json
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from etalage.sample import write
from etalage.sample.drawn import COLUMNS, Drawn
from etalage.sample.faults import Faulty
from etalage.sample.write import write_sample

ROWS = 40


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "drawn"
    write_sample(out, Drawn(7, picture_px=64), ROWS)
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


def test_the_side_table_tells_what_lies_behind_each_row(sample: Path) -> None:
    hidden = pq.read_table(sample / "attributes.parquet").to_pylist()
    rows = Drawn(7, picture_px=64)
    assert hidden == [{"source_row": number + 1, **rows.make(number).attributes} for number in range(ROWS)]


def test_the_manifest_states_the_best_reachable_figures(sample: Path) -> None:
    manifest = json.loads((sample / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["rows"], manifest["seed"], manifest["faults"]) == (ROWS, 7, [])
    assert set(manifest["oracle"]) == {"title_exact", "category_accuracy", "price_median_factor_error"}
    assert 1 <= manifest["oracle"]["price_median_factor_error"] < 1.1


def test_same_seed_same_bytes_in_one_process_and_in_several(sample: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(write, "CHUNK_ROWS", 7)
    monkeypatch.setattr(write, "NUM_WORKERS", 2)
    seen: list[tuple[int, int]] = []
    write_sample(tmp_path / "again", Drawn(7, picture_px=64), ROWS, progress=lambda *n: seen.append(n))
    one, other = read(sample), read(tmp_path / "again")
    hidden = [files.pop("attributes.parquet") for files in (one, other)]  # in other row groups
    assert one == other
    assert pq.read_table(pa.BufferReader(hidden[0])) == pq.read_table(pa.BufferReader(hidden[1]))
    assert [done for done, _ in seen] == [7, 14, 21, 28, 35, 40]


def test_parquet_holds_the_same_rows_and_pictures(sample: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(write, "CHUNK_ROWS", 8)
    monkeypatch.setattr(write, "SHARD_ROWS", 16)
    write_sample(tmp_path / "shards", Drawn(7, picture_px=64), ROWS, table_format="parquet")
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


def test_parquet_with_prices_as_words(tmp_path: Path) -> None:
    rows = Faulty(Drawn(1, picture_px=32), {"price-text": 0.5}, seed=1, num_rows=30, links=False)
    write_sample(tmp_path / "out", rows, 30, table_format="parquet")
    prices = pq.read_table(tmp_path / "out/catalogue")["full_price"].to_pylist()
    assert any(not price.replace(".", "").isdigit() for price in prices)
    assert any(price.replace(".", "").isdigit() for price in prices)


def test_links_start_as_asked(tmp_path: Path) -> None:
    write_sample(tmp_path / "out", Drawn(1, picture_px=32), 2, image_url="http://127.0.0.1:1/")
    assert b",http://127.0.0.1:1/images/000002." in (tmp_path / "out/catalogue.csv").read_bytes()


def test_a_folder_in_use_is_refused_and_a_broken_run_leaves_nothing(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="already holds something"):
        write_sample(sample, Drawn(7), 1)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "out", Drawn(7, picture_px=32), 2, progress=stop)
    assert not list(tmp_path.iterdir())


def test_a_dead_process_is_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(write, "CHUNK_ROWS", 4)
    monkeypatch.setattr(write, "NUM_WORKERS", 1)

    def kill(done: int, total: int) -> None:
        for child in psutil.Process().children():
            for worker in child.children():  # of the server that forks them
                worker.kill()

    with pytest.raises(OSError, match="has died"):
        write_sample(tmp_path / "out", Drawn(7, picture_px=32), 400, progress=kill)
    assert not list(tmp_path.iterdir())
