"""Datasets that the `datasets` library wrote with `save_to_disk`; the library is not needed to read them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from etalage.catalogue.readers.arrow import (
    ARROW_ERRORS,
    batch_size,
    class_labels,
    error_text,
    split_order,
    table_with_splits,
)
from etalage.catalogue.readers.raw_table import RawTable
from etalage.errors import EtalageError
from etalage.json_files import read_json_object

__all__ = ["open_saved_dataset"]

_REMEDY = "save the dataset again"


def open_saved_dataset(folder: Path) -> RawTable:
    """Open one saved dataset, or one per split in the order train, validation, test, others.

    Raises:
        EtalageError: The folder is damaged, or names files outside itself. Also while reading.
    """
    # A single dataset has no split; with one entry, no split column is added that would show the name.
    splits = {"": folder}
    try:
        if (folder / "dataset_dict.json").exists():
            names = read_json_object(folder / "dataset_dict.json", remedy=_REMEDY)["splits"]
            splits = {split: _path_inside(folder, split) for split in sorted(names, key=split_order)}
        files = [
            (split, _path_inside(split_folder, entry["filename"]))
            for split, split_folder in splits.items()
            for entry in read_json_object(split_folder / "state.json", remedy=_REMEDY)["_data_files"]
        ]
        # All shards share the schema of the first one.
        with pa.memory_map(str(files[0][1])) as file:
            schema = pa.ipc.open_stream(file).schema
    except (*ARROW_ERRORS, ValueError, KeyError, TypeError, IndexError) as error:
        raise EtalageError(f"{folder.name} cannot be read as a saved dataset: {error_text(error)}") from error

    def read_batches(columns: Sequence[str]) -> Iterator[tuple[str, Any]]:
        for split, path in files:
            try:
                with pa.memory_map(str(path)) as file:
                    for batch in pa.ipc.open_stream(file):
                        # A stored batch may hold a thousand pictures; slices of a memory map copy nothing.
                        size = batch_size(schema, columns)
                        for start in range(0, batch.num_rows, size):
                            yield split, batch.slice(start, size)
            except ARROW_ERRORS as error:
                raise EtalageError(f"{folder.name}: {path.name} cannot be read: {error_text(error)}") from error

    return table_with_splits(list(schema.names), read_batches, class_labels(schema), num_splits=len(splits))


def _path_inside(folder: Path, name: str) -> Path:
    """Return the path of a file that JSON names; a hostile name could lead anywhere on this machine."""
    if Path(name).name != name or "\0" in name:
        raise EtalageError(f"{name!r} leads out of it")
    return folder / name
