"""The catalogue folder: what `prepare` leaves and every later step reads.

catalogue.json      where it came from, the task, the seed, and counts by split and by reason of dropping
metadata.parquet    a row per product: RESERVED_COLUMNS, a column per field, and the currency of prices if it is known
train.parquet ...   the same rows, a file for each split that has any, and
README.md           what names them: by these two, `datasets` loads the folder as its splits; nothing of ours reads them
drops.parquet       a row per dropped row of the table: source_row, place, product_code, reason, detail
leaks.parquet       a row per product whose copy a row-wise split would have trained on
table.parquet       the kept rows with every column of the table they came from, as text; only `sample` reads it
profile.html        charts and pictures of what is in it, for people
images/ab/abcd...   the picture files, each named by the SHA-256 of its bytes, never by a name from the table
"""

import hashlib
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from etalage.catalogue.columns import RESERVED_COLUMNS
from etalage.catalogue.facts import REMEDY, read_facts
from etalage.catalogue.pictures import BadPicture, open_picture, read_picture_bytes
from etalage.config import Split, TaskConfig
from etalage.errors import EtalageError
from etalage.task import Product, Task

__all__ = ["CATALOGUE", "DROPS", "LEAKS", "PRODUCTS", "PROFILE", "TABLE", "VERSION", "Catalogue", "products_schema"]

VERSION = 3
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
    _by_image: dict[str, Product] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def load(cls, folder: Path) -> "Catalogue":
        """Read a folder that `prepare` wrote; its pictures are read when they are opened.

        Args:
            folder: The folder.

        Raises:
            EtalageError: The folder is no catalogue, is damaged, or is of another version.
        """
        folder = folder.resolve()  # products keep their paths, and the working directory may change
        facts = read_facts(folder / CATALOGUE, VERSION)
        try:
            task = Task(TaskConfig(**facts["task"]), facts.get("choices"))
        except (TypeError, EtalageError) as error:  # the first is a setting that TaskConfig does not know
            raise EtalageError(f"{folder / CATALOGUE} is damaged: task: {error}; {REMEDY}") from error
        schema = products_schema(task, with_questions=facts["own_questions"])
        products: dict[Split, list[Product]] = {split: [] for split in get_args(Split)}
        for number, row in enumerate(_read_rows(folder / PRODUCTS, schema), 1):
            if wrong := _find_damage(row, task):
                raise EtalageError(
                    f"{folder / PRODUCTS} is damaged: row {number}: {wrong} is {str(row[wrong])[:100]!r}; {REMEDY}"
                )
            values = {f.name: row[f.name] for f in task.fields}
            image, question = folder / row["file_name"], row.get("question") or ""
            products[row["split"]].append(Product(row["product_code"], values, image, row["group"], question))
        # Splits that the table itself gives may leak, which `prepare` has said; others never do.
        if not facts.get("split_column") and (group := _find_divided_group(products)):
            raise EtalageError(f"{folder / PRODUCTS} is damaged: group {group!r} is in several splits; {REMEDY}")
        counts = {split: len(found) for split, found in products.items()}
        if counts != facts["splits"]:
            raise EtalageError(f"{folder} is damaged: {PRODUCTS} has {counts}, {CATALOGUE} {facts['splits']}; {REMEDY}")
        return cls(folder, task, products, facts)

    @classmethod
    def load_of_run(cls, recorded: Mapping[str, Any], run: Path, named: Path | None = None) -> "Catalogue":
        """Read the catalogue that a run was trained on, also where it has moved since.

        Args:
            recorded: The run's config.json.
            run: The run folder. A catalogue that moved along with it is found where it lies from there.
            named: The folder that the user names with --catalogue; None for the recorded one.

        Raises:
            EtalageError: The catalogue is not there, is not the one that the run was trained on, or is damaged.
        """
        before = Path(recorded["catalogue"])
        run = run.resolve()
        moved = Path(os.path.normpath(run / os.path.relpath(before, recorded.get("out", run))))
        folder = named or next((place for place in (before, moved) if (place / CATALOGUE).exists()), None)
        if folder is None:
            raise EtalageError(
                f"the catalogue of {run} is not at {before} any more; say where it is with --catalogue FOLDER"
            )
        catalogue = cls.load(folder)
        # Runs of version 0.1.0 record no digest.
        if recorded.get("catalogue_digest") not in (None, catalogue.digest):
            raise EtalageError(
                f"{folder} is not the catalogue that {run} was trained on, or was prepared again since: products that "
                "are test here may be train there; name the right one with --catalogue FOLDER, or train again"
            )
        return catalogue

    @property
    def record(self) -> dict[str, Any]:
        """The part of a run's config.json that describes the catalogue it trains on."""
        recorded = {"task": asdict(self.task.config), "limits": self.facts["limits"], "catalogue_digest": self.digest}
        return recorded | ({"choices": self.task.choices} if self.task.choices else {})

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
        limits = self.facts["limits"]
        try:
            data = read_picture_bytes(product.image, limits["max_image_bytes"])
            # Its name promises its content. A link to another file of the machine is not what was prepared, either.
            if hashlib.sha256(data).hexdigest() != product.image.stem:
                raise BadPicture("image_changed", "its content has another SHA-256 than its name")
            return open_picture(data, **limits)
        except BadPicture as bad:
            raise EtalageError(
                f"product {product.product_code}: its picture {product.image} has changed since etalage prepare "
                f"({bad}); restore it, or prepare the catalogue again"
            ) from bad

    def open_by_name(self, image: Path) -> Image.Image | None:
        """Return the picture that a file of another run or program names, as far as it is one of this catalogue.

        Args:
            image: The path of a picture, of which only the name counts: the SHA-256 of the picture's file. No other
                file is opened.

        Returns:
            The picture; None if no product shows it, or if it was changed or removed since.
        """
        if not self._by_image:
            self._by_image.update((p.image.name, p) for found in self.products.values() for p in found)
        try:
            return self.open(self._by_image[image.name])
        except (KeyError, EtalageError):
            return None


