"""A sample catalogue on disk, written row by row in several processes.

OUT/catalogue.csv and OUT/images/000001.jpg ..., or OUT/catalogue/part-00000.parquet ... with the pictures inside;
OUT/attributes.parquet, what each row's title, category and price follow from; and OUT/manifest.json: the laws, the best
reachable figures, and every planted fault.
"""

import csv
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etalage.atomic import atomic_directory
from etalage.chunks import chunks
from etalage.config import TableFormat
from etalage.processes import NUM_WORKERS, process_pool
from etalage.progress import ProgressCallback
from etalage.sample.drawn import Oracle
from etalage.sample.faults import MANIFEST, Faulty, Planted, pictured, planted
from etalage.sample.rows import Picture, Row, Rows, Scalar

__all__ = ["ATTRIBUTES", "write_sample"]

ATTRIBUTES = "attributes.parquet"

CHUNK_ROWS = 250
"""Made by a process at once; a row group of a Parquet file."""
SHARD_ROWS = 10_000
"""In a Parquet file: some hundred megabytes."""

Record = dict[str, Any]


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
    """Write a sample catalogue: whole, or not at all. Equal arguments give equal bytes, in however many processes.

    Args:
        image_url: In front of a picture's path in the table, for a server to answer; empty for plain paths. CSV only.
        finish: Told the folder and its manifest when all is in it, and before it takes its place.
    Returns:
        What manifest.json holds.
    Raises:
        ValueError: `out` already holds something.
        OSError: it cannot be written, or a process that draws has died.
    """
    oracle = Oracle()
    faults: list[Planted] = []
    with atomic_directory(out) as folder:
        if table_format == "csv":
            (folder / "images").mkdir()
        maker = _Maker(rows, folder if table_format == "csv" else None, image_url)
        with ExitStack() as files:
            table = files.enter_context(closing(_table(folder, rows, table_format)))
            hidden = files.enter_context(closing(_Parquet(str(folder / ATTRIBUTES))))
            done = 0
            for chunk in _made(maker, num_rows):
                table.write(chunk.records)
                hidden.write(chunk.attributes)
                faults += chunk.faults
                if "law_price" in chunk.attributes[0]:
                    for attributes in chunk.attributes:
                        oracle.add(attributes)
                done += len(chunk.records)
                if progress is not None:
                    progress(done, num_rows)
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


@dataclass(frozen=True)
class _Chunk:
    """Rows as they are written, the image column filled in."""

    records: list[Record]
    attributes: list[Mapping[str, Scalar]]
    faults: list[Planted]


@dataclass(frozen=True)
class _Maker:
    """Makes chunks; leaves their pictures in a folder, or inside the records."""

    rows: Rows
    folder: Path | None
    image_url: str

    def chunk(self, numbers: Sequence[int]) -> _Chunk:
        made = [(number, self.rows.make(number)) for number in numbers]
        paths = [None if row.picture is None else _path(pictured(number, row), row.picture) for number, row in made]
        placed = [(number, row, path) for (number, row), path in zip(made, paths, strict=True)]
        return _Chunk(
            records=[self._record(row, path) for _, row, path in placed],
            attributes=[{"source_row": number + 1, **row.attributes} for number, row in made],
            faults=[planted(number, row, path, self.rows.columns) for number, row, path in placed if row.fault],
        )

    def _record(self, row: Row, path: str | None) -> Record:
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


def _path(number: int, picture: Picture) -> str:
    return f"images/{number + 1:06d}{picture.suffix}"


def _table(folder: Path, rows: Rows, table_format: TableFormat) -> "_Csv | _Parquet":
    if table_format == "csv":
        return _Csv(folder)
    return _Parquet(str(folder / "catalogue/part-{:05d}.parquet"), SHARD_ROWS, only_text=isinstance(rows, Faulty))


_maker: _Maker
"""Of a process that draws: sent to it once, not with every chunk."""


def _begin(maker: _Maker) -> None:
    global _maker
    _maker = maker


def _chunk(numbers: Sequence[int]) -> _Chunk:
    return _maker.chunk(numbers)


def _made(maker: _Maker, num_rows: int) -> Iterator[_Chunk]:
    """All chunks in order, a few of them ahead."""
    if num_rows <= CHUNK_ROWS:  # sooner done than processes are started
        yield maker.chunk(range(num_rows))
        return
    with process_pool(NUM_WORKERS, _begin, maker) as workers:
        pending: deque[Future[_Chunk]] = deque()
        try:
            for numbers in chunks(range(num_rows), CHUNK_ROWS):
                pending.append(workers.submit(_chunk, numbers))
                if len(pending) > 2 * NUM_WORKERS:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        except BrokenProcessPool as error:
            raise OSError("a process that draws has died, most likely for want of memory") from error
        finally:
            for future in pending:
                future.cancel()


class _Csv:
    """One table; its pictures lie beside it."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "catalogue.csv").open("w", encoding="utf-8", newline="")
        self._table: csv.DictWriter[str] | None = None

    def write(self, records: Sequence[Mapping[str, Any]]) -> None:
        if self._table is None:
            self._table = csv.DictWriter(self._file, list(records[0]), lineterminator="\n")
            self._table.writeheader()
        self._table.writerows(records)

    def close(self) -> None:
        self._file.close()


class _Parquet:
    """Files of so many rows, a row group per chunk. The first chunk tells the columns' types.

    Args:
        path: With a place for the file's number, or without one for a single file.
        only_text: Numbers as text, too: faults write prices as words.
    """

    def __init__(self, path: str, shard_rows: int | None = None, *, only_text: bool = False) -> None:
        self._path, self._shard_rows, self._only_text = path, shard_rows, only_text
        self._schema: pa.Schema | None = None
        self._file: pq.ParquetWriter | None = None
        self._written = 0

    def write(self, records: Sequence[Mapping[str, Any]]) -> None:
        if self._schema is None:
            self._schema = pa.schema([(name, self._type(name, records)) for name in records[0]])
        if self._file is None or (self._shard_rows and self._written % self._shard_rows == 0):
            self.close()
            path = Path(self._path.format((self._written // self._shard_rows) if self._shard_rows else 0))
            path.parent.mkdir(exist_ok=True)
            self._file = pq.ParquetWriter(path, self._schema)
        columns = [[_fitted(record[field.name], field.type) for record in records] for field in self._schema]
        self._file.write_table(pa.table(columns, schema=self._schema))
        self._written += len(records)

    def _type(self, name: str, records: Sequence[Mapping[str, Any]]) -> pa.DataType:
        value = next((record[name] for record in records if record[name] is not None), "")
        if isinstance(value, dict):
            return _PICTURE
        return pa.string() if self._only_text else _TYPES[type(value)]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


_PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_TYPES = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}


def _fitted(value: Any, to: pa.DataType) -> Any:
    return str(value) if to == pa.string() and value is not None else value
