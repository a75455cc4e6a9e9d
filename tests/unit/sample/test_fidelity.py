"""Figures are what they are called, perfect for a perfect sample, and bad for a bad one; the page shows no secrets."""

import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etalage.sample.drawn import DrawnRows
from etalage.sample.fidelity import measure, read_written, write_fidelity
from etalage.sample.fidelity.figures import (
    contingency_similarity,
    correlation_similarity,
    ks_complement,
    tv_complement,
)
from etalage.sample.write import write_sample

Columns = dict[str, list[str | None]]
HOSTILE = "<script>alert(1)</script>"


def table(rows: int, seed: int, *, dear: float = 1.0) -> Columns:
    """Rows of one law; `dear` multiplies prices."""
    rng = random.Random(seed)
    columns: Columns = {name: [] for name in ("sku", "title", "category", "price", "cost", "brand", "photo", HOSTILE)}
    for row in range(rows):
        category = rng.choice(("BAG", "BAG", "SHOE"))
        price = dear * rng.lognormvariate(4 if category == "BAG" else 3, 0.4)
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


def prepared(folder: Path, columns: Columns) -> Path:
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    columns = table(400, 1)
    columns["brand"][0] = columns["brand"][1] = "Secretbrand"
    return prepared(tmp_path_factory.mktemp("original"), columns)


@pytest.fixture(scope="module")
def figures(folder: Path) -> dict[str, Any]:
    return measure(folder, table(300, 2), seed=0, num_suppressed=7)


def test_another_sample_of_the_same_law_is_like_its_floor(figures: Mapping[str, Any]) -> None:
    assert figures["column_fidelity"] > 0.93
    assert abs(figures["column_fidelity"] - figures["floors"]["column_fidelity"]) < 0.06
    assert figures["detection_auc"] == max(figures["detection"].values()) < 0.65
    assert abs(figures["privacy"]["closer_to_training"] - 0.5) < 0.1
    assert figures["privacy"]["distance_ratio"] == pytest.approx(1, abs=0.15)
    assert (figures["num_original"], figures["num_holdout"], figures["num_sample"]) == (300, 100, 300)
    assert figures["privacy"]["num_suppressed"] == 7


def test_no_copies_are_found_where_there_are_none(figures: Mapping[str, Any]) -> None:
    assert [figures["privacy"][name] for name in ("rows_copied", "titles_copied", "codes_copied")] == [0, 0, 0]


def test_a_worse_sample_is_told(folder: Path, figures: Mapping[str, Any]) -> None:
    dear = measure(folder, table(300, 2, dear=2.0), seed=0, num_suppressed=0)
    assert dear["columns"]["price"]["score"] < 0.6 < figures["columns"]["price"]["score"]
    assert dear["detection_auc"] > 0.8
    assert dear["columns"]["price"]["floor"] == figures["columns"]["price"]["floor"]


def test_copies_are_found(folder: Path) -> None:
    original = pq.read_table(folder / "table.parquet").to_pydict()
    training = [row for row in range(400) if row % 4 != 3]
    copied = {name: [cells[row] for row in training] for name, cells in original.items()}
    figures = measure(folder, copied, seed=0, num_suppressed=0)
    assert [figures["privacy"][name] for name in ("rows_copied", "titles_copied", "codes_copied")] == [300, 300, 300]
    assert figures["column_fidelity"] == pytest.approx(1)
    assert figures["privacy"]["closer_to_training"] > 0.6
    assert figures["privacy"]["distance_ratio"] < 0.5


def test_missing_values_count(folder: Path) -> None:
    sample = table(300, 2)
    sample["cost"] = [cell if row % 2 else None for row, cell in enumerate(sample["cost"])]
    assert measure(folder, sample, seed=0, num_suppressed=0)["columns"]["cost"]["score"] < 0.75


def test_equal_seeds_give_equal_figures(folder: Path, figures: Mapping[str, Any]) -> None:
    assert measure(folder, table(300, 2), seed=0, num_suppressed=7) == figures


