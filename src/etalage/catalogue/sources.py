"""What a user names as the source of a catalogue -> an open Source: recognised, opened, and not yet read.

A file's suffix, a folder's contents or the form of a hub id say which of the formats in `readers` it is.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etalage.catalogue.readers.conversations import is_conversations, open_conversations
from etalage.catalogue.readers.csv import open_csv
from etalage.catalogue.readers.excel import open_excel
from etalage.catalogue.readers.feed import open_feed
from etalage.catalogue.readers.header import clean_name
from etalage.catalogue.readers.hub import open_hub_dataset
from etalage.catalogue.readers.image_folder import has_image, open_image_folder, printable
from etalage.catalogue.readers.json import open_json
from etalage.catalogue.readers.parquet import open_parquet
from etalage.catalogue.readers.raw_table import RawTable, UnreadableRow
from etalage.catalogue.readers.saved_dataset import open_saved_dataset
from etalage.catalogue.readers.webdataset import TAR_SUFFIXES, open_webdataset
from etalage.config import Format, PrepareConfig
from etalage.errors import EtalageError

__all__ = ["Source", "open_source"]

_SUFFIXES: Mapping[str, Format] = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), "csv"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "jsonl"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"), "excel"),
    **dict.fromkeys((".xml", ".rss", ".atom"), "xml"),
    **dict.fromkeys(TAR_SUFFIXES, "webdataset"),
}
# Beside pictures, such files mostly describe one picture each.
_TABLE_SUFFIXES = tuple(suffix for suffix in _SUFFIXES if suffix not in (".txt", ".xml"))
_METADATA_FILES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_PACKED_SUFFIXES = (".zip", ".gz", ".7z", ".rar", ".bz2", ".xz", ".zst")
_KINDS_WITH_SHEETS = ("excel", "jsonl", "conversations")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Source:
    """A file, folder or dataset on the hub that was recognised and opened."""

    name: str
    """The file's name or the hub id, for messages and catalogue.json; never an absolute path."""
    folder: Path | None
    """The folder from which paths of pictures start; None on the hub."""
    kind: Format
    """The format."""
    column_names: list[str]
    """The columns, in the order of the source."""
    note: str
    """See `RawTable.note`."""
    read_rows: Callable[[Sequence[str]], Iterator[list[Any] | UnreadableRow]] = field(repr=False, compare=False)
    """See `RawTable.read_rows`."""
    place_of: Callable[[int], str] = field(repr=False, compare=False)
    """See `RawTable.place_of`."""


def open_source(source: str, config: PrepareConfig) -> Source:
    """Recognise what the user gave, and open it.

    Args:
        source: A file, a folder, a pattern such as data/*.parquet, or the id of a dataset on the hub.
        config: Its `format` takes precedence over what name and content say; its `image_folder` is where pictures are.

    Raises:
        EtalageError: The source or the folder of pictures does not exist, or the source is of no known format, damaged
            or empty, or has a column twice.
    """
    path = Path(source)
    if config.image_folder is not None and not config.image_folder.is_dir():
        raise EtalageError(f"--image-folder {config.image_folder} is no folder; name the one that holds the pictures")
    try:
        kind = config.format if config.format != "auto" else _detect_format(source, config.sheet)
        if config.sheet and kind not in _KINDS_WITH_SHEETS:
            raise EtalageError(f"{source} has no sheets, and --sheet is {config.sheet}; leave it out")
        table, folder = _open(kind, source, config)
    except OSError as error:
        raise EtalageError(f"{source}: {error.strerror or error}; check that it can be read") from error
    # Names get into catalogue.json, which is shared: an absolute path would tell about this machine.
    if kind == "hub":
        name, folder = (path.name, path) if path.exists() else (source, None)
    else:
        # `.` has a name only when it is resolved. JSON takes no bytes that are not UTF-8.
        name = printable(path.name or path.resolve().name)
    folder = config.image_folder or folder
    column_names, read_rows = _clean_columns(name, table)
    return Source(name, folder, kind, column_names, table.note, read_rows, table.place_of)


def _clean_columns(
    name: str, table: RawTable
) -> tuple[list[str], Callable[[Sequence[str]], Iterator[list[Any] | UnreadableRow]]]:
    """Return the names of columns without invisible characters, and a function that reads columns by these names.

    Raises:
        EtalageError: Two columns have the same name.
    """
    # Columns without a name are never asked for, so there may be several.
    names = [clean_name(column) for column in table.column_names]
    originals: dict[str, str] = {}
    for cleaned, original in zip(names, table.column_names, strict=True):
        if cleaned and cleaned in originals:
            if original == originals[cleaned]:
                raise EtalageError(f"{name}: column {cleaned!r} stands there twice; rename one of them")
            raise EtalageError(
                f"{name}: columns {originals[cleaned]!r} and {original!r} are one but for spaces; rename one of them"
            )
        originals[cleaned] = original
    # A reader may have more columns than it names, as that of conversations has.
    return names, lambda columns: table.read_rows([originals.get(column, column) for column in columns])


# Detecting the format


