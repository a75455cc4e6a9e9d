"""Sources of every kind are read as text and pictures, and what is wrong with them is said."""

import contextlib
import io
import json
import os
import random
import re
import subprocess
import sys
import tarfile
import threading
import urllib.parse
import zipfile
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.catalogue.readers import MAX_CELL_CHARS
from etalage.catalogue.sources import Row, Source, Table, open_source, read_table
from etalage.config import PrepareConfig
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]
ANSWER = [Field("answer", "text")]
HEADER = "product_code,title,category3_code,full_price,imageurl\n"
ROWS = [{"title": "A", "category": "X", "price": 990.0, "image": "a.png"}]
PNG = b"\x89PNG\r\n\x1a\n not really"


def write(folder: Path, text: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(source: Path | str, fields: list[Field] = FIELDS, **knobs: Any) -> tuple[Source, Table]:
    config = PrepareConfig(str(source), Path("unused"), **knobs)
    opened = open_source(str(source), config)
    assert not Path(opened.name).is_absolute()
    return opened, read_table(opened, fields, config)


def rows(source: Path | str, fields: list[Field] = FIELDS, **knobs: Any) -> list[Row]:
    table = read(source, fields, **knobs)[1]
    found = list(table)
    assert found == list(table), "reading is repeatable"
    return found


# CSV


def test_csv_keeps_codes_as_written_and_line_breaks_in_cells(tmp_path: Path) -> None:
    text = "\ufeff" + HEADER + '00123,"A, ""quoted""\nshirt",SHIRTS,990.0,a.png\n\n,B,,,\n'
    path = write(tmp_path, text)
    assert rows(path) == [
        Row(1, "00123", "a.png", {"title": 'A, "quoted"\nshirt', "category": "SHIRTS", "price": "990.0"}),
        Row(2, "2", "", {"title": "B", "category": "", "price": ""}),
    ]
    source, table = read(path)
    assert (source.name, source.kind, source.folder, source.note) == ("table.csv", "csv", tmp_path, "")
    assert source.names == HEADER.strip().split(",")
    assert table.guessed == frozenset()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp1250"])
def test_csv_in_any_encoding_with_any_delimiter(tmp_path: Path, delimiter: str, encoding: str) -> None:
    title = "Żółta koszula" if encoding == "cp1250" else "Chemise d’été à carreaux"
    lines = [
        ["titre", "catégorie", "prix", "photo", "réf"],
        [f'"{title}{delimiter}\nbis"', "HAUTS", '"12,50 €"', "a", "00"],
    ]
    if encoding == "cp1250":
        lines[0] = ["title", "category", "price", "image", "sku"]
    path = write(tmp_path, "\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
    source, table = read(path, columns="product_code=réf" if encoding != "cp1250" else "")
    texts = {"title": f"{title}{delimiter}\nbis", "category": "HAUTS", "price": "12,50 €"}
    assert list(table) == [Row(1, "00", "a", texts)]
    guessed = encoding in ("cp1252", "cp1250", "utf-16-le")
    assert (f"read as {encoding}, which was guessed" in source.note) == guessed


def test_semicolons_with_decimal_commas_and_excels_hint(tmp_path: Path) -> None:
    text = "titel;preis;typ;bild\nHose, lang;12,50;X;a.png\nRock, kurz;1.299,00;X;b.png\n"
    path = write(tmp_path, text)
    assert [row.texts["price"] for row in rows(path)] == ["12,50", "1.299,00"]
    assert read(path)[0].note == "cells are separated by ';'"
    assert rows(write(tmp_path, "sep=;\r\n" + text.replace("\n", "\r\n"))) == rows(path)
    tabs = write(tmp_path, text.replace(";", "\t"), "table.tsv")
    assert rows(tabs) == rows(path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (HEADER.encode(), "no rows"),
        (b"title,title,price\n1,2,3\n", "'title' stands there twice"),
        (HEADER.encode() + b"1,A,X,5,a.png\n2,B,X,5\n", r"row 2 \(line 3\) has 4 cells where the header has 5"),
        (HEADER.encode() + b"1,A,X,5,a.png,more\n", r"row 1 \(line 2\) has 6 cells"),
        (HEADER.encode() + b'1,"A,X,5,a.png\n2,B,X,5,b.png\n', r"row 1 \(to line 3\): unexpected end of data"),
        ((HEADER + "1,cafétéria é").encode() + b"\xe9,X,5,a.png\n", r"not UTF-8: byte 70 \(0xe9\) on line 2"),
        (HEADER.encode("utf-16") + b"\x00\xd8", "cannot be read as utf-16"),
    ],
)
def test_broken_csv_is_refused_with_its_place(tmp_path: Path, text: bytes, complaint: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=complaint) as caught:
        rows(path)
    assert path.name in str(caught.value)


def test_a_monstrous_cell_and_a_nul_are_read(tmp_path: Path) -> None:
    assert MAX_CELL_CHARS > 10_000_000
    text = HEADER + f"1,{'x' * 10_000_000},X,5,a.png\n2,B\0,X,5,b.png\n"
    assert [len(row.texts["title"]) for row in read(write(tmp_path, text))[1]] == [10_000_000, 2]


# JSON


def test_jsonl_keeps_numbers_as_written_and_finds_columns_that_come_late(tmp_path: Path) -> None:
    lines = [
        '{"sku": "007", "name": "A", "type": "X", "image": ["a.png", "b.png"]}',
        '{"sku": 8, "name": "half \\ud800", "type": null, "image": {"path": "b.png"}, "price": 1290.50}',
        '{"sku": null, "name": "C", "type": true, "image": [], "price": NaN}',
    ]
    found = [
        Row(1, "007", "a.png", {"title": "A", "category": "X", "price": ""}),
        Row(2, "8", "b.png", {"title": "half ?", "category": "", "price": "1290.50"}),
        Row(3, "3", "", {"title": "C", "category": "True", "price": ""}),
    ]
    assert rows(write(tmp_path, "\n\n".join(lines), "t.jsonl")) == found
    assert rows(write(tmp_path, "\ufeff" + "\n\n".join(lines), "t.json")) == found
    assert rows(write(tmp_path, " [\n" + " ,\n".join(lines) + "\n]\n", "array.json")) == found


def test_an_array_larger_than_what_is_read_at_once(tmp_path: Path) -> None:
    many = [{**ROWS[0], "title": f"{i} {'é' * 300_000 * (i % 7 == 0)}"} for i in range(30)]
    found = rows(write(tmp_path, json.dumps(many, ensure_ascii=False), "t.json"))
    assert [row.texts["title"] for row in found] == [row["title"] for row in many]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "is empty"),
        (b"[]", "is empty"),
        (b"[1]", "row 1 is no object"),
        (b"7", r"row 1 \(line 1\) is no object"),
        (b'{"title": 1}\n{"title"\n', "row 2 .line 2. is not JSON"),
        (b'[{"title": 1}, {"title"', "row 2 is not JSON"),
        (b'[{"title": 1} {"title": 2}]', "row 2 is not JSON"),
        (b'[{"title": 1},]', "row 2 is not JSON"),
        (b'[{"title": 1}] more', "goes on after its array of 1 rows"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"a":' * 100_000, "is not JSON"),
        (b'{"title": "\xff"}', r"byte 11 \(0xff\)"),
        (b'[{"title": "\xff"}]', r"byte 12 \(0xff\)"),
        (b'{"title": ["A"], "category": "X", "price": 1, "image": "a"}', "row 1, title: a list"),
        (b'{"title": {"de": "A"}, "category": "X", "price": 1, "image": "a"}', "row 1, title: an object"),
    ],
)
def test_broken_json_is_refused_with_its_place(tmp_path: Path, text: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        rows(write(tmp_path, text, "t.json"))


# Conversations

COOKBOOK = {"images": ["a.jpg"], "user": "<image>\n What is this?\n", "assistant": " A shirt. "}
LLAVA = [{"from": "human", "value": "<image>\nWhat is this?"}, {"from": "gpt", "value": "A shirt."}]
CHAT = [{"role": "user", "content": "<|image_1|>\nWhat is this?"}, {"role": "assistant", "content": "A shirt."}]
PARTS = [
    {"role": "user", "content": [{"type": "image", "image": "a.jpg"}, {"type": "text", "text": "What is this?"}]},
    {"role": "assistant", "content": [{"type": "text", "text": "A shirt."}]},
]


@pytest.mark.parametrize(
    "record",
    [
        {"id": "007", "conversations": [COOKBOOK]},
        {"id": "007", "image": "a.jpg", "conversations": LLAVA},
        {"id": "007", "images": ["a.jpg"], "messages": CHAT},
        {"id": "007", "images": [{"path": "a.jpg"}], "messages": CHAT},
        {"id": "007", "messages": PARTS},
    ],
)
@pytest.mark.parametrize("as_array", [True, False])
def test_conversations_of_every_shape(tmp_path: Path, record: Mapping[str, Any], as_array: bool) -> None:
    text = json.dumps([record] * 2) if as_array else f"{json.dumps(record)}\n" * 2
    source, table = read(write(tmp_path, text, "train.json"), ANSWER)
    assert (source.kind, source.names) == ("conversations", ["question", "answer", "image", "product_code"])
    texts = {"question": "What is this?", "answer": "A shirt."}
    assert list(table) == [Row(1, "007", "a.jpg", texts), Row(2, "007", "a.jpg", texts)]


def test_conversations_without_an_id_have_no_code(tmp_path: Path) -> None:
    table = read(write(tmp_path, json.dumps([{"conversations": [COOKBOOK]}]), "t.json"), ANSWER)[1]
    assert "product_code" not in table.columns
    assert [row.product_code for row in table] == ["1"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"conversations": [{**COOKBOOK, "images": ["a.jpg", "b.jpg"]}]}, "2 pictures"),
        ({"image": ["a.jpg", "b.jpg", "c.jpg"], "conversations": LLAVA}, "3 pictures"),
        ({"image": "a.jpg", "conversations": LLAVA * 3}, "3 turns"),
        ({"image": "a.jpg", "conversations": LLAVA[:1]}, "no answer"),
        ({"messages": [{"role": "system", "content": "Be kind."}, *PARTS]}, "a system turn"),
        ({"messages": [{"role": "tool", "content": "7"}, *PARTS]}, "turns of an unknown shape"),
        ({"messages": ["hello"]}, "turns of an unknown shape"),
        ({"messages": 7}, "turns of an unknown shape"),
        ({}, "turns of an unknown shape"),
    ],
)
def test_conversations_that_cannot_be_used_say_why(tmp_path: Path, record: Mapping[str, Any], reason: str) -> None:
    lines = [{"conversations": [COOKBOOK]}, record]
    path = write(tmp_path, "\n".join(map(json.dumps, lines)), "t.jsonl")
    first, second = rows(path, ANSWER)
    assert "unsupported" not in first.texts
    assert second.texts["unsupported"] == reason


