"""A prepared catalogue is read as clean texts, its columns get the right kinds, and damage is named."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.errors import EtalageError
from etalage.sample.mimic.original import LINK, MAX_CHARS, Column, read_original
from etalage.sample.mimic.suppressed_counts import K
from tests.unit.sample.mimic.shop import ROLES, original_of, prepare_folder, shop_columns


def kind_of(texts: Sequence[str | None], name: str = "x", **roles: str) -> str:
    """Return the kind of a column that stands alone in a table."""
    (column,) = original_of({name: list(texts)}, roles).columns
    return column.kind


def test_kinds_of_the_shops_columns() -> None:
    kinds = {column.name: column.kind for column in original_of(shop_columns()).columns}
    assert kinds == {
        "sku": "code",
        "title": "title",
        "category1": "category",
        "category2": "category",
        "photo": "picture",
        "full_price": "number",
        "price": "number",
        "price_eur": "number",
        "sale": "category",
        "weight": "number",
        "season": "category",
        "listed": "date",
        "link": "link",
        "shop": "constant",
        "text": "text",
    }


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ([None] * 20, "empty"),
        (["same"] * K, "constant"),
        (["same"] * (K - 1) + [None] * 20, "empty"),
        ([f"AB-{n:04d}" for n in range(40)], "code"),
        ([f"{n:06d}" for n in range(40)], "code"),
        ([f"{n:04d}" for n in range(40)], "number"),
        (["red", "blue"] * 20, "category"),
        ([str(n % 4) for n in range(40)], "category"),
        ([f"{n}.5" for n in range(40)], "number"),
        ([f"{n + 1}.00 EUR" for n in range(40)], "number"),
        ([f"word{n} and more" for n in range(40)], "words"),
        ([f"word{n} " + "and more " * 8 for n in range(40)], "text"),
        ([f"https://a.example/{n % 3}" for n in range(40)], "link"),
        ([f"{1 + n // 28:02d}.{1 + n % 12:02d}.2020" for n in range(40)], "date"),
    ],
)
def test_the_kind_of_a_column_follows_from_its_texts(texts: list[str | None], kind: str) -> None:
    assert kind_of(texts) == kind


def test_roles_decide_the_kind_whatever_the_texts_are() -> None:
    texts = [str(n) for n in range(40)]
    assert kind_of(texts, title="x") == "title"
    assert kind_of(texts, category="x") == "category"
    assert kind_of(texts, image="x") == "picture"
    assert kind_of(texts, product_code="x") == "code"


def test_a_price_with_few_values_is_still_a_number() -> None:
    texts = ["$10.00", "$20.00"] * 20
    assert kind_of(texts) == "category"
    assert kind_of(texts, price="x") == "number"


def test_numbers_are_nan_where_a_cell_holds_none() -> None:
    (column,) = original_of({"x": [f"{n}.5" for n in range(40)]}, {}).columns
    assert np.array_equal(column.numbers(["1.5", None, "many"]), [1.5, np.nan, np.nan], equal_nan=True)
    assert Column("x", "words").read("1.5") is None


def test_select_keeps_all_parts_of_a_row_together() -> None:
    original = original_of(shop_columns(50))
    chosen = original.select([7, 3])
    assert len(chosen) == 2
    assert chosen.texts["sku"] == [original.texts["sku"][7], original.texts["sku"][3]]
    assert list(chosen.pictures) == ["images/7.jpg", "images/3.jpg"]
    assert list(chosen.groups) == ["single 7", "single 3"]


def test_subsample_is_random_but_ordered() -> None:
    original = original_of({"x": [str(n) for n in range(100)]}, {})
    chosen = [int(str(text)) for text in original.subsample(20, 4).texts["x"]]
    assert chosen == sorted(random.Random(4).sample(range(100), 20))
    assert original.subsample(20, 5).texts != original.subsample(20, 4).texts
    assert original.subsample(100, 0) is original


def test_splits_are_told_apart(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path, shop_columns(60), splits="t" * 40 + "v" * 12 + "h" * 8)
    everything = read_original(folder)
    assert [len(everything.in_splits([split])) for split in ("train", "validation", "test")] == [40, 12, 8]
    assert len(everything.in_splits(("train", "validation"))) == 52
    assert everything.roles == ROLES


def test_texts_are_one_line_of_bounded_length(tmp_path: Path) -> None:
    columns = shop_columns(60)
    columns["title"][:4] = [" two\n lines\t", "a" * (MAX_CHARS + 50), " \n ", None]
    original = read_original(prepare_folder(tmp_path, columns))
    assert original.texts["title"][:4] == ["two lines", "a" * MAX_CHARS, None, None]


def test_roles_of_columns_that_the_table_lacks_are_left_out(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path, shop_columns(60))
    (folder / "catalogue.json").write_text(json.dumps({"columns": {**ROLES, "price": "gone"}}))
    assert "price" not in read_original(folder).roles


def test_no_table_is_refused(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path, shop_columns(60))
    (folder / "table.parquet").unlink()
    with pytest.raises(EtalageError, match=r"has no table.parquet.*prepare the catalogue again"):
        read_original(folder)


def test_a_folder_without_a_catalogue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EtalageError, match=r"is no catalogue.*make one with etalage prepare"):
        read_original(tmp_path)


@pytest.mark.parametrize("name", ["table.parquet", "metadata.parquet", "catalogue.json"])
def test_damaged_files_are_named(tmp_path: Path, name: str) -> None:
    folder = prepare_folder(tmp_path, shop_columns(60))
    (folder / name).write_bytes(b"[")
    with pytest.raises(EtalageError, match="is damaged"):
        read_original(folder)


def test_facts_that_are_no_object_are_refused(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path, shop_columns(60))
    (folder / "catalogue.json").write_text("[]")
    with pytest.raises(EtalageError, match="it holds no object"):
        read_original(folder)


def test_tables_of_unequal_length_are_refused(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path, shop_columns(60))
    pq.write_table(pq.read_table(folder / "table.parquet").slice(0, 50), folder / "table.parquet")
    with pytest.raises(EtalageError, match=r"table.parquet has 50 rows, but metadata.parquet has 60"):
        read_original(folder)


def test_an_unknown_split_is_refused(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path, shop_columns(60))
    products = pq.read_table(folder / "metadata.parquet").to_pydict()
    products["split"][4] = "holdout"
    pq.write_table(pa.table(products), folder / "metadata.parquet")
    with pytest.raises(EtalageError, match=r"unknown split \('holdout'\)"):
        read_original(folder)


@pytest.mark.parametrize(
    ("link", "rest"),
    [("https://a.example:80/b?c#d", "/b?c#d"), ("HTTP://a.example", ""), ("s3://bucket/key", "/key"), ("//a/b", None)],
)
def test_the_machine_is_cut_from_a_link(link: str, rest: str | None) -> None:
    found = LINK.match(link)
    assert (found and link[found.end() :]) == rest
