"""What `etalage prepare` says: how pictures were found, what was left out, and last what dropped many rows."""

import csv
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from etalage.catalogue.store import Catalogue
from etalage.commands.prepare import prepare
from etalage.config import PrepareConfig


def draw(path: Path, seed: int) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coarse).resize((60, 50), Image.Resampling.NEAREST).save(path)


@pytest.fixture
def shop(tmp_path: Path) -> PrepareConfig:
    """Twelve products with two pictures of their own each, a chart that all share, and a picture that is gone."""
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["sku", "title", "category", "price", "image"])
        for n in range(12):
            for m in (0, 1):
                draw(tmp_path / f"img/{n}-{m}.png", 2 * n + m)
            cell = f"img/{n}-0.png|img/{n}-1.png|chart.png|gone.png"
            rows.writerow([f"S{n}", f"Model {chr(65 + n)}x Bag", "AB"[n % 2], 10 + n, cell])
    draw(tmp_path / "chart.png", 99)
    return PrepareConfig(str(tmp_path / "t.csv"), tmp_path / "out")


def test_a_product_shows_its_first_picture(shop: PrepareConfig, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(shop)
    assert sum(map(len, Catalogue.load(shop.out).products.values())) == 12
    said = capsys.readouterr().out
    assert "left out" not in said
    assert "later picture" not in said
    assert "found by" not in said


def test_all_pictures_of_a_product_become_rows_of_one_group(
    shop: PrepareConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(replace(shop, all_images=True))
    rows = pq.read_table(shop.out / "metadata.parquet").to_pylist()
    by_code = defaultdict(list)
    for row in rows:
        by_code[row["product_code"]].append(row)
    assert {len(found) for found in by_code.values()} == {2}
    assert len(by_code) == 12
    for found in by_code.values():
        for name in ("group", "split", "title", "price", "source_row"):
            assert len({row[name] for row in found}) == 1
        assert len({row["file_name"] for row in found}) == 2
    assert pq.read_table(shop.out / "table.parquet")["sku"].to_pylist() == [row["product_code"] for row in rows]
    said = capsys.readouterr().out
    assert "24 products from 12 rows in 12 groups" in said
    assert "24 pictures of rows with others left out (12 image_not_found, 12 image_is_placeholder)" in said


def test_other_spellings_are_counted_and_shown(shop: PrepareConfig, capsys: pytest.CaptureFixture[str]) -> None:
    table = Path(shop.source)
    lines = table.read_text().replace("img/3-0.png", "/img/3-0.png").replace("img/4-0.png", "IMG\\4-0")
    table.write_text(lines.replace("img/5-0.png", "\\img\\5-0.png"))
    prepare(shop)
    said = capsys.readouterr().out
    assert "pictures of 2 rows found by leading slash: '/img/3-0.png', '\\\\img\\\\5-0.png'\n" in said
    assert "pictures of 1 row found by other suffix: 'IMG\\\\4-0'\n" in said


def test_the_last_lines_say_what_dropped_more_than_a_tenth(
    shop: PrepareConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Path(shop.source)
    table.write_text(
        table.read_text() + "S20,,A,5,img/1-0.png\n" + "".join(f"S3{n},Cup {n}x,A,5,x.png\n" for n in "abc")
    )
    prepare(shop)
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "3 of 16 rows (19%) dropped as image_not_found:",
        "  There is no picture file of this name.",
        "  What to do: name another column with --column image=COLUMN, or the folder with --image-folder.",
    ]
    drops = (shop.out / "drops.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(drops) == 5
    assert "row 14" in drops[1]
    assert "The title is empty." in drops[1]


def test_a_tenth_or_less_is_no_last_line(shop: PrepareConfig, capsys: pytest.CaptureFixture[str]) -> None:
    table = Path(shop.source)
    table.write_text(table.read_text() + "S20,,A,5,img/1-0.png\n")
    prepare(shop)
    said = capsys.readouterr().out
    assert "1 row dropped (1 missing_title): " in said
    assert "What to do" not in said


def test_rows_that_had_nothing_to_add_are_no_last_line(shop: PrepareConfig, capsys: pytest.CaptureFixture[str]) -> None:
    table = Path(shop.source)
    header, *rows = table.read_text().splitlines(keepends=True)
    table.write_text("".join([header, *rows, *rows[:3]]))
    prepare(shop)
    said = capsys.readouterr().out
    assert "3 rows dropped (3 row_repeated): " in said
    assert "What to do" not in said