def test_conversations_are_asked_for_where_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no list `conversations` or `messages`"):
        read(write(tmp_path, json.dumps(ROWS), "t.json"), ANSWER, format="conversations")


# Parquet


def test_parquet_takes_numbers_missing_values_and_labels(tmp_path: Path) -> None:
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
    assert rows(path) == [
        Row(1, "80123", "a.png", {"title": "A", "category": "X", "price": "990.0"}),
        Row(2, "9007199254740993", "b.png", {"title": "", "category": "X", "price": ""}),
    ]
    assert [row.texts["category"] for row in rows(path, columns="category=label")] == ["coat", ""]


def test_pictures_in_cells(tmp_path: Path) -> None:
    pictures: Iterable[Any] = [{"bytes": PNG, "path": "a.png"}, {"bytes": None, "path": "b.png"}, None]
    kinds = {"struct": pictures, "list": [[p] for p in pictures], "bytes": [PNG, b"", None]}
    for name, cells in kinds.items():
        table = {"title": ["A", "B", "C"], "category": ["X"] * 3, "price": ["1"] * 3, "image": cells}
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
    assert [row.image for row in rows(tmp_path / "struct.parquet")] == [PNG, "b.png", ""]
    assert [row.image for row in rows(tmp_path / "list.parquet")] == [PNG, "b.png", ""]
    assert [row.image for row in rows(tmp_path / "bytes.parquet")] == [PNG, b"", ""]
    with pytest.raises(ValueError, match="row 1, image: bytes where a text"):
        rows(tmp_path / "bytes.parquet", columns="title=image,image=title")


