"""The catalogue folder: what `prepare` leaves and every later step reads.

catalogue.json      where it came from, the task, the seed, and counts by split and by reason of dropping
products.parquet    a row per product: the columns of RESERVED, then one per field
drops.parquet       a row per dropped row of the table: source_row, product_code, reason, detail
images/ab/abcd...   the picture files, each named by the SHA-256 of its bytes, never by a name from the table
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from etalage.catalogue.checks import CheckedProduct, Drop, Picture, Progress, open_picture
from etalage.catalogue.sources import RESERVED, Table
from etalage.config import PrepareConfig, Split, TaskConfig
from etalage.task import Product, Task

__all__ = ["Catalogue", "write_catalogue"]

VERSION = 1
CATALOGUE, PRODUCTS, DROPS = "catalogue.json", "products.parquet", "drops.parquet"

_IMAGE = re.compile(r"images/[0-9a-f]{2}/[0-9a-f]{64}\.[a-z]+")


@dataclass(frozen=True)
class Catalogue:
    """A checked catalogue on disk."""

    folder: Path
    task: Task
    products: Mapping[Split, Sequence[Product]]
    facts: Mapping[str, Any]
    """What catalogue.json holds."""

    @classmethod
    def load(cls, folder: Path) -> "Catalogue":
        """Read a folder that `prepare` wrote; pictures are read when opened.

        Raises:
            ValueError: it is no such folder, is damaged, or is of another version.
        """
        folder = folder.resolve()
        try:
            facts = json.loads((folder / CATALOGUE).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ValueError(
                f"{folder} is no catalogue: {CATALOGUE} is not there; make one with etalage prepare"
            ) from error
        except ValueError as error:
            raise ValueError(f"{folder / CATALOGUE} is damaged: {error}; prepare the catalogue again") from error
        found = facts.get("version") if isinstance(facts, dict) else None
        if found != VERSION:
            raise ValueError(
                f"{folder} is of version {found}, this etalage reads {VERSION}; prepare the catalogue again"
            )
        try:
            task = Task(TaskConfig(**facts["task"]))
            schema = _products_schema(task)
            rows = pq.read_table(folder / PRODUCTS).select(schema.names).cast(schema).to_pylist()
        except (KeyError, TypeError, OSError, pa.ArrowException) as error:
            raise ValueError(f"{folder} is damaged: {error}; prepare the catalogue again") from error
        products: dict[Split, list[Product]] = {split: [] for split in get_args(Split)}
        for row in rows:
            if not _IMAGE.fullmatch(row["image"]) or row["split"] not in products:
                raise ValueError(f"{folder / PRODUCTS} is damaged: row {row}; prepare the catalogue again")
            values = {field.name: row[field.name] for field in task.fields}
            products[row["split"]].append(Product(row["product_code"], values, folder / row["image"], row["group"]))
        return cls(folder, task, products, facts)

    @property
    def digest(self) -> str:
        """SHA-256 of the table of products, which names its pictures by theirs: equal for equal catalogues."""
        return hashlib.sha256((self.folder / PRODUCTS).read_bytes()).hexdigest()

    def split(self, name: Split) -> list[Product]:
        """The products of a split, in the order of the table they came from; none if its fraction was 0."""
        if name not in self.products:
            raise ValueError(f"no split {name!r}; there are {', '.join(self.products)}")
        return list(self.products[name])

    def open(self, product: Product) -> Image.Image:
        """A product's picture, under the limits that the catalogue was prepared with."""
        return open_picture(product.image, **self.facts["limits"])


def write_catalogue(
    folder: Path,
    table: Table,
    task: Task,
    config: PrepareConfig,
    products: Sequence[CheckedProduct],
    drops: Sequence[Drop],
    groups: Sequence[str],
    splits: Sequence[Split],
    progress: Progress | None = None,
) -> None:
    """Write a catalogue into an empty folder (`etalage.aside` gives one). Equal input gives equal bytes.

    Args:
        groups: Per product.
        splits: Per product.
    Raises:
        ValueError: a picture has changed since it was checked.
    """
    pictures = {product.picture.sha256: product.picture for product in products}
    for done, picture in enumerate(pictures.values(), 1):
        _copy_picture(picture, folder / _image_path(picture))
        if progress is not None:
            progress(done, len(pictures))
    rows = [
        {
            "source_row": product.source_row,
            "product_code": product.product_code,
            "image": _image_path(product.picture),
            "split": split,
            "group": group,
            "image_sha256": product.picture.sha256,
            "image_width": product.picture.width,
            "image_height": product.picture.height,
            **product.values,
        }
        for product, group, split in zip(products, groups, splits, strict=True)
    ]
    pq.write_table(pa.Table.from_pylist(rows, _products_schema(task)), folder / PRODUCTS)
    dropped = [
        {"source_row": d.source_row, "product_code": d.product_code, "reason": d.reason, "detail": d.detail}
        for d in drops
    ]
    pq.write_table(pa.Table.from_pylist(dropped, _DROPS_SCHEMA), folder / DROPS)
    facts = {
        "version": VERSION,
        "source": table.source.name,
        "columns": dict(table.columns),
        "task": {"question": task.config.question, "answer": task.config.answer},
        "seed": config.seed,
        "validation_fraction": config.validation_fraction,
        "test_fraction": config.test_fraction,
        "limits": {"max_image_px": config.max_image_px, "max_image_bytes": config.max_image_bytes},
        "num_groups": len(set(groups)),
        "splits": {split: splits.count(split) for split in get_args(Split)},
        "drops": dict(sorted(Counter(drop.reason for drop in drops).items())),
    }
    (folder / CATALOGUE).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


_DROPS_SCHEMA = pa.schema(
    [("source_row", pa.int64()), *((n, pa.string()) for n in ("product_code", "reason", "detail"))]
)


def _products_schema(task: Task) -> pa.Schema:
    columns = [
        ("source_row", pa.int64()),
        ("product_code", pa.string()),
        ("image", pa.string()),
        ("split", pa.string()),
        ("group", pa.string()),
        ("image_sha256", pa.string()),
        ("image_width", pa.int32()),
        ("image_height", pa.int32()),
    ]
    assert {name for name, _ in columns} == RESERVED
    fields = [(field.name, pa.float64() if field.kind == "price" else pa.string()) for field in task.fields]
    return pa.schema(columns + fields)


def _image_path(picture: Picture) -> str:
    return f"images/{picture.sha256[:2]}/{picture.sha256}.{picture.extension}"


def _copy_picture(picture: Picture, target: Path) -> None:
    data = picture.path.read_bytes()
    if hashlib.sha256(data).hexdigest() != picture.sha256:
        raise ValueError(f"{picture.path} changed while it was prepared; let nothing write there, and prepare again")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