def _read_rows(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    try:
        if not path.is_file():  # reading a pipe would wait forever
            raise EtalageError(f"{path} is not there, or is not a file; {REMEDY}")
        # Selected and cast, so that more columns or other widths of integers are no damage.
        table = pq.read_table(path, page_checksum_verification=True).select(schema.names).cast(schema)
        return table.to_pylist()
    except EtalageError:
        raise
    # Of a damaged file Arrow raises nearly anything: of text that is not UTF-8, of dates and sizes out of range ...
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise EtalageError(f"{path} is damaged: {' '.join(str(error).split())[:200]}; {REMEDY}") from error


def _find_damage(row: Mapping[str, Any], task: Task) -> str | None:
    """Return the column of a row that is not as `prepare` writes it; None if all are."""
    # The path is checked too: a catalogue from elsewhere must not name files outside its folder.
    if not row["file_name"] or not _IMAGE_PATH.fullmatch(row["file_name"]):
        return "file_name"
    if row["split"] not in get_args(Split):
        return "split"
    if row["image_sha256"] != row["file_name"].split("/")[-1].partition(".")[0]:
        return "image_sha256"
    sizes = (name for name in ("image_width", "image_height") if not row[name] or row[name] < 1)
    texts = (name for name in ("product_code", "group") if not row[name])
    return next(iter((*sizes, *texts, *(f.name for f in task.fields if not _is_value(row[f.name], f.kind)))), None)


def _find_divided_group(products: Mapping[Split, Sequence[Product]]) -> str | None:
    """Return a group that is in more than one split; None if there is none."""
    split_of: dict[str, Split] = {}
    in_order = ((product.group, split) for split, found in products.items() for product in found)
    return next((group for group, split in in_order if split_of.setdefault(group, split) != split), None)


def _is_value(value: Any, kind: str) -> bool:
    return math.isfinite(value) and value > 0 if kind == "price" and value is not None else bool(value)


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
        ("group_reason", pa.string()),
        ("placeholder", pa.bool_()),
        ("image_sha256", pa.string()),
        ("image_width", pa.int32()),
        ("image_height", pa.int32()),
    ]
    if with_questions:
        columns.append(("question", pa.string()))
    assert {name for name, _ in columns} <= RESERVED_COLUMNS  # or a field of the same name would clash
    fields = [(f.name, pa.float64() if f.kind == "price" else pa.string()) for f in task.fields]
    return pa.schema(columns + fields)
