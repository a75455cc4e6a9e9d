"""Tars in WebDataset's layout are read; hostile and damaged ones are refused or harmless."""

import io
import json
import random
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from etalage.catalogue.readers.webdataset import open_webdataset
from etalage.catalogue.table import Row
from etalage.errors import EtalageError
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]


PNG = b"\x89PNG\r\n\x1a\n not really"


FACTS = json.dumps({"price": 990.0, "sizes": {"eu": 38}, "code": "007"}).encode()


def test_reads_samples_across_tars(
    tmp_path: Path,
    read_rows: Callable,
    open_table: Callable,
    write_tar: Callable,
) -> None:
    members = {"a/0.jpg": PNG, "a/0.json": FACTS, "a/0.txt": b"A \n", "a/0.cls": b"X", "a/1.png": b"1", "a/1.txt": b"B"}
    write_tar(tmp_path / "0.tar", members)
    write_tar(tmp_path / "1.tar.gz", {"c.0.webp": b"2", "c.1.webp": b"3", "c.txt": b"C"}, "w:gz")
    source, table = open_table(tmp_path)
    assert (source.kind, source.folder) == ("webdataset", tmp_path)
    assert source.column_names == ["image", "__key__", "price", "sizes.eu", "code", "title", "category"]
    assert list(table) == [
        Row(1, "row 1", "007", (PNG,), {"title": "A", "category": "X", "price": 990.0}),
        Row(2, "row 2", "2", (b"1",), {"title": "B", "category": "", "price": ""}),
        Row(3, "row 3", "3", (b"2",), {"title": "C", "category": "", "price": ""}),
    ]
    assert [row.product_code for row in read_rows(tmp_path, columns="product_code=__key__")] == ["a/0", "a/1", "c"]
    assert read_rows(f"{tmp_path}/*.tar")[0] == read_rows(tmp_path / "0.tar")[0] == next(iter(table))
    size = open_table(tmp_path / "0.tar", columns="title=sizes.eu")[1]
    assert next(iter(size)).cells["title"] == 38


def test_hostile_members_write_nothing_and_links_are_not_followed(tmp_path: Path, open_table: Callable) -> None:
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
    found = list(open_table(path, [FIELDS[0]], columns="product_code=__key__", max_image_bytes=50)[1])
    assert [(row.product_code, *row.images) for row in found] == [
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
def test_refuses_broken_tars_with_the_place_of_the_damage(
    tmp_path: Path,
    members: Mapping[str, bytes],
    complaint: str,
    open_table: Callable,
    write_tar: Callable,
) -> None:
    with pytest.raises(EtalageError, match=complaint):
        open_table(write_tar(tmp_path / "t.tar", members), [FIELDS[0]], max_image_bytes=100)


@pytest.mark.parametrize("name", ["a.jpg", "a.txt"])
def test_refuses_a_member_that_claims_ten_gigabytes(
    tmp_path: Path,
    name: str,
    write_file: Callable,
    open_table: Callable,
    write_tar: Callable,
) -> None:
    info = tarfile.TarInfo(name)
    info.size = 10_000_000_000
    path = write_file(
        write_tar(tmp_path / "0.tar", {"0.jpg": PNG, "0.txt": b"A"}).read_bytes()[:2048] + info.tobuf() + PNG,
        "t.tar",
    )
    with pytest.raises(EtalageError, match=r"t\.tar.*(cut short|cannot be read|at most 50000000)"):
        list(open_table(path, [FIELDS[0]])[1])


def test_reads_pictures_only_where_they_are_asked_for(tmp_path: Path, write_tar: Callable) -> None:
    table = open_webdataset([write_tar(tmp_path / "t.tar", {"a.jpg": PNG, "a.txt": b"A"})], 100)
    assert table.column_names == ["image", "__key__", "title"]
    assert list(table.read_rows(["title", "image"])) == [["A", PNG]]
    assert list(table.read_rows(["title"])) == [["A"]]


def test_the_first_picture_and_text_of_a_sample_count_and_fields_of_json_take_no_own_column(
    tmp_path: Path, write_tar: Callable
) -> None:
    fields = json.dumps({"image": "x", "__key__": "y", "title": "from JSON", "a": {"b": [1]}}).encode()
    members = {"s.jpg": b"1", "s.png": b"2", "s.txt": b"first", "s.en.txt": b"second", "s.json": fields}
    table = open_webdataset([write_tar(tmp_path / "t.tar", members)], 1000)
    columns = ["image", "__key__", "title", "a.b"]
    assert list(table.read_rows(columns)) == [[b"1", "s", "from JSON", [1]]]


def test_hidden_members_and_those_without_a_suffix_are_left_out(tmp_path: Path, write_tar: Callable) -> None:
    members = {".a.jpg": PNG, "README": b"x", "b.jpg": PNG, "dir/.c.txt": b"x"}
    table = open_webdataset([write_tar(tmp_path / "t.tar", members)], 100)
    assert list(table.read_rows(["__key__"])) == [["b"]]


@pytest.mark.parametrize("share", [0.0001, 0.3, 0.5, 0.9])
def test_a_compressed_tar_that_was_cut_is_reported(tmp_path: Path, write_tar: Callable, share: float) -> None:
    path = write_tar(tmp_path / "t.tar.gz", {f"{i}.jpg": random.Random(i).randbytes(50_000) for i in range(3)}, "w:gz")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(EtalageError, match=r"t\.tar\.gz (cannot be read as tar|is cut short)"):
        list(open_webdataset([path], 100_000).read_rows(["image"]))


def test_deeply_nested_fields_are_refused(tmp_path: Path, write_tar: Callable) -> None:
    fields = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    path = write_tar(tmp_path / "t.tar", {"s.jpg": b"1", "s.json": fields})
    with pytest.raises(EtalageError, match=r"s\.json is not JSON: it is nested too deeply"):
        open_webdataset([path], 10_000_000)
