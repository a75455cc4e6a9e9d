"""Files of columns -> cells: Parquet, a saved dataset's Arrow, datasets on the hub. Read in batches."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etalage.catalogue.readers import Opened
from etalage.errors import EtalageError

__all__ = ["open_hub", "open_parquet", "open_saved"]

Labels = Mapping[str, Sequence[str]]
"""By column: what the numbers of a class label mean."""

_BROKEN = (pa.ArrowException, OSError, UnicodeDecodeError)
_SPLITS = ("train", "validation", "test")


def open_parquet(paths: Sequence[Path]) -> Opened:
    """One table, in one file or several.

    Raises:
        EtalageError: a file that is no Parquet, or that lacks a column of the first one; also while reading.
    """

    def look(path: Path) -> pa.Schema:
        try:
            return pq.read_schema(path)
        except _BROKEN as error:
            raise EtalageError(f"{path.name} cannot be read as Parquet: {_words(error)}") from error

    names = list(look(paths[0]).names)
    for path in paths[1:]:
        if missing := set(names).difference(look(path).names):
            raise EtalageError(
                f"{path.name} has no column {min(missing)!r}, which {paths[0].name} has; give both alone"
            )

    def records(columns: Sequence[str]) -> Iterator[list[Any]]:
        for path in paths:
            try:
                with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
                    schema = file.schema_arrow
                    batches = file.iter_batches(batch_size=_batch_size(schema, columns), columns=list(columns))
                    for batch in batches:
                        yield from _rows(batch, columns, _labels(schema))
            except _BROKEN as error:
                raise EtalageError(f"{path.name} cannot be read as Parquet: {_words(error)}") from error

    return Opened(names, records)


def open_saved(folder: Path) -> Opened:
    """What `datasets` wrote with save_to_disk: one dataset, or one per split, in the order train, validation, test.

    Raises:
        EtalageError: damaged; also while reading.
    """
    splits = {"": folder}
    try:
        if (folder / "dataset_dict.json").exists():
            found = json.loads((folder / "dataset_dict.json").read_text(encoding="utf-8"))["splits"]
            splits = {split: _inside(folder, split) for split in sorted(found, key=_split_order)}
        files = [
            (split, _inside(place, entry["filename"]))
            for split, place in splits.items()
            for entry in json.loads((place / "state.json").read_text(encoding="utf-8"))["_data_files"]
        ]
        with pa.memory_map(str(files[0][1])) as file:
            schema = pa.ipc.open_stream(file).schema
    except (*_BROKEN, ValueError, KeyError, TypeError, IndexError) as error:
        raise EtalageError(f"{folder.name} cannot be read as a saved dataset: {_words(error)}") from error

    def batches(columns: Sequence[str]) -> Iterator[tuple[str, Any]]:
        for split, path in files:
            try:
                with pa.memory_map(str(path)) as file:
                    for batch in pa.ipc.open_stream(file):
                        size = _batch_size(schema, columns)
                        for start in range(0, batch.num_rows, size):
                            yield split, batch.slice(start, size)
            except _BROKEN as error:
                raise EtalageError(f"{folder.name}: {path.name} cannot be read: {_words(error)}") from error

    return _with_splits(list(schema.names), batches, _labels(schema), len(splits) > 1)


def open_hub(source: str) -> Opened:
    """A dataset on the hub, streamed; its splits follow one another in the order train, validation, test, others.

    Args:
        source: owner/name, or a folder laid out as a dataset on the hub is.
    Raises:
        EtalageError: not there, no way to reach it, of a kind that runs code, or the library for it is not installed.
    """
    try:
        import datasets  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        raise EtalageError(
            f"{source}: reading from the hub needs one more package; pip install etalage[hub]"
        ) from error
    name = Path(source).name if Path(source).exists() else source
    try:
        builder = datasets.load_dataset_builder(source)
        if builder.name == "parquet":
            builder._generate_tables = partial(_parquet_tables, builder._cast_table)
        found = builder.as_streaming_dataset()
        splits = sorted(found, key=_split_order)
        features = found[splits[0]].features
        if features is None:
            features = found[splits[0]]._resolve_features().features  # reads the first rows
    except Exception as error:  # datasets, huggingface_hub, fsspec and httpx each raise their own
        raise EtalageError(f"{name} cannot be loaded as a dataset on the hub: {_words(error)}") from error
    labels = {column: kind.names for column, kind in features.items() if isinstance(kind, datasets.ClassLabel)}

    def batches(columns: Sequence[str]) -> Iterator[tuple[str, Any]]:
        try:
            for split in splits:
                part = found[split].select_columns([column for column in columns if column in features])
                size = _batch_size(features.arrow_schema, columns)
                for batch in part.with_format("arrow").iter(batch_size=size):
                    yield split, batch
        except Exception as error:
            raise EtalageError(f"{name} cannot be read from the hub: {_words(error)}") from error

    return _with_splits(list(features), batches, labels, len(splits) > 1)


def _parquet_tables(
    cast: Callable[[Any], Any], files: Sequence[str], **_: Any
) -> Iterator[tuple[tuple[int, int], Any]]:
    """Reads as the builder of `datasets` does, but in this thread alone.

    Its own way, Arrow's scanner, lets a thread of Arrow's pool drop the Python file some time after the last row. If
    the interpreter ends meanwhile, that thread ends in the middle of a destructor, and the process is aborted
    (https://github.com/apache/arrow/issues/45214). Neither closing nor exhausting the iterators waits for it.
    """
    from datasets.utils.file_utils import xopen  # type: ignore[import-untyped]

    for number, path in enumerate(files):
        with xopen(path, "rb") as opened, pq.ParquetFile(opened, pre_buffer=False) as file:
            size = _batch_size(file.schema_arrow, file.schema_arrow.names)
            for at, batch in enumerate(file.iter_batches(batch_size=size, use_threads=False)):
                yield (number, at), cast(pa.Table.from_batches([batch]))


def _with_splits(
    names: list[str], batches: Callable[[Sequence[str]], Iterator[tuple[str, Any]]], labels: Labels, several: bool
) -> Opened:
    """Where there are several splits, a column more says which, for --split-column; the table's own goes first."""
    own = several and "split" not in names

    def records(columns: Sequence[str]) -> Iterator[list[Any]]:
        asked = [column for column in columns if column in names]
        for split, batch in batches(asked or names[:1]):
            for row in _rows(batch, asked or names[:1], labels):
                cells = dict(zip(asked, row, strict=False))
                yield [cells.get(column, split) for column in columns]

    return Opened([*names, *(["split"] if own else [])], records)


def _rows(batch: Any, columns: Sequence[str], labels: Labels) -> Iterator[list[Any]]:
    cells = [_cells(batch.column(column), labels.get(column)) for column in columns]
    return (list(row) for row in zip(*cells, strict=True))


def _cells(column: Any, labels: Sequence[str] | None) -> list[Any]:
    """Texts as Python would print the values; bytes, lists and objects as they are."""
    kind = column.type
    if labels and pa.types.is_integer(kind):
        return [labels[i] if i is not None and 0 <= i < len(labels) else None for i in column.to_pylist()]
    if pa.types.is_nested(kind) or _is_binary(kind):
        return column.to_pylist()
    if pa.types.is_float16(kind):
        column = column.cast(pa.float32())
    texts = column.cast(pa.string()).to_pylist()
    if not pa.types.is_floating(kind):
        return texts
    return [_float_text(text) for text in texts]


def _float_text(text: str | None) -> str | None:
    if text is None or text.lstrip("-") == "nan":
        return None
    return text + ".0" if text.lstrip("-").isdecimal() else text


def _is_binary(kind: Any) -> bool:
    checks = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view)
    return any(check(kind) for check in checks)


def _batch_size(schema: Any, columns: Sequence[str]) -> int:
    """Pictures in cells are held a few at a time."""
    kinds = [schema.field(column).type for column in columns]
    return 16 if any(pa.types.is_nested(kind) or _is_binary(kind) for kind in kinds) else 1024


def _labels(schema: Any) -> Labels:
    """`datasets` keeps the words of its class labels beside the schema."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {name: kind["names"] for name, kind in features.items() if kind.get("_type") == "ClassLabel"}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _split_order(split: str) -> int:
    return _SPLITS.index(split) if split in _SPLITS else len(_SPLITS)


def _inside(folder: Path, name: str) -> Path:
    if Path(name).name != name:
        raise EtalageError(f"{name!r} leads out of it")
    return folder / name


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:500] or type(error).__name__
