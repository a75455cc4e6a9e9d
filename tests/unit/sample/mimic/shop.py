"""A prepared catalogue with a known law for each column."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from etalage.sample.mimic.learners.analysis import Analysis
from etalage.sample.mimic.original import Original, Text
from etalage.sample.rows import Row

Columns = Mapping[str, list[str | None]]
ROLES = {
    "title": "title",
    "category": "category2",
    "price": "full_price",
    "image": "photo",
    "product_code": "sku",
}
NOUNS = {"BAGS": ("Tote", "Clutch"), "SHOES": ("Boots", "Pumps")}
ADJECTIVES = ("Red", "Blue", "Green", "Quilted", "Small", "Large", "Velvet", "Checked")


def prepare_folder(folder: Path, columns: Columns, *, families: int = 0, splits: str = "") -> Path:
    """Write a catalogue folder as `prepare` leaves it, as far as `sample` reads it.

    Args:
        folder: The folder to write.
        columns: The table.
        families: The number of families of three rows that the first rows are cut into.
        splits: A letter for each row; by default every seventh is test and every tenth validation.

    Returns:
        The folder.
    """
    rows = len(columns["title"])
    picture = folder / "images/aa"
    picture.mkdir(parents=True)
    Image.new("RGBA", (60, 80)).save(picture / "one.png")
    names = {"t": "train", "v": "validation", "h": "test"}
    letters = splits or "".join("h" if row % 7 == 3 else "v" if row % 10 == 5 else "t" for row in range(rows))
    groups = [f"family {row // 3}" if row < 3 * families else f"single {row}" for row in range(rows)]
    products = {
        "source_row": list(range(1, rows + 1)),
        "split": [names[letter] for letter in letters],
        "group": groups,
        "file_name": ["images/aa/one.png" if row % 2 else f"images/aa/{row}.png" for row in range(rows)],
        "placeholder": [False] * rows,
    }
    pq.write_table(pa.table(products), folder / "metadata.parquet")
    pq.write_table(pa.table({n: pa.array(c, pa.string()) for n, c in columns.items()}), folder / "table.parquet")
    roles = {role: name for role, name in ROLES.items() if name in columns}
    (folder / "catalogue.json").write_text(json.dumps({"columns": roles}), encoding="utf-8")
    return folder


def shop_columns(rows: int = 420, seed: int = 0) -> dict[str, list[str | None]]:
    """Return a table with a law for each column."""
    rng = random.Random(seed)
    table: dict[str, list[str | None]] = {name: [] for name in ("sku", "title", "category1", "category2", "photo")}
    for name in ("full_price", "price", "price_eur", "sale", "weight", "season", "listed", "link", "shop", "text"):
        table[name] = []
    for row in range(rows):
        department = rng.choice(("BAGS", "BAGS", "SHOES"))
        noun = rng.choice(NOUNS[department])
        title = f"{rng.choice(ADJECTIVES)} {rng.choice(ADJECTIVES)} {noun}" if row % 4 else f"Xyloph{row} {noun}"
        full = 10 * round(rng.lognormvariate(5.5 if department == "BAGS" else 4.5, 0.5))
        price = round(full * rng.choice((1, 1, 1, 0.8, 0.5)), 2)
        sku = f"{department[0]}-{100000 + 37 * row}"
        slug = title.lower().replace(" ", "-")
        values = {
            "sku": sku,
            "title": title,
            "category1": department,
            "category2": noun.upper(),
            "photo": f"img/{row}.png",
            "full_price": f"${full:,.2f}",
            "price": f"${price:,.2f}",
            "price_eur": f"{price * 0.9:.2f}",
            "sale": "yes" if price < full else "no",
            "weight": None if rng.random() < 0.25 else f"{rng.uniform(0.1, 3):.1f}",
            "season": {"BAGS": "summer", "SHOES": "winter"}[department],
            "listed": f"2024-{rng.randint(1, 6):02d}-{rng.randint(1, 28):02d}",
            "link": f"https://shop.example/en/{slug}-{sku.lower()}.html?id={sku}",
            "shop": "Maison",
            "text": " ".join(
                rng.choice(("a fine bag", "made of leather", "for every day")) for _ in range(rng.randint(4, 9))
            ),
        }
        for name, value in values.items():
            table[name].append(value)
    return table


def original_of(
    columns: Mapping[str, Sequence[Text]],
    roles: Mapping[str, str] = ROLES,
    *,
    groups: Sequence[str] | None = None,
    placeholders: Sequence[bool] | None = None,
) -> Original:
    """Return an original without files, all of whose rows are of the train split."""
    rows = len(next(iter(columns.values())))
    return Original(
        folder=Path("nowhere"),
        roles={role: name for role, name in roles.items() if name in columns},
        texts=columns,
        splits=["train"] * rows,
        groups=groups or [f"single {row}" for row in range(rows)],
        pictures=[f"images/{row}.jpg" for row in range(rows)],
        placeholders=placeholders or [False] * rows,
    )


def analysis_of(columns: Mapping[str, Sequence[Text]], *, num_rows: int = 100, **rows: Any) -> Analysis:
    """Return the analysis of an original without files."""
    original = original_of(columns, **rows)
    return Analysis(original, original, seed=0, num_rows=num_rows)


def column_of(rows: list[Row], name: str) -> list[Any]:
    """Return a column of made rows."""
    return [row.record[name] for row in rows]


def dollars(text: Any) -> float:
    """Return the amount of a text such as $1,299.00."""
    return float(str(text).replace("$", "").replace(",", ""))
