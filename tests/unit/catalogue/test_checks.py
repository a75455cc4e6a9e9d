"""Rows that are unfit to learn from are dropped, each for one reason."""

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from etalage.catalogue.checks import check_rows
from etalage.catalogue.prepare_db import PrepareDb
from etalage.catalogue.prepare_rows import CheckedRow
from etalage.catalogue.sources import open_source
from etalage.catalogue.table import read_table
from etalage.config import PrepareConfig, TaskConfig
from etalage.task import Task


def png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (9, 9)).save(file, "PNG")
    return file.getvalue()


def check(folder: Path, text: str, **settings: Any) -> list[CheckedRow]:
    table = folder / "t.csv"
    table.write_text(text)
    (folder / "inline").mkdir(exist_ok=True)
    task, config = Task(TaskConfig()), PrepareConfig(str(table), folder / "out", **settings)
    opened = read_table(open_source(config.source, config), task.fields, config)
    return list(check_rows(opened, task, config, folder / "inline"))


HEADER = "sku,title,category,price,image\n"


def test_each_row_is_kept_or_dropped_for_one_reason(tmp_path: Path) -> None:
    rows = {
        "1,Scarf,SCARVES,990.0,a.png": "",
        "1,Scarf,SCARVES,1.29e3,a.png": "",
        " 2 , ,SCARVES,990.0,a.png": "missing_title",
        "3,Scarf,\0,990.0,a.png": "missing_category",
        "4,Scarf,SCARVES,,a.png": "missing_price",
        "5,Scarf,SCARVES,£990,a.png": "",
        "6,Scarf,SCARVES,on request,a.png": "missing_price",
        "7,Scarf,SCARVES,nan,a.png": "missing_price",
        "8,Scarf,SCARVES,0.004,a.png": "price_zero",
        "9,Scarf,SCARVES,-5,a.png": "price_negative",
        "9,Scarf,SCARVES,99999999999,a.png": "price_absurd",
        f"10,{'x' * 301},SCARVES,5,a.png": "title_too_long",
        '12,"A, Category: B",SCARVES,5,a.png': "",  # greedy reading finds the last separator
        '13,A,"B, Category: C",5,a.png': "answer_ambiguous",
        "15,Scarf,SCARVES,5,": "image_missing",
        "16,Scarf,SCARVES,5,../a.png": "image_outside_folder",
        "17,Scarf,SCARVES,5,file:///etc/passwd": "image_scheme_unsupported",
        "17,Scarf,SCARVES,5,https://example.com/a.png": "",
        '18,Scarf,SCARVES,5,"data:image/png;base64,!"': "image_data_uri_invalid",
    }
    found = check(tmp_path, HEADER + "\n".join(rows))
    assert {line: row.reason or "" for line, row in zip(rows, found, strict=True)} == rows
    assert found[1].values == {"title": "Scarf", "category": "SCARVES", "price": 1290.0}
    assert found[5].values is not None
    assert found[5].values["price"] == 990.0
    assert found[2].product_code == "2"
    assert (found[0].picture, found[17].picture) == (str(tmp_path.resolve() / "a.png"), "https://example.com/a.png")


def test_reads_a_range_as_the_end_that_the_settings_say(tmp_path: Path) -> None:
    text = HEADER + "1,Scarf,SCARVES,100 - 250,a.png"
    prices = [check(tmp_path, text, price_range=end)[0].values["price"] for end in ("low", "high")]
    assert prices == [100.0, 250.0]
    assert check(tmp_path, text, price_range="drop")[0].reason == "price_is_range"


def test_uses_one_decimal_mark_for_a_whole_column(tmp_path: Path) -> None:
    text = "sku;title;category;price;image\n1;Scarf;SCARVES;1.299;a.png\n2;Scarf;SCARVES;12,50;a.png\n"
    assert [row.values["price"] for row in check(tmp_path, text)] == [1299.0, 12.5]


def test_writes_a_picture_inside_the_table_to_one_file(tmp_path: Path) -> None:
    uri = "data:image/png;base64," + base64.b64encode(png()).decode()
    one, other = check(tmp_path, HEADER + f'1,Scarf,SCARVES,5,"{uri}"\n2,Cap,CAPS,5,"{uri}"')
    assert one.picture == other.picture
    assert Path(one.picture).read_bytes() == png()
    assert len(list((tmp_path / "inline").iterdir())) == 1


def test_reads_the_usual_words_for_splits(tmp_path: Path) -> None:
    text = "title,category,price,image,part\n" + "".join(
        f"Scarf,SCARVES,5,a.png,{part}\n" for part in ("TRAIN", "dev", "Test")
    )
    assert [row.split for row in check(tmp_path, text, split_column="part")] == ["train", "validation", "test"]
    with pytest.raises(ValueError, match=r"t\.csv row 1 \(code 1\): column 'part' says 'x', which is none of train"):
        check(tmp_path, "title,category,price,image,part\nScarf,SCARVES,5,a.png,x\n", split_column="part")


def test_drops_repeated_rows_in_the_database(tmp_path: Path) -> None:
    text = HEADER + "1,Scarf,S,5,a.png\n1,Scarf,S,5,a.png\n1,Scarf,S,5.0,a.png\n1,Scarf,S,5,a.png\n"
    rows = check(tmp_path, text)
    with PrepareDb(tmp_path) as db:
        db.add_rows(rows)
        assert [(number, reason) for number, _, reason, _ in db.dropped_rows()] == [
            (2, "row_repeated"),
            (4, "row_repeated"),
        ]
    assert not (tmp_path / "prepare.sqlite").exists()
