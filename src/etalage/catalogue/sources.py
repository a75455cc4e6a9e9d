"""Tables as people have them -> rows of text under the names that the task uses.

Everything is read as text, so a code such as 00123 keeps its zeros; what the text means is decided in checks.py.
Rows are streamed: a table of a million rows needs no more memory than one of ten.
"""

import csv
import difflib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["KNOWN_COLUMNS", "RESERVED", "Row", "Table", "match_columns", "read_table"]

KNOWN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "name", "product_name", "product_title"),
    "category": ("category3_code", "category", "product_type", "type"),
    "price": ("full_price", "price", "amount"),
    "image": ("image", "image_path", "image_file", "picture", "file_name", "imageurl", "image_url"),
    "product_code": ("product_code", "sku", "code", "id"),
}
"""Names by which a column is recognised, the preferred one first. Any other field is looked for under its own name."""

RESERVED = frozenset(
    ("source_row", "product_code", "image", "split", "group", "image_sha256", "image_width", "image_height")
)
"""Columns that every catalogue has beside its fields (store.py), hence no names for fields."""

MAX_CELL_CHARS = 100_000_000


class Row(NamedTuple):
    """A row of a table, all of it text; a missing value is empty."""

    number: int
    """The first row below the header is 1."""
    product_code: str
    image: str
    texts: dict[str, str]
    """By field of the task."""


@dataclass(frozen=True)
class Table:
    """A table whose columns are recognised. Iterating reads the file."""

    source: Path
    columns: Mapping[str, str]
    """Which column holds what, by field name and `image`; `product_code` only if there is one."""

    def __iter__(self) -> Iterator[Row]:
        roles = list(self.columns)
        records = _reader(self.source)(self.source, list(self.columns.values()))
        for number, record in enumerate(records, 1):
            texts = dict(zip(roles, record, strict=True))
            image, code = texts.pop("image"), texts.pop("product_code", "")
            yield Row(number, code.strip() or str(number), image, texts)


def read_table(source: Path, fields: Sequence[str], columns: str = "") -> Table:
    """Open a table and find the columns that the task needs.

    Args:
        source: A CSV, Parquet or JSONL file in UTF-8, with a header in the first case.
        fields: The names of the task's fields.
        columns: Overrides of what is recognised by name: `title=name,image=photo`.
    Raises:
        ValueError: not such a file, no rows, a column twice, a column not found; also while iterating, with the row
            number, on rows of another length or broken text.
    """
    if clash := RESERVED.intersection(fields):
        raise ValueError(
            f"{{{min(clash)}}} cannot be a field of the answer: a catalogue has its own column of that name"
        )
    if not source.is_file():
        raise ValueError(
            f"{source} is {'a folder' if source.is_dir() else 'not there'}; give a CSV, Parquet or JSONL file"
        )
    read = _reader(source)
    names = next(iter(read(source, None)))
    if twice := [name for name, count in Counter(names).items() if name and count > 1]:
        raise ValueError(f"{source}: column {twice[0]!r} stands there twice; rename one of them")
    try:
        table = Table(source, match_columns(names, fields, columns))
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
    if next(iter(read(source, list(table.columns.values()))), None) is None:
        raise ValueError(f"{source} has a header and no rows; there is nothing to prepare")
    return table


def match_columns(names: Sequence[str], fields: Sequence[str], overrides: str = "") -> dict[str, str]:
    """Which column holds which field, the picture and the code.

    Raises:
        ValueError: an override that fits nothing, or a field or the picture without a column; suggests near names.
    """
    roles = [*fields, "image", "product_code"]
    columns = {}
    for part in filter(None, (part.strip() for part in overrides.split(","))):
        role, equals, column = (word.strip() for word in part.partition("="))
        if not equals:
            raise ValueError(f"--columns has {part!r}; write {roles[0]}=COLUMN, with commas between")
        if role not in roles:
            raise ValueError(f"--columns names {role!r}, which is none of {', '.join(roles)}{_nearest([role], roles)}")
        if column not in names:
            raise ValueError(f"--columns: no column {column!r}{_nearest([column], names)}; found {', '.join(names)}")
        columns[role] = column
    keys: dict[str, str] = {}
    for name in names:
        keys.setdefault(_key(name), name)
    for role in roles:
        wanted = KNOWN_COLUMNS.get(role, (role,))
        found = next((keys[_key(name)] for name in wanted if _key(name) in keys), None)
        if role in columns or (role == "product_code" and found is None):
            continue
        if found is None:
            raise ValueError(
                f"no column for {role}: looked for {', '.join(wanted)}{_nearest(wanted, names)}; "
                f"found {', '.join(names)}; say which with --columns {role}=COLUMN"
            )
        columns[role] = found
    return {role: columns[role] for role in roles if role in columns}


