"""Rows that are unfit to learn from are dropped, each for one reason."""

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from etalage.catalogue.checks import check_rows
from etalage.catalogue.prepare_db import PrepareDb
from etalage.catalogue.prepare_rows import CheckedRow
from etalage.catalogue.price_columns import read_price_columns
from etalage.catalogue.readers.raw_table import row_place
from etalage.catalogue.sources import Source, open_source
from etalage.catalogue.table import read_table
from etalage.config import PrepareConfig, TaskConfig
from etalage.errors import EtalageError
from etalage.task import Task


def png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (9, 9)).save(file, "PNG")
    return file.getvalue()


def check(folder: Path, text: str, **settings: Any) -> list[CheckedRow]:
    table = folder / "t.csv"
    table.write_text(text)
    for name in "ab":
        (folder / f"{name}.png").write_bytes(png())
    (folder / "inline").mkdir(exist_ok=True)
    task, config = Task(TaskConfig()), PrepareConfig(str(table), folder / "out", **settings)
    opened = read_table(open_source(config.source, config), task.fields, config)
    columns = read_price_columns(opened, task.fields, config)
    return list(check_rows(opened, task, config, folder / "inline", columns))


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
        "17,Scarf,SCARVES,5,file:///etc/passwd": "image_outside_folder",
        "17,Scarf,SCARVES,5,ftp://example.com/a.png": "image_scheme_unsupported",
        "17,Scarf,SCARVES,5,https://example.com/a.png": "",
        '18,Scarf,SCARVES,5,"data:image/png;base64,!"': "image_data_uri_invalid",
    }
    found = check(tmp_path, HEADER + "\n".join(rows))
    assert {line: row.reason or "" for line, row in zip(rows, found, strict=True)} == rows
    assert found[1].values == {"title": "Scarf", "category": "SCARVES", "price": 1290.0}
    assert found[5].values is not None
    assert found[5].values["price"] == 990.0
    assert found[2].product_code == "2"
    assert [picture.path for picture in found[0].pictures] == [tmp_path.resolve() / "a.png"]
    assert [picture.url for picture in found[18].pictures] == ["https://example.com/a.png"]


def test_reads_a_range_as_the_end_that_the_settings_say(tmp_path: Path) -> None:
    text = HEADER + "1,Scarf,SCARVES,100 - 250,a.png"
    prices = [check(tmp_path, text, price_range=end)[0].values["price"] for end in ("low", "high")]
    assert prices == [100.0, 250.0]
    assert check(tmp_path, text, price_range="drop")[0].reason == "price_is_range"


def test_uses_one_decimal_mark_for_a_whole_column(tmp_path: Path) -> None:
    text = "sku;title;category;price;image\n1;Scarf;SCARVES;1.299;a.png\n2;Scarf;SCARVES;12,50;a.png\n"
    assert [row.values["price"] for row in check(tmp_path, text)] == [1299.0, 12.5]


def test_titles_and_categories_lose_their_markup_before_they_are_measured(tmp_path: Path) -> None:
    text = HEADER + "1,Sch&ouml;n &amp;amp; <b>gut</b> <3,Home &gt; Bags,5,a.png\n2,<b></b>&nbsp;,C,5,a.png\n"
    text += f"3,{'<i></i>' * 50}Bag,C,5,a.png\n4,{'<i></i>' * 2000}Bag,C,5,a.png\n"
    found = check(tmp_path, text)
    assert [row.reason for row in found] == [None, "missing_title", None, "title_too_long"]
    assert found[0].values == {"title": "Schön & gut <3", "category": "Home > Bags", "price": 5.0}
    assert found[2].title == "Bag"


def test_a_price_of_another_quantity_or_currency_has_its_own_reason(tmp_path: Path) -> None:
    text = HEADER + "1,Tea,T,5 €/100 g,a.png\n2,Tea,T,$5,a.png\n3,Tea,T,5 €,a.png\n"
    found = check(tmp_path, text, currency="EUR")
    assert [row.reason for row in found] == ["price_per_quantity", "price_other_currency", None]
    assert found[1].detail == "'$5' is in USD, and --currency is EUR"


def test_writes_a_picture_inside_the_table_to_one_file(tmp_path: Path) -> None:
    uri = "data:image/png;base64," + base64.b64encode(png()).decode()
    one, other = check(tmp_path, HEADER + f'1,Scarf,SCARVES,5,"{uri}"\n2,Cap,CAPS,5,"{uri}"')
    assert one.pictures == other.pictures
    assert one.pictures[0].path is not None
    assert one.pictures[0].path.read_bytes() == png()
    assert len(list((tmp_path / "inline").iterdir())) == 1


