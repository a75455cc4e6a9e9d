"""Tables as people have them -> rows of text under the names that the task uses.

Everything but pictures is read as text, so a code such as 00123 keeps its zeros; what the text means is decided in
checks.py. Rows are streamed: a table of a million rows needs no more memory than one of ten.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from etalage.catalogue.columnar import open_hub, open_parquet, open_saved
from etalage.catalogue.columns import KNOWN_COLUMNS, RESERVED, match_columns
from etalage.catalogue.folders import TARS, has_picture, open_pictures, open_tars
from etalage.catalogue.readers import Opened, is_conversations, open_conversations, open_csv, open_excel, open_json
from etalage.config import Format, PrepareConfig
from etalage.errors import EtalageError
from etalage.task import Field

__all__ = ["KNOWN_COLUMNS", "RESERVED", "Row", "Source", "Table", "open_source", "read_table"]

UNSUPPORTED = "unsupported"
"""Key of Row.texts for why a row of conversations cannot be learned from."""

MAX_ORIGINAL_CHARS = 10_000
"""Of a cell that the task does not use."""

_PICTURES_INSIDE = ("parquet", "datasets", "webdataset", "hub")
"""Kinds of sources whose pictures are, or may be, in the table itself."""

NUM_SAMPLED, MAX_SAMPLED_BYTES = 200, 1 << 26
"""Of a table, to tell its columns by."""

_SUFFIXES: Mapping[str, Format] = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), "csv"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "jsonl"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"), "excel"),
    **dict.fromkeys(TARS, "webdataset"),
}
_TABLES = tuple(suffix for suffix in _SUFFIXES if suffix != ".txt")
_METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_HUB_FILE = re.compile(r"hf://datasets/([^/@]+/[^/@]+)(?:@([^/]+))?/(.+)")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class Row(NamedTuple):
    """A row of a table; a missing value is empty."""

    number: int
    """The first row below the header is 1."""
    product_code: str
    """The row's number where there is no code."""
    image: str | bytes
    """A path, a URL or a data URI, or the picture's own bytes."""
    texts: dict[str, str]
    """By field of the task. Conversations have their `question`, too, and `unsupported` if they cannot be used: why."""
    split: str = ""
    """What --split-column says."""


@dataclass(frozen=True)
class Source:
    """A file, folder or dataset on the hub that was recognised and looked into."""

    name: str
    """For messages and catalogue.json: a file's name or a hub id, never an absolute path."""
    folder: Path | None
    """What the paths of pictures start from; none on the hub."""
    kind: Format
    names: list[str]
    """Its columns."""
    note: str = ""
    """What had to be guessed to read it, for the user; mostly nothing."""
    records: Callable[[Sequence[str]], Iterator[list[Any]]] = field(
        default=lambda columns: iter(()), repr=False, compare=False
    )
    """Reads the cells of these columns from the start."""


@dataclass(frozen=True)
class Table:
    """A source whose columns are recognised. Iterating reads it, each time from the start and in the same order."""

    source: Source
    columns: Mapping[str, str]
    """Which column holds what, by field name and `image`; `product_code` if there is one, `split` if asked for."""
    guessed: frozenset[str] = frozenset()
    """Those of `columns` that were told by their cells, not by their name."""

    def __iter__(self) -> Iterator[Row]:
        roles, columns = list(self.columns), list(self.columns.values())
        if self.source.kind == "conversations":
            roles, columns = [*roles, UNSUPPORTED], [*columns, UNSUPPORTED]
        for number, record in enumerate(self.source.records(columns), 1):
            image: str | bytes = ""
            texts: dict[str, str] = {}
            for role, column, cell in zip(roles, columns, record, strict=True):
                if role == "image":
                    image = self._image(cell, number, column)
                else:
                    texts[role] = self._text(cell, number, column)
            if not texts.get(UNSUPPORTED):
                texts.pop(UNSUPPORTED, None)
            code, split = texts.pop("product_code", "").strip(), texts.pop("split", "").strip()
            yield Row(number, code or str(number), image, texts, split)

    @property
    def texts(self) -> list[str]:
        """All the source's columns that have a name and hold no pictures, in their order."""
        inside = self.columns["image"] if self.source.kind in _PICTURES_INSIDE else None
        return [name for name in self.source.names if name and name != inside]

    def originals(self, numbers: Iterable[int]) -> Iterator[list[str | None]]:
        """The cells of `texts` in the rows of these numbers, which rise; None for nothing and for what is no text.

        Raises:
            EtalageError: the table has become shorter since it was read.
        """
        rows = enumerate(self.source.records(self.texts), 1)
        for wanted in numbers:
            record = next((record for number, record in rows if number == wanted), None)
            if record is None:
                raise EtalageError(
                    f"{self.source.name} row {wanted} is gone; let nothing write there, and prepare again"
                )
            yield [_plain(cell) for cell in record]

    def _text(self, cell: Any, number: int, column: str) -> str:
        if cell is None:
            return ""
        if not isinstance(cell, str | bool):
            kind = type(cell).__name__
            what = {"list": "a list", "dict": "an object"}.get(kind, kind)
            raise EtalageError(f"{self.source.name} row {number}, {column}: {what} where a text or a number is needed")
        return str(cell).encode("utf-8", "replace").decode()  # JSON can smuggle in half characters

    def _image(self, cell: Any, number: int, column: str) -> str | bytes:
        """Of several pictures the first; of a picture with its path its bytes, if any; of a file on the hub its URL."""
        if isinstance(cell, list):
            cell = cell[0] if cell else None
        if isinstance(cell, dict):
            cell = next((cell[key] for key in ("bytes", "path", "url", "src") if cell.get(key)), None)
        if isinstance(cell, bytes):
            return cell
        text = self._text(cell, number, column)
        if found := _HUB_FILE.fullmatch(text):
            return f"https://huggingface.co/datasets/{found[1]}/resolve/{found[2] or 'main'}/{quote(found[3])}"
        return text