def test_shards_follow_one_another_by_name(tmp_path: Path) -> None:
    for number in (1, 0, 2):
        shard = [{**ROWS[0], "title": f"{number}"}]
        pq.write_table(pa.Table.from_pylist(shard), tmp_path / f"train-0000{number}-of-00003.parquet")
    for source in (
        tmp_path,
        f"{tmp_path}/train-*.parquet",
        f"{tmp_path.parent}/{tmp_path.name}*/train-0000[0-9]*.parquet",
    ):
        opened, table = read(source)
        assert [row.texts["title"] for row in table] == ["0", "1", "2"]
        assert [row.number for row in table] == [1, 2, 3]
        assert opened.kind == "parquet"
    pq.write_table(pa.table({"title": ["B"]}), tmp_path / "z.parquet")
    with pytest.raises(ValueError, match=r"z\.parquet has no column 'category', which train-00000-of-00003"):
        read(tmp_path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    for name, text, complaint in [
        ("t.parquet", b"PAR1 no", r"t\.parquet cannot be read as Parquet"),
        ("t.pdf", b"%PDF", r"cannot read \.pdf; use \.csv"),
        ("t.xlsx", b"PK", "cannot be read as Excel"),
        ("t.tar", b"no tar", "cannot be read as tar"),
    ]:
        with pytest.raises(ValueError, match=complaint):
            read(write(tmp_path / name[2:], text, name))
    for missing in ("no.csv", f"{tmp_path}/no/no.csv", f"{tmp_path}/*.csv", "owner/table.csv"):
        with pytest.raises(ValueError, match="is not there"):
            read(missing)
    nested = {"title": [["A"]], "category": ["X"], "price": [1], "image": ["a"]}
    pq.write_table(pa.table(nested), tmp_path / "nested.parquet")
    with pytest.raises(ValueError, match="row 1, title: a list"):
        read(tmp_path / "nested.parquet")


def test_a_kind_that_was_said_wins(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "1,A,X,5,a.png\n", "table.data")
    assert rows(path, format="csv")[0].texts["title"] == "A"
    with pytest.raises(ValueError, match="is a folder, and --format is csv"):
        read(tmp_path, format="csv")
    with pytest.raises(ValueError, match="is no folder, and --format is folder"):
        read(path, format="folder")
    with pytest.raises(ValueError, match="no tars there"):
        read(tmp_path, format="webdataset")


def test_columns_split_and_picture_folder_as_the_user_says(tmp_path: Path) -> None:
    path = write(tmp_path, "a,category,price,image,fold\nA,X,5,a.png,test\n")
    source, table = read(path, columns="title=a", split_column="fold", image_folder=tmp_path / "pics")
    assert [row.split for row in table] == ["test"]
    assert source.folder == tmp_path / "pics"


def test_a_field_cannot_take_a_name_of_the_catalogues_own(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\{split\} cannot be a field"):
        read(write(tmp_path, "split,image\na,b\n"), [Field("split", "text")])


def test_columns_are_told_by_their_cells_and_reported(tmp_path: Path) -> None:
    lines = [f"Fine Coat No {i},{'AB'[i % 2]},{i + 10}.50,{i}.jpg" for i in range(20)]
    table = read(write(tmp_path, "\n".join(["a,b,c,d", *lines])))[1]
    assert table.columns == {"title": "a", "category": "b", "price": "c", "image": "d"}
    assert table.guessed == set(table.columns)


# Excel

SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(path: Path, cells: Mapping[str, str | float]) -> Path:
    """The smallest .xlsx that holds these cells, each given with its place."""
    by_row: dict[str, str] = {}
    for place, value in cells.items():
        inner = f"<v>{value}</v>" if isinstance(value, float) else f"<is><t>{value}</t></is>"
        kind = "" if isinstance(value, float) else ' t="inlineStr"'
        row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        by_row[row] = by_row.get(row, "") + f'<c r="{place}"{kind}>{inner}</c>'
    sheet = "".join(f'<row r="{row}">{inner}</row>' for row, inner in by_row.items())
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}"><sheets><sheet name="S" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEET}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return path


def test_excel(tmp_path: Path) -> None:
    names = {"B3": "Title", "C3": "Category", "D3": "Price", "E3": "Image", "F3": "SKU"}
    first = {"B4": "A", "C4": "X", "D4": 990.0, "E4": "a.png", "F4": "00123"}
    third = {"B6": "C", "D6": 1290.5, "F6": 7.0}
    path = workbook(tmp_path / "t.xlsx", {**names, **first, **third, "B9": " "})
    found = rows(path)
    assert found[:3] == [
        Row(1, "00123", "a.png", {"title": "A", "category": "X", "price": "990"}),
        Row(2, "2", "", {"title": "", "category": "", "price": ""}),
        Row(3, "7", "", {"title": "C", "category": "", "price": "1290.5"}),
    ]
    with pytest.raises(ValueError, match="no rows"):
        read(workbook(tmp_path / "header.xlsx", names))
    with pytest.raises(ValueError, match="is empty"):
        read(workbook(tmp_path / "empty.xlsx", {}))


def test_a_sheet_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", {"A1": "title", "XFD1048576": "far"})
    with pytest.raises(ValueError, match="1048576 x 16384 cells, at most"):
        read(path)


def test_excel_without_its_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(ValueError, match=r"pip install etalage\[excel\]"):
        read(write(tmp_path, b"PK", "t.xlsx"))


# Saved datasets and the hub


def test_saved_datasets(tmp_path: Path) -> None:
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
        Row(1, "1", PNG, {"title": "A", "category": "coat", "price": "990.0"}),
        Row(2, "2", "", {"title": "B", "category": "shirt", "price": "1290.5"}),
    ]
    assert rows(tmp_path / "one") == expected
    assert read(tmp_path / "one")[0].kind == "datasets"
    several = datasets.DatasetDict(test=saved.select([1]), extra=saved.select([0]), train=saved.select([0]))
    several.save_to_disk(tmp_path / "several")
    found = rows(tmp_path / "several", split_column="split")
    assert [(row.split, row.texts["title"]) for row in found] == [("train", "A"), ("test", "B"), ("extra", "A")]
    saved.to_parquet(tmp_path / "t.parquet")
    assert rows(tmp_path / "t.parquet") == expected