def test_the_page_escapes_and_keeps_secrets(tmp_path: Path, figures: Mapping[str, Any]) -> None:
    write_fidelity(tmp_path / "f.json", tmp_path / "f.html", figures, title=HOSTILE)
    page = (tmp_path / "f.html").read_text(encoding="utf-8")
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "Secretbrand" not in page + (tmp_path / "f.json").read_text(encoding="utf-8")
    assert not re.search(r"https?:|<script|src=", page)
    assert (
        json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))["column_fidelity"] == figures["column_fidelity"]
    )


def test_a_sample_without_a_column(folder: Path) -> None:
    sample = {name: cells for name, cells in table(30, 2).items() if name != "brand"}
    with pytest.raises(ValueError, match="no column 'brand'"):
        measure(folder, sample, seed=0, num_suppressed=0)


def test_too_small_a_sample(folder: Path) -> None:
    with pytest.raises(ValueError, match="5 rows, too few"):
        measure(folder, table(5, 2), seed=0, num_suppressed=0)


def test_definitions_are_those_of_sdmetrics() -> None:
    pairs = pytest.importorskip("sdmetrics.column_pairs")
    single = pytest.importorskip("sdmetrics.single_column")
    import pandas as pd

    rng = np.random.default_rng(0)
    one, other = (rng.normal(shift, 1, (n, 2)) @ np.array([[1, 0.6], [0, 0.8]]) for shift, n in ((0, 300), (0.3, 450)))
    assert ks_complement(one[:, 0], other[:, 0]) == pytest.approx(
        single.KSComplement.compute(pd.Series(one[:, 0]), pd.Series(other[:, 0])), abs=1e-9
    )
    assert correlation_similarity(one, other) == pytest.approx(
        pairs.CorrelationSimilarity.compute(pd.DataFrame(one), pd.DataFrame(other)), abs=1e-9
    )
    names = [
        [tuple(row) for row in rng.choice(list("abcd"), (n, 2), p=p).tolist()]
        for n, p in ((200, (0.4, 0.3, 0.2, 0.1)), (310, (0.25,) * 4))
    ]
    assert tv_complement([a for a, _ in names[0]], [a for a, _ in names[1]]) == pytest.approx(
        single.TVComplement.compute(pd.Series([a for a, _ in names[0]]), pd.Series([a for a, _ in names[1]])), abs=1e-9
    )
    frames = [pd.DataFrame(rows, columns=["a", "b"]) for rows in names]
    assert contingency_similarity(*names) == pytest.approx(pairs.ContingencySimilarity.compute(*frames), abs=1e-9)


def test_detection_agrees_with_sdmetrics(folder: Path) -> None:
    tables = pytest.importorskip("sdmetrics.single_table")
    import pandas as pd

    original = pq.read_table(folder / "table.parquet").to_pydict()
    known = [row for row in range(400) if row % 4 != 3]
    sample = table(300, 2, dear=1.5)
    ours = measure(folder, sample, seed=0, num_suppressed=0)["detection"]["logistic"]
    frames = [
        pd.DataFrame({"price": [float(cell) for cell in price], "category": category})
        for price, category in (
            ([original["price"][row] for row in known], [original["category"][row] for row in known]),
            (sample["price"], sample["category"]),
        )
    ]
    metadata = {"columns": {"price": {"sdtype": "numerical"}, "category": {"sdtype": "categorical"}}}
    theirs = 1 - tables.LogisticDetection.compute(*frames, metadata=metadata) / 2
    assert ours == pytest.approx(theirs, abs=0.08)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """From a table and from Parquet files alike; empty cells are None, pictures inside are left out."""
    for table_format in ("csv", "parquet"):
        write_sample(tmp_path / table_format, DrawnRows(1, picture_px=24), 12, table_format=table_format)
    one, other = read_written(tmp_path / "csv"), read_written(tmp_path / "parquet")
    assert one.pop("imageurl")[3] == "images/000004.jpg"
    assert one == other
    assert len(one["title"]) == 12
    path = tmp_path / "csv/catalogue.csv"
    path.write_text(path.read_text().replace(one["title"][0] or "", ""))
    assert read_written(tmp_path / "csv")["title"][0] is None