def _plain(cell: Any) -> str | None:
    if not isinstance(cell, str | bool) or cell == "":
        return None
    return str(cell)[:MAX_ORIGINAL_CHARS].encode("utf-8", "replace").decode()


def open_source(source: str, config: PrepareConfig) -> Source:
    """Recognise what the user gave and look into it.

    Args:
        source: A file, a folder, a pattern such as data/*.parquet, or the id of a dataset on the hub.
        config: Its `format` goes before what name and content say; `image_folder`, where pictures are.
    Raises:
        EtalageError: not there, of no kind that is known, damaged, empty, or a column twice.
    """
    path = Path(source)
    try:
        kind = config.format if config.format != "auto" else _detect(source)
        opened, folder = _open(kind, source, config)
    except OSError as error:
        raise EtalageError(f"{source}: {error.strerror or error}; see that it can be read") from error
    if kind == "hub":
        name, folder = (path.name, path) if path.exists() else (source, None)
    else:
        name = path.name or path.resolve().name
    if twice := [column for column, count in Counter(opened.names).items() if column and count > 1]:
        raise EtalageError(f"{name}: column {twice[0]!r} stands there twice; rename one of them")
    return Source(name, config.image_folder or folder, kind, opened.names, opened.note, opened.records)


def read_table(source: Source, fields: Sequence[Field], config: PrepareConfig) -> Table:
    """Find the columns that the task needs.

    Args:
        fields: The task's.
        config: `columns` overrides what is recognised; `split_column`.
    Raises:
        EtalageError: no rows, a column not found, or one that may be several; also while iterating, with the row's
            number, on rows that cannot be read.
    """
    if clash := RESERVED.intersection(field.name for field in fields):
        raise EtalageError(
            f"{{{min(clash)}}} cannot be a field of the answer: a catalogue has its own column of that name"
        )
    try:
        match = match_columns(
            source.names,
            fields,
            config.columns,
            split_column=config.split_column,
            sample=lambda: _sample(source),
        )
    except ValueError as error:
        raise EtalageError(f"{source.name}: {error}") from error
    columns = dict(match.columns)
    if source.kind == "conversations":
        columns = {"question": "question", **columns}
    table = Table(source, columns, match.guessed)
    if next(iter(table), None) is None:
        raise EtalageError(f"{source.name} has a header and no rows; there is nothing to prepare")
    return table


def _sample(source: Source) -> list[list[Any]]:
    """The first rows; fewer where they hold pictures."""
    rows: list[list[Any]] = []
    size = 0
    for row in islice(source.records(source.names), NUM_SAMPLED):
        rows.append(row)
        size += sum(len(str(cell) if isinstance(cell, list) else _bytes_of(cell)) for cell in row)
        if size > MAX_SAMPLED_BYTES:
            break
    return rows


def _bytes_of(cell: Any) -> str | bytes:
    if isinstance(cell, dict):
        cell = cell.get("bytes")
    return cell if isinstance(cell, str | bytes) else ""


