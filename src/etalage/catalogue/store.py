"""The catalogue folder: what `prepare` leaves and every later step reads.

catalogue.json      where it came from, the task, the seed, and counts by split and by reason of dropping
metadata.parquet    a row per product: RESERVED_COLUMNS, then a column per field; named for `datasets`' imagefolder
drops.parquet       a row per dropped row of the table: source_row, product_code, reason, detail
leaks.parquet       a row per product whose copy a row-wise split would have trained on
table.parquet       the same rows with every column of the table they came from, as text; no step but `sample` reads it
profile.html        what is in it, to look at
images/ab/abcd...   the picture files, each named by the SHA-256 of its bytes, never by a name from the table
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from etalage.catalogue.columns import RESERVED_COLUMNS
from etalage.catalogue.pictures import open_picture
from etalage.catalogue.prepare_db import Kept, Staging
from etalage.catalogue.table import Table
from etalage.chunks import chunks
from etalage.config import Split, TaskConfig
from etalage.errors import EtalageError
from etalage.progress import ProgressCallback
from etalage.task import Product, Task

__all__ = ["Catalogue", "write_catalogue", "write_leaks", "write_originals"]

VERSION = 2
CATALOGUE, PRODUCTS, DROPS, LEAKS = "catalogue.json", "metadata.parquet", "drops.parquet", "leaks.parquet"
TABLE = "table.parquet"
PROFILE = "profile.html"
NUM_EXAMPLES = 20

_PAGE = 8192

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
            EtalageError: it is no such folder, is damaged, or is of another version.
        """
        folder = folder.resolve()
        try:
            facts = json.loads((folder / CATALOGUE).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise EtalageError(
                f"{folder} is no catalogue: {CATALOGUE} is not there; make one with etalage prepare"
            ) from error
        except ValueError as error:
            raise EtalageError(f"{folder / CATALOGUE} is damaged: {error}; prepare the catalogue again") from error
        found = facts.get("version") if isinstance(facts, dict) else None
        if found != VERSION:
            raise EtalageError(
                f"{folder} is of version {found}, this etalage reads {VERSION}; prepare the catalogue again"
            )
        try:
            task = Task(TaskConfig(**facts["task"]))
            schema = _products_schema(task, bool(facts["own_questions"]))
            rows = pq.read_table(folder / PRODUCTS).select(schema.names).cast(schema).to_pylist()
        except (KeyError, TypeError, OSError, pa.ArrowException) as error:
            raise EtalageError(f"{folder} is damaged: {error}; prepare the catalogue again") from error
        products: dict[Split, list[Product]] = {split: [] for split in get_args(Split)}
        for row in rows:
            if not _IMAGE.fullmatch(row["file_name"]) or row["split"] not in products:
                raise EtalageError(f"{folder / PRODUCTS} is damaged: row {row}; prepare the catalogue again")
            values = {field.name: row[field.name] for field in task.fields}
            image, question = folder / row["file_name"], row.get("question") or ""
            products[row["split"]].append(Product(row["product_code"], values, image, row["group"], question))
        return cls(folder, task, products, facts)

    @property
    def record(self) -> dict[str, Any]:
        """What a run's config.json records of the catalogue that it trains on."""
        return {"task": asdict(self.task.config), "limits": self.facts["limits"], "catalogue_digest": self.digest}

    @property
    def digest(self) -> str:
        """SHA-256 of the table of products, which names its pictures by theirs: equal for equal catalogues."""
        return hashlib.sha256((self.folder / PRODUCTS).read_bytes()).hexdigest()

    def split(self, name: Split) -> list[Product]:
        """The products of a split, in the order of the table they came from; none if its fraction was 0."""
        if name not in self.products:
            raise EtalageError(f"no split {name!r}; there are {', '.join(self.products)}")
        return list(self.products[name])

    def open(self, product: Product) -> Image.Image:
        """A product's picture, under the limits that the catalogue was prepared with."""
        return open_picture(product.image, **self.facts["limits"])


def write_catalogue(
    folder: Path,
    staging: Staging,
    task: Task,
    facts: Mapping[str, Any],
    *,
    ours: Sequence[Path] = (),
    progress: ProgressCallback | None = None,
) -> dict[str, Any]:
    """Write a catalogue into a folder (`etalage.atomic` gives one). Equal input gives equal bytes.

    Args:
        facts: For catalogue.json, beside what this function counts.
        ours: Folders whose pictures may be linked rather than copied, since nobody else writes there.
    Returns:
        What catalogue.json holds.
    Raises:
        EtalageError: a picture has changed since it was read.
    """
    counts, total = staging.counts(), staging.num_kept()
    with_questions = bool(facts["own_questions"])
    schema = _products_schema(task, with_questions)
    with pq.ParquetWriter(folder / PRODUCTS, schema) as writer:
        done = 0
        for page in chunks(staging.kept(), _PAGE):
            for product in page:
                _place(product, folder / _file_name(product), ours)
            rows = [_record(product, with_questions) for product in page]
            writer.write_table(pa.Table.from_pylist(rows, schema))
            done += len(page)
            if progress is not None:
                progress(done, total)
    _write_table(folder / DROPS, _DROPS_SCHEMA, staging.dropped())
    placeholders = [
        {"file_name": f"images/{sha256[:2]}/{sha256}.{extension}", "num_products": products, "num_titles": titles}
        for sha256, extension, products, titles in counts["placeholders"]
    ]
    whole = {
        "version": VERSION,
        **facts,
        "num_groups": counts["num_groups"],
        "splits": {split: counts["splits"].get(split, 0) for split in get_args(Split)},
        "drops": counts["drops"],
        "duplicates": {"exact": counts["num_same_pixels"], **facts["duplicates"]},
        "placeholders": placeholders,
    }
    (folder / CATALOGUE).write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return whole


def write_originals(folder: Path, table: Table, staging: Staging) -> None:
    """Write TABLE: the rows that were kept as they came, for whoever wants to know more than the task does."""
    schema = pa.schema([(name, pa.string()) for name in table.text_columns])
    _write_table(folder / TABLE, schema, table.originals(staging.kept_numbers()))


def write_leaks(folder: Path, leaks: Iterable[tuple[Any, ...]], num_held_out: int) -> dict[str, Any]:
    """Write LEAKS: products held out whose copy or variant is trained on.

    Args:
        leaks: As `Staging.leaks` gives them.
        num_held_out: Products outside training.
    Returns:
        Their number and some examples, for catalogue.json.
    """
    num_leaked = 0
    examples: list[dict[str, str]] = []

    def rows() -> Iterator[tuple[Any, ...]]:
        nonlocal num_leaked
        for number, code, title, split, group, other, other_title, same_pixels, same_family in leaks:
            why = "same picture" if same_pixels else "same title family" if same_family else "near picture"
            num_leaked += 1
            if len(examples) < NUM_EXAMPLES:
                examples.append({"title": title, "copy_of": other_title, "why": why, "split": split})
            yield number, code, split, group, other, why

    _write_table(folder / LEAKS, _LEAKS_SCHEMA, rows())
    return {"num_held_out": num_held_out, "num_leaked": num_leaked, "examples": examples}


_DROPS_SCHEMA = pa.schema(
    [("source_row", pa.int64()), *((n, pa.string()) for n in ("product_code", "reason", "detail"))]
)
_LEAKS_SCHEMA = pa.schema(
    [
        ("source_row", pa.int64()),
        *((n, pa.string()) for n in ("product_code", "split", "group")),
        ("copy_of_row", pa.int64()),
        ("why", pa.string()),
    ]
)


def _products_schema(task: Task, with_questions: bool) -> pa.Schema:
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
    assert {name for name, _ in columns} <= RESERVED_COLUMNS
    fields = [(field.name, pa.float64() if field.kind == "price" else pa.string()) for field in task.fields]
    return pa.schema(columns + fields)


def _record(product: Kept, with_questions: bool) -> dict[str, Any]:
    return {
        "source_row": product.number,
        "product_code": product.product_code,
        "file_name": _file_name(product),
        "split": product.split,
        "group": product.group,
        "placeholder": product.placeholder,
        "image_sha256": product.sha256,
        "image_width": product.width,
        "image_height": product.height,
        **({"question": product.question} if with_questions else {}),
        **product.values,
    }


def _file_name(product: Kept) -> str:
    return f"images/{product.sha256[:2]}/{product.sha256}.{product.extension}"


def _place(product: Kept, target: Path, ours: Sequence[Path]) -> None:
    """Put a picture where it belongs, unless another product has brought it there."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if any(product.picture.is_relative_to(folder) for folder in ours):
        try:
            target.hardlink_to(product.picture)
            return
        except OSError:  # another file system
            pass
    data = product.picture.read_bytes()
    if hashlib.sha256(data).hexdigest() != product.sha256:
        raise EtalageError(
            f"{product.picture} changed while it was prepared; let nothing write there, and prepare again"
        )
    target.write_bytes(data)


def _write_table(path: Path, schema: pa.Schema, rows: Iterable[Sequence[Any]]) -> None:
    with pq.ParquetWriter(path, schema) as writer:
        for page in chunks(rows, _PAGE):
            columns = zip(*page, strict=True)
            writer.write_table(pa.table(dict(zip(schema.names, columns, strict=True)), schema))
