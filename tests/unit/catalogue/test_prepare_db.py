"""The preparation database: what is fetched, read, grouped, split and dropped, with counts that add up."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from etalage.catalogue.download import Failed, Fetched
from etalage.catalogue.pictures import BadPicture, Picture
from etalage.catalogue.prepare_db import PrepareDb
from etalage.catalogue.prepare_rows import Candidate, CheckedRow, DroppedRow, Fallback, Leak, Placeholder
from etalage.config import Split


@pytest.fixture
def db(tmp_path: Path) -> Iterator[PrepareDb]:
    with PrepareDb(tmp_path) as db:
        yield db


def candidate(ref: str) -> Candidate:
    return Candidate(url=ref) if "://" in ref or ref.startswith("//") else Candidate(path=Path(ref))


def row(number: int, *pictures: str, title: str = "", **more: object) -> CheckedRow:
    title = title or f"Scarf {number}"
    values = {"title": title, "category": "SCARVES", "price": float(number)}
    fields = {"values": values, "title": title, "family": title.casefold(), "category": "SCARVES", **more}
    digest = str(fields.pop("digest", number)).encode()
    candidates = tuple(map(candidate, pictures or ("/a.png",)))
    return CheckedRow(number, f"row {number}", f"P{number}", digest, candidates, **fields)  # type: ignore[arg-type]


def picture(path: str, pixels: str, phash: bytes = b"") -> Picture:
    return Picture(Path(path), f"sha-{path}", pixels, 20, 30, "png", phash)


EMPTY = BadPicture("image_empty", "the file is empty")


def read(db: PrepareDb, pixels: Mapping[str, str]) -> None:
    """Record what each file holds: these pixels by path, else nothing."""
    files = [(picture_id, str(path)) for picture_id, path in db.files_to_read()]
    db.record_read((picture_id, picture(path, pixels[path]) if path in pixels else EMPTY) for picture_id, path in files)


def fill(db: PrepareDb, pixels: dict[int, str], splits: dict[str, Split] | None = None, **more: object) -> None:
    """Add a row per number, each with a picture of its own that shows these pixels, every picture its own group."""
    db.add_rows([row(number, f"/{number}.png", **more) for number in pixels])
    read(db, {f"/{number}.png": shown for number, shown in pixels.items()})
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
    (first, _), (second, _), (third, _) = asked = list(db.urls_to_fetch())
    assert [url for _, url in asked] == urls, "each once, in the order of the table"
    assert db.num_urls_to_fetch() == 3
    assert [path for _, path in db.files_to_read()] == [Path("/a.png")]
    there = Fetched("said otherwise", Path("/store/x"), "x")
    db.record_fetched([(second, Failed(urls[1], "fetch_dns", "no such host")), (first, there), (third, there)])
    assert list(db.urls_to_fetch()) == []
    assert (db.num_urls_to_fetch(), db.num_files_to_read()) == (0, 3)
    assert [(found.number, found.reason) for found in db.dropped_rows()] == [(2, "fetch_dns")]


@pytest.mark.parametrize(
    "url",
    [
        "HTTP://Example.com/1.jpg", "http://example.com/a%2Fb%zz", "https://bücher.example/日本 1.jpg ", "hTTps://x//a/./b",
        "https://example.com/e\u0301.jpg", "https://example.com/\udce9.jpg", "https://example.com/\ud800",
    ],
)  # fmt: skip
def test_a_url_comes_out_as_it_went_in(db: PrepareDb, url: str) -> None:
    db.add_rows([row(1, url)])
    ((picture_id, asked),) = db.urls_to_fetch()
    assert asked == url
    db.record_fetched([(picture_id, Fetched("another spelling", Path("/store/x"), "x"))])
    assert [path for _, path in db.files_to_read()] == [Path("/store/x")]


@pytest.mark.parametrize("name", ["/caf\udce9.png", "/e\u0301.png", "/é.png", "/a//b.png", "/HTTP:x.png", "/new\nline"])
def test_a_path_comes_out_as_it_went_in(db: PrepareDb, name: str) -> None:
    db.add_rows([row(1, name)])
    ((picture_id, path),) = db.files_to_read()
    assert os.fsencode(path) == os.fsencode(Path(name))
    db.record_read([(picture_id, picture("elsewhere", "a"))])
    db.set_groups({"a": "one"})
    db.set_splits({"one": "train"})
    assert [product.picture for product in db.kept_products()] == [Path(name)]
    db.check_accounting()


def test_pictures_may_be_recorded_while_they_are_listed(db: PrepareDb) -> None:
    """More than a page of them: reading and writing take turns on one table."""
    db.add_rows([row(number, f"/{number}.png") for number in range(10_000)])
    db.record_read((picture_id, picture(str(path), path.stem)) for picture_id, path in db.files_to_read())
    assert db.num_files_to_read() == 0
    assert len(db.picture_hashes()) == 10_000


def test_a_bad_picture_drops_all_its_rows(db: PrepareDb) -> None:
    db.add_rows([row(1), row(2), row(3, "/b.png")])
    read(db, {"/b.png": "b"})
    assert list(db.dropped_rows()) == [
        DroppedRow(1, "row 1", "P1", "image_empty", "the file is empty"),
        DroppedRow(2, "row 2", "P2", "image_empty", "the file is empty"),
    ]
    assert db.picture_hashes() == [("b", b"")]


def test_a_row_shows_its_first_picture_that_can_be_used(db: PrepareDb) -> None:
    """Others are neither fetched nor read unless the ones before them fail."""
    gone = Candidate(reason="image_not_found", detail="caf\udce9.png is not there")
    rows = [
        row(1, "/a.png", "/z.png"),
        row(2, "/bad1.png", "/bad2.png", "//x.example/c.png"),
        row(3, "/bad1.png", "/a.png"),
    ]
    rows += [
        replace(row(4), pictures=(gone, candidate("/d.png"))),
        replace(row(5), pictures=(gone, candidate("/bad1.png"))),
    ]
    db.add_rows(rows)
    asked: list[str] = []
    while db.try_next_pictures() or not asked:
        asked += [str(path) for _, path in db.files_to_read()] + [url for _, url in db.urls_to_fetch()]
        db.record_fetched([(picture_id, Fetched("", Path("/store/c"), "")) for picture_id, _ in db.urls_to_fetch()])
        read(db, {name: name for name in ("/a.png", "/d.png", "/store/c")})
    assert set(asked) == {"/a.png", "/bad1.png", "/bad2.png", "/d.png", "//x.example/c.png"}
    db.set_groups({pixels: pixels for pixels, _ in db.picture_hashes()})
    shown = {product.number: str(product.picture) for product in db.kept_products()}
    assert shown == {1: "/a.png", 2: "/store/c", 3: "/a.png", 4: "/d.png"}
    assert list(db.dropped_rows()) == [
        DroppedRow(
            5, "row 5", "P5", "image_not_found", "caf\\udce9.png is not there; none of its 2 pictures can be used"
        )
    ]
    counts = db.counts()
    assert (counts.num_rows, counts.num_other_pictures) == (4, 3)
    assert counts.unused_pictures == {"image_empty": 2, "image_not_found": 1}
    db.check_accounting()


def test_all_pictures_of_a_row_may_become_products(db: PrepareDb) -> None:
    rows = [row(1, "/a.png", "/b.png", "/again.png"), row(2, "/bad.png", "/c.png"), row(3, "/bad.png", "/bad2.png")]
    db.add_rows(rows, all_images=True)
    read(db, {"/a.png": "a", "/b.png": "b", "/again.png": "a", "/c.png": "c"})
    assert not db.try_next_pictures()
    db.drop_shared_pictures(5)
    links = {reason: list(found) for reason, found in db.find_links("price").items()}
    assert links["same row"] == [(1, "a"), (1, "b")]
    db.set_groups({"a": "one", "b": "one", "c": "two"})
    db.set_splits({"one": "train", "two": "test"})
    shown = [(product.number, str(product.picture), product.product_code) for product in db.kept_products()]
    assert shown == [(1, "/a.png", "P1"), (1, "/b.png", "P1"), (2, "/c.png", "P2")]
    assert list(db.kept_row_numbers()) == [1, 1, 2]
    assert [(found.number, found.reason) for found in db.dropped_rows()] == [(3, "image_empty")]
    counts = db.counts()
    assert (counts.num_rows, counts.splits, counts.drops) == (2, {"test": 1, "train": 2}, {"image_empty": 1})
    assert (counts.num_groups, counts.num_test_groups) == (2, 1)
    assert counts.unused_pictures == {"image_empty": 1}
    assert list(db.find_leaks(lambda number: "train" if number == 2 else "test")) == [], (
        "the pictures of a row are no copies"
    )
    db.check_accounting()


def test_a_picture_that_many_products_share_is_left_out_beside_their_own(db: PrepareDb) -> None:
    rows = [row(number, f"/{number}.png", "/sizes.png") for number in (1, 2, 3)]
    db.add_rows([*rows, row(4, "/sizes.png")], all_images=True)
    read(db, {name: name for name in ("/1.png", "/2.png", "/3.png", "/sizes.png")})
    db.drop_shared_pictures(4)
    db.set_groups({name: name for name, _ in db.picture_hashes()})
    shown = [(product.number, product.picture.name) for product in db.kept_products()]
    assert shown == [(1, "1.png"), (2, "2.png"), (3, "3.png"), (4, "sizes.png")]
    assert db.counts().unused_pictures == {"image_is_placeholder": 3}


def test_a_row_that_is_neither_kept_nor_dropped_is_named(db: PrepareDb) -> None:
    db.add_rows([row(1), row(2, "/lost.png"), row(3, "//x.example/lost.png")])
    db.record_read([(1, picture("/a.png", "a"))])
    db.set_groups({"a": "one"})
    with pytest.raises(RuntimeError, match="3 rows were read, but 1 are kept and 0 dropped; in neither: row 2, row 3;"):
        db.check_accounting()


def test_pictures_that_were_found_under_another_name_are_counted_with_examples(db: PrepareDb) -> None:
    rows = []
    for number, name in enumerate(["a", "b", "c", "d"], 1):
        found = Candidate(path=Path(f"/{name}.png"), found_by="" if name == "a" else "case", written=name.upper())
        rows.append(replace(row(number), pictures=(found,)))
    db.add_rows(rows)
    read(db, {f"/{name}.png": name for name in "abc"})
    db.set_groups({name: name for name in "abc"})
    assert db.counts().fallbacks == [Fallback("case", 2, ["B", "C"])]


def test_repeated_rows_are_dropped_but_the_first(db: PrepareDb) -> None:
    db.add_rows([row(1, digest="x"), row(2, digest="y"), row(3, digest="x"), row(4, digest="x")])
    assert [(found.number, found.reason) for found in db.dropped_rows()] == [(3, "row_repeated"), (4, "row_repeated")]


def test_a_row_with_a_reason_of_its_own_needs_no_picture(db: PrepareDb) -> None:
    db.add_rows([CheckedRow(1, "row 1", "P1", b"1", reason="missing_title", detail="no text"), row(2)])
    assert [path for _, path in db.files_to_read()] == [Path("/a.png")]
    assert list(db.dropped_rows()) == [DroppedRow(1, "row 1", "P1", "missing_title", "no text")]


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
    read(db, {"/a.png": "a"})
    db.set_groups({"a": "group-a"})
    db.set_splits({"group-a": "train"})
    counts = db.counts()
    assert counts.splits == {"train": 1}
    assert counts.drops == {"image_empty": 1, "missing_price": 1, "row_repeated": 1}
    assert sum(counts.splits.values()) + sum(counts.drops.values()) == len(rows)
    db.check_accounting()


def test_products_with_the_same_pixels_are_counted(db: PrepareDb) -> None:
    fill(db, {1: "a", 2: "a", 3: "b", 4: "c", 5: "c"})
    counts = db.counts()
    assert (counts.num_same_pixels, counts.num_groups) == (4, 3)


def test_categories_are_counted_by_group(db: PrepareDb) -> None:
    db.add_rows([row(1), row(2), row(3, category="CAPS"), row(4, "/b.png")])
    read(db, {"/a.png": "a", "/b.png": "b"})
    db.set_groups({"a": "one", "b": "two"})
    assert db.group_categories() == {"one": {"SCARVES": 2, "CAPS": 1}, "two": {"SCARVES": 1}}


def test_a_placeholder_needs_enough_titles_that_differ_beyond_case(db: PrepareDb) -> None:
    titles = ["Scarf", "SCARF", "Cap", "Bag"]
    db.add_rows([row(number, title=title) for number, title in enumerate(titles, 1)])
    read(db, {"/a.png": "a"})
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
    read(db, {"/a.png": "a", "/b.png": "b", "/c.png": "c"})
    db.set_groups({"a": "one", "b": "one", "c": "two"})
    db.find_links("price")
    assert list(db.find_leaks()) == [Leak(1, "P1", "Scarf 1", "test", "one", 2, "Scarf 2", "same pixels")]
    assert db.num_held_out() == 2


def test_leaks_of_other_splits_can_be_found_without_recording_them(db: PrepareDb) -> None:
    fill(db, {1: "a", 2: "a", 3: "b"}, {"group-a": "train", "group-b": "test"}, family="scarf")
    db.find_links("price")
    assert list(db.find_leaks()) == []
    by_row = {1: "test", 2: "train", 3: "train"}.__getitem__
    (leak,) = db.find_leaks(by_row)
    assert (leak.number, leak.split, leak.train_number) == (1, "test", 2)
    assert leak.why == "same pixels"
    assert (db.num_held_out(by_row), db.num_held_out()) == (1, 1)
    assert [product.split for product in db.kept_products()] == ["train", "train", "test"]
