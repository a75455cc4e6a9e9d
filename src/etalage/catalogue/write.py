"""Writes a catalogue folder from the preparation database; `store` says what it holds."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etalage.catalogue.card import split_file, write_card
from etalage.catalogue.prepare_db import PrepareDb
from etalage.catalogue.prepare_rows import KeptProduct, Leak, picture_file_name
from etalage.catalogue.store import CATALOGUE, DROPS, LEAKS, PRODUCTS, TABLE, VERSION, products_schema
from etalage.catalogue.table import Table
from etalage.chunks import chunks
from etalage.config import Split
from etalage.errors import EtalageError
from etalage.progress import ProgressCallback
from etalage.task import Task

__all__ = ["write_catalogue", "write_leaks", "write_originals"]

MAX_LEAK_EXAMPLES = 20

# Each page is a row group of the file, so another size gives other bytes.
_PAGE_SIZE = 8192
_DROPS_SCHEMA = pa.schema(
    [("source_row", pa.int64()), *((name, pa.string()) for name in ("place", "product_code", "reason", "detail"))]
)
_LEAKS_SCHEMA = pa.schema(
    [
        ("source_row", pa.int64()),
        *((name, pa.string()) for name in ("product_code", "split", "group")),
        ("copy_of_row", pa.int64()),
        ("why", pa.string()),
    ]
)


def write_catalogue(
    folder: Path,
    db: PrepareDb,
    task: Task,
    facts: Mapping[str, Any],
    *,
    linkable_folders: Sequence[Path] = (),
    progress: ProgressCallback | None = None,
) -> dict[str, Any]:
    """Write products, pictures, dropped rows and facts into a folder; equal input gives equal bytes.

    Args:
        folder: An empty folder, as from `etalage.atomic.atomic_directory`.
        db: The preparation database, with a split for each product.
        task: The task.
        facts: The content of catalogue.json but for what this function counts.
        linkable_folders: Folders whose pictures may be linked rather than copied, since nobody else writes there.
        progress: Called with the number of products written and their total.

    Returns:
        The content of catalogue.json.

    Raises:
        EtalageError: A picture has changed since it was read.
    """
    with_questions = bool(facts["own_questions"])
    schema = products_schema(task, with_questions=with_questions)
    # A field of this name is the table's own word for it.
    currency = facts.get("currency") if "currency" not in schema.names else None
    num_kept, num_written = db.num_kept(), 0
    with ExitStack() as files:
        writers: dict[str, pq.ParquetWriter] = {}
        for page in chunks(db.kept_products(), _PAGE_SIZE):
            for product in page:
                _place_picture(product, folder / product.file_name, linkable_folders)
            rows = pa.Table.from_pylist([_to_record(product, with_questions) for product in page], schema)
            if currency:
                rows = rows.append_column("currency", pa.array([currency] * len(rows)))
            # the same rows again, split by split: only so does `datasets` know the splits
            parts = {split_file(split): rows.filter(pc.field("split") == split) for split in get_args(Split)}
            for name, part in {PRODUCTS: rows, **parts}.items():
                if name == PRODUCTS or len(part):
                    if name not in writers:
                        writers[name] = files.enter_context(_open_writer(folder / name, rows.schema))
                    writers[name].write_table(part)
            num_written += len(page)
            if progress is not None:
                progress(num_written, num_kept)
    _write_table(folder / DROPS, _DROPS_SCHEMA, db.dropped_rows())
    facts = _with_counts(facts, db)
    (folder / CATALOGUE).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_card(folder, facts)
    return facts


def _with_counts(facts: Mapping[str, Any], db: PrepareDb) -> dict[str, Any]:
    counts = db.counts()
    placeholders = [
        {
            "file_name": picture_file_name(found.sha256, found.extension),
            "num_products": found.num_products,
            "num_titles": found.num_titles,
        }
        for found in counts.placeholders
    ]
    return {
        "version": VERSION,
        **facts,
        "num_groups": counts.num_groups,
        "num_test_groups": counts.num_test_groups,
        "splits": {split: counts.splits.get(split, 0) for split in get_args(Split)},
        "drops": counts.drops,
        "duplicates": {"exact": counts.num_same_pixels, **facts["duplicates"]},
        "placeholders": placeholders,
        "pictures": {
            "num_rows": counts.num_rows,
            "num_later": counts.num_other_pictures,
            "unused": counts.unused_pictures,
            "other_spellings": [found._asdict() for found in counts.fallbacks],
        },
    }


def write_originals(folder: Path, table: Table, db: PrepareDb) -> None:
    """Write table.parquet: the kept rows with all their columns, for whoever wants to know more than the task does.

    Args:
        folder: The catalogue folder.
        table: The table, which is read once more.
        db: The preparation database, which knows the rows that were kept.
    """
    schema = pa.schema([(name, pa.string()) for name in table.text_columns])
    _write_table(folder / TABLE, schema, table.originals(db.kept_row_numbers()))


def write_leaks(folder: Path, leaks: Iterable[Leak], num_held_out: int) -> dict[str, Any]:
    """Write leaks.parquet: held-out products whose copy or variant is in training.

    Args:
        folder: The catalogue folder.
        leaks: Those products.
        num_held_out: The number of products outside training.

    Returns:
        Their number, also by what they have in common with a product in training, and some examples.
    """
    num_leaked, reasons = 0, Counter[str]()  # counted while the rows are written, as is known only then
    examples: list[dict[str, str]] = []

    def rows() -> Iterator[tuple[Any, ...]]:
        nonlocal num_leaked
        for leak in leaks:
            num_leaked += 1
            reasons[leak.why] += 1
            if len(examples) < MAX_LEAK_EXAMPLES:
                example = {"title": leak.title, "copy_of": leak.train_title, "why": leak.why, "split": leak.split}
                examples.append(example)
            yield leak.number, leak.product_code, leak.split, leak.group, leak.train_number, leak.why

    # streamed: a table of copies has as many leaks as rows
    _write_table(folder / LEAKS, _LEAKS_SCHEMA, rows())
    return {
        "num_held_out": num_held_out,
        "num_leaked": num_leaked,
        "reasons": dict(sorted(reasons.items())),
        "examples": examples,
    }


def _to_record(product: KeptProduct, with_questions: bool) -> dict[str, Any]:
    """Return a row of metadata.parquet."""
    return {
        "source_row": product.number,
        "product_code": product.product_code,
        "file_name": product.file_name,
        "split": product.split,
        "group": product.group,
        "group_reason": product.group_reason,
        "placeholder": product.placeholder,
        "image_sha256": product.sha256,
        "image_width": product.width,
        "image_height": product.height,
        **({"question": product.question} if with_questions else {}),
        **product.values,
    }


def _place_picture(product: KeptProduct, target: Path, linkable_folders: Sequence[Path]) -> None:
    """Link or copy a product's picture to its place, unless it is there already for another product."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if any(product.picture.is_relative_to(folder) for folder in linkable_folders):
        try:
            # takes neither space nor time
            target.hardlink_to(product.picture)
            return
        except OSError:  # on another file system
            pass
    # someone else may have written to the file since it was checked; its name promises its content
    data = product.picture.read_bytes()
    if hashlib.sha256(data).hexdigest() != product.sha256:
        raise EtalageError(
            f"{product.picture} changed while it was prepared; let nothing write there, and prepare again"
        )
    target.write_bytes(data)


def _open_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # with checksums, so that a damaged file is known as such when it is read
    return pq.ParquetWriter(path, schema, write_page_checksum=True)


def _write_table(path: Path, schema: pa.Schema, rows: Iterable[Sequence[Any]]) -> None:
    with _open_writer(path, schema) as writer:
        for page in chunks(rows, _PAGE_SIZE):
            columns = zip(*page, strict=True)
            writer.write_table(pa.table(dict(zip(schema.names, columns, strict=True)), schema))
