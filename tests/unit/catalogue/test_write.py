"""Catalogue folders hold the same bytes each time, and nothing in them is named by the table."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.catalogue.pictures import Picture
from etalage.catalogue.prepare_db import PrepareDb
from etalage.catalogue.prepare_rows import Candidate, CheckedRow, KeptProduct, Leak
from etalage.catalogue.write import MAX_LEAK_EXAMPLES, write_catalogue, write_leaks
from etalage.config import PrepareConfig, TaskConfig
from etalage.errors import EtalageError
from etalage.task import Task

from .conftest import prepare


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_original_rows_keep_all_their_columns(prepare_config: PrepareConfig) -> None:
    """As text, in the order of the products; dropped rows are not among them."""
    lines = Path(prepare_config.source).read_text().splitlines()
    texts = [" 7 %", "", "x" * 20_000, *["blue"] * 10]
    Path(prepare_config.source).write_text("\n".join([f"tax,,{lines[0]}", *map("{},?,{}".format, texts, lines[1:])]))
    prepare(prepare_config)
    kept = pq.read_table(prepare_config.out / "table.parquet").to_pylist()
    assert [row["price"] for row in kept] == [f"{100 + n}.5" for n in range(12)]
    assert [row["tax"] for row in kept] == [" 7 %", None, "x" * 10_000, *["blue"] * 9]
    assert list(kept[0]) == ["tax", "product_code", "title", "category", "price", "image"]
    assert [row["product_code"] for row in kept] == pq.read_table(prepare_config.out / "metadata.parquet")[
        "product_code"
    ].to_pylist()


def test_pictures_inside_the_table_are_not_written_twice(prepare_config: PrepareConfig, tmp_path: Path) -> None:
    rows = [
        {"title": f"Scarf {n}", "category": "A", "price": 5.0, "size": n, "image": {"bytes": picture, "path": "x"}}
        for n, picture in enumerate(path.read_bytes() for path in sorted(tmp_path.glob("*.png")))
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    prepare(replace(prepare_config, source=str(tmp_path / "t.parquet")))
    kept = pq.read_table(prepare_config.out / "table.parquet").to_pylist()
    assert kept[3] == {"title": "Scarf 3", "category": "A", "price": "5.0", "size": "3"}


def test_datasets_loads_the_folder_as_its_splits(prepare_config: PrepareConfig, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    catalogue = prepare(prepare_config)
    loaded = datasets.load_dataset(str(prepare_config.out), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train", "validation", "test"]
    for split, rows in loaded.items():
        products = catalogue.split(split)
        assert [row["product_code"] for row in rows] == [product.product_code for product in products]
        for row, product in zip(rows, products, strict=True):
            assert row["image"].convert("RGB").tobytes() == catalogue.open(product).tobytes()
            assert {name: row[name] for name in product.values} == product.values
            assert (row["split"], row["group"]) == (split, product.group)


def test_datasets_loads_a_folder_without_a_test_split(prepare_config: PrepareConfig, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    prepare(replace(prepare_config, test_fraction=0))
    assert not (prepare_config.out / "test.parquet").exists()
    loaded = datasets.load_dataset(str(prepare_config.out), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 11, "validation": 1}


def test_equal_input_gives_equal_bytes(prepare_config: PrepareConfig) -> None:
    again = replace(prepare_config, out=prepare_config.out.with_name("again"))
    prepare(prepare_config)
    prepare(again)
    assert contents(prepare_config.out) == contents(again.out)
    other = replace(prepare_config, out=prepare_config.out.with_name("other"), seed=1)
    prepare(other)
    assert contents(prepare_config.out)["metadata.parquet"] != contents(other.out)["metadata.parquet"]


def kept(path: Path, sha256: str = "") -> KeptProduct:
    """Return a product with this picture."""
    sha256 = sha256 or hashlib.sha256(path.read_bytes()).hexdigest()
    return KeptProduct(1, "P1", {"title": "Scarf"}, "", path, sha256, 9, 9, "png", "g", "", "train", False)


def fill(db: PrepareDb, product: KeptProduct) -> None:
    """Add a product with its picture, group and split to a database."""
    db.add_rows([CheckedRow(1, "row 1", "P1", b"1", (Candidate(path=product.picture),), product.values, "Scarf")])
    found = Picture(product.picture, product.sha256, "pixels", 9, 9, "png", b"")
    db.record_read([(picture_id, found) for picture_id, _ in db.files_to_read()])
    db.set_groups({"pixels": "g"})
    db.set_splits({"g": "train"})


FACTS = {"own_questions": False, "duplicates": {"near": 0}}
TASK = Task(TaskConfig(answer="{title}"))


def test_a_picture_that_changed_meanwhile_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "a.png").write_bytes(b"picture")
    with PrepareDb(tmp_path) as db:
        fill(db, kept(tmp_path / "a.png"))
        (tmp_path / "a.png").write_bytes(b"another")
        with pytest.raises(EtalageError, match=r"a\.png changed while it was prepared; let nothing write there"):
            write_catalogue(tmp_path / "out", db, TASK, FACTS)


@pytest.mark.parametrize("is_linkable", [True, False])
def test_pictures_are_linked_from_our_own_folders_and_copied_from_others(tmp_path: Path, is_linkable: bool) -> None:
    for name in ("out", "downloads"):
        (tmp_path / name).mkdir()
    path = tmp_path / "downloads/a"
    path.write_bytes(b"picture")
    calls: list[tuple[int, int]] = []
    with PrepareDb(tmp_path) as db:
        fill(db, kept(path))
        folders = [tmp_path / "downloads"] if is_linkable else []
        write_catalogue(
            tmp_path / "out", db, TASK, FACTS, linkable_folders=folders, progress=lambda *args: calls.append(args)
        )
    written = tmp_path / "out" / kept(path).file_name
    assert written.read_bytes() == b"picture"
    assert written.samefile(path) == is_linkable
    assert calls == [(1, 1)]


REASONS = ("same pixels", "near picture", "through others")


def test_only_some_leaks_are_examples_and_all_are_in_the_table(tmp_path: Path) -> None:
    leaks = [Leak(n, f"P{n}", f"Scarf {n}", "test", "g", 0, "Scarf", REASONS[n % 3]) for n in range(1, 31)]
    facts = write_leaks(tmp_path, iter(leaks), 40)
    assert (facts["num_held_out"], facts["num_leaked"], len(facts["examples"])) == (40, 30, MAX_LEAK_EXAMPLES)
    assert [example["why"] for example in facts["examples"][:3]] == ["near picture", "through others", "same pixels"]
    assert facts["reasons"] == dict.fromkeys(REASONS, 10)
    rows = pq.read_table(tmp_path / "leaks.parquet").to_pylist()
    assert [row["source_row"] for row in rows] == list(range(1, 31))
    assert rows[0] == {
        "source_row": 1, "product_code": "P1", "split": "test", "group": "g", "copy_of_row": 0,
        "why": "near picture",
    }  # fmt: skip


def test_without_leaks_the_table_is_empty_but_has_its_columns(tmp_path: Path) -> None:
    assert write_leaks(tmp_path, [], 0) == {"num_held_out": 0, "num_leaked": 0, "reasons": {}, "examples": []}
    table = pq.read_table(tmp_path / "leaks.parquet")
    assert (table.num_rows, table.column_names[0]) == (0, "source_row")
