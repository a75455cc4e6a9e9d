"""The catalogue folder: what `prepare` leaves and every later step reads.

catalogue.json      where it came from, the task, the seed, and counts by split and by reason of dropping
metadata.parquet    a row per product: RESERVED_COLUMNS, then a column per field; named for `datasets`' imagefolder
drops.parquet       a row per dropped row of the table: source_row, place, product_code, reason, detail
leaks.parquet       a row per product whose copy a row-wise split would have trained on
table.parquet       the kept rows with every column of the table they came from, as text; only `sample` reads it
profile.html        charts and pictures of what is in it, for people
images/ab/abcd...   the picture files, each named by the SHA-256 of its bytes, never by a name from the table
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from etalage.catalogue.columns import RESERVED_COLUMNS
from etalage.catalogue.pictures import BadPicture, open_picture
from etalage.config import Split, TaskConfig
from etalage.errors import EtalageError
from etalage.task import Product, Task

__all__ = ["CATALOGUE", "DROPS", "LEAKS", "PRODUCTS", "PROFILE", "TABLE", "VERSION", "Catalogue", "products_schema"]

VERSION = 2
CATALOGUE, PRODUCTS, DROPS, LEAKS = "catalogue.json", "metadata.parquet", "drops.parquet", "leaks.parquet"
TABLE, PROFILE = "table.parquet", "profile.html"

_IMAGE_PATH = re.compile(r"images/[0-9a-f]{2}/[0-9a-f]{64}\.[a-z]+")


@dataclass(frozen=True)
class Catalogue:
    """A checked catalogue on disk."""

    folder: Path
    task: Task
    products: Mapping[Split, Sequence[Product]]
    """The products by split, in the order of the table they came from."""
    facts: Mapping[str, Any]
    """The content of catalogue.json."""

    @classmethod
    def load(cls, folder: Path) -> "Catalogue":
        """Read a folder that `prepare` wrote; its pictures are read when they are opened.

        Args:
            folder: The folder.

        Raises:
            EtalageError: The folder is no catalogue, is damaged, or is of another version.
        """
        folder = folder.resolve()  # products keep their paths, and the working directory may change
        facts = _read_facts(folder)
        try:
            task = Task(TaskConfig(**facts["task"]))
            schema = products_schema(task, with_questions=bool(facts["own_questions"]))
            # selected and cast, so that more columns or other widths of integers are no damage
            rows = pq.read_table(folder / PRODUCTS).select(schema.names).cast(schema).to_pylist()
        # The first two come from facts that lack a key, or have one that TaskConfig does not know.
        except (KeyError, TypeError, OSError, pa.ArrowException) as error:
            raise EtalageError(f"{folder} is damaged: {error}; prepare the catalogue again") from error
        products: dict[Split, list[Product]] = {split: [] for split in get_args(Split)}
        for row in rows:
            # the path is checked too: a catalogue from elsewhere must not name files outside its folder
            if not _IMAGE_PATH.fullmatch(row["file_name"]) or row["split"] not in products:
                raise EtalageError(f"{folder / PRODUCTS} is damaged: row {row}; prepare the catalogue again")
            values = {field.name: row[field.name] for field in task.fields}
            image, question = folder / row["file_name"], row.get("question") or ""
            products[row["split"]].append(Product(row["product_code"], values, image, row["group"], question))
        return cls(folder, task, products, facts)

    @property
    def record(self) -> dict[str, Any]:
        """The part of a run's config.json that describes the catalogue it trains on."""
        return {"task": asdict(self.task.config), "limits": self.facts["limits"], "catalogue_digest": self.digest}

    @property
    def digest(self) -> str:
        """The SHA-256 of the products' table, which holds those of the pictures; equal for equal catalogues."""
        return hashlib.sha256((self.folder / PRODUCTS).read_bytes()).hexdigest()

    def split(self, name: Split) -> list[Product]:
        """Return the products of a split, in the order of the table they came from; none if its fraction was 0.

        Args:
            name: train, validation or test.

        Raises:
            EtalageError: There is no split of this name.
        """
        if name not in self.products:
            raise EtalageError(f"no split {name!r}; there are {', '.join(self.products)}")
        return list(self.products[name])

    def open(self, product: Product) -> Image.Image:
        """Return a product's picture, decoded under the limits that the catalogue was prepared with.

        Args:
            product: A product of this catalogue.

        Raises:
            EtalageError: The picture was damaged or removed since.
        """
        try:
            return open_picture(product.image, **self.facts["limits"])
        except BadPicture as bad:
            raise EtalageError(
                f"product {product.product_code}: its picture {product.image} has changed since etalage prepare "
                f"({bad}); restore it, or prepare the catalogue again"
            ) from bad


def _read_facts(folder: Path) -> dict[str, Any]:
    path = folder / CATALOGUE
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EtalageError(
            f"{folder} is no catalogue: {CATALOGUE} is not there; make one with etalage prepare"
        ) from error
    # Neither JSON nor UTF-8: both errors are ValueErrors.
    except ValueError as error:
        raise EtalageError(f"{path} is damaged: {error}; prepare the catalogue again") from error
    version = facts.get("version") if isinstance(facts, dict) else None
    if version != VERSION:
        raise EtalageError(
            f"{folder} is of version {version}, but this etalage reads version {VERSION}; prepare the catalogue again"
        )
    return facts


def products_schema(task: Task, *, with_questions: bool) -> pa.Schema:
    """Return the columns of metadata.parquet.

    Args:
        task: The task, whose fields come last.
        with_questions: Products have questions of their own.
    """
    columns = [
        ("source_row", pa.int64()),
        ("product_code", pa.string()),
        ("file_name", pa.string()),
        ("split", pa.string()),
        ("group", pa.string()),
        ("placeholder", pa.bool_()),
        ("image_sha256", pa.string()),
        ("image_width", pa.int32()),
        ("image_height", pa.int32()),
    ]
    if with_questions:
        columns.append(("question", pa.string()))
    assert {name for name, _ in columns} <= RESERVED_COLUMNS  # or a field of the same name would clash
    fields = [(field.name, pa.float64() if field.kind == "price" else pa.string()) for field in task.fields]
    return pa.schema(columns + fields)