# Which kind


def _detect(source: str) -> Format:
    path = Path(source)
    if path.is_dir():
        return _detect_folder(path)
    if path.is_file() or _matches(source):
        kind = _kind_by_suffix(path)
        return "conversations" if kind == "jsonl" and path.is_file() and is_conversations(path) else kind
    if _HUB_ID.fullmatch(source) and not any(source.lower().endswith(suffix) for suffix in _SUFFIXES):
        return "hub"
    raise EtalageError(f"{source} is not there; give a table, a folder, or a dataset on the hub as owner/name")


def _kind_by_suffix(path: Path) -> Format:
    for suffix, kind in _SUFFIXES.items():
        if path.name.lower().endswith(suffix):
            return kind
    raise EtalageError(
        f"{path.name}: cannot read {path.suffix or 'a file without a suffix'}; use {', '.join(_SUFFIXES)}, or say what "
        "it is with --format"
    )


def _detect_folder(folder: Path) -> Format:
    """A saved dataset, a table with pictures, tars or Parquet say themselves what they are; a stray table does not."""
    held = sorted(path.name for path in folder.iterdir())
    if "dataset_dict.json" in held or ("state.json" in held and "dataset_info.json" in held):
        return "datasets"
    if any(name in held for name in _METADATA):
        return "folder"
    if _tars(folder):
        return "webdataset"
    if _shards(folder):
        return "parquet"
    tables = [name for name in held if name.lower().endswith(_TABLES) and name[0] != "."]
    if tables:
        raise EtalageError(
            f"{folder} is a folder with a table in it: give {folder / tables[0]}, or, if the table is none of "
            "products, --format folder"
        )
    if has_picture(folder):
        return "folder"
    raise EtalageError(
        f"{folder} is a folder without pictures, tables or tars; it holds {', '.join(held[:5]) or 'nothing'}"
    )


def _open(kind: Format, source: str, config: PrepareConfig) -> tuple[Opened, Path | None]:
    """Look into a source; also says in which folder it is."""
    path = Path(source)
    if kind == "hub":
        return open_hub(source), None
    if path.is_dir():
        if kind == "folder":
            return _open_folder(path), path
        if kind == "datasets":
            return open_saved(path), path
        if kind == "parquet":
            return open_parquet(_some(_shards(path), source, "Parquet files")), path
        if kind == "webdataset":
            return open_tars(_some(_tars(path), source, "tars"), config.max_image_bytes), path
        raise EtalageError(f"{source} is a folder, and --format is {kind}; give a file")
    if kind in ("folder", "datasets"):
        raise EtalageError(f"{source} is no folder, and --format is {kind}; give a folder")
    if kind == "parquet":
        return open_parquet(_some(_matches(source), source, "Parquet files")), path.parent
    if kind == "webdataset":
        return open_tars(_some(_matches(source), source, "tars"), config.max_image_bytes), path.parent
    if not path.is_file():
        raise EtalageError(f"{source} is not there, or names several files; give one")
    openers: Mapping[str, Callable[[Path], Opened]] = {
        "csv": open_csv,
        "jsonl": open_json,
        "excel": open_excel,
        "conversations": open_conversations,
    }
    return openers[kind](path), path.parent


def _open_folder(folder: Path) -> Opened:
    for name, opener in zip(_METADATA, (open_csv, open_json, lambda path: open_parquet([path])), strict=True):
        if (folder / name).is_file():
            opened = opener(folder / name)
            if "file_name" not in opened.names:
                raise EtalageError(f"{name} has no column file_name, which names each row's picture; add it")
            return opened
    return open_pictures(folder)


def _matches(source: str) -> list[Path]:
    """The file, or those that fit a pattern, by name."""
    if Path(source).is_file():
        return [Path(source)]
    parts = Path(source).parts
    start = next((at for at, part in enumerate(parts) if set("*?[") & set(part)), None)
    if start is None:
        return []
    return sorted(path for path in Path(*parts[:start]).glob("/".join(parts[start:])) if path.is_file())


def _shards(folder: Path) -> list[Path]:
    """Parquet files by name; datasets from the hub have theirs in a subfolder."""
    return sorted(folder.glob("*.parquet")) or sorted(folder.glob("*/*.parquet"))


def _tars(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.lower().endswith(TARS) and path.is_file())


def _some(paths: list[Path], source: str, what: str) -> list[Path]:
    if not paths:
        raise EtalageError(f"{source}: no {what} there")
    return paths
