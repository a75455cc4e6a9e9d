"""What says that rows show one product: a title and something besides, or a column; and what does not."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from etalage.catalogue.duplicates import group_pictures
from etalage.catalogue.pictures import Picture
from etalage.catalogue.prepare_db import PrepareDb
from etalage.catalogue.prepare_groups import MAX_PICTURES_OF_A_NAME, MAX_PRICES_OF_A_NAME, parent_codes
from etalage.catalogue.prepare_rows import Candidate, CheckedRow, GenericName, ProductGroup
from etalage.catalogue.title_family import title_family

Item = tuple[str, str, float, str, str]
"""Title, category, price, code and parent of a row."""


@pytest.fixture
def db(tmp_path: Path) -> Iterator[PrepareDb]:
    with PrepareDb(tmp_path) as db:
        yield db


def item(title: str, price: float = 10.0, category: str = "A", code: str = "", parent: str = "") -> Item:
    return title, category, price, code, parent


def fill(
    db: PrepareDb,
    items: list[Item],
    *,
    price: str | None = "price",
    pixels: str = "",
    phashes: list[bytes] | None = None,
) -> dict[int, str]:
    """Add a row per item, each with a picture of its own unless `pixels` has a letter for each; return its reasons."""
    rows = [
        CheckedRow(
            number,
            f"row {number}",
            code or str(number),
            str(number).encode(),
            (Candidate(path=Path(f"/{number}")),),
            values={"title": title, "category": category, "price": cost},
            title=title,
            family=title_family(title),
            category=category,
            parent=parent,
        )
        for number, (title, category, cost, code, parent) in enumerate(items)
    ]
    db.add_rows(rows)
    names = pixels or [f"{number:04d}" for number in range(len(items))]
    db.record_read(
        (
            picture_id,
            Picture(path, path.name, names[int(path.name)], 9, 9, "png", phashes[int(path.name)] if phashes else b""),
        )
        for picture_id, path in list(db.files_to_read())
    )
    groups = group_pictures(db.picture_hashes(), db.find_links(price), db.picture_parents())
    db.set_groups(groups.names, groups.reasons)
    return {product.number: product.group_reason for product in db.kept_products()}


def found_groups(db: PrepareDb) -> list[list[int]]:
    """Return the numbers of the rows of each group of more than one."""
    groups = defaultdict(list)
    for product in db.kept_products():
        groups[product.group].append(product.number)
    return [numbers for numbers in groups.values() if len(numbers) > 1]


def test_products_that_differ_in_a_number_are_different(db: PrepareDb) -> None:
    """Even at one price in one category: the number is the model. So may be a letter, unless the price is the same."""
    sneakers = [item(f"{line} {1000 + 37 * n}") for n in range(12) for line in ("Ridge Walk", "Building Set")]
    fill(db, sneakers + [item(f"Alpha Camera 7 {letter}", 900 + 30 * n) for n, letter in enumerate("RSML")])
    assert found_groups(db) == []


def test_sizes_need_an_equal_price_and_category(db: PrepareDb) -> None:
    sizes = [item(f"Linen Shirt {size}", 40) for size in ("S", "M", "EU 42")]
    others = [
        item("Linen Shirt L", 45),
        item("Linen Shirt XL", 40, "B"),
        item("Zoom Lens 50 mm"),
        item("Zoom Lens 85 mm", 90),
    ]
    reasons = fill(db, sizes + others)
    assert found_groups(db) == [[0, 1, 2]]
    assert reasons[0] == "name and price"
    assert reasons[3] == reasons[5] == ""


def test_colours_may_differ_a_little_in_price(db: PrepareDb) -> None:
    colours = [item("Wool Scarf in Navy", 100), item("Wool Scarf in Red", 110), item("Wool Scarf in Gold", 130)]
    fill(db, [*colours, item("Wool Scarf in Green", 200), item("Wool Scarf in Grey", 105, "B")])
    assert found_groups(db) == [[0, 1, 2]]


def test_a_price_that_climbs_in_small_steps_is_not_one_product(db: PrepareDb) -> None:
    fill(
        db,
        [
            item(f"Wool Scarf in {colour}", 100 * 1.2**n)
            for n, colour in enumerate(("Navy", "Red", "Gold", "Tan", "Grey"))
        ],
    )
    assert found_groups(db) == [[0, 1, 2, 3]]  # the last one costs more than twice as much as the first


def test_codes_that_begin_alike_are_a_witness(db: PrepareDb) -> None:
    items = [
        item("Wool Scarf in Navy", 100, code="WS-100-NAV"),
        item("Wool Scarf in Red", 300, code="WS-100-RED"),
        item("Wool Scarf in Green", 900, code="WS-200-GRN"),
        item("Wool Coat in Navy", 100, code="WC-100-NAV"),
    ]
    assert fill(db, items)[0] == "name and code"
    assert found_groups(db) == [[0, 1]]


def test_what_all_codes_begin_with_says_nothing(db: PrepareDb) -> None:
    items = [item("Wool Scarf in Navy", 100, code="SKU-1"), item("Wool Scarf in Red", 300, code="SKU-2")]
    fill(db, [*items, item("Silk Tie", 20, code="SKU-3")])
    assert found_groups(db) == []


def test_codes_alone_merge_nothing(db: PrepareDb) -> None:
    fill(db, [item("Canvas Sneaker 1000", code="CS-77-1000"), item("Canvas Sneaker 1037", code="CS-77-1037")])
    assert found_groups(db) == []


@pytest.mark.parametrize(
    ("code", "parents"),
    [
        ("WS-100-RED-M", ["WS-100-RED-M", "WS-100-RED", "WS-100"]),
        ("A_1", ["A_1"]),
        ("4006381333931", ["4006381333931"]),
        ("style 88/red", ["style 88/red", "style 88", "style"]),
        ("--", ["--"]),
        ("", [""]),
    ],
)
def test_parent_codes_end_at_a_separator(code: str, parents: list[str]) -> None:
    assert parent_codes(code) == parents


def test_equal_titles_are_one_product_unless_they_come_at_many_prices(db: PrepareDb) -> None:
    rings = [item("Ring", 10 + 50 * n) for n in range(MAX_PRICES_OF_A_NAME + 1)]
    reasons = fill(db, [item("Check Scarf", 10), item("CHECK – SCARF", 90), *rings, item("Ring", 10)])
    assert found_groups(db) == [[0, 1]]
    assert (reasons[0], reasons[2]) == ("same name", "")
    assert db.generic_names() == [GenericName("ring", len(rings) + 1, len(rings), len(rings) + 1)]


def test_equal_titles_are_one_product_unless_they_come_on_many_pictures(db: PrepareDb) -> None:
    fill(db, [item("Ring")] * (MAX_PICTURES_OF_A_NAME + 1) + [item("Hat")] * MAX_PICTURES_OF_A_NAME)
    assert [len(numbers) for numbers in found_groups(db)] == [MAX_PICTURES_OF_A_NAME]


def test_without_prices_the_category_is_the_witness(db: PrepareDb) -> None:
    scarves = [item("Wool Scarf in Navy", 1), item("Wool Scarf in Red", 99), item("Wool Scarf in Tan", 1, "B")]
    fill(db, scarves, price=None)
    assert found_groups(db) == [[0, 1]]


def test_without_prices_and_categories_there_is_no_witness(db: PrepareDb) -> None:
    fill(
        db,
        [item("Wool Scarf in Navy", 1, ""), item("Wool Scarf in Red", 1, ""), item("Wool Scarf in Red", 9, "")],
        price=None,
    )
    assert found_groups(db) == [[1, 2]]


def test_near_pictures_need_no_name(db: PrepareDb) -> None:
    fill(
        db,
        [item("Navy Scarf"), item("Red Scarf", 99), item("Silk Tie")],
        phashes=[bytes(32), bytes([7] + [0] * 31), bytes([255] * 32)],
    )
    assert found_groups(db) == [[0, 1]]


def test_a_column_beats_all_guessing_but_equal_pictures(db: PrepareDb) -> None:
    """Names, prices, codes and near pictures say that 0, 1, 2 are one; the column says otherwise."""
    near = [bytes(32), bytes([1] + [0] * 31), bytes([3] + [0] * 31), b"", b""]
    items = [item("Wool Scarf in Navy", parent=parent, code=f"WS-1-{n}") for n, parent in enumerate(("P1", "P2", "P1"))]
    items += [item("Silk Tie", 5, parent="P3"), item("Silk Hat", 7, parent="P4")]
    reasons = fill(db, items, pixels="abcdd", phashes=near)
    assert found_groups(db) == [[0, 2], [3, 4]]
    assert reasons == {
        0: "near picture, group column",
        1: "",
        2: "near picture, group column",
        3: "same pixels",
        4: "same pixels",
    }


def test_rows_without_a_parent_are_guessed_and_a_parents_own_row_joins_its_variants(db: PrepareDb) -> None:
    items = [
        item("Hoodie", 40, code="HOODIE"),
        item("Hoodie - Blue, M", 45, code="H-B-M", parent="HOODIE"),
        item("Hoodie - Red", 35, code="H-R", parent="HOODIE"),
        item("Wool Scarf in Navy", 10),
        item("Wool Scarf in Red", 10),
        item("Wool Scarf in Tan", 10, parent="OTHER"),
    ]
    fill(db, items)
    assert found_groups(db) == [[0, 1, 2], [3, 4]]


def test_the_number_of_a_row_is_nobodys_parent(db: PrepareDb) -> None:
    """Rows without a code go by their number, which a column of parents may hold by chance."""
    fill(db, [item("Hat"), item("Cap"), item("Tie", 20, parent="1"), item("Bow", 30, parent="1")])
    assert found_groups(db) == [[2, 3]]


def test_the_largest_groups_say_why(db: PrepareDb) -> None:
    items = [
        item("Wool Scarf in Navy"),
        item("Wool Scarf in Red"),
        item("Wool Scarf in Red", 99),
        item("Tie"),
        item("Hat"),
    ]
    fill(db, items, pixels="abcdd")
    largest, second = db.largest_groups(5)
    titles = ["Wool Scarf in Navy", "Wool Scarf in Red"]
    assert largest == ProductGroup("a", 3, 3, {"name and price": 2, "same name": 2}, titles)
    assert second == ProductGroup("d", 2, 1, {"same pixels": 2}, ["Tie", "Hat"])
    assert [group.name for group in db.largest_groups(1)] == ["a"]


def test_a_leak_says_what_the_two_products_themselves_have_in_common(db: PrepareDb) -> None:
    """Rows 0 and 3 share a group only because of what lies between them."""
    items = [
        item("Wool Scarf in Navy"),
        item("Wool Scarf in Red"),
        item("Silk Tie"),
        item("Silk Tie", 50),
        item("Cap", 1, parent="P"),
    ]
    fill(
        db, [*items, item("Hat", 2, parent="P"), item("Hut", 3)], pixels="abbcdef", phashes=[b""] * 4 + [bytes(32)] * 3
    )
    train = {0, 4}
    leaks = list(db.find_leaks(lambda number: "train" if number in train else "test"))
    assert [(leak.number, leak.train_number, leak.why) for leak in leaks] == [
        (1, 0, "name and price"),
        (2, 0, "through others"),
        (3, 0, "through others"),
        (5, 4, "group column"),
        (6, 4, "near picture"),
    ]


def test_pictures_of_one_row_are_one_group(db: PrepareDb) -> None:
    row = CheckedRow(
        1, "row 1", "P1", b"1", (Candidate(path=Path("/a")), Candidate(path=Path("/b"))), values={}, title="Bag"
    )
    db.add_rows([row], all_images=True)
    db.record_read((i, Picture(path, path.name, path.name, 9, 9, "png", b"")) for i, path in list(db.files_to_read()))
    groups = group_pictures(db.picture_hashes(), db.find_links(None))
    assert set(groups.names.values()) == {"a"}
    assert set(groups.reasons.values()) == {"same row"}  # no name is the reason, as it is that of one product


def test_rows_with_several_pictures_are_linked_by_name(db: PrepareDb) -> None:
    rows = [
        CheckedRow(
            number,
            f"row {number}",
            f"P{number}",
            bytes([number]),
            tuple(Candidate(path=Path(f"/{number}{letter}")) for letter in "abc"),
            values={"price": 5.0},
            title=title,
            family=title_family(title),
            category="A",
        )
        for number, title in enumerate(["Oak Bag Red", "Elm Hat", "Oak Bag Blue", "Elm Hat"])
    ]
    db.add_rows(rows, all_images=True)
    db.record_read((i, Picture(path, path.name, path.name, 9, 9, "png", b"")) for i, path in list(db.files_to_read()))
    groups = group_pictures(db.picture_hashes(), db.find_links("price"))
    assert {pixels: name for pixels, name in groups.names.items() if pixels != name[:2]} == {
        **dict.fromkeys(("0b", "0c", "2a", "2b", "2c"), "0a"),
        **dict.fromkeys(("1b", "1c", "3a", "3b", "3c"), "1a"),
    }
    assert groups.reasons["2a"] == "same row, name and price"
    db.set_groups(groups.names, groups.reasons)
    leaks = db.find_leaks(lambda number: "train" if number < 2 else "test")
    assert [(leak.number, leak.train_number, leak.why) for leak in leaks] == [
        *[(2, 0, "name and price")] * 3,
        *[(3, 1, "same name")] * 3,
    ]
