"""A prepared catalogue and its comparison with a good sample, shared by the tests of fidelity."""

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.sample.fidelity import measure_fidelity

Columns = dict[str, list[str | None]]
HOSTILE = "<script>alert(1)</script>"


def make_table(rows: int, seed: int, *, price_factor: float = 1.0) -> Columns:
    """Draw rows of one distribution, with all prices multiplied by a factor."""
    rng = random.Random(seed)
    columns: Columns = {name: [] for name in ("sku", "title", "category", "price", "cost", "brand", "photo", HOSTILE)}
    for row in range(rows):
        category = rng.choice(("BAG", "BAG", "SHOE"))
        price = price_factor * rng.lognormvariate(4 if category == "BAG" else 3, 0.4)
        values = {
            "sku": f"{seed}-{row:05d}",
            "title": " ".join(rng.choice(("red", "blue", "Small", "Large", "check")) for _ in range(rng.randint(2, 4)))
            + f" {seed}",
            "category": category,
            "price": f"{price:.2f}",
            "cost": None if rng.random() < 0.2 else f"{price * rng.uniform(0.4, 0.6):.2f}",
            "brand": rng.choice((HOSTILE, "Maison", "Etalage")),
            "photo": f"{row}.png",
            HOSTILE: "a long text of " + " ".join(rng.choice(("many", "words")) for _ in range(rng.randint(10, 30))),
        }
        for name, value in values.items():
            columns[name].append(value)
    return columns


def write_original(folder: Path, columns: Columns) -> Path:
    """Write what a prepared catalogue holds of a table; every fourth row is in the test split."""
    rows = len(columns["title"])
    products = {
        "split": ["test" if row % 4 == 3 else "train" for row in range(rows)],
        "group": [f"group {row}" for row in range(rows)],
        "file_name": [f"images/{row}.png" for row in range(rows)],
        "placeholder": [False] * rows,
    }
    pq.write_table(pa.table(products), folder / "metadata.parquet")
    pq.write_table(pa.table({n: pa.array(c, pa.string()) for n, c in columns.items()}), folder / "table.parquet")
    roles = {"title": "title", "category": "category", "price": "price", "image": "photo", "product_code": "sku"}
    (folder / "catalogue.json").write_text(json.dumps({"columns": roles}), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    columns = make_table(400, 1)
    columns["brand"][0] = columns["brand"][1] = "Secretbrand"
    return write_original(tmp_path_factory.mktemp("original"), columns)


@pytest.fixture(scope="session")
def figures(folder: Path) -> dict[str, Any]:
    return measure_fidelity(folder, make_table(300, 2), seed=0, num_suppressed=7)