def test_a_saved_dataset_names_no_files_outside(tmp_path: Path) -> None:
    write(tmp_path, "{}", "saved/dataset_info.json")
    write(tmp_path, json.dumps({"_data_files": [{"filename": "../../x.arrow"}]}), "saved/state.json")
    with pytest.raises(ValueError, match=r"saved cannot be read as a saved dataset: '../../x.arrow' leads out of it"):
        read(tmp_path / "saved")


BURBERRY = "DBQ/Burberry.Product.prices.United.States"
READ_BURBERRY = f"""
import json, pathlib
from etalage.catalogue.sources import open_source, read_table
from etalage.config import PrepareConfig, TaskConfig
from etalage.task import Task
config = PrepareConfig("{BURBERRY}", pathlib.Path("unused"))
source = open_source(config.source, config)
table = read_table(source, Task(TaskConfig()).fields, config)
print(json.dumps([source.name, source.kind, source.folder, table.columns, list(table)]))
"""


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's protocol as it takes to stream one dataset."""

    files: ClassVar[dict[str, bytes]] = {}

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        _, _, path = urllib.parse.unquote(self.path.partition("?")[0]).partition(BURBERRY)
        resolved = re.fullmatch("/resolve/[^/]+/(.+)", path)
        tree = re.fullmatch("/tree/[^/]+/?(.*)", path)
        if resolved:
            return self.answer(self.files.get(resolved[1]))
        if tree and tree[1]:
            return self.answer(
                [
                    {"type": "file", "oid": "0" * 40, "path": name, "size": len(data)}
                    for name, data in self.files.items()
                ]
            )
        if tree:
            return self.answer([{"type": "directory", "oid": "0" * 40, "path": "data"}])
        facts = {"id": BURBERRY, "sha": "1" * 40, "siblings": [{"rfilename": name} for name in self.files]}
        self.answer(facts if re.fullmatch("(/revision/[^/]+)?", path) else None)

    do_HEAD = do_GET

    def answer(self, what: Any) -> None:
        data = what if isinstance(what, bytes) else json.dumps(what or {}).encode()
        status = 404 if what is None else 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if asked and status == 200 and self.command == "GET":
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {asked[1]}-{asked[2]}/{len(data)}")
            data = data[int(asked[1]) : int(asked[2]) + 1]
        else:
            self.send_response(status)
        for name, value in {"Content-Length": len(data), "ETag": '"0"', "X-Repo-Commit": "1" * 40}.items():
            self.send_header(name, str(value))
        if what is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)