def _detect_format(source: str, sheet: str) -> Format:
    path = Path(source)
    if path.is_dir():
        return _detect_folder_format(path)
    if path.is_file() or _matching_files(source):
        kind = _format_by_suffix(path)
        return "conversations" if kind == "jsonl" and path.is_file() and is_conversations(path, sheet) else kind
    # owner/table.csv may be a hub id, but is far more often a file with a typing mistake.
    if _HUB_ID.fullmatch(source) and not source.lower().endswith(tuple(_SUFFIXES)):
        return "hub"
    raise EtalageError(f"{source} is not there; give a table, a folder, or a dataset on the hub as owner/name")


def _format_by_suffix(path: Path) -> Format:
    for suffix, kind in _SUFFIXES.items():
        if path.name.lower().endswith(suffix):
            return kind
    if path.suffix.lower() in _PACKED_SUFFIXES:
        raise EtalageError(f"{path.name} is packed; unpack it first")
    raise EtalageError(
        f"{path.name}: cannot read {path.suffix or 'a file without a suffix'}; use {', '.join(_SUFFIXES)}, or say what "
        "it is with --format"
    )


def _detect_folder_format(folder: Path) -> Format:
    """Recognise a folder by its contents; refuse to guess where a table that is no metadata file stands in it."""
    contents = sorted(path.name for path in folder.iterdir())
    if "dataset_dict.json" in contents or {"state.json", "dataset_info.json"} <= set(contents):
        return "datasets"
    # Before the shards, of which metadata.parquet would be one by its suffix.
    if any(name in contents for name in _METADATA_FILES):
        return "folder"
    if _tars_in(folder):
        return "webdataset"
    if _shards_in(folder):
        return "parquet"
    # Such a table may describe the pictures or not; taking their folders for categories could be wrong.
    tables = [name for name in contents if name.lower().endswith(_TABLE_SUFFIXES) and name[0] != "."]
    if tables:
        raise EtalageError(
            f"{folder} is a folder with a table in it: give {folder / tables[0]}, or, if the table is none of "
            "products, --format folder"
        )
    if has_image(folder):
        return "folder"
    raise EtalageError(
        f"{folder} is a folder without pictures, tables or tars; it holds {', '.join(contents[:5]) or 'nothing'}"
    )


# Opening it


def _open(kind: Format, source: str, config: PrepareConfig) -> tuple[RawTable, Path | None]:
    """Return the table of a source, and the folder that it is in."""
    path = Path(source)
    if kind == "hub":
        return open_hub_dataset(source), None
    if path.is_dir():
        return _open_folder(kind, path, source, config), path
    if kind in ("folder", "datasets"):
        raise EtalageError(f"{source} is no folder, and --format is {kind}; give a folder")
    if kind == "parquet":
        return open_parquet(_require_files(_matching_files(source), source, "Parquet files")), path.parent
    if kind == "webdataset":
        tars = _require_files(_matching_files(source), source, "tars")
        return open_webdataset(tars, config.max_image_bytes), path.parent
    if not path.is_file():
        raise EtalageError(f"{source} is not there, or names several files; give one")
    openers: Mapping[str, Callable[[Path], RawTable]] = {
        "csv": open_csv,
        "jsonl": lambda path: open_json(path, config.sheet),
        "excel": lambda path: open_excel(path, config.sheet, config.max_image_bytes),
        "xml": open_feed,
        "conversations": lambda path: open_conversations(path, config.sheet),
    }
    return openers[kind](path), path.parent


def _open_folder(kind: Format, folder: Path, source: str, config: PrepareConfig) -> RawTable:
    if kind == "folder":
        return _open_pictures(folder)
    if kind == "datasets":
        return open_saved_dataset(folder)
    if kind == "parquet":
        return open_parquet(_require_files(_shards_in(folder), source, "Parquet files"))
    if kind == "webdataset":
        return open_webdataset(_require_files(_tars_in(folder), source, "tars"), config.max_image_bytes)
    raise EtalageError(f"{source} is a folder, and --format is {kind}; give a file")


def _open_pictures(folder: Path) -> RawTable:
    """Open a folder of pictures with its metadata file, as `datasets` has it, or without one."""
    for name, opener in zip(_METADATA_FILES, (open_csv, open_json, lambda path: open_parquet([path])), strict=True):
        if (folder / name).is_file():
            table = opener(folder / name)
            if "file_name" not in table.column_names:
                raise EtalageError(f"{name} has no column file_name, which names each row's picture; add it")
            return table
    return open_image_folder(folder)


def _matching_files(source: str) -> list[Path]:
    """Return the file, or the files that match a pattern, by name."""
    if Path(source).is_file():
        return [Path(source)]
    parts = Path(source).parts
    first_pattern = next((i for i, part in enumerate(parts) if set("*?[") & set(part)), None)
    if first_pattern is None:
        return []
    folder, pattern = Path(*parts[:first_pattern]), "/".join(parts[first_pattern:])
    # Sorted, since rows are numbered across files: the system lists them in any order.
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def _shards_in(folder: Path) -> list[Path]:
    """Return Parquet files by name; datasets from the hub have theirs in a subfolder."""
    return sorted(folder.glob("*.parquet")) or sorted(folder.glob("*/*.parquet"))


def _tars_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.lower().endswith(TAR_SUFFIXES) and path.is_file())


def _require_files(paths: list[Path], source: str, description: str) -> list[Path]:
    if not paths:
        raise EtalageError(f"{source}: no {description} there")
    return paths
