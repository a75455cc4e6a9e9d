"""The preparation database: what is fetched, read, grouped, split and dropped, with counts that add up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from etalage.catalogue.download import Failed, Fetched
from etalage.catalogue.pictures import BadPicture, Picture
from etalage.catalogue.prepare_db import PrepareDb
from etalage.catalogue.prepare_rows import CheckedRow, DroppedRow, Leak, Placeholder
from etalage.config import Split


@pytest.fixture
def db(tmp_path: Path) -> Iterator[PrepareDb]:
    with PrepareDb(tmp_path) as db:
        yield db


def row(number: int, picture: str = "/a.png", title: str = "", **more: object) -> CheckedRow:
    title = title or f"Scarf {number}"
    values = {"title": title, "category": "SCARVES", "price": float(number)}
    fields = {"values": values, "title": title, "family": title.casefold(), "category": "SCARVES", **more}
    digest = str(fields.pop("digest", number)).encode()
    return CheckedRow(number, f"row {number}", f"P{number}", digest, (picture,), **fields)  # type: ignore[arg-type]


def picture(path: str, pixels: str, phash: bytes = b"") -> tuple[Path, Picture]:
    return Path(path), Picture(Path(path), f"sha-{path}", pixels, 20, 30, "png", phash)


def fill(db: PrepareDb, pixels: dict[int, str], splits: dict[str, Split] | None = None, **more: object) -> None:
    """Add a row per number, each with a picture of its own that shows these pixels, every picture its own group."""
    db.add_rows([row(number, f"/{number}.png", **more) for number in pixels])
    db.record_read([picture(f"/{number}.png", shown) for number, shown in pixels.items()])
    db.set_groups({shown: f"group-{shown}" for shown in pixels.values()})
    db.set_splits(splits or {})


def test_the_file_is_gone_afterwards(tmp_path: Path) -> None:
    with PrepareDb(tmp_path) as db:
        assert db.path.exists()
        assert db.path.parent == tmp_path
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyError), PrepareDb(tmp_path):
        raise KeyError
    assert not list(tmp_path.iterdir())


def test_urls_are_fetched_and_then_read_like_files(db: PrepareDb) -> None:
    urls = ["https://example.com/1.jpg", "//example.com/2.jpg", "http://example.com/3.jpg"]
    db.add_rows([row(number, ref) for number, ref in enumerate([urls[0], "/a.png", *urls[1:], urls[0], "/a.png"])])
    assert list(db.urls_to_fetch()) == urls, "each once, in the order of the table"
    assert db.num_urls_to_fetch() == 3
    assert list(db.paths_to_read()) == [Path("/a.png")]
    db.record_fetched(
        [Failed(urls[1], "fetch_dns", "no such host"), *(Fetched(url, Path("/store/x"), "x") for url in urls[::2])]
    )
    assert list(db.urls_to_fetch()) == []
    assert (db.num_urls_to_fetch(), db.num_paths_to_read()) == (0, 3)
    assert [(found.number, found.reason) for found in db.dropped_rows()] == [(2, "fetch_dns")]


def test_pictures_may_be_recorded_while_they_are_listed(db: PrepareDb) -> None:
    """More than a page of them: reading and writing take turns on one table."""
    db.add_rows([row(number, f"/{number}.png") for number in range(10_000)])
    db.record_read(picture(str(path), path.stem) for path in db.paths_to_read())
    assert db.num_paths_to_read() == 0
    assert len(db.picture_hashes()) == 10_000


def test_a_bad_picture_drops_all_its_rows(db: PrepareDb) -> None:
    db.add_rows([row(1), row(2), row(3, "/b.png")])
    db.record_read([(Path("/a.png"), BadPicture("image_empty", "the file is empty")), picture("/b.png", "b")])
    assert list(db.dropped_rows()) == [
        DroppedRow(1, "P1", "image_empty", "the file is empty"),
        DroppedRow(2, "P2", "image_empty", "the file is empty"),
    ]
    assert db.picture_hashes() == [("b", b"")]


def test_repeated_rows_are_dropped_but_the_first(db: PrepareDb) -> None:
    db.add_rows([row(1, digest="x"), row(2, digest="y"), row(3, digest="x"), row(4, digest="x")])
    assert [(found.number, found.reason) for found in db.dropped_rows()] == [(3, "row_repeated"), (4, "row_repeated")]


def test_a_row_with_a_reason_of_its_own_needs_no_picture(db: PrepareDb) -> None:
    db.add_rows([CheckedRow(1, "row 1", "P1", b"1", reason="missing_title", detail="no text"), row(2)])
    assert list(db.paths_to_read()) == [Path("/a.png")]
    assert list(db.dropped_rows()) == [DroppedRow(1, "P1", "missing_title", "no text")]


@pytest.mark.parametrize(
    ("questions", "expected"), [(["b", "a", "b"], "b"), (["b", "a"], "a"), (["", "", "a"], "a"), ([""], ""), ([], "")]
)
def test_the_most_frequent_question_is_the_first_of_several(db: PrepareDb, questions: list[str], expected: str) -> None:
    db.add_rows([row(number, question=question) for number, question in enumerate(questions)])
    assert db.most_frequent_question() == expected


def test_kept_products_come_in_the_order_of_the_table_with_all_their_values(db: PrepareDb) -> None:
    fill(db, {3: "c", 1: "a", 2: "a"}, {"group-a": "train", "group-c": "test"}, question="What is it?")
    products = list(db.kept_products())
    assert [product.number for product in products] == [1, 2, 3] == list(db.kept_row_numbers())
    assert db.num_kept() == 3
    assert products[2].values == {"title": "Scarf 3", "category": "SCARVES", "price": 3.0}
    assert (products[2].product_code, products[2].question) == ("P3", "What is it?")
    assert (products[2].group, products[2].split, products[2].placeholder) == ("group-c", "test", False)
    assert (products[2].picture, products[2].width, products[2].height) == (Path("/3.png"), 20, 30)
    assert products[2].file_name == "images/sh/sha-/3.png.png"


def test_every_row_is_either_kept_or_dropped(db: PrepareDb) -> None:
    rows = [
        row(1, "/a.png"),
        row(2, "/bad.png"),
        row(3, digest="1"),
        CheckedRow(4, "row 4", "P4", b"4", reason="missing_price"),
    ]
    db.add_rows(rows)
    db.record_read([picture("/a.png", "a"), (Path("/bad.png"), BadPicture("image_empty", ""))])
    db.set_groups({"a": "group-a"})
    db.set_splits({"group-a": "train"})
    counts = db.counts()
    assert counts.splits == {"train": 1}
    assert counts.drops == {"image_empty": 1, "missing_price": 1, "row_repeated": 1}
    assert sum(counts.splits.values()) + sum(counts.drops.values()) == len(rows)


def test_products_with_the_same_pixels_are_counted(db: PrepareDb) -> None:
    fill(db, {1: "a", 2: "a", 3: "b", 4: "c", 5: "c"})
    counts = db.counts()
    assert (counts.num_same_pixels, counts.num_groups) == (4, 3)


def test_categories_are_counted_by_group(db: PrepareDb) -> None:
    db.add_rows([row(1), row(2), row(3, category="CAPS"), row(4, "/b.png")])
    db.record_read([picture("/a.png", "a"), picture("/b.png", "b")])
    db.set_groups({"a": "one", "b": "two"})
    assert db.group_categories() == {"one": {"SCARVES": 2, "CAPS": 1}, "two": {"SCARVES": 1}}


def test_families_are_listed_once_per_picture(db: PrepareDb) -> None:
    db.add_rows([row(1, family="scarf"), row(2, family="scarf"), row(3, family=""), row(4, "/b.png", family="scarf")])
    db.record_read([picture("/a.png", "a"), picture("/b.png", "b")])
    assert sorted(db.picture_families()) == [("a", "scarf"), ("b", "scarf")]


def test_a_placeholder_needs_enough_titles_that_differ_beyond_case(db: PrepareDb) -> None:
    titles = ["Scarf", "SCARF", "Cap", "Bag"]
    db.add_rows([row(number, title=title) for number, title in enumerate(titles, 1)])
    db.record_read([picture("/a.png", "a")])
    db.set_groups({"a": "group-a"})
    db.flag_placeholders(4)
    assert not db.counts().placeholders
    db.flag_placeholders(3)
    assert db.counts().placeholders == [Placeholder("sha-/a.png", "png", 4, 3)]
    db.drop_placeholders()
    assert db.num_kept() == 0
    assert db.counts().drops == {"image_is_placeholder": 4}


def test_leaks_name_the_first_product_in_training_and_why(db: PrepareDb) -> None:
    db.add_rows(
        [
            row(1, "/a.png", split="test"),
            row(2, "/a.png", split="train"),
            row(3, "/b.png", split="train"),
            row(4, "/c.png", split="validation"),
        ]
    )
    db.record_read([picture("/a.png", "a"), picture("/b.png", "b"), picture("/c.png", "c")])
    db.set_groups({"a": "one", "b": "one", "c": "two"})
    assert list(db.find_leaks()) == [Leak(1, "P1", "Scarf 1", "test", "one", 2, "Scarf 2", True, False)]
    assert db.num_held_out() == 2


def test_leaks_of_other_splits_can_be_found_without_recording_them(db: PrepareDb) -> None:
    fill(db, {1: "a", 2: "a", 3: "b"}, {"group-a": "train", "group-b": "test"}, family="scarf")
    assert list(db.find_leaks()) == []
    by_row = {1: "test", 2: "train", 3: "train"}.__getitem__
    (leak,) = db.find_leaks(by_row)
    assert (leak.number, leak.split, leak.train_number) == (1, "test", 2)
    assert (leak.same_pixels, leak.same_family) == (True, True)
    assert (db.num_held_out(by_row), db.num_held_out()) == (1, 1)
    assert [product.split for product in db.kept_products()] == ["train", "train", "test"]