def test_the_burberry_table_is_read_from_a_hub_without_options(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    texts = ("website_name", "competence_date", "country_code", "currency_code", "brand", "category1_code")
    columns: dict[str, list[Any]] = {
        **{name: ["X", "Y"] for name in (*texts, "category2_code", "category3_code")},
        **{"product_code": [80123, 80124], "title": ["A", "B"], "itemurl": ["i", "i"], "imageurl": ["u", "v"]},
        **{"full_price": [990.0, 1290.5], "price": [1.0, 2.0], "full_price_eur": [3.0, 4.0], "price_eur": [5.0, 6.0]},
        "flg_discount": [0, 1],
    }
    stored = io.BytesIO()
    pq.write_table(pa.table(columns), stored)
    Hub.files = {"data/train-00000-of-00001.parquet": stored.getvalue()}
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path), "NO_PROXY": "*"}
        command = [sys.executable, "-c", READ_BURBERRY]
        done = subprocess.run(
            command, env={**os.environ, **place, "HF_HUB_OFFLINE": "0"}, capture_output=True, text=True, timeout=100
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr
    name, kind, folder, found, read_rows = json.loads(done.stdout)
    assert (name, kind, folder) == (BURBERRY, "hub", None)
    assert list(found.values()) == ["title", "category3_code", "full_price", "imageurl", "product_code"]
    assert [row[1] for row in read_rows] == ["80123", "80124"]
    assert read_rows[1][2:4] == ["v", {"title": "B", "category": "Y", "price": "1290.5"}]


def test_files_on_the_hub_become_their_urls(tmp_path: Path) -> None:
    record = {**ROWS[0], "image": {"bytes": None, "path": "hf://datasets/owner/name@0a1b/train/a b.png"}}
    path = write(tmp_path, json.dumps(record), "t.jsonl")
    assert rows(path)[0].image == "https://huggingface.co/datasets/owner/name/resolve/0a1b/train/a%20b.png"


def test_a_folder_laid_out_as_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets")
    burberry = {"title": ["A"], "category3_code": ["X"], "full_price": [990.0], "price": [1.0], "imageurl": ["u"]}
    for split in ("train", "test"):
        folder = tmp_path / "repository" / "data"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({**burberry, "product_code": [80123]}), folder / f"{split}-00000-of-00001.parquet")
    source, table = read(tmp_path / "repository", format="hub", split_column="split")
    texts = {"title": "A", "category": "X", "price": "990.0"}
    assert list(table) == [Row(1, "80123", "u", texts, "train"), Row(2, "80123", "u", texts, "test")]
    assert (source.name, source.kind) == ("repository", "hub")
    assert [row.texts for row in rows(tmp_path / "repository")] == [texts, texts]  # as Parquet; test goes first
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ValueError, match=r"owner/name: .*pip install etalage\[hub\]"):
        read("owner/name")


