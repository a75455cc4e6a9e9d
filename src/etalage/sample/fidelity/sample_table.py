"""A sample's table as it stands on disk, read to be compared with its original."""

import csv
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from etalage.sample.mimic.original import Text

__all__ = ["read_sample"]

MAX_ROWS = 50_000
"""The rows that are read. They are exchangeable, and more of them change no figure."""


def read_sample(folder: Path) -> dict[str, list[Text]]:
    """Read the first rows of catalogue.csv, or of the Parquet files in catalogue/.

    Args:
        folder: The folder of a sample.

    Returns:
        The cells by column; None for an empty one. Pictures inside Parquet files are left out.
    """
    table = folder / "catalogue.csv"
    if table.exists():
        with table.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            names = next(reader)
            cells = zip(*islice(reader, MAX_ROWS), strict=True)
            # CSV cannot tell an empty text from a missing one.
            return {name: [cell or None for cell in column] for name, column in zip(names, cells, strict=True)}
    columns: dict[str, list[Text]] = {}
    for part in sorted((folder / "catalogue").glob("*.parquet")):
        shard = pq.read_table(part)
        for field in shard.schema:
            # A struct holds the picture's bytes, which nothing here compares.
            if not pa.types.is_struct(field.type):
                texts = (None if cell is None else str(cell) for cell in shard[field.name].to_pylist())
                columns.setdefault(field.name, []).extend(texts)
        if len(next(iter(columns.values()))) >= MAX_ROWS:
            break
    return columns