def _key(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


def _nearest(wanted: Iterable[str], names: Iterable[str]) -> str:
    by_key = {_key(name): name for name in names}
    near = [by_key[key] for want in wanted for key in difflib.get_close_matches(_key(want), by_key, 1, 0.75)]
    return f" (did you mean {near[0]!r}?)" if near else ""


# A reader yields the names of a file's columns when asked for none of them, otherwise the texts of those asked for.
Reader = Callable[[Path, list[str] | None], Iterator[list[str]]]


def _reader(source: Path) -> Reader:
    readers: dict[str, Reader] = {
        ".csv": _read_csv,
        ".parquet": _read_parquet,
        ".jsonl": _read_jsonl,
        ".ndjson": _read_jsonl,
        ".json": _read_jsonl,
    }
    if source.suffix.lower() not in readers:
        raise ValueError(
            f"{source}: cannot read {source.suffix or 'a file without a suffix'}; use {', '.join(readers)}"
        )
    return readers[source.suffix.lower()]


def _read_csv(path: Path, columns: list[str] | None) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_CELL_CHARS)  # a monstrous title drops its product (checks.py), it does not end the run
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        number = 0
        try:
            names = next((row for row in reader if row), None)
            if names is None:
                raise ValueError(f"{path} is empty")
            if columns is None:
                yield names
                return
            places = [names.index(column) for column in columns]
            for number, row in enumerate(filter(None, reader), 1):
                if len(row) != len(names):
                    raise ValueError(
                        f"{path} row {number} (line {reader.line_num}) has {len(row)} cells where the header has "
                        f"{len(names)}; quote cells that hold commas or line breaks"
                    )
                yield [row[place] for place in places]
        except csv.Error as error:
            raise ValueError(
                f"{path} row {number + 1} (to line {reader.line_num}): {error}; check its quotes"
            ) from error
        except UnicodeDecodeError as error:
            raise _not_utf8(path) from error


def _read_jsonl(path: Path, columns: list[str] | None) -> Iterator[list[str]]:
    names: dict[str, None] = {}
    number = 0
    with path.open("rb") as file:
        for line_number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8-sig" if line_number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise _not_utf8(path) from error
            if not text.strip():
                continue
            number += 1
            where = f"{path} row {number} (line {line_number})"
            try:
                record = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)  # as written: 990.0, 007
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{where} is not JSON: {error}; write one object per line") from error
            if not isinstance(record, dict):
                raise ValueError(
                    f"{where} holds a {type(record).__name__}; write one object per line, no list around them"
                )
            if columns is None:
                names.update(dict.fromkeys(record))
            else:
                yield [_json_text(record.get(column), f"{where}, {column}") for column in columns]
    if columns is None:
        if not names:
            raise ValueError(f"{path} is empty")
        yield list(names)


def _json_text(value: object, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str | bool):
        raise ValueError(f"{where}: holds a {type(value).__name__} where a text or a number is needed")
    return str(value).encode("utf-8", "replace").decode()  # JSON can smuggle in half characters


def _read_parquet(path: Path, columns: list[str] | None) -> Iterator[list[str]]:
    try:
        with pq.ParquetFile(path) as file:
            if columns is None:
                yield list(file.schema_arrow.names)
                return
            for column in columns:
                kind = file.schema_arrow.field(column).type
                if pa.types.is_nested(kind):
                    raise ValueError(f"{path}: column {column!r} holds {kind} where a text or a number is needed")
            for batch in file.iter_batches(batch_size=4096, columns=columns):
                texts = [batch.column(column).cast(pa.string()).fill_null("").to_pylist() for column in columns]
                yield from (list(record) for record in zip(*texts, strict=True))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} cannot be read as Parquet: {error}") from error


def _not_utf8(path: Path) -> ValueError:
    offset = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                byte = f"byte {offset + error.start} (0x{line[error.start]:02x}) on line {number}"
                return ValueError(f"{path} is not UTF-8: {byte}; save it as UTF-8")
            offset += len(line)
    return ValueError(f"{path} is not UTF-8: it ends inside a character; save it as UTF-8")