# Pictures


def test_a_folder_of_pictures_without_a_table(tmp_path: Path) -> None:
    for name in ("b/red_linen-shirt.JPG", "a/coat.png", "top.webp", "a/notes.txt", ".hidden/c.png", "a/.d.png"):
        write(tmp_path, PNG, f"pics/{name}")
    (tmp_path / "pics/a/loop").symlink_to(tmp_path / "pics")
    source, table = read(tmp_path / "pics", FIELDS[:2])
    assert (source.kind, source.names, source.folder) == (
        "folder",
        ["file_name", "category", "title"],
        tmp_path / "pics",
    )
    assert list(table) == [
        Row(1, "1", "a/coat.png", {"title": "coat", "category": "a"}),
        Row(2, "2", "b/red_linen-shirt.JPG", {"title": "red linen shirt", "category": "b"}),
        Row(3, "3", "top.webp", {"title": "top", "category": ""}),
    ]
    with pytest.raises(ValueError, match="no column for price"):
        read(tmp_path / "pics")


def test_a_folder_of_pictures_with_its_table(tmp_path: Path) -> None:
    record = {"file_name": "a.png", "title": "A", "category": "X", "price": 5}
    expected = [Row(1, "1", "a.png", {"title": "A", "category": "X", "price": "5"})]
    write(tmp_path, ",".join(record) + "\na.png,A,X,5\n", "csv/metadata.csv")
    write(tmp_path, json.dumps(record), "jsonl/metadata.jsonl")
    (tmp_path / "parquet").mkdir()
    pq.write_table(pa.Table.from_pylist([record]), tmp_path / "parquet/metadata.parquet")
    for kind in ("csv", "jsonl", "parquet"):
        assert rows(tmp_path / kind) == expected
        assert read(tmp_path / kind)[0].kind == "folder"
    write(tmp_path, "title,image\nA,a\n", "bad/metadata.csv")
    with pytest.raises(ValueError, match=r"metadata\.csv has no column file_name"):
        read(tmp_path / "bad")


