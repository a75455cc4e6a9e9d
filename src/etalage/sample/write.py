"""A sample catalogue on disk, written row by row in several processes.

OUT/catalogue.csv and OUT/images/000001.jpg ..., or OUT/catalogue/part-00000.parquet ... with the pictures inside;
OUT/attributes.parquet: what each row's title, category and price follow from; and OUT/manifest.json: the laws, the best
possible scores, and every planted fault.
"""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etalage.atomic import atomic_directory
from etalage.chunks import chunks
from etalage.config import TableFormat
from etalage.processes import NUM_WORKERS, process_pool
from etalage.progress import ProgressCallback
from etalage.sample.faults import MANIFEST, FaultyRows, PlantedFault, describe_fault, picture_number
from etalage.sample.oracle import Oracle
from etalage.sample.rows import Picture, Row, Rows, Scalar
from etalage.sample.tables import CsvTable, ParquetTable, Table

__all__ = ["ATTRIBUTES", "write_sample"]

ATTRIBUTES = "attributes.parquet"
"""Name of the table of attributes in a sample's folder."""

CHUNK_ROWS = 250
"""Rows that a process makes at once; a row group of a Parquet file."""
SHARD_ROWS = 10_000
"""Rows in a Parquet file of the catalogue, which makes some hundred megabytes."""


def write_sample(
    out: Path,
    rows: Rows,
    num_rows: int,
    *,
    table_format: TableFormat = "csv",
    image_url: str = "",
    progress: ProgressCallback | None = None,
    finish: Callable[[Path, Mapping[str, Any]], object] | None = None,
) -> dict[str, Any]:
    """Write a sample catalogue completely, or nothing. Equal arguments give equal bytes in any number of processes.

    Args:
        out: Folder to write; must not exist or be empty.
        rows: Source of the rows.
        num_rows: The number of rows to write.
        table_format: csv for a table and a folder of pictures, parquet for files with the pictures inside.
        image_url: Text before each picture's path in the table, such as a server's address; CSV only.
        progress: Called with the number of rows written so far and their total.
        finish: Called with the folder and its manifest when everything is in it, before it moves to its final place.

    Returns:
        The content of manifest.json.

    Raises:
        EtalageError: `out` already holds something.
        OSError: A file cannot be written, or a worker process has died.
    """
    oracle = Oracle()
    faults: list[PlantedFault] = []
    with atomic_directory(out) as folder:
        if table_format == "csv":
            (folder / "images").mkdir()
        builder = _ChunkBuilder(rows, folder if table_format == "csv" else None, image_url)
        with ExitStack() as files:
            table = files.enter_context(closing(_open_table(folder, rows, table_format)))
            attributes_table = files.enter_context(closing(ParquetTable(str(folder / ATTRIBUTES))))
            num_written = 0
            for chunk in _build_chunks(builder, num_rows):
                table.write(chunk.records)
                attributes_table.write(chunk.attributes)
                faults += chunk.faults
                # Only drawn rows have laws; those of `mimic` have no best possible score.
                if "law_price" in chunk.attributes[0]:
                    for attributes in chunk.attributes:
                        oracle.add(attributes)
                num_written += len(chunk.records)
                if progress is not None:
                    progress(num_written, num_rows)
        manifest = {
            **rows.manifest(),
            "rows": num_rows,
            **({"oracle": oracle.figures()} if oracle else {}),
            "num_faults": Counter(fault["kind"] for fault in faults),
            "faults": faults,
        }
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if finish is not None:
            finish(folder, manifest)
    return manifest


def _open_table(folder: Path, rows: Rows, table_format: TableFormat) -> Table:
    if table_format == "csv":
        return CsvTable(folder / "catalogue.csv")
    # Faults write some of the prices as words, perhaps none of them in the first chunk.
    path = str(folder / "catalogue/part-{:05d}.parquet")
    return ParquetTable(path, SHARD_ROWS, text_only=isinstance(rows, FaultyRows))


@dataclass(frozen=True)
class _Chunk:
    """Consecutive rows as they are written, with the image column filled in."""

    records: list[dict[str, Any]]
    attributes: list[Mapping[str, Scalar]]
    faults: list[PlantedFault]


@dataclass(frozen=True)
class _ChunkBuilder:
    """Makes chunks, and writes their pictures into a folder or puts them into the records."""

    rows: Rows
    folder: Path | None
    """The sample's folder, or None to put the pictures into the records."""
    image_url: str

    def build(self, numbers: Sequence[int]) -> _Chunk:
        rows = [(number, self.rows.make(number)) for number in numbers]
        paths = [
            # An exact repeat names the picture of the row that it repeats, or the two rows would differ.
            None if row.picture is None else _picture_path(picture_number(number, row), row.picture)
            for number, row in rows
        ]
        return _Chunk(
            records=[self._record(row, path) for (_, row), path in zip(rows, paths, strict=True)],
            attributes=[{"source_row": number + 1, **row.attributes} for number, row in rows],
            faults=[
                describe_fault(number, row, path, self.rows.columns)
                for (number, row), path in zip(rows, paths, strict=True)
                if row.fault
            ],
        )

    def _record(self, row: Row, path: str | None) -> dict[str, Any]:
        image: Any = None
        if path is not None and row.picture is not None:
            content = row.picture.content
            if self.folder is None:
                image = {"bytes": content, "path": path}
            else:
                image = self.image_url + path
                if content is not None:
                    (self.folder / path).write_bytes(content)
        return {**row.record, self.rows.columns["image"]: image}


def _picture_path(number: int, picture: Picture) -> str:
    return f"images/{number + 1:06d}{picture.suffix}"


def _build_chunks(builder: _ChunkBuilder, num_rows: int) -> Iterator[_Chunk]:
    """Yield all chunks in order; worker processes are a few chunks ahead."""
    if num_rows <= CHUNK_ROWS:  # one chunk is done sooner than processes are started
        yield builder.build(range(num_rows))
        return
    with process_pool(NUM_WORKERS, _set_builder, builder) as workers:
        pending: deque[Future[_Chunk]] = deque()
        try:
            # Results are taken in order, whichever is done first: the bytes must not depend on the number of processes.
            for numbers in chunks(range(num_rows), CHUNK_ROWS):
                pending.append(workers.submit(_build_chunk, numbers))
                if len(pending) > 2 * NUM_WORKERS:  # a bound, since finished chunks wait in memory
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        except BrokenProcessPool as error:
            raise OSError(
                "a process that draws pictures has died, most likely because memory ran out; free some and run again"
            ) from error
        finally:
            # After an error, or where the caller stops early, chunks that nobody will read are not drawn.
            for future in pending:
                future.cancel()


_builder: _ChunkBuilder
"""The builder of a worker process: sent to it once, not with every chunk."""


def _set_builder(builder: _ChunkBuilder) -> None:
    global _builder
    _builder = builder


def _build_chunk(numbers: Sequence[int]) -> _Chunk:
    return _builder.build(numbers)
