"""Datasets on the Hugging Face hub, streamed by the `datasets` library."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etalage.catalogue.readers.arrow import batch_size, error_text, split_order, table_with_splits
from etalage.catalogue.readers.raw_table import RawTable
from etalage.errors import EtalageError

__all__ = ["PRIVATE_DATASETS_NAMES", "open_hub_dataset"]

PRIVATE_DATASETS_NAMES = (
    "datasets.packaged_modules.parquet.parquet.Parquet._generate_tables",
    "datasets.packaged_modules.parquet.parquet.Parquet._cast_table",
    "datasets.IterableDataset._resolve_features",
    "datasets.utils.file_utils.xopen",
)
"""Every private or undocumented name of `datasets` that etalage relies on. All are used in `_stream_splits`, and a test
checks that each is still there."""


def open_hub_dataset(source: str) -> RawTable:
    """Open a dataset on the hub; its splits follow one another in the order train, validation, test, others.

    Args:
        source: owner/name, or a folder laid out as a dataset on the hub is.

    Raises:
        EtalageError: The dataset does not exist, cannot be reached or would run code, or `datasets` is not installed.
            Also while reading.
    """
    try:
        import datasets  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        raise EtalageError(
            f"{source}: reading from the hub needs one more package; pip install etalage[hub]"
        ) from error
    name = Path(source).name if Path(source).exists() else source
    try:
        streams, features = _stream_splits(source)
    except Exception as error:  # datasets, huggingface_hub, fsspec and httpx each raise their own
        raise EtalageError(f"{name} cannot be loaded as a dataset on the hub: {error_text(error)}") from error
    labels = {column: kind.names for column, kind in features.items() if isinstance(kind, datasets.ClassLabel)}

    def read_batches(columns: Sequence[str]) -> Iterator[tuple[str, Any]]:
        try:
            for split, stream in streams.items():
                selected = stream.select_columns([column for column in columns if column in features])
                size = batch_size(features.arrow_schema, columns)
                for batch in selected.with_format("arrow").iter(batch_size=size):
                    yield split, batch
        except Exception as error:
            raise EtalageError(f"{name} cannot be read from the hub: {error_text(error)}") from error

    return table_with_splits(list(features), read_batches, labels, num_splits=len(streams))


def _stream_splits(source: str) -> tuple[Mapping[str, Any], Any]:
    """Return the streams of a dataset by split, and its features; uses `PRIVATE_DATASETS_NAMES`."""
    import datasets

    builder = datasets.load_dataset_builder(source)
    if builder.name == "parquet":
        builder._generate_tables = partial(_read_parquet_in_this_thread, builder._cast_table)
    streams = builder.as_streaming_dataset()
    streams = {split: streams[split] for split in sorted(streams, key=split_order)}
    first = next(iter(streams.values()))
    features = first.features
    if features is None:  # no README states them; the first rows do
        features = first._resolve_features().features
    return streams, features


def _read_parquet_in_this_thread(
    cast: Callable[[Any], Any], files: Sequence[str], **_: Any
) -> Iterator[tuple[tuple[int, int], Any]]:
    """Yield what the Parquet builder of `datasets` yields, without using Arrow's threads.

    The builder uses Arrow's scanner, in which a thread of Arrow's pool drops the Python file some time after the last
    row. If the interpreter exits meanwhile, that thread ends in the middle of a destructor, and the process is aborted
    (https://github.com/apache/arrow/issues/45214). Neither closing nor exhausting the iterators waits for it.
    """
    from datasets.utils.file_utils import xopen  # type: ignore[import-untyped]

    for file_number, path in enumerate(files):
        with xopen(path, "rb") as opened, pq.ParquetFile(opened, pre_buffer=False) as file:
            size = batch_size(file.schema_arrow, file.schema_arrow.names)
            for batch_number, batch in enumerate(file.iter_batches(batch_size=size, use_threads=False)):
                yield (file_number, batch_number), cast(pa.Table.from_batches([batch]))
