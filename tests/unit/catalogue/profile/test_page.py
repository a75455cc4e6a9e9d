"""Tests of the profile: self-contained, the same bytes each time, harmless whatever the table holds."""

import hashlib
import html
import re
import tracemalloc
from collections import Counter
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from etalage.catalogue.profile import write_profile
from etalage.task import Field

FIELDS = [Field("title", "text"), Field("category", "category"), Field("price", "price")]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror="alert(2)">',
    "' onmouseover='alert(3)",
    "</title></style><h1>",
    "\u202edesrever\u2066",
    "{{ 7 * 191 }}{% raw %}",
    "y" * 10_000,
    "nul\0tab\tline\nend\u2028",
]


def draw_picture(folder: Path, n: int, size: tuple[int, int] = (90, 120)) -> dict[str, Any]:
    """Draw a picture into the catalogue, and return what a row records of it."""
    image = Image.new("RGB", size, (n * 37 % 256, n * 91 % 256, n * 11 % 256))
    image.putpixel((0, 0), (n % 256, n // 256, 0))
    image.save(path := folder / "drawn.png")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    name = f"images/{sha256[:2]}/{sha256}.png"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    path.rename(folder / name)
    return {"file_name": name, "image_sha256": sha256, "image_width": size[0], "image_height": size[1]}


def make_row(n: int, shown: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """Return a row of the catalogue's table with the given picture and values."""
    named = {"title": f"Scarf {n}", "category": "AB"[n % 2], "price": 100.0 + n}
    split = ("train", "train", "train", "validation", "test")[n % 5]
    code = {"source_row": n + 2, "product_code": f"P{n}", "split": split, "group": f"{n:016x}", "placeholder": False}
    return {**code, **shown, **named, **values}


def write(
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    fields: Sequence[Field] = FIELDS,
    drops: Sequence[Mapping[str, Any]] = (),
    **facts: Any,
) -> str:
    """Write the folder's tables and its page, and return the page."""
    texts = ["product_code", "file_name", "split", "group", "group_reason", "image_sha256"]
    schema = pa.schema(
        [
            ("source_row", pa.int64()),
            *((name, pa.string()) for name in texts),
            ("placeholder", pa.bool_()),
            *((name, pa.int32()) for name in ("image_width", "image_height")),
            *((field.name, pa.float64() if field.kind == "price" else pa.string()) for field in fields),
        ]
    )
    pq.write_table(pa.Table.from_pylist(list(rows), schema), folder / "metadata.parquet")
    texts = ["product_code", "reason", "detail"]
    schema = pa.schema([("source_row", pa.int64()), *((name, pa.string()) for name in texts)])
    pq.write_table(pa.Table.from_pylist(list(drops), schema), folder / "drops.parquet")
    counts = {
        "splits": dict(Counter(row["split"] for row in rows)),
        "drops": dict(Counter(drop["reason"] for drop in drops)),
    }
    write_profile(folder / "profile.html", folder, counts | facts, fields)
    return (folder / "profile.html").read_text(encoding="utf-8")


def text_of(page: str) -> str:
    """Return the text that a person reads."""
    page = re.sub(r"<style>.*?</style>|<title>.*?</title>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


class Tags(HTMLParser):
    """Every tag and attribute of a page, and whether each tag that opens is closed."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    rows = []
    for n in range(40):
        bad = HOSTILE[n % len(HOSTILE)]
        shown = draw_picture(tmp_path, n, (40 + n, 60))
        rows.append(make_row(n, shown, title=f"{bad}{n}", category=bad, product_code=bad, group=bad))
    drops = [
        {"source_row": n, "product_code": HOSTILE[n % 8], "reason": "missing_title", "detail": HOSTILE[(n + 3) % 8]}
        for n in range(24)
    ]
    bad = HOSTILE[0]
    return write(
        tmp_path,
        rows,
        drops=drops,
        source=HOSTILE[3],
        columns={"title": HOSTILE[1], "price": HOSTILE[0]},
        guessed=["title"],
        task={"question": bad, "answer": HOSTILE[1]},
        placeholders=[{"file_name": f"../../{bad}", "num_products": 5, "num_titles": 5}],
        leaks={"num_held_out": 9, "num_leaked": 3, "examples": [bad, {bad: HOSTILE[1]}, [HOSTILE[3]]]},
        duplicates={"exact": 3, bad: 1},
        limits={"background": bad},
    )


def test_hostile_text_is_shown_and_does_nothing(hostile: str) -> None:
    tags = Tags(hostile)
    assert not tags.open
    assert {"script", "iframe", "link", "object", "form"}.isdisjoint(tags.tags)
    assert tags.tags["h1"] == 1
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    assert "<script" not in hostile
    assert "<script>alert(1)</script>" in text_of(hostile)
    assert "{{ 7 * 191 }}" in text_of(hostile)
    assert "1337" not in text_of(hostile)


def test_invisible_characters_and_direction_marks_are_written_out(hostile: str) -> None:
    assert not re.search("[\u0000-\u0009\u000b-\u001f\u202a-\u202e\u2066-\u2069\u2028]", hostile)
    assert "[U+202E]desrever[U+2066]" in hostile


def test_long_text_is_cut(hostile: str) -> None:
    assert "y" * 70 in hostile
    assert "y" * 250 not in hostile


def test_nothing_is_loaded_from_anywhere(hostile: str) -> None:
    for name, value in Tags(hostile).attributes:
        if name in ("src", "href", "srcset", "action", "data"):
            assert value.startswith("data:image/jpeg;base64,")
    assert not re.search(r"https?://|url\(|@import", hostile)
    assert "default-src 'none'" in hostile


def test_the_same_catalogue_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = [make_row(n, draw_picture(tmp_path, n)) for n in range(60)]
    drops = [{"source_row": n, "product_code": f"D{n}", "reason": "image_not_found", "detail": ""} for n in range(30)]
    first, second = write(tmp_path, rows, drops=drops), write(tmp_path, rows, drops=drops)
    assert first == second


def test_counts_and_drops(tmp_path: Path) -> None:
    rows = [make_row(n, draw_picture(tmp_path, n), group=f"g{n // 2}") for n in range(20)]
    drops = [{"source_row": 90, "product_code": "D", "reason": "price_zero", "detail": "'0.00'"}]
    page = text_of(write(tmp_path, rows, drops=drops, source="wares.csv", guessed=["price"], columns={"price": "cost"}))
    assert "20 products in 10 groups, 1 row left out." in page
    assert "price_zero 1 row 90, D : '0.00'" in page
    assert "1 of 21 rows, 4.8 %" in page
    assert "price cost guessed from what it holds" in page
    assert "2 10 20" in page  # groups of two: ten, with twenty products


def test_a_leaking_split_is_said_to_leak(tmp_path: Path) -> None:
    rows = [make_row(n, draw_picture(tmp_path, n), group=f"g{n // 5}") for n in range(20)]
    found = {"num_held_out": 8, "num_leaked": 8, "examples": [{"title": "Scarf 3", "copy_of": "Scarf 1"}]}
    page = text_of(write(tmp_path, rows, leaks=found, split_column="part"))
    assert "8 products held out of training have one of their group there" in page
    assert "products 8 of them that share a group with a product in training 8 of them" in page
    assert "This split divides some groups" in page
    assert "title Scarf 3 ; copy of Scarf 1" in page
    assert "by row" not in page


def test_the_leaks_of_a_split_by_row_are_shown_next_to_ours(tmp_path: Path) -> None:
    rows = [make_row(n, draw_picture(tmp_path, n)) for n in range(20)]
    page = text_of(write(tmp_path, rows, leaks={"num_held_out": 6, "num_leaked": 5, "examples": []}, split_column=""))
    assert "if split by row as split here products 6 8" in page
    assert "that share a group with a product in training 5 83.3 % none" in page


def test_a_split_by_group_is_said_not_to_leak(tmp_path: Path) -> None:
    rows = [make_row(n, draw_picture(tmp_path, n)) for n in range(20)]
    page = text_of(write(tmp_path, rows))
    assert "no product held out of training has one of its group there" in page
    assert "of them that share a group with a product in training none" in page


def test_missing_values_and_an_empty_price_column(tmp_path: Path) -> None:
    rows = [make_row(n, draw_picture(tmp_path, n), price=None, title=None if n == 3 else "Cap") for n in range(8)]
    page = text_of(write(tmp_path, rows))
    assert "No value: title of 1 product; price of 8 products." in page
    assert "logarithmic axis" not in page


def test_one_product(tmp_path: Path) -> None:
    page = text_of(write(tmp_path, [make_row(0, draw_picture(tmp_path, 0))]))
    assert page.startswith("Catalogue 1 product. 1 picture file, 1 value of category.")
    assert "From 100 to 100 on a logarithmic axis" in page


def test_no_category_and_no_price(tmp_path: Path) -> None:
    page = write(tmp_path, [make_row(n, draw_picture(tmp_path, n)) for n in range(70)], [Field("title", "text")])
    assert page.count("<img ") == 48
    assert "category" not in text_of(page)


def test_many_categories_and_a_page_of_bounded_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for n in range(400):
        noise = Image.fromarray(rng.integers(0, 255, (96, 96, 3), dtype=np.uint8))  # no JPEG is larger than noise
        noise.save(path := tmp_path / "noise.png")
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        name = f"images/{sha256[:2]}/{sha256}.png"
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        path.rename(tmp_path / name)
        shown = {"file_name": name, "image_sha256": sha256, "image_width": 96, "image_height": 96}
        rows.append(make_row(n, shown, category=f"K{n % 200 if n < 200 else n % 24}", group=f"g{n % 30}"))
    page = write(tmp_path, rows)
    assert page.count('class="category"') == 24 + 6
    assert "176 more values with 176 products" in text_of(page)
    assert len(page) < 4_000_000


def test_missing_damaged_and_outside_pictures_leave_a_gap(tmp_path: Path) -> None:
    rows = [make_row(n, draw_picture(tmp_path, n)) for n in range(6)]
    (tmp_path / rows[0]["file_name"]).unlink()
    (tmp_path / rows[1]["file_name"]).write_bytes(b"no picture")
    (folder := tmp_path / "inner").mkdir()
    rows[2]["file_name"] = "../" + rows[3]["file_name"]
    (tmp_path / "images").rename(folder / "images")
    page = write(folder, rows)
    assert page.count("cannot be opened") == 3
    assert page.count("<img ") == 3


def test_copies_of_a_picture_are_shown_once(tmp_path: Path) -> None:
    shown = draw_picture(tmp_path, 0)
    rows = [make_row(n, shown, category="A", placeholder=True, group="g") for n in range(30)]
    known = [{"file_name": shown["file_name"], "num_products": 30, "num_titles": 30}]
    page = write(tmp_path, rows, placeholders=known)
    assert page.count("<img ") == 3  # on the sheet, as a placeholder and as a group
    assert "30 products in all" in text_of(page)
    assert "30 products, 1 picture" in text_of(page)


def test_tiny_pictures_are_listed(tmp_path: Path) -> None:
    rows = [make_row(n, draw_picture(tmp_path, n, (20, 30) if n == 4 else (90, 120))) for n in range(6)]
    assert "1 product with a picture whose shorter side is under 64 px; the smallest P4 20 × 30 px" in text_of(
        write(tmp_path, rows)
    )


def test_shares_by_split(tmp_path: Path) -> None:
    rows = [make_row(n, draw_picture(tmp_path, n), category="RARE" if n == 0 else "AB"[n // 5 % 2]) for n in range(40)]
    page = text_of(write(tmp_path, rows))
    assert "RARE 4.2 % 0.0 % 0.0 %" in page
    assert "No product of 1 value is in validation, of 1 value is in test." in page


def test_memory_does_not_grow_with_the_texts(tmp_path: Path) -> None:
    """Of 200,000 rows with some 60 MB of text, numbers are kept, and one batch of text at a time."""
    shown, num_rows = draw_picture(tmp_path, 0), 200_000
    numbers = np.arange(num_rows)
    columns = {
        "source_row": pa.array(numbers),
        "product_code": pa.array([f"code-{n}" for n in range(num_rows)]),
        "file_name": pa.array([shown["file_name"]]).take(pa.array(numbers * 0)),
        "split": pa.array(["train", "test"]).take(pa.array(numbers % 2)),
        "group": pa.array([f"{n // 2:016x}" for n in range(num_rows)]),
        "group_reason": pa.array(["same name", "near picture"]).take(pa.array(numbers % 2)),
        "placeholder": pa.array(numbers < 0),
        "image_sha256": pa.array([f"{n:064x}" for n in range(num_rows)]),
        "image_width": pa.array((numbers % 500 + 10).astype(np.int32)),
        "image_height": pa.array((numbers % 700 + 10).astype(np.int32)),
        "title": pa.array([f"{n:0250d}" for n in range(num_rows)]),
        "category": pa.array([f"K{n}" for n in range(300)]).take(pa.array(numbers % 300)),
        "price": pa.array(1.0 + numbers % 977),
    }
    pq.write_table(pa.table(columns), tmp_path / "metadata.parquet")
    none = pa.schema([("source_row", pa.int64()), *((n, pa.string()) for n in ("product_code", "reason", "detail"))])
    pq.write_table(none.empty_table(), tmp_path / "drops.parquet")
    facts = {"splits": {"train": 100_000, "test": 100_000}, "drops": {}}
    del columns
    arrow = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        write_profile(tmp_path / "profile.html", tmp_path, facts, FIELDS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6
    assert pa.total_allocated_bytes() - arrow < 1e6
    assert "200,000 products in 100,000 groups" in text_of((tmp_path / "profile.html").read_text())


def test_prices_are_shown_in_their_currency_with_what_was_guessed_of_them(tmp_path: Path) -> None:
    rows = [make_row(n, draw_picture(tmp_path, n)) for n in range(3)]
    note = "1 price such as '1.299' is read as 1299.00, which is a guess"
    prices = {"price": {"column": "Preis", "currency": "KWD", "counts": {"KWD": 3}, "rates": {}, "notes": [note]}}
    text = text_of(write(tmp_path, rows, prices=prices))
    assert "price in KWD" in text
    assert f"Prices in column Preis : {note}" in text
    assert "price in" not in text_of(write(tmp_path, rows))
