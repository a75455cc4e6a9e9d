"""A folder of pictures is a table: subfolders are categories, names are titles."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from etalage.catalogue.readers.image_folder import open_image_folder
from etalage.catalogue.table import Row
from etalage.errors import EtalageError
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]


PNG = b"\x89PNG\r\n\x1a\n not really"


def test_reads_a_folder_of_pictures_without_a_table(tmp_path: Path, write_file: Callable, open_table: Callable) -> None:
    for name in ("b/red_linen-shirt.JPG", "a/coat.png", "top.webp", "a/notes.txt", ".hidden/c.png", "a/.d.png"):
        write_file(PNG, f"pics/{name}")
    (tmp_path / "pics/a/loop").symlink_to(tmp_path / "pics")
    source, table = open_table(tmp_path / "pics", FIELDS[:2])
    assert (source.kind, source.column_names, source.folder) == (
        "folder",
        ["file_name", "category", "title"],
        tmp_path / "pics",
    )
    assert list(table) == [
        Row(1, "row 1", "1", ("a/coat.png",), {"title": "coat", "category": "a"}),
        Row(2, "row 2", "2", ("b/red_linen-shirt.JPG",), {"title": "red linen shirt", "category": "b"}),
        Row(3, "row 3", "3", ("top.webp",), {"title": "top", "category": ""}),
    ]
    with pytest.raises(EtalageError, match="price: no column is called that"):
        open_table(tmp_path / "pics")


def test_a_name_that_is_not_utf8_still_names_its_file(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    (tmp_path / name).write_bytes(PNG)
    assert list(open_image_folder(tmp_path).read_rows(["file_name", "title"])) == [[name, "caf?"]]
