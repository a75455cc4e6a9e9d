"""Rows for tests of faults: pictures of random blots under plain titles and prices."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image

from etalage.sample.faults import FaultyRows
from etalage.sample.rows import Picture, Row, Rows

COLUMNS = {"title": "name", "category": "kind", "price": "cost", "image": "photo", "product_code": "sku"}


@dataclass(frozen=True)
class BlotRows:
    """Products that resemble nothing in particular, each in a picture of its own."""

    titles: str = "Model {number} Bag in {colour}"

    @property
    def columns(self) -> Mapping[str, str]:
        return COLUMNS

    def make(self, number: int, *, code: int | None = None, recolour: int = 0) -> Row:
        rng = random.Random(f"{number} {recolour}")
        coarse = Image.frombytes("RGB", (6, 6), rng.randbytes(108))
        file = BytesIO()
        coarse.resize((80, 100), Image.Resampling.BICUBIC).save(file, "JPEG")
        record = {
            "sku": f"S{number if code is None else code:05d}",
            "name": self.titles.format(number=number, colour="Red" if recolour else "Navy"),
            "kind": "BAGS",
            "cost": 40.0 + 12.5 * number,
            "photo": None,
        }
        return Row(record, Picture(file.getvalue(), ".jpg"))

    def manifest(self) -> dict[str, Any]:
        return {"version": 1}


def make_faulty(num_rows: int = 100, *, links: bool = True, rows: Rows | None = None, **rates: float) -> FaultyRows:
    """Plant faults at these rates; kinds are written with underscores."""
    named = {kind.replace("_", "-"): rate for kind, rate in rates.items()}
    return FaultyRows(rows or BlotRows(), named, seed=3, num_rows=num_rows, links=links)


def rows_with(kind: str, *, links: bool = True, num_rows: int = 40) -> list[tuple[int, Row]]:
    """Return the rows that have a fault when only this kind is planted."""
    rows = make_faulty(num_rows, links=links, **{kind: 0.4})
    made = [(number, rows.make(number)) for number in range(num_rows)]
    bad = [(number, row) for number, row in made if row.fault]
    assert len(bad) > num_rows / 5
    assert all(row.fault and row.fault.kind == kind for _, row in bad)
    return bad
