"""The faults that a sample's manifest lists."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from etalage.errors import EtalageError
from etalage.sample.faults.kinds import KINDS
from etalage.sample.rows import Row, Scalar

__all__ = ["MANIFEST", "PlantedFault", "describe_fault", "read_faults"]

MANIFEST = "manifest.json"
"""Name of the manifest in a sample's folder."""


class PlantedFault(TypedDict):
    """A fault as manifest.json lists it."""

    row: int
    """Number of the row, from 0."""
    source_row: int
    """Number of the row, from 1, as a prepared catalogue's files have it."""
    product_code: str
    kind: str
    expect: str
    """What `prepare` is expected to do, see `Fault.expect`."""
    detail: str
    other: int | None
    """Source row of which this row is a copy or a variant."""
    picture: str | None
    """Path of its picture from the sample's folder."""


def describe_fault(number: int, row: Row, picture: str | None, columns: Mapping[str, str]) -> PlantedFault:
    """Return the manifest's entry for a row with a fault.

    Args:
        number: Number of the row, from 0.
        row: The row.
        picture: Path of its picture from the sample's folder, even if there is no file; None if the table names none.
        columns: The table's column for each role, see `Rows.columns`.

    Returns:
        The entry.
    """
    fault = row.fault
    assert fault is not None
    code: Scalar = row.record.get(columns.get("product_code", ""))
    return PlantedFault(
        row=number,
        source_row=number + 1,
        # `prepare` names a row without a code by its number, and cleans the code's spaces.
        product_code=str(number + 1 if code in (None, "") else code).strip(),
        kind=fault.kind,
        expect=fault.expect,
        detail=fault.detail,
        # Files count rows from 1, `Fault` from 0.
        other=None if fault.other is None else fault.other + 1,
        picture=picture,
    )


def read_faults(manifest: Path) -> list[PlantedFault]:
    """Read the faults that a sample's manifest lists.

    Args:
        manifest: The sample's manifest.json.

    Returns:
        The faults, in the order of rows.

    Raises:
        EtalageError: The file does not exist, or is not as `sample` writes it.
    """
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EtalageError(
            f"{manifest.parent} is not a sample: it has no {manifest.name}; make a sample with etalage sample"
        ) from error
    except ValueError as error:
        raise EtalageError(f"{manifest} is damaged: {error}; make the sample again") from error
    faults = content.get("faults", []) if isinstance(content, dict) else None
    if not isinstance(faults, list):
        raise EtalageError(f"{manifest} is damaged: it has no list of faults; make the sample again")
    for place, fault in enumerate(faults):
        if not _is_planted_fault(fault):
            raise EtalageError(f"{manifest} is damaged: fault {place} is {str(fault)[:100]}; make the sample again")
    return faults


def _is_planted_fault(fault: Any) -> bool:
    if not isinstance(fault, dict) or not fault.keys() >= PlantedFault.__annotations__.keys():
        return False
    numbers = isinstance(fault["source_row"], int) and isinstance(fault["other"], int | None)
    texts = all(isinstance(fault[name], str) for name in ("product_code", "kind", "expect", "detail"))
    return numbers and texts and fault["kind"] in KINDS and isinstance(fault["picture"], str | None)
