"""The format of a source is recognised, or stated by the user; what cannot be read is refused with a reason."""

import contextlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.catalogue.table import number_text
from etalage.errors import EtalageError
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]


HEADER = "product_code,title,category3_code,full_price,imageurl\n"


PNG = b"\x89PNG\r\n\x1a\n not really"


FACTS = json.dumps({"price": 990.0, "sizes": {"eu": 38}, "code": "007"}).encode()


def test_refuses_other_and_missing_files(tmp_path: Path, write_file: Callable, open_table: Callable) -> None:
    for name, text, complaint in [
        ("t.parquet", b"PAR1 no", r"t\.parquet cannot be read as Parquet"),
        ("t.pdf", b"%PDF", r"cannot read \.pdf; use \.csv"),
        ("t.xlsx", b"PK", "cannot be read as Excel"),
        ("t.csv.gz", b"\x1f\x8b", r"t\.csv\.gz is packed; unpack it first"),
        ("t.tar", b"no tar", "cannot be read as tar"),
    ]:
        with pytest.raises(EtalageError, match=complaint):
            open_table(write_file(text, f"{name[2:]}/{name}"))
    for missing in ("no.csv", f"{tmp_path}/no/no.csv", f"{tmp_path}/*.csv", "owner/table.csv"):
        with pytest.raises(EtalageError, match="is not there"):
            open_table(missing)
    nested = {"title": [["A"]], "category": ["X"], "price": [1], "image": ["a"]}
    pq.write_table(pa.table(nested), tmp_path / "nested.parquet")
    (row,) = open_table(tmp_path / "nested.parquet")[1]
    assert row.problem
    assert row.problem.detail == "column 'title' holds a list where a text or a number is needed"


def test_names_of_columns_are_cleaned_once_for_all_formats(
    tmp_path: Path, write_file: Callable, read_rows: Callable, open_table: Callable
) -> None:
    write_file("\ufeffTitle\xa0,\u200bImage \nA,a.png\n", "t.csv")
    write_file(json.dumps({"Title ": "A", " Image\n": "a.png"}), "t.jsonl")
    pq.write_table(pa.table({"Title\u200b": ["A"], "Image\xa0": ["a.png"]}), tmp_path / "t.parquet")
    for name in ("t.csv", "t.jsonl", "t.parquet"):
        (row,) = read_rows(tmp_path / name, FIELDS[:1], columns="title=Title,image=Image")
        assert (row.cells["title"], row.images) == ("A", ("a.png",))
    for name, text in (
        ("t.csv", "Price,Price ,image\n1,2,a\n"),
        ("t.jsonl", '{"Price": 1, "Price ": 2, "image": "a"}'),
    ):
        with pytest.raises(EtalageError, match="columns 'Price' and 'Price ' are one but for spaces"):
            open_table(write_file(text, name))


def test_a_file_name_that_is_not_utf8_is_shown_with_question_marks(write_file: Callable, open_table: Callable) -> None:
    path = write_file("title,image\nA,a\n", os.fsdecode(b"caf\xe9.csv"))
    assert open_table(path, FIELDS[:1])[0].name == "caf?.csv"


def test_a_stated_format_takes_precedence(
    tmp_path: Path,
    write_file: Callable,
    read_rows: Callable,
    open_table: Callable,
) -> None:
    path = write_file(HEADER + "1,A,X,5,a.png\n", "table.data")
    assert read_rows(path, format="csv")[0].cells["title"] == "A"
    with pytest.raises(EtalageError, match="is a folder, and --format is csv"):
        open_table(tmp_path, format="csv")
    with pytest.raises(EtalageError, match="is no folder, and --format is folder"):
        open_table(path, format="folder")
    with pytest.raises(EtalageError, match="no tars there"):
        open_table(tmp_path, format="webdataset")


def test_reads_a_folder_of_pictures_with_its_metadata_file(
    tmp_path: Path,
    write_file: Callable,
    read_rows: Callable,
    open_table: Callable,
) -> None:
    record = {"file_name": "a.png", "title": "A", "category": "X", "price": 5}
    expected = ["1", ("a.png",), "A", "X", "5"]
    write_file(",".join(record) + "\na.png,A,X,5\n", "csv/metadata.csv")
    write_file(json.dumps(record), "jsonl/metadata.jsonl")
    (tmp_path / "parquet").mkdir()
    pq.write_table(pa.Table.from_pylist([record]), tmp_path / "parquet/metadata.parquet")
    for kind in ("csv", "jsonl", "parquet"):
        (row,) = read_rows(tmp_path / kind)
        assert [row.product_code, row.images, *map(number_text, row.cells.values())] == expected
        assert open_table(tmp_path / kind)[0].kind == "folder"
    write_file("title,image\nA,a\n", "bad/metadata.csv")
    with pytest.raises(EtalageError, match=r"metadata\.csv has no column file_name"):
        open_table(tmp_path / "bad")


def test_explains_folders_that_it_cannot_read(
    tmp_path: Path,
    write_file: Callable,
    read_rows: Callable,
    open_table: Callable,
) -> None:
    write_file(HEADER, "shop/catalogue.csv")
    write_file(PNG, "shop/images/a.png")
    with pytest.raises(EtalageError, match=r"with a table in it: give .*catalogue\.csv"):
        open_table(tmp_path / "shop")
    assert read_rows(tmp_path / "shop", FIELDS[:2], format="folder")[0].cells["category"] == "images"
    (tmp_path / "none").mkdir()
    with pytest.raises(EtalageError, match="it holds nothing"):
        open_table(tmp_path / "none")
    with pytest.raises(EtalageError, match="holds no pictures"):
        open_table(tmp_path / "none", format="folder")


@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.jsonl", "t.parquet", "t.tar", "t.tar.gz", "t.xlsx"])
def test_damaged_files_are_read_or_refused(
    tmp_path: Path,
    name: str,
    write_file: Callable,
    open_table: Callable,
    write_tar: Callable,
    write_workbook: Callable,
) -> None:
    record = {"title": "Chemise d’été", "image": {"bytes": "", "path": "a.png"}}
    csv = "titre,image\nChemise d’été,a.png\n"
    path = tmp_path / name
    if name == "t.parquet":
        pq.write_table(pa.Table.from_pylist([record] * 3), path)
    elif name.startswith("t.tar"):
        members = {"a.jpg": PNG, "a.json": FACTS, "a.txt": b"A"}
        write_tar(path, members, "w:gz" if name.endswith(".gz") else "w")
    elif name == "t.xlsx":
        write_workbook(path, {"A1": "title", "B1": "image", "A2": "A", "B2": "a.png"})
    else:
        write_file({"t.csv": csv, "t.json": json.dumps([record] * 2)}.get(name, json.dumps(record)), name)
    whole = path.read_bytes()
    rng = random.Random(0)
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 2, 9])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
        with contextlib.suppress(EtalageError):
            assert all(isinstance(row.cells["title"], str) for row in open_table(path, [FIELDS[0]])[1])