def test_folders_of_other_things_are_explained(tmp_path: Path) -> None:
    write(tmp_path, HEADER, "shop/catalogue.csv")
    write(tmp_path, PNG, "shop/images/a.png")
    with pytest.raises(ValueError, match=r"with a table in it: give .*catalogue\.csv"):
        read(tmp_path / "shop")
    assert rows(tmp_path / "shop", FIELDS[:2], format="folder")[0].texts["category"] == "images"
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="it holds nothing"):
        read(tmp_path / "none")
    with pytest.raises(ValueError, match="holds no pictures"):
        read(tmp_path / "none", format="folder")


# Tars


def tar(path: Path, members: Mapping[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as file:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


FACTS = json.dumps({"price": 990.0, "sizes": {"eu": 38}, "code": "007"}).encode()


def test_tars(tmp_path: Path) -> None:
    members = {"a/0.jpg": PNG, "a/0.json": FACTS, "a/0.txt": b"A \n", "a/0.cls": b"X", "a/1.png": b"1", "a/1.txt": b"B"}
    tar(tmp_path / "0.tar", members)
    tar(tmp_path / "1.tar.gz", {"c.0.webp": b"2", "c.1.webp": b"3", "c.txt": b"C"}, "w:gz")
    source, table = read(tmp_path)
    assert (source.kind, source.folder) == ("webdataset", tmp_path)
    assert source.names == ["image", "__key__", "price", "sizes.eu", "code", "title", "category"]
    assert list(table) == [
        Row(1, "007", PNG, {"title": "A", "category": "X", "price": "990.0"}),
        Row(2, "2", b"1", {"title": "B", "category": "", "price": ""}),
        Row(3, "3", b"2", {"title": "C", "category": "", "price": ""}),
    ]
    assert [row.product_code for row in rows(tmp_path, columns="product_code=__key__")] == ["a/0", "a/1", "c"]
    assert rows(f"{tmp_path}/*.tar")[0] == rows(tmp_path / "0.tar")[0] == next(iter(table))
    size = read(tmp_path / "0.tar", columns="title=sizes.eu")[1]
    assert next(iter(size)).texts["title"] == "38"


def test_hostile_tars(tmp_path: Path) -> None:
    path = tmp_path / "hostile.tar"
    with tarfile.open(path, "w") as file:
        for name, kind in [("link.jpg", tarfile.SYMTYPE), ("fifo.jpg", tarfile.FIFOTYPE), ("dir.jpg", tarfile.DIRTYPE)]:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            file.addfile(info)
        for name in ("../../x.jpg", "../../x.txt", "/etc/y\udcff.jpg", "big.jpg"):
            info = tarfile.TarInfo(name)
            info.size = 60 if name == "big.jpg" else 4
            file.addfile(info, io.BytesIO(b"data" * 15))
    found = list(read(path, [FIELDS[0]], columns="product_code=__key__", max_image_bytes=50)[1])
    assert [(row.product_code, row.image) for row in found] == [
        ("../../x", b"data"),
        ("/etc/y?", b"data"),
        ("big", b"data" * 12 + b"dat"),  # one byte more than is taken: dropped for its size
    ]
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({}, "is empty: no samples"),
        ({"notes": b"x"}, "is empty: no samples"),
        ({"a.jpg": PNG, "a.json": b"[1]"}, r"t\.tar, a\.json holds a list"),
        ({"a.jpg": PNG, "a.json": b"{"}, r"a\.json is not JSON"),
        ({"a.jpg": PNG, "a.txt": b"x" * 101}, r"a\.txt: 101 bytes, at most 100"),
    ],
)
def test_broken_tars_are_refused_with_their_place(tmp_path: Path, members: Mapping[str, bytes], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read(tar(tmp_path / "t.tar", members), [FIELDS[0]], max_image_bytes=100)


@pytest.mark.parametrize("name", ["a.jpg", "a.txt"])
def test_a_tar_that_claims_ten_gigabytes(tmp_path: Path, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.size = 10_000_000_000
    path = write(
        tmp_path,
        tar(tmp_path / "0.tar", {"0.jpg": PNG, "0.txt": b"A"}).read_bytes()[:2048] + info.tobuf() + PNG,
        "t.tar",
    )
    with pytest.raises(ValueError, match=r"t\.tar.*(cut short|cannot be read|at most 50000000)"):
        list(read(path, [FIELDS[0]])[1])


# All of them


@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.jsonl", "t.parquet", "t.tar", "t.xlsx"])
def test_damaged_files_are_read_or_refused_and_nothing_else(tmp_path: Path, name: str) -> None:
    record = {"title": "Chemise d’été", "image": {"bytes": "", "path": "a.png"}}
    csv = "titre,image\nChemise d’été,a.png\n"
    path = tmp_path / name
    if name == "t.parquet":
        pq.write_table(pa.Table.from_pylist([record] * 3), path)
    elif name == "t.tar":
        tar(path, {"a.jpg": PNG, "a.json": FACTS, "a.txt": b"A"})
    elif name == "t.xlsx":
        workbook(path, {"A1": "title", "B1": "image", "A2": "A", "B2": "a.png"})
    else:
        write(tmp_path, {"t.csv": csv, "t.json": json.dumps([record] * 2)}.get(name, json.dumps(record)), name)
    whole = path.read_bytes()
    dice = random.Random(0)
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(dice.choice([1, 2, 9])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        path.write_bytes(data[: dice.choice([len(data), dice.randrange(len(data))])])
        with contextlib.suppress(ValueError):
            assert all(isinstance(row.texts["title"], str) for row in read(path, [FIELDS[0]])[1])