def test_reads_the_usual_words_for_splits(tmp_path: Path) -> None:
    text = "title,category,price,image,part\n" + "".join(
        f"Scarf,SCARVES,5,a.png,{part}\n" for part in ("TRAIN", "dev", "Test")
    )
    assert [row.split for row in check(tmp_path, text, split_column="part")] == ["train", "validation", "test"]
    with pytest.raises(EtalageError, match=r"t\.csv row 2 \(code 1\): column 'part' says 'x', which is none of train"):
        check(tmp_path, "title,category,price,image,part\nScarf,SCARVES,5,a.png,x\n", split_column="part")


def test_drops_repeated_rows_in_the_database(tmp_path: Path) -> None:
    text = HEADER + "1,Scarf,S,5,a.png\n1,Scarf,S,5,a.png\n1,Scarf,S,5.0,a.png\n1,Scarf,S,5,a.png\n"
    rows = check(tmp_path, text)
    with PrepareDb(tmp_path) as db:
        db.add_rows(rows)
        assert [(row.number, row.reason) for row in db.dropped_rows()] == [
            (2, "row_repeated"),
            (4, "row_repeated"),
        ]
    assert not (tmp_path / "prepare.sqlite").exists()


def test_drops_a_picture_inside_the_table_that_is_too_large(tmp_path: Path) -> None:
    uri = "data:image/png;base64," + base64.b64encode(png()).decode()
    (row,) = check(tmp_path, HEADER + f'1,Scarf,SCARVES,5,"{uri}"', max_image_bytes=10)
    assert row.reason == "image_too_many_bytes"
    assert list((tmp_path / "inline").iterdir()) == []


def test_limits_come_from_the_settings(tmp_path: Path) -> None:
    text = HEADER + "1,Scarf,SCARVES,100,a.png"
    assert check(tmp_path, text, max_price=99)[0].reason == "price_absurd"
    assert check(tmp_path, text, max_text_chars=4)[0].reason == "title_too_long"
    assert check(tmp_path, text, max_price=100, max_text_chars=7)[0].reason is None


@pytest.mark.parametrize("image", ["http://x.example/a.png", "HTTPS://x.example/a.png", "//x.example/a.png"])
def test_keeps_urls_as_they_are(tmp_path: Path, image: str) -> None:
    (picture,) = check(tmp_path, HEADER + f"1,Scarf,SCARVES,5,{image}")[0].pictures
    assert (picture.url, picture.path) == (image, None)


def test_rows_may_share_a_code_and_equal_rows_share_a_digest(tmp_path: Path) -> None:
    one, same, other = check(tmp_path, HEADER + "1,Cap,C,5,a.png\n1,Cap,C,5,a.png\n1,Cap,C,6,a.png\n")
    assert {row.reason for row in (one, same, other)} == {None}
    assert one.digest == same.digest != other.digest


def test_titles_that_differ_in_colour_are_one_family(tmp_path: Path) -> None:
    rows = check(tmp_path, HEADER + "1,Check Scarf in Red,S,5,a.png\n2,Check Scarf in Navy,S,5,b.png\n")
    assert len({row.title for row in rows}) == 2
    assert len({row.family for row in rows}) == 1


def conversation(question: str, **more: Any) -> str:
    turns = [{"from": "human", "value": question}, {"from": "gpt", "value": "A shirt."}]
    return json.dumps({"image": "a.jpg", "conversations": turns, **more})


def test_checks_the_questions_of_conversations(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    system = {"conversations": [{"from": "system", "value": "Be kind."}, {"from": "gpt", "value": "A."}]}
    lines = [conversation("What <|end|> is\nthis?"), conversation("x" * 4001), conversation("", **system)]
    path.write_text("\n".join(lines))
    (tmp_path / "inline").mkdir()
    (tmp_path / "a.jpg").write_bytes(png())
    task, config = Task(TaskConfig(answer="{answer}")), PrepareConfig(str(path), tmp_path / "out")
    table = read_table(open_source(config.source, config), task.fields, config)
    rows = list(check_rows(table, task, config, tmp_path / "inline", {}))
    assert [row.reason for row in rows] == [None, "question_too_long", "conversation_unsupported"]
    assert rows[0].question == "What ‹|end|> is this?"
    assert rows[2].detail is not None
    assert rows[2].detail.startswith("a system turn; ")


def test_a_path_needs_a_source_with_a_folder(tmp_path: Path) -> None:
    task, config = Task(TaskConfig(answer="{title}")), PrepareConfig("owner/name", tmp_path / "out")
    rows = [["A", "a.png"], ["B", "https://x.example/b.png"]]
    source = Source("owner/name", None, "hub", ["title", "image"], "", lambda columns: iter(rows), row_place)
    found = list(check_rows(read_table(source, task.fields, config), task, config, tmp_path, {}))
    assert [row.reason for row in found] == ["image_path_invalid", None]
