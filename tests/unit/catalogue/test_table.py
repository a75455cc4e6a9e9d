"""Rows have texts under the task's names, the first picture, a code and a split."""

from collections.abc import Callable
from pathlib import Path

import pytest

from etalage.errors import EtalageError
from etalage.task import Field


def test_takes_columns_split_and_picture_folder_from_the_settings(
    tmp_path: Path, write_file: Callable, open_table: Callable
) -> None:
    path = write_file("a,category,price,image,fold\nA,X,5,a.png,test\n")
    source, table = open_table(path, columns="title=a", split_column="fold", image_folder=tmp_path / "pics")
    assert [row.split for row in table] == ["test"]
    assert source.folder == tmp_path / "pics"


def test_refuses_a_field_with_a_reserved_name(write_file: Callable, open_table: Callable) -> None:
    with pytest.raises(EtalageError, match=r"\{split\} cannot be a field"):
        open_table(write_file("split,image\na,b\n"), [Field("split", "text")])


def test_reports_columns_that_were_guessed_from_cells(write_file: Callable, open_table: Callable) -> None:
    lines = [f"Fine Coat No {i},{'AB'[i % 2]},{i + 10}.50,{i}.jpg" for i in range(20)]
    table = open_table(write_file("\n".join(["a,b,c,d", *lines])))[1]
    assert table.columns == {"title": "a", "category": "b", "price": "c", "image": "d"}
    assert table.guessed == set(table.columns)
